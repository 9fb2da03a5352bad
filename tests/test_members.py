"""Members of BERT and RoBERTa (section 5.4): states as transformers has them, tokens, poolers, freezing, systems."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from builders import (
    CPU,
    changed,
    copied,
    enlarged,
    gradients,
    states_by_transformers,
    through,
    train,
    without_key_biases,
)
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from cascadebert.data.encoding import encode
from cascadebert.data.sources import read_source
from cascadebert.data.splits import carve
from cascadebert.models.as_released import build_as_released
from cascadebert.models.checkpoints import checkpoint_of, depth_of, write_checkpoint
from cascadebert.models.deebert import DeeBert, off_ramp_loss
from cascadebert.models.dropout import Dropout
from cascadebert.models.encoders import RobertaPooler, load_encoder, sentence_states, token_states
from cascadebert.models.members import Member, build_member, load_trained, new_classifier, save_trained, trained
from cascadebert.models.pabee import build_pabee, weighted_loss
from cascadebert.training.loop import predict, to_batch
from cascadebert.training.objectives.cross_entropy import cross_entropy

DEPTHS = (1, 2, 4)
TEXTS = [
    ("the film was very good", "a good story"),
    ("bad", "this plot is dull and cold and grim and weak and the actor was awful"),
    ("a scene of the film with music and a joke and the plot and the actor", "warm"),
    ("quite clever", "rather sweet and bright"),
]
EXAMPLES = pd.DataFrame(TEXTS, columns=["text", "text_pair"]).assign(id=[*"ijkl"], split="train", label=[*"abca"])
KINDS = ("bert, pairs", "roberta, pairs", "roberta, single texts")
of_roberta = pytest.mark.parametrize("kind", KINDS[1:], indirect=True)


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    """model.safetensors of an untrained RoBERTa with 4 layers of 16."""
    return enlarged(tmp_path_factory.mktemp("roberta"), {"random": 4, "hidden": 16, "architecture": "roberta"})


@pytest.fixture(params=KINDS)
def kind(request):
    """Each encoder with what it reads."""
    return request.param


@pytest.fixture
def checkpoint(kind, weights, roberta):
    """Its model.safetensors."""
    return weights if kind.startswith("bert") else roberta


@pytest.fixture
def rows(kind, checkpoint):
    """Four texts, or pairs of them, in three classes, some cut at 16 tokens."""
    examples = EXAMPLES if kind.endswith("pairs") else EXAMPLES.drop(columns="text_pair")
    return encode(examples, ["a", "b", "c"], checkpoint.with_name("tokenizer.json"), 16)


@pytest.fixture
def batch(rows):
    """All of them in one padded batch."""
    found = to_batch(rows, np.arange(4), CPU)
    assert not found["attention_mask"].all()
    return found


def hidden_states(encoder, batch):
    """Every token's state after each layer by transformers; of RoBERTa told nothing but ids and mask."""
    types = {} if encoder.config.model_type == "roberta" else {"token_type_ids": batch["token_type_ids"]}
    return states_by_transformers(encoder, batch, **types)


# --- states


@pytest.mark.parametrize("layers", DEPTHS)
def test_states_are_those_of_transformers(checkpoint, batch, layers):
    encoder, mask = load_encoder(checkpoint, layers).eval(), batch["attention_mask"]
    expected, found = hidden_states(encoder, batch), sentence_states(encoder, batch)
    assert len(found) == layers
    torch.testing.assert_close(found, [states[:, 0] for states in expected], atol=1e-5, rtol=1e-5)
    every = [states[mask] for states in token_states(encoder, batch)]
    torch.testing.assert_close(every, [states[mask] for states in expected], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layers", DEPTHS)
def test_gradients_are_those_of_transformers(checkpoint, batch, layers):
    encoder = load_encoder(checkpoint, layers).eval()
    found = gradients(encoder, sentence_states(encoder, batch))
    expected = gradients(encoder, [states[:, 0] for states in hidden_states(encoder, batch)])
    assert len(found) == 16 * layers + 5
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_padding_does_not_reach_a_state(kind, checkpoint, rows, batch):
    encoder = load_encoder(checkpoint, 4).eval()
    together = sentence_states(encoder, batch)
    for row in range(4):
        alone = to_batch(rows, np.array([row]), CPU)
        assert alone["attention_mask"].all()
        torch.testing.assert_close(sentence_states(encoder, alone), [s[[row]] for s in together], atol=1e-5, rtol=1e-5)
    if kind.startswith("bert"):  # RoBERTa counts positions by the padding's id
        others = batch | {"input_ids": torch.where(batch["attention_mask"], batch["input_ids"], 7)}
        torch.testing.assert_close(sentence_states(encoder, others), together, atol=1e-6, rtol=1e-6)


def test_member_as_released_is_as_deep_as_the_base_and_random_above_its_checkpoint(weights, sentences, settings):
    built = [build_as_released(weights, 6, 2, freeze_embeddings=True) for _ in range(2)]
    kinds = {type(module) for module in built[0].encoder.modules() if isinstance(module, torch.nn.Dropout)}
    assert kinds == {Dropout}, "layers that are added drop as cheaply as the others"
    assert built[0].exit_layers == [6]  # its true cost
    held = load_file(weights)
    for name, tensor in built[0].encoder.state_dict().items():
        if name in held:
            assert torch.equal(tensor, held[name]), name
        else:
            assert name.startswith(("encoder.layer.4.", "encoder.layer.5."))
            if name.endswith("query.weight"):
                assert not torch.equal(tensor, built[1].encoder.state_dict()[name])  # of each run its own
                assert tensor.std() == pytest.approx(built[0].encoder.config.initializer_range, rel=0.3)
    before = copied(built[0])
    train(built[0], sentences, settings())
    names = without_key_biases(before)
    assert changed(built[0], before) >= {name for name in names if "embeddings" not in name}  # trained whole


def test_dropout_is_active_in_the_last_layer_too(checkpoint, batch):
    encoder = load_encoder(checkpoint, 1).train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    torch.testing.assert_close(sentence_states(encoder, batch), sentence_states(encoder, batch))
    encoder.encoder.layer[0].attention.self.dropout.p = 0.5
    assert not torch.equal(sentence_states(encoder, batch)[0], sentence_states(encoder, batch)[0])


# --- members


@pytest.mark.parametrize("layers", DEPTHS)
def test_member_starts_from_the_checkpoints_first_layers_each_its_own(weights, layers):
    member, tensors = build_member(weights, layers, 2, freeze_embeddings=False), load_file(weights)
    stack, own = member.encoder.encoder.layer, member.encoder.state_dict()
    assert len(stack) == member.encoder.config.num_hidden_layers == len({id(layer) for layer in stack}) == layers
    assert member.exit_layers == [layers]
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in own.items())
    assert {name for name in tensors if not name.startswith("encoder.layer.")} <= set(own)
    assert sum(name.startswith("encoder.layer.") for name in own) == 16 * layers
    first, second = (tensors[f"encoder.layer.{i}.output.dense.weight"] for i in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("layers", [0, 5])
def test_depth_that_the_checkpoint_lacks_is_refused(weights, layers):
    assert depth_of(weights) == 4
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


@pytest.mark.parametrize(("layers", "millions"), [(2, 38.60), (12, 109.48)])
def test_parameters_of_the_papers_members(layers, millions):
    with torch.device("meta"):
        member = Member(BertModel(BertConfig(num_hidden_layers=layers)), 2)
    count = sum(p.numel() for p in member.encoder.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.005)
    assert sum(p.numel() for p in member.parameters()) == count + 768 * 2 + 2


def test_logits_are_the_classifier_on_the_tanh_pooler_on_the_first_token(checkpoint, batch):
    member = build_member(checkpoint, 2, 3, freeze_embeddings=False).eval()
    cls = hidden_states(member.encoder, batch)[-1][:, 0]
    logits = member(batch)
    assert logits.shape == (1, 4, 3)
    expected = through(member.encoder.pooler.dense, member.classifier, cls)
    torch.testing.assert_close(logits[0], expected, atol=1e-6, rtol=1e-5)


def test_dropout_stands_before_the_classifier_or_robertas_pooler_in_training_alone(kind, checkpoint, batch):
    member = build_member(checkpoint, 1, 3, freeze_embeddings=False).eval()
    assert torch.equal(member(batch), member(batch))
    (member.dropout if kind.startswith("bert") else member.encoder.pooler.dropout).train()
    assert not torch.equal(member(batch), member(batch))


def test_new_classifier_starts_as_bert_does():
    torch.manual_seed(0)
    classifier = new_classifier(BertConfig(initializer_range=0.02), 100)
    assert not classifier.bias.any()
    assert classifier.weight.std().item() == pytest.approx(0.02, rel=0.02)  # 4 standard errors are 0.01


@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_embeddings_stay_and_all_else_changes(weights, sentences, settings, freeze):
    member = build_member(weights, 2, 2, freeze)
    before = copied(member)
    train(member, sentences, settings())
    embeddings = {name for name in before if name.startswith("encoder.embeddings.")}
    assert len(embeddings) == 5
    assert without_key_biases(set(before) - changed(member, before)) == (embeddings if freeze else set())


@pytest.mark.parametrize("freeze", [True, False])
def test_saved_tensors_make_the_same_model(checkpoint, batch, tmp_path, freeze):
    torch.manual_seed(1)
    member = build_member(checkpoint, 2, 3, freeze).eval()
    with torch.no_grad():
        for tensor in trained(member).values():
            tensor.add_(0.1 * torch.randn_like(tensor))
    save_trained(member, tmp_path / "model.safetensors")
    other = build_member(checkpoint, 2, 3, freeze).eval()
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


# --- RoBERTa's tokens and positions


def test_pairs_stand_between_robertas_separators_and_padding_is_its_own(roberta):
    path = roberta.with_name("tokenizer.json")
    data, tool = encode(EXAMPLES, ["a", "b", "c"], path, 64), Tokenizer.from_file(str(path))
    ids, types, mask = data.padded(np.arange(4))
    assert data.pad == 1
    assert not mask.all()
    assert (ids[~mask] == 1).all()
    assert not types.any()
    for i, texts in enumerate(TEXTS):
        first, second = ([f"Ġ{word}" for word in text.split()] for text in texts)
        expected = ["<s>", *first, "</s>", "</s>", *second, "</s>"]
        assert [tool.id_to_token(token) for token in ids[i][mask[i]]] == expected


def test_pairs_are_cut_longest_first_to_the_length_that_counts_four_special_tokens(roberta):
    data = encode(EXAMPLES, ["a", "b", "c"], roberta.with_name("tokenizer.json"), 12)
    assert data.lengths.tolist() == [12, 12, 12, 10]
    for row, first in enumerate([5, 1, 7, 2]):
        tokens = data.tokens[data.starts[row] : data.ends[row]].tolist()
        assert tokens[0] == 0
        assert [i for i, token in enumerate(tokens) if token == 2] == [first + 1, first + 2, len(tokens) - 1]


def test_row_of_128_tokens_has_a_position_for_each(roberta):
    examples = pd.DataFrame({"id": ["i"], "split": ["train"], "label": ["a"], "text": ["film " * 300]})
    data = encode(examples, ["a"], roberta.with_name("tokenizer.json"), 128)
    assert data.lengths.tolist() == [128]
    encoder = load_encoder(roberta, 1).eval()
    assert torch.isfinite(sentence_states(encoder, to_batch(data, np.arange(1), CPU))[0]).all()


@of_roberta
def test_positions_are_counted_after_the_padding_tokens_id(roberta, batch):
    encoder = load_encoder(roberta, 1).eval()
    table, mask = load_file(roberta), batch["attention_mask"]
    words, types, positions = (
        table[f"embeddings.{name}_embeddings.weight"] for name in ("word", "token_type", "position")
    )
    place = torch.arange(mask.shape[1]) + 2  # pad id 1, then from 2 on
    summed = words[batch["input_ids"]] + positions[place] + types[0]
    weight, bias = (table[f"embeddings.LayerNorm.{name}"] for name in ("weight", "bias"))
    expected = F.layer_norm(summed, (16,), weight, bias, encoder.config.layer_norm_eps)
    found = encoder.embeddings(input_ids=batch["input_ids"])
    torch.testing.assert_close(found[mask], expected[mask], atol=1e-6, rtol=1e-5)


@of_roberta
def test_second_type_of_another_tokenizer_is_read_as_the_only_one(roberta, batch):
    encoder = load_encoder(roberta, 2).eval()
    ones = batch | {"token_type_ids": torch.ones_like(batch["token_type_ids"])}
    states = (sentence_states(encoder, given) for given in (ones, batch))
    assert all(torch.equal(*layer) for layer in zip(*states, strict=True))


# --- RoBERTa's pooler


def test_pooler_is_fresh_for_each_seed_and_not_the_checkpoints(roberta):
    stored = load_file(roberta)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(load_encoder(roberta, 2).pooler)
    assert all(isinstance(pooler, RobertaPooler) for pooler in drawn)
    first, same, other = (pooler.dense.weight for pooler in drawn)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.equal(first, stored["pooler.dense.weight"])
    assert not torch.equal(first, stored["pooler.dense.weight"] / 10)
    assert first.std().item() == pytest.approx(0.02, abs=4 * 0.02 / np.sqrt(2 * 256))
    assert not drawn[0].dense.bias.any()


def test_all_but_the_pooler_is_the_checkpoints_and_needs_none_in_it(roberta, tmp_path):
    config, tensors = checkpoint_of(load_encoder(roberta, 4))
    stored = load_file(roberta)
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("pooler.")}
    assert tensors.keys() == {name for name in stored if not name.startswith("pooler.")}
    assert all(torch.equal(tensor, stored[name]) for name, tensor in tensors.items())
    write_checkpoint(tmp_path, config, tensors, roberta.with_name("tokenizer.json").read_bytes())
    loaded = load_encoder(tmp_path / "model.safetensors", 4).state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in tensors.items())


def test_pooler_reads_the_first_token(roberta):
    pooler, states = load_encoder(roberta, 1).eval().pooler, torch.randn(3, 5, 16)
    assert torch.equal(pooler(states), pooler(states[:, :1]))


# --- systems on RoBERTa


@pytest.fixture(scope="module")
def task(roberta):
    """A toy task of two classes in RoBERTa's tokens."""
    names = ["negative", "positive"]
    frames = read_source({"source": {"toy": 60}, "labels": names})
    examples, _ = carve(frames, {"train": 32, "selection": 10, "report": 10}, seed=0)
    return encode(examples, names, roberta.with_name("tokenizer.json"), 32)


SYSTEMS = {  # embeddings frozen; the loss, the exits, what moves
    "member": (
        lambda weights: build_member(weights, 2, 2, True),
        *(cross_entropy, 1, {"encoder.encoder", "encoder.pooler", "classifier"}),
    ),
    "deebert": (
        lambda weights: DeeBert(member := build_member(weights, 3, 2, True), member.encoder.pooler),
        *(off_ramp_loss, 3, {"highways.0", "highways.1"}),
    ),
    "pabee": (
        lambda weights: build_pabee(weights, 3, 2, True),
        *(weighted_loss, 3, {"encoder.encoder", "encoder.pooler", "classifiers"}),
    ),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_system_trains_and_is_the_same_when_it_is_read_again(roberta, task, settings, tmp_path, system):
    build, loss, exits, moved = SYSTEMS[system]
    torch.manual_seed(1)
    model = build(roberta)
    before = copied(model)
    history = train(model, task, settings(epochs=2), loss)
    assert np.isfinite(history[-1]["loss"])
    learnt = changed(model, before)
    assert {part for part in moved if any(name.startswith(part) for name in learnt)} == moved
    assert all(any(name.startswith(part) for part in moved) for name in learnt)
    assert without_key_biases(trained(model)) <= learnt

    logits = predict(model, task, task.rows("report"))
    assert logits.shape == (exits, 10, 2)
    save_trained(model, tmp_path / "trained.safetensors")
    torch.manual_seed(2 if system != "deebert" else 1)  # DeeBERT's frozen member is read from its own file elsewhere
    other = build(roberta)
    load_trained(other, tmp_path / "trained.safetensors")
    assert np.array_equal(predict(other, task, task.rows("report")), logits)


def test_off_ramps_start_as_copies_of_one_pooler(roberta):
    model = SYSTEMS["deebert"][0](roberta)
    pooler = model.member.encoder.pooler
    for highway in model.highways:
        assert highway.pooler is not pooler
        assert torch.equal(highway.pooler.dense.weight, pooler.dense.weight)
