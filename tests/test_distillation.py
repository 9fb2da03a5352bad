"""Distilling a small member: what it reads, where it starts, what it is taught, what stays as it is."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from builders import CPU, changed, copied, jsonl, train, without_key_biases
from safetensors.torch import load_file

import pretrain
from cascadebert.data.sources import read_texts
from cascadebert.files import write_examples
from cascadebert.layouts import Problem
from cascadebert.models.checkpoints import checkpoint_of, depth_of, write_checkpoint
from cascadebert.models.encoders import load_encoder, origin_of, sentence_states
from cascadebert.recipe import Masked, Pretraining, to_json
from cascadebert.training.distillation import SentenceEncoder, corpus_of, distance, sentence_vectors, some_layers
from cascadebert.training.loop import to_batch
from cascadebert.training.resume import ResumePoint

TOY = json.dumps({"source": {"toy": 80}, "labels": ["negative", "positive"]})


@pytest.fixture
def corpus(weights):
    """Function to the toy corpus without some held-out files."""
    tokenizer = weights.with_name("tokenizer.json")

    def read(*held_out, rows=1000, seed=0):
        return corpus_of(TOY, None, list(held_out), rows, tokenizer, 12, seed)

    return read


def test_corpus_is_every_text_once_cut_and_without_labels(corpus):
    data = corpus()
    assert data.id.tolist() == read_texts(TOY, None)["id"].tolist()
    assert set(data.split) == {"train"}
    assert set(data.label) == {-1}
    assert len(data.names) == 0
    assert data.lengths.max() == 12


def test_corpus_holds_no_text_that_is_evaluated(corpus, tmp_path):
    texts = read_texts(TOY, None)
    splits = ["train", "selection", "report", "mismatched", "test"] * 4
    write_examples(tmp_path / "one.jsonl", texts.iloc[:20].assign(split=splits))
    again = pd.DataFrame({"id": ["x"], "text": ["  " + texts["text"].iloc[30].upper()], "split": ["report"]})
    write_examples(tmp_path / "other.jsonl", again)
    gone = {f"toy-{i}" for i in range(20) if splits[i] not in ("train", "test")} | {"toy-30"}
    found = corpus(tmp_path / "one.jsonl", tmp_path / "other.jsonl")
    assert found.id.tolist() == [name for name in texts["id"] if name not in gone]


def test_corpus_holds_no_sentence_of_an_evaluated_pair(corpus, tmp_path):
    first, second, third, *_ = read_texts(TOY, None)["text"]
    pairs = pd.DataFrame(
        {"id": ["x", "y"], "text": [first, third], "text_pair": [second, "new"], "split": ["report", "train"]}
    )
    write_examples(tmp_path / "pairs.jsonl", pairs)
    assert set(corpus().id) - set(corpus(tmp_path / "pairs.jsonl").id) == {"toy-0", "toy-1"}


def test_corpus_of_fewer_texts_than_asked_is_a_warning_and_of_none_a_problem(corpus, tmp_path, caplog):
    texts = read_texts(TOY, None).assign(split="report")
    write_examples(tmp_path / "most.jsonl", texts.iloc[3:])
    assert len(corpus(tmp_path / "most.jsonl", rows=3).id) == 3
    assert "rows is" not in caplog.text
    corpus(tmp_path / "most.jsonl", rows=4)
    assert "the corpus 80 has 3 texts that are not evaluated, and rows is 4" in caplog.text
    write_examples(tmp_path / "all.jsonl", texts)
    with pytest.raises(Problem, match="the corpus 80 has no text that is not evaluated by held_out: give it others"):
        corpus(tmp_path / "all.jsonl")


def test_corpus_is_a_draw_of_the_seeds_in_the_sources_order(corpus):
    ids = [corpus(rows=25, seed=seed).id.tolist() for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
    for drawn in ids:
        assert len(set(drawn)) == 25
        assert drawn == sorted(drawn, key=lambda name: int(name.removeprefix("toy-")))
    assert ids[0] != [f"toy-{i}" for i in range(25)]


@pytest.mark.parametrize("layers", [[1], [3], [1, 4], [2, 3, 4]])
def test_student_starts_from_the_layers_it_is_told(weights, layers):
    tensors, student = load_file(weights), some_layers(weights, 4, layers)
    stack = student.encoder.layer
    assert student.config.num_hidden_layers == len(stack) == len({id(layer) for layer in stack}) == len(layers)
    assert len(student.state_dict()) == 16 * len(layers) + 7
    for name, tensor in student.state_dict().items():
        if name.startswith("encoder.layer."):
            *_, place, rest = name.split(".", 3)
            name = f"encoder.layer.{layers[int(place)] - 1}.{rest}"
        assert torch.equal(tensor, tensors[name]), name


@pytest.mark.parametrize("layers", [[0], [5], [1, 5], [3, 2], [2, 2], []])
def test_layers_that_the_checkpoint_lacks_or_that_do_not_ascend_are_refused(weights, layers):
    with pytest.raises(Problem) as caught:
        some_layers(weights, 4, layers)
    assert str(caught.value) == f"layers is {layers}, and {weights} has 4: give some of 1 to 4, ascending."


def test_sentence_vector_is_the_mean_of_the_tokens_last_states(weights, sentences):
    teacher = load_encoder(weights, 4)
    vectors = sentence_vectors(teacher, sentences, batch_size=8)
    assert vectors.shape == (len(sentences.ends), 16)
    for row in range(0, len(sentences.ends), 9):
        tokens = sentences.tokens[sentences.starts[row] : sentences.ends[row]]
        with torch.inference_mode():
            states = teacher(input_ids=torch.from_numpy(tokens)[None]).last_hidden_state[0]
        np.testing.assert_allclose(vectors[row], states.mean(0), atol=1e-5)


def test_student_gives_the_pooled_cls_of_its_last_layer(weights, batch):
    student = SentenceEncoder(some_layers(weights, 4, [2])).eval()
    dense = student.encoder.pooler.dense
    expected = torch.tanh(sentence_states(student.encoder, batch)[-1] @ dense.weight.T + dense.bias)
    torch.testing.assert_close(student(batch), expected[None], atol=1e-6, rtol=1e-5)


def test_distance_is_one_minus_the_mean_cosine():
    pooled = torch.tensor([[[2.0, 0.0], [0.0, 1.0], [3.0, 3.0], [1.0, 0.0]]])
    target = torch.tensor([[1.0, 0.0], [5.0, 0.0], [1.0, 0.0], [-4.0, 0.0]])
    assert distance(pooled, {"target": target}).item() == pytest.approx(1 - (1 + 0 + 0.5**0.5 - 1) / 4, abs=1e-6)


@pytest.mark.parametrize("layers", [[4], [2, 4]])
def test_student_comes_nearer_on_texts_it_has_not_seen_nothing_frozen_but_embeddings(
    weights, sentences, settings, layers
):
    torch.manual_seed(0)
    student = SentenceEncoder(some_layers(weights, 4, layers))
    target = sentence_vectors(load_encoder(weights, 4), sentences)
    batch = to_batch(sentences, sentences.rows("report"), CPU, {"target": target})
    far, before = distance(student.eval()(batch), batch).item(), copied(student)
    history = train(student, sentences, settings(epochs=6, lr=5e-3), distance, extras={"target": target})
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert distance(student(batch), batch).item() < 0.8 * far
    embeddings = {name for name in before if name.startswith("encoder.embeddings.")}
    assert without_key_biases(set(before) - changed(student, before)) == embeddings


@pytest.mark.parametrize("layers", [[3], [1, 3]])
def test_distilled_member_is_a_checkpoint_of_its_layers(weights, tmp_path, layers):
    student = some_layers(weights, 4, layers)
    tokenizer = weights.with_name("tokenizer.json").read_bytes()
    write_checkpoint(tmp_path, *checkpoint_of(student), tokenizer)
    again = tmp_path / "model.safetensors"
    assert depth_of(again) == len(layers)
    loaded, own = load_encoder(again, len(layers)).state_dict(), student.state_dict()
    assert loaded.keys() == own.keys()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in own.items())


def test_distilled_checkpoint_says_what_it_was_made_of(weights, tmp_path, settings):
    base = tmp_path / "base/model.safetensors"
    tokenizer = weights.with_name("tokenizer.json").read_bytes()
    write_checkpoint(base.parent, *checkpoint_of(load_encoder(weights, 4)), tokenizer, {"commit": "c0ffee"})
    for masked in (None, Masked(head_epochs=1)):
        recipe = Pretraining("base", [2], "toy", [], 32, 12, settings(), masked)
        pretrain.main(to_json(recipe), base, TOY, [], 0, 1, "", out := tmp_path / f"{masked}/model.safetensors")
        assert origin_of(out) == {"distilled": {"commit": "c0ffee"}, "layers": [2], "corpus": {"toy": 80}}


@pytest.mark.parametrize("text", ["the film was good", "the film was bad"])
def test_killed_distillation_goes_on_over_the_same_corpus_alone(weights, tmp_path, settings, monkeypatch, caplog, text):
    path, out = tmp_path / "corpus.jsonl", tmp_path / "out/model.safetensors"
    definition = json.dumps({"source": {"path": str(path)}, "columns": ["text"], "label": "label"})
    recipe = to_json(Pretraining("base", [2], "own", [], 32, 12, settings(), None))

    def distil(first):
        jsonl(path, [{"text": one, "label": "x"} for one in (first, "a warm story", "the plot is dull")])
        pretrain.main(recipe, weights, definition, [], 0, 1, "", out, checkpoint_minutes=0.0)

    with monkeypatch.context() as killed:
        killed.setattr(ResumePoint, "remove", lambda point: None)
        distil("the film was good")
    distil(text)
    assert ("is of other settings, code or data" in caplog.text) == (text != "the film was good")
