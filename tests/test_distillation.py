"""Distilling a one-layer member: where it starts, what it is taught, what stays as it is."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cascadebert.checkpoints import checkpoint_of, depth_of, write_checkpoint
from cascadebert.distillation import SentenceEncoder, distance, sentence_vectors, single_layer
from cascadebert.members import cls_states, load_encoder
from cascadebert.training import fit, to_batch


@pytest.mark.parametrize("layer", [1, 3, 4])
def test_student_starts_from_the_layer_it_is_told(weights, layer):
    tensors, student = load_file(weights), single_layer(weights, 4, layer)
    assert student.config.num_hidden_layers == len(student.encoder.layer) == 1
    for name, tensor in student.state_dict().items():
        origin = name.replace("encoder.layer.0.", f"encoder.layer.{layer - 1}.")
        assert torch.equal(tensor, tensors[origin]), name


@pytest.mark.parametrize("layer", [0, 5])
def test_layer_that_the_checkpoint_lacks_is_refused(weights, layer):
    with pytest.raises(ValueError, match=f"layer {layer} is not one of them"):
        single_layer(weights, 4, layer)


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
    student = SentenceEncoder(single_layer(weights, 4, 2)).eval()
    dense = student.encoder.pooler.dense
    expected = torch.tanh(cls_states(student.encoder, batch)[-1] @ dense.weight.T + dense.bias)
    torch.testing.assert_close(student(batch), expected[None], atol=1e-6, rtol=1e-5)


def test_distance_is_one_minus_the_mean_cosine():
    pooled = torch.tensor([[[2.0, 0.0], [0.0, 1.0], [3.0, 3.0], [1.0, 0.0]]])
    target = torch.tensor([[1.0, 0.0], [5.0, 0.0], [1.0, 0.0], [-4.0, 0.0]])
    assert distance(pooled, {"target": target}).item() == pytest.approx(1 - (1 + 0 + 0.5**0.5 - 1) / 4, abs=1e-6)


def test_student_comes_nearer_to_its_teacher_on_texts_it_has_not_seen(weights, sentences, settings):
    torch.manual_seed(0)
    student = SentenceEncoder(single_layer(weights, 4, 4))
    target = sentence_vectors(load_encoder(weights, 4), sentences)
    batch = to_batch(sentences, sentences.rows("report"), torch.device("cpu"), {"target": target})
    before = distance(student.eval()(batch), batch).item()
    long = settings(epochs=6, lr=5e-3)
    history = fit(student, sentences, sentences.rows("train"), distance, long, seed=1, extras={"target": target})
    assert history[-1]["loss"] < 0.8 * history[0]["loss"]
    assert distance(student(batch), batch).item() < 0.8 * before


def test_nothing_but_the_embeddings_is_frozen_while_distilling(weights, sentences, settings):
    student = SentenceEncoder(single_layer(weights, 4, 4))
    before = {name: tensor.clone() for name, tensor in student.state_dict().items()}
    target = sentence_vectors(load_encoder(weights, 4), sentences)
    fit(student, sentences, sentences.rows("train"), distance, settings(), seed=1, extras={"target": target})
    unchanged = {name for name, tensor in student.state_dict().items() if torch.equal(tensor, before[name])}
    assert {name for name in unchanged if not name.endswith("key.bias")} == {
        name for name in before if name.startswith("encoder.embeddings.")
    }


def test_distilled_member_is_a_checkpoint_of_one_layer(weights, tmp_path):
    student = single_layer(weights, 4, 3)
    tokenizer = weights.with_name("tokenizer.json").read_bytes()
    write_checkpoint(tmp_path, *checkpoint_of(student), tokenizer)
    again = tmp_path / "model.safetensors"
    assert depth_of(again) == 1
    loaded = load_encoder(again, 1).state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in student.state_dict().items())
