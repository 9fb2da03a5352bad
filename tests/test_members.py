"""Complete members: the same states as transformers' own BERT, their own depth, freezing and saving."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from cascadebert.models.checkpoints import depth_of
from cascadebert.models.members import (
    Member,
    build_member,
    load_encoder,
    load_trained,
    new_classifier,
    save_trained,
    sentence_states,
    trained,
)
from cascadebert.training.loop import fit
from cascadebert.training.objectives import cross_entropy, on_logits

DEPTHS = (1, 2, 4)


def hidden_states(encoder, batch):
    """[CLS] after each layer as transformers computes it."""
    out = encoder(
        input_ids=batch["input_ids"],
        token_type_ids=batch["token_type_ids"],
        attention_mask=batch["attention_mask"].long(),
        output_hidden_states=True,
    )
    return [states[:, 0] for states in out.hidden_states[1:]]


def copied(model):
    """All tensors of a model, as they are now."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.mark.parametrize("layers", DEPTHS)
def test_sentence_states_are_those_of_transformers(weights, batch, layers):
    encoder = load_encoder(weights, layers).eval()
    found = sentence_states(encoder, batch)
    assert len(found) == layers
    torch.testing.assert_close(found, hidden_states(encoder, batch), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layers", DEPTHS)
def test_gradients_are_those_of_transformers(weights, batch, layers):
    encoder = load_encoder(weights, layers).eval()
    torch.manual_seed(0)
    weighing = torch.randn(layers, 4, 16)

    def gradients(states):
        encoder.zero_grad()
        (torch.stack(states) * weighing).sum().backward()
        return {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}

    found, expected = gradients(sentence_states(encoder, batch)), gradients(hidden_states(encoder, batch))
    assert len(found) > 16 * layers - 1
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_padding_does_not_reach_a_state(weights, batch):
    encoder = load_encoder(weights, 4).eval()
    before = sentence_states(encoder, batch)
    changed = torch.where(batch["attention_mask"], batch["input_ids"], 7)
    torch.testing.assert_close(sentence_states(encoder, batch | {"input_ids": changed}), before, atol=1e-6, rtol=1e-6)


def test_dropout_is_active_in_the_last_layer_too(weights, batch):
    encoder = load_encoder(weights, 1).train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    torch.testing.assert_close(sentence_states(encoder, batch), sentence_states(encoder, batch))
    encoder.encoder.layer[0].attention.self.dropout.p = 0.5
    assert not torch.equal(sentence_states(encoder, batch)[0], sentence_states(encoder, batch)[0])


@pytest.mark.parametrize("layers", DEPTHS)
def test_member_has_the_layers_it_is_asked_for_each_its_own(weights, layers):
    member = build_member(weights, layers, 2, freeze_embeddings=False)
    stack = member.encoder.encoder.layer
    assert len(stack) == member.encoder.config.num_hidden_layers == layers
    assert len({id(layer) for layer in stack}) == layers
    assert member.exit_layers == [layers]


@pytest.mark.parametrize("layers", DEPTHS)
def test_member_starts_from_the_checkpoints_first_layers(weights, layers):
    tensors, own = load_file(weights), load_encoder(weights, layers).state_dict()
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in own.items())
    outside = {name for name in tensors if not name.startswith("encoder.layer.")}
    assert outside <= set(own)
    assert sum(name.startswith("encoder.layer.") for name in own) == 16 * layers
    assert not torch.equal(
        tensors["encoder.layer.0.output.dense.weight"], tensors["encoder.layer.1.output.dense.weight"]
    )


@pytest.mark.parametrize("layers", [0, 5])
def test_depth_that_the_checkpoint_lacks_is_refused(weights, layers):
    with pytest.raises(ValueError, match=f"has 4 layers, a member of {layers} cannot"):
        load_encoder(weights, layers)


@pytest.mark.parametrize("change", ["lacks", "adds"])
def test_checkpoint_that_does_not_fit_its_config_is_refused(weights, tmp_path, change):
    tensors = load_file(weights)
    if change == "lacks":
        del tensors["encoder.layer.1.output.dense.bias"]
    else:
        tensors["cls.bias"] = torch.zeros(3)
    (tmp_path / "config.json").write_bytes(weights.with_name("config.json").read_bytes())
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="does not fit its config"):
        load_encoder(tmp_path / "model.safetensors", 4)


def test_depth_of_a_checkpoint_is_its_configs(weights):
    assert depth_of(weights) == 4


@pytest.mark.parametrize(("layers", "millions"), [(2, 38.60), (12, 109.48)])
def test_parameters_of_the_papers_members(layers, millions):
    with torch.device("meta"):
        member = Member(BertModel(BertConfig(num_hidden_layers=layers)), 2)
    count = sum(p.numel() for p in member.encoder.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)
    assert sum(p.numel() for p in member.parameters()) == count + 768 * 2 + 2


def test_logits_are_the_classifier_on_the_tanh_pooler(weights, batch):
    member = build_member(weights, 2, 3, freeze_embeddings=False).eval()
    pooler = member.encoder.pooler.dense
    pooled = torch.tanh(hidden_states(member.encoder, batch)[-1] @ pooler.weight.T + pooler.bias)
    expected = pooled @ member.classifier.weight.T + member.classifier.bias
    logits = member(batch)
    assert logits.shape == (1, 4, 3)
    torch.testing.assert_close(logits[0], expected, atol=1e-6, rtol=1e-5)


def test_dropout_stands_before_the_classifier_in_training_alone(weights, batch):
    member = build_member(weights, 1, 3, freeze_embeddings=False).eval()
    assert torch.equal(member(batch), member(batch))
    member.dropout.train()
    assert not torch.equal(member(batch), member(batch))


def test_new_classifier_starts_as_bert_does():
    torch.manual_seed(0)
    classifier = new_classifier(BertConfig(initializer_range=0.02), 100)
    assert not classifier.bias.any()
    assert classifier.weight.std().item() == pytest.approx(0.02, rel=0.02)  # 4 standard errors are 0.01


def test_frozen_embeddings_stay_and_all_else_changes(weights, sentences, settings):
    member = build_member(weights, 2, 2, freeze_embeddings=True)
    before = copied(member)
    fit(member, sentences, sentences.rows("train"), on_logits(cross_entropy), settings(), seed=1)
    unchanged = {name for name, tensor in member.state_dict().items() if torch.equal(tensor, before[name])}
    frozen = {name for name in before if name.startswith("encoder.embeddings.")}
    assert len(frozen) == 5
    # A shift of all keys cancels in the softmax, so that their biases' gradient is nothing but rounding.
    assert {name for name in unchanged if not name.endswith("key.bias")} == frozen


def test_embeddings_that_are_not_frozen_change(weights, sentences, settings):
    member = build_member(weights, 1, 2, freeze_embeddings=False)
    before = copied(member)
    fit(member, sentences, sentences.rows("train"), on_logits(cross_entropy), settings(), seed=1)
    changed = [name for name, tensor in member.state_dict().items() if not torch.equal(tensor, before[name])]
    assert "encoder.embeddings.word_embeddings.weight" in changed


@pytest.mark.parametrize("freeze", [True, False])
def test_saved_tensors_make_the_same_model(weights, batch, tmp_path, freeze):
    torch.manual_seed(1)
    member = build_member(weights, 2, 3, freeze).eval()
    with torch.no_grad():
        for tensor in trained(member).values():
            tensor.add_(0.1 * torch.randn_like(tensor))
    save_trained(member, tmp_path / "model.safetensors")
    other = build_member(weights, 2, 3, freeze).eval()
    assert not torch.equal(other(batch), member(batch))
    load_trained(other, tmp_path / "model.safetensors")
    assert torch.equal(other(batch), member(batch))
    stored = load_file(tmp_path / "model.safetensors")
    assert any(name.startswith("encoder.embeddings.") for name in stored) != freeze


@pytest.mark.parametrize("built", [{"freeze_embeddings": True}, {"layers": 1}, {"layers": 3}])
def test_tensors_of_another_model_are_refused(weights, tmp_path, built):
    own = {"layers": 2, "n_classes": 2, "freeze_embeddings": False}
    save_trained(build_member(weights, **own), tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="was trained with other settings"):
        load_trained(build_member(weights, **own | built), tmp_path / "model.safetensors")
