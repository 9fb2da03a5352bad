"""RoBERTa (section 5.4): its tokens and positions, its states, its fresh pooler, and every system built on it."""

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

from cascadebert.data.encoding import encode
from cascadebert.data.sources import read_source
from cascadebert.data.splits import carve
from cascadebert.models.checkpoints import checkpoint_of, read_checkpoint, write_checkpoint
from cascadebert.models.deebert import DeeBert, off_ramp_loss
from cascadebert.models.members import (
    RobertaPooler,
    build_member,
    load_encoder,
    load_trained,
    save_trained,
    sentence_states,
    token_states,
    trained,
)
from cascadebert.models.pabee import build_pabee, weighted_loss
from cascadebert.training.loop import fit, predict, to_batch
from cascadebert.training.objectives import cross_entropy, on_logits

CPU = torch.device("cpu")
TEXTS = [
    ("the film was very good", "a good story"),
    ("bad", "this plot is dull and cold and grim and weak and the actor was awful"),
    ("a scene of the film with music and a joke and the plot and the actor", "warm"),
    ("quite clever", "rather sweet and bright"),
]


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    """model.safetensors of an untrained RoBERTa with 4 layers of 16, weights ten times as large as at the start."""
    folder = tmp_path_factory.mktemp("roberta")
    config, tensors, tokenizer = read_checkpoint({"random": 4, "hidden": 16, "architecture": "roberta"})
    large = {
        name: 10 * tensor if name.endswith("weight") and "LayerNorm" not in name else tensor
        for name, tensor in tensors.items()
    }
    write_checkpoint(folder, config, large, tokenizer)
    return folder / "model.safetensors"


@pytest.fixture(scope="module")
def task(roberta):
    """A toy task of two classes in RoBERTa's tokens."""
    names = ["negative", "positive"]
    frames = read_source({"source": {"toy": 60}, "labels": names})
    examples, _ = carve(frames, {"train": 32, "selection": 10, "report": 10}, seed=0)
    return encode(examples, names, roberta.with_name("tokenizer.json"), 32)


@pytest.fixture(params=["single texts", "pairs"])
def rows(request, roberta):
    """Four texts, or pairs of them, in three classes, some cut at 16 tokens."""
    examples = pd.DataFrame(TEXTS, columns=["text", "text_pair"]).assign(
        id=list("ijkl"), split="train", label=["a", "b", "c", "a"]
    )
    if request.param == "single texts":
        examples = examples.drop(columns="text_pair")
    return encode(examples, ["a", "b", "c"], roberta.with_name("tokenizer.json"), 16)


@pytest.fixture
def batch(rows):
    """All of them in one padded batch."""
    found = to_batch(rows, np.arange(4), CPU)
    assert not found["attention_mask"].all()
    return found


def hidden_states(encoder, batch):
    """Every token's state after each layer as transformers computes it, told nothing but ids and mask."""
    out = encoder(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"].long(), output_hidden_states=True
    )
    return list(out.hidden_states[1:])


# --- tokens


def test_pairs_stand_between_robertas_separators_and_padding_is_its_own(roberta):
    examples = pd.DataFrame(TEXTS, columns=["text", "text_pair"]).assign(id=list("ijkl"), split="train", label="a")
    path = roberta.with_name("tokenizer.json")
    data, tool = encode(examples, ["a"], path, 64), Tokenizer.from_file(str(path))
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
    examples = pd.DataFrame(TEXTS, columns=["text", "text_pair"]).assign(id=list("ijkl"), split="train", label="a")
    data = encode(examples, ["a"], roberta.with_name("tokenizer.json"), 12)
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


# --- states


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_states_are_those_of_transformers(roberta, batch, layers):
    encoder = load_encoder(roberta, layers).eval()
    expected = hidden_states(encoder, batch)
    found = sentence_states(encoder, batch)
    assert len(found) == layers
    torch.testing.assert_close(found, [states[:, 0] for states in expected], atol=1e-5, rtol=1e-5)
    mask = batch["attention_mask"]
    every = [states[mask] for states in token_states(encoder, batch)]
    torch.testing.assert_close(every, [states[mask] for states in expected], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_gradients_are_those_of_transformers(roberta, batch, layers):
    encoder = load_encoder(roberta, layers).eval()
    torch.manual_seed(0)
    weighing = torch.randn(layers, 4, 16)

    def gradients(states):
        encoder.zero_grad()
        (torch.stack(states) * weighing).sum().backward()
        return {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}

    found = gradients(sentence_states(encoder, batch))
    expected = gradients([states[:, 0] for states in hidden_states(encoder, batch)])
    assert len(found) == 16 * layers + 5
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


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


def test_padding_does_not_reach_a_state(roberta, rows, batch):
    encoder = load_encoder(roberta, 4).eval()
    together = sentence_states(encoder, batch)
    for row in range(4):
        alone = to_batch(rows, np.array([row]), CPU)
        assert alone["attention_mask"].all()
        torch.testing.assert_close(sentence_states(encoder, alone), [s[[row]] for s in together], atol=1e-5, rtol=1e-5)


def test_second_type_of_another_tokenizer_is_read_as_the_only_one(roberta, batch):
    encoder = load_encoder(roberta, 2).eval()
    ones = batch | {"token_type_ids": torch.ones_like(batch["token_type_ids"])}
    assert all(
        torch.equal(a, b) for a, b in zip(sentence_states(encoder, ones), sentence_states(encoder, batch), strict=True)
    )


# --- the pooler


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


def test_logits_are_robertas_head_on_the_first_token(roberta, batch):
    member = build_member(roberta, 2, 3, freeze_embeddings=False).eval()
    dense, out = member.encoder.pooler.dense, member.classifier
    cls = hidden_states(member.encoder, batch)[-1][:, 0]
    expected = torch.tanh(cls @ dense.weight.T + dense.bias) @ out.weight.T + out.bias
    torch.testing.assert_close(member(batch)[0], expected, atol=1e-6, rtol=1e-5)


def test_pooler_reads_the_first_token(roberta):
    pooler, states = load_encoder(roberta, 1).eval().pooler, torch.randn(3, 5, 16)
    assert torch.equal(pooler(states), pooler(states[:, :1]))


def test_dropout_stands_before_the_pooler_in_training_alone(roberta, batch):
    member = build_member(roberta, 1, 3, freeze_embeddings=False).eval()
    assert torch.equal(member(batch), member(batch))
    member.encoder.pooler.dropout.train()
    assert not torch.equal(member(batch), member(batch))


# --- the systems


def member_of(weights):
    """A member of 2 layers, embeddings frozen."""
    return build_member(weights, 2, 2, freeze_embeddings=True)


def deebert_of(weights):
    """Off-ramps on a member of 3 layers, each a copy of one fresh pooler."""
    member = build_member(weights, 3, 2, freeze_embeddings=True)
    return DeeBert(member, member.encoder.pooler)


def pabee_of(weights):
    """A classifier after each of 3 layers."""
    return build_pabee(weights, 3, 2, freeze_embeddings=True)


SYSTEMS = {
    "member": (member_of, cross_entropy, 1, {"encoder.encoder", "encoder.pooler", "classifier"}),
    "deebert": (deebert_of, off_ramp_loss, 3, {"highways.0", "highways.1"}),
    "pabee": (pabee_of, weighted_loss, 3, {"encoder.encoder", "encoder.pooler", "classifiers"}),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_system_trains_and_is_the_same_when_it_is_read_again(roberta, task, settings, tmp_path, system):
    build, loss, exits, moved = SYSTEMS[system]
    torch.manual_seed(1)
    model = build(roberta)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    history = fit(model, task, task.rows("train"), on_logits(loss), settings(epochs=2), seed=1)
    assert np.isfinite(history[-1]["loss"])
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {part for part in moved if any(name.startswith(part) for name in changed)} == moved
    assert all(any(name.startswith(part) for part in moved) for name in changed)
    assert {name for name in trained(model) if not name.endswith("key.bias")} <= changed

    logits = predict(model, task, task.rows("report"))
    assert logits.shape == (exits, 10, 2)
    save_trained(model, tmp_path / "trained.safetensors")
    torch.manual_seed(2 if system != "deebert" else 1)  # DeeBERT's frozen member is read from its own file elsewhere
    other = build(roberta)
    load_trained(other, tmp_path / "trained.safetensors")
    assert np.array_equal(predict(other, task, task.rows("report")), logits)


def test_off_ramps_start_as_copies_of_one_pooler(roberta):
    model = deebert_of(roberta)
    pooler = model.member.encoder.pooler
    for highway in model.highways:
        assert highway.pooler is not pooler
        assert torch.equal(highway.pooler.dense.weight, pooler.dense.weight)
