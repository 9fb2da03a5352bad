"""DistilBERT in small: what is masked, which loss reaches which parameter, what is frozen, what is written."""

import json
import math
from copy import deepcopy
from unittest.mock import create_autospec

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from builders import CPU, changed, copied, without_key_biases
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig

from cascadebert.models.checkpoints import checkpoint_of, depth_of, read_checkpoint, write_checkpoint
from cascadebert.models.encoders import load_encoder
from cascadebert.models.members import trained
from cascadebert.training.distillation import corpus_of, some_layers
from cascadebert.training.loop import fit, to_batch
from cascadebert.training.masked import (
    Distil,
    MaskedHead,
    MaskedModel,
    Masks,
    distil_loss,
    distilled,
    divergence,
    head_loss,
    teacher_of,
    word_loss,
)

PARTS = {"ce": {"mlm": 0.0, "cos": 0.0}, "mlm": {"ce": 0.0, "cos": 0.0}, "cos": {"ce": 0.0, "mlm": 0.0}}
"""Each part of the loss alone: the weights that are put to 0."""


def tokenizer_of(weights):
    """tokenizer.json of a checkpoint."""
    return weights.with_name("tokenizer.json")


@pytest.fixture(params=["bert", "roberta"])
def checkpoint(request, weights, tmp_path):
    """model.safetensors of an untrained BERT of 4 layers, and of such a RoBERTa."""
    if request.param == "bert":
        return weights
    write_checkpoint(tmp_path, *read_checkpoint({"random": 4, "hidden": 16, "architecture": "roberta"}))
    return tmp_path / "model.safetensors"


@pytest.fixture
def corpus(checkpoint):
    """Toy sentences in the checkpoint's tokens."""
    toy = json.dumps({"source": {"toy": 60}, "labels": ["negative", "positive"]})
    return corpus_of(toy, None, [], 60, tokenizer_of(checkpoint), 32, 0)


@pytest.fixture
def masks(weights):
    """Function to the masks of a seed, some share of the tokens."""
    return lambda share=0.5, seed=0: Masks(tokenizer_of(weights), share, seed)


@pytest.fixture
def teacher(weights):
    """The tiny BERT with an untrained head that is not all zeros, frozen, in evaluation mode."""
    torch.manual_seed(0)
    model = MaskedModel(load_encoder(weights, 4), MaskedHead(load_encoder(weights, 4).config))
    torch.nn.init.normal_(model.head.transform.dense.weight)
    return model.eval().requires_grad_(False)


@pytest.fixture
def student(weights, teacher):
    """Its first and last layer with a copy of its head, no dropout."""
    return MaskedModel(some_layers(weights, 4, [1, 4]), deepcopy(teacher.head).requires_grad_(True)).eval()


# --- masks


@pytest.fixture
def many(checkpoint):
    """400 rows of 100 random tokens in special tokens, the last 28 padding, and the tokenizer's facts."""
    tool = Tokenizer.from_file(str(tokenizer_of(checkpoint)))
    special = {i for i, token in tool.get_added_tokens_decoder().items() if token.special}
    ordinary = torch.tensor(sorted(set(range(tool.get_vocab_size())) - special))
    first, last, pad, mask = (
        next(i for token in tokens if (i := tool.token_to_id(token)) is not None)
        for tokens in (("[CLS]", "<s>"), ("[SEP]", "</s>"), ("[PAD]", "<pad>"), ("[MASK]", "<mask>"))
    )
    torch.manual_seed(1)
    ids = torch.full((400, 128), pad)
    ids[:, 1:99] = ordinary[torch.randint(len(ordinary), (400, 98))]
    ids[:, 0], ids[:, 99], ids[:, 50] = first, last, last
    batch = {"input_ids": ids, "attention_mask": (torch.arange(128) < 100).expand(400, 128)}
    return batch, special, ordinary, mask


def test_share_of_the_masked_and_what_becomes_of_them(checkpoint, many):
    batch, _, ordinary, mask = many
    before = batch["input_ids"].clone()
    shown, chosen = Masks(tokenizer_of(checkpoint), 0.15, 3)(batch)
    assert torch.equal(batch["input_ids"], before)
    free = 400 * 97
    count = int(chosen.sum())
    assert count / free == pytest.approx(0.15, abs=4 * math.sqrt(0.15 * 0.85 / free))
    is_mask = shown["input_ids"][chosen] == mask
    is_same = shown["input_ids"][chosen] == before[chosen]
    lucky = 0.1 / len(ordinary)  # another token that happens to be the same one
    for share, expected in ((is_mask, 0.8), (is_same, 0.1 + lucky), (~is_mask & ~is_same, 0.1 - lucky)):
        se = math.sqrt(expected * (1 - expected) / count)
        assert 4 * se < 0.03
        assert share.float().mean().item() == pytest.approx(expected, abs=4 * se)
    assert torch.equal(shown["input_ids"][~chosen], before[~chosen])


def test_special_tokens_and_padding_are_never_masked_nor_put_in(checkpoint, many):
    batch, special, _, mask = many
    shown, chosen = Masks(tokenizer_of(checkpoint), 1.0, 3)(batch)
    is_special = torch.isin(batch["input_ids"], torch.tensor(sorted(special)))
    assert torch.equal(chosen, ~is_special)
    assert not chosen[:, [0, 50, 99]].any()
    assert not chosen[:, 100:].any()
    put_in = set(shown["input_ids"][chosen].tolist())
    assert put_in & special == {mask}
    assert len(put_in) > 100


def test_masks_differ_between_batches_and_seeds_and_draw_from_their_own_stream_no_padding(masks, batch):
    ordinary = batch | {"input_ids": torch.full_like(batch["input_ids"], 20)}
    assert torch.equal(masks(share=1.0)(ordinary)[1], batch["attention_mask"]), "padding, whatever its token"
    one, same, other = masks(seed=5), masks(seed=5), masks(seed=6)
    state = torch.get_rng_state()
    first, second = one(batch), one(batch)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    again = same(batch)
    assert torch.equal(first[0]["input_ids"], again[0]["input_ids"])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], second[1])
    assert not torch.equal(first[1], other(batch)[1])


def test_tokenizer_without_a_mask_is_refused(tmp_path):
    tokenizer = Tokenizer.from_str(read_checkpoint({"random": 1, "hidden": 8})[2].decode())
    text = tokenizer.to_str().replace("[MASK]", "[NONE]")
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(ValueError, match="has no special token"):
        Masks(tmp_path / "tokenizer.json", 0.15, 0)


# --- losses


def test_head_is_berts_with_the_word_embeddings_as_decoder(teacher):
    states = torch.randn(5, 16)
    head, words = teacher.head, teacher.encoder.embeddings.word_embeddings.weight
    dense, norm = head.transform.dense, head.transform.LayerNorm
    with torch.no_grad():
        head.bias.copy_(torch.randn_like(head.bias))
    inner = F.layer_norm(F.gelu(states @ dense.weight.T + dense.bias), (16,), norm.weight, norm.bias, norm.eps)
    torch.testing.assert_close(teacher.logits(states), inner @ words.T + head.bias, atol=1e-5, rtol=1e-5)
    assert sum(p.numel() for p in head.parameters()) == 16 * 16 + 16 + 2 * 16 + len(words)


def test_head_starts_as_bert_does():
    torch.manual_seed(0)
    head = MaskedHead(BertConfig(hidden_size=100, vocab_size=50, initializer_range=0.02))
    dense = head.transform.dense
    assert dense.weight.std().item() == pytest.approx(0.02, abs=4 * 0.02 / math.sqrt(2 * 100 * 100))
    assert not dense.bias.any()
    assert not head.bias.any()


def test_divergence_is_from_the_teacher_in_its_sum_over_words_and_mean_over_tokens():
    torch.manual_seed(0)
    student, teacher = torch.randn(3, 7), torch.randn(3, 7)
    p, q = (teacher / 2).softmax(-1), (student / 2).softmax(-1)
    expected = 4 * (p * (p.log() - q.log())).sum() / 3
    assert divergence(student, teacher, 2.0).item() == pytest.approx(expected.item(), rel=1e-5)
    assert divergence(student, teacher, 2.0).item() != pytest.approx(divergence(teacher, student, 2.0).item(), rel=1e-2)
    assert divergence(teacher, teacher, 2.0).item() == pytest.approx(0, abs=1e-6)


def test_batch_without_a_masked_token_gives_0_and_no_nan(masks, batch, teacher, student, loss_of):
    none = torch.zeros(0, 9, requires_grad=True)
    assert word_loss(none, torch.zeros(0, dtype=torch.long)).item() == 0
    assert divergence(none, torch.zeros(0, 9), 2.0).item() == 0
    assert head_loss(student.head, batch, teacher.encoder, masks(share=0.0)).item() == 0
    loss = loss_of(masks(share=0.0), kl_tokens="masked", cos=0.0)
    loss.backward()
    assert loss.item() == 0
    assert all(torch.isfinite(p.grad).all() for p in trained(student).values() if p.grad is not None)


@pytest.fixture
def loss_of(batch, teacher, student):
    """Function to the student's loss on the batch, some masks and settings."""
    return lambda drawn, **settings: distil_loss(student, batch, teacher, drawn, Distil(1, **settings))


@pytest.mark.parametrize("kl_tokens", ["all", "masked"])
def test_loss_is_the_weighted_sum_of_its_three_parts_each_on_its_tokens(
    masks, batch, teacher, student, loss_of, kl_tokens
):
    shown, chosen = masks(seed=4)(batch)
    tokens = batch["attention_mask"]
    own, goal = student.states(shown), teacher.states(shown)
    with torch.no_grad():
        logits, told = (model.logits(states.flatten(0, 1)) for model, states in ((student, own), (teacher, goal)))
    asked = (tokens if kl_tokens == "all" else chosen).flatten()
    rows = chosen.flatten().nonzero()[:, 0].tolist()
    far = F.kl_div((logits[asked] / 3).log_softmax(-1), (told[asked] / 3).softmax(-1), reduction="batchmean")
    expected = {
        "ce": 3.0**2 * far,
        "mlm": -sum(logits[i].log_softmax(-1)[batch["input_ids"].flatten()[i]] for i in rows) / len(rows),
        "cos": 1 - F.cosine_similarity(own, goal, dim=-1)[tokens].mean(),
    }
    for part, others in PARTS.items():
        alone = loss_of(masks(seed=4), **others, **{part: 1.0}, temperature=3.0, kl_tokens=kl_tokens)
        assert alone.item() == pytest.approx(expected[part].item(), rel=1e-4)
        assert alone.item() > 0.01
    whole = loss_of(masks(seed=4), temperature=3.0, kl_tokens=kl_tokens)
    assert whole.item() == pytest.approx((5 * expected["ce"] + 2 * expected["mlm"] + expected["cos"]).item(), rel=1e-4)


def test_published_weights_are_the_default():
    assert Distil(1) == Distil(1, ce=5.0, mlm=2.0, cos=1.0, temperature=2.0, masked=0.15, kl_tokens="all")


@pytest.mark.parametrize("loss", ["head", *PARTS])
def test_words_that_are_not_masked_are_no_labels(masks, batch, teacher, student, loss):
    shown, chosen = masks(seed=4)(batch)
    drawn = create_autospec(Masks, instance=True, return_value=(shown, chosen))

    def value(ids):
        given = batch | {"input_ids": ids}
        if loss == "head":
            return head_loss(student.head, given, teacher.encoder, drawn).item()
        return distil_loss(student, given, teacher, drawn, Distil(1, **PARTS[loss])).item()

    plain = value(batch["input_ids"])
    assert value(torch.where(chosen, batch["input_ids"], 30)) == plain
    assert (value(torch.where(chosen, 30, batch["input_ids"])) == plain) == (loss in ("ce", "cos"))


@pytest.mark.parametrize("part", PARTS)
def test_parts_reach_the_parameters_that_they_are_to_teach(masks, teacher, student, loss_of, part):
    loss_of(masks(), **PARTS[part]).backward()
    reached = {name for name, p in student.named_parameters() if p.grad is not None and p.grad.abs().max() > 1e-9}
    names = without_key_biases(name for name, _ in student.named_parameters())
    layers = {name for name in names if name.startswith("encoder.encoder.layer.")}
    head = {name for name in names if name.startswith("head.")}
    assert len(layers) == 2 * 15
    assert without_key_biases(reached) == layers | (set() if part == "cos" else head)
    assert all(p.grad is None for p in teacher.parameters())


@pytest.mark.parametrize(("kl_tokens", "taught"), [("all", True), ("masked", False)])
def test_divergence_on_all_tokens_teaches_where_none_is_masked(masks, student, loss_of, kl_tokens, taught):
    loss_of(masks(share=0.0), **PARTS["ce"], kl_tokens=kl_tokens).backward()
    assert (student.head.bias.grad.abs().max() > 0) == taught


def test_vocabulary_is_asked_for_the_tokens_that_need_it_alone(masks, batch, teacher, student, loss_of, monkeypatch):
    asked, forward = [], MaskedHead.forward
    monkeypatch.setattr(
        MaskedHead, "forward", lambda head, *given: asked.append(len(given[0])) or forward(head, *given)
    )
    chosen = int(masks(seed=4)(batch)[1].sum())
    loss_of(masks(seed=4), kl_tokens="masked")
    loss_of(masks(seed=4))
    head_loss(student.head, batch, teacher.encoder, masks(seed=4))
    tokens = int(batch["attention_mask"].sum())
    assert 0 < chosen < tokens
    assert asked == [chosen] * 2 + [tokens] * 2 + [chosen]


# --- training


def test_head_learns_while_its_encoder_stays_in_evaluation_mode(weights, sentences, masks, settings):
    encoder = load_encoder(weights, 4)
    before, modes = copied(encoder), []
    encoder.encoder.layer[0].register_forward_hook(lambda module, *_: modes.append(module.training))
    teacher = teacher_of(encoder, sentences, masks(0.15), Distil(12), settings(epochs=3, lr=3e-2), seed=1)
    assert len(modes) == 12 * -(-70 // 16)  # head_epochs, not the settings' epochs
    assert not any(modes)
    assert not without_key_biases(changed(encoder, before))
    assert teacher.encoder is encoder
    assert not trained(teacher)
    assert not any(module.training for module in teacher.modules())
    batch = to_batch(sentences, sentences.rows("report"), CPU)
    torch.manual_seed(0)
    untaught = MaskedHead(encoder.config)
    after, start = (head_loss(head, batch, encoder, masks(0.15, seed=8)).item() for head in (teacher.head, untaught))
    assert after < 0.8 * start


def test_student_learns_and_nothing_else_moves_and_is_written_as_a_plain_checkpoint(
    checkpoint, corpus, settings, tmp_path
):
    torch.manual_seed(0)
    masks, distil = Masks(tokenizer_of(checkpoint), 0.15, 0), Distil(1, kl_tokens="masked")
    teacher = teacher_of(load_encoder(checkpoint, 4), corpus, masks, distil, settings(), seed=1)
    encoder = some_layers(checkpoint, 4, [1, 4])
    before, taught = copied(encoder), copied(teacher)
    found = distilled(encoder, teacher, corpus, masks, distil, settings(epochs=2), seed=1)
    assert found is encoder
    assert not changed(teacher, taught)
    assert not any(module.training for module in teacher.modules())
    layers = {name for name in before if name.startswith("encoder.layer.")}
    assert without_key_biases(changed(encoder, before)) == without_key_biases(layers)
    for name, tensor in teacher.encoder.embeddings.state_dict().items():
        assert torch.equal(tensor, encoder.embeddings.state_dict()[name]), name

    write_checkpoint(tmp_path / "out", *checkpoint_of(encoder), tokenizer_of(checkpoint).read_bytes())
    path = tmp_path / "out/model.safetensors"
    assert depth_of(path) == 2
    loaded, own, base = load_encoder(path, 2).state_dict(), encoder.state_dict(), load_file(checkpoint)
    kept = [name for name in own if not name.startswith("pooler.") or encoder.config.model_type == "bert"]
    assert loaded.keys() == own.keys()
    assert all(torch.equal(loaded[name], own[name]) for name in kept)
    assert all(torch.equal(loaded[name], base[name]) for name in kept if not name.startswith("encoder.layer."))
    assert np.isfinite([tensor.sum().item() for tensor in loaded.values()]).all()


def test_student_shares_no_tensor_with_its_teacher(weights, sentences, masks, settings, monkeypatch):
    built = []
    monkeypatch.setattr("cascadebert.training.masked.fit", lambda model, *_, **__: built.append(model))
    teacher = teacher_of(load_encoder(weights, 4), sentences, masks(), Distil(1), settings(), seed=1)
    distilled(some_layers(weights, 4, [2, 4]), teacher, sentences, masks(), Distil(1), settings(), seed=1)
    head, student = built
    assert head is teacher.head
    theirs = {tensor.data_ptr() for tensor in teacher.parameters()}
    assert not theirs & {tensor.data_ptr() for tensor in student.parameters()}
    assert {id(module) for module in teacher.modules()}.isdisjoint(id(module) for module in student.modules())
    assert all(torch.equal(a, b) for a, b in zip(student.head.parameters(), head.parameters(), strict=True))
    names = {".".join(name.split(".")[:2]) for name in trained(student)}
    assert names == {"encoder.encoder", "head.transform", "head.bias"}
    assert {name.split(".")[3] for name in trained(student) if name.startswith("encoder.")} == {"0", "1"}


def test_student_comes_nearer_to_its_teacher_on_texts_it_has_not_seen(weights, sentences, masks, settings, monkeypatch):
    models, distil = [], Distil(8)
    monkeypatch.setattr(
        "cascadebert.training.masked.fit", lambda *given, **more: models.append(given[0]) or fit(*given, **more)
    )
    torch.manual_seed(0)
    teacher = teacher_of(load_encoder(weights, 4), sentences, masks(0.15), distil, settings(lr=1e-2), seed=1)
    batch = to_batch(sentences, sentences.rows("report"), CPU)

    def far(model):
        parts = (Distil(8, **PARTS[part]) for part in ("ce", "cos"))
        return [distil_loss(model, batch, teacher, masks(seed=9), part).item() for part in parts]

    before = far(MaskedModel(some_layers(weights, 4, [1, 4]), deepcopy(teacher.head)).eval())
    student = some_layers(weights, 4, [1, 4])
    distilled(student, teacher, sentences, masks(0.15), distil, settings(epochs=6, lr=5e-3), seed=1)
    assert models[1].encoder is student
    assert (np.array(far(models[1])) < 0.5 * np.array(before)).all()


def test_same_seed_gives_the_same_student(weights, sentences, masks, settings):
    def run():
        torch.manual_seed(3)
        own = masks(0.15, seed=3)
        teacher = teacher_of(load_encoder(weights, 4), sentences, own, Distil(1), settings(), seed=3)
        return distilled(some_layers(weights, 4, [1, 4]), teacher, sentences, own, Distil(1), settings(), seed=3)

    one, two = run().state_dict(), run().state_dict()
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())
