"""DeeBERT's second stage: off-ramps learn, the fine-tuned member stays as it is to the bit."""

import numpy as np
import pytest
import torch

from cascadebert.models.deebert import DeeBert, build_deebert, off_ramp_loss
from cascadebert.models.encoders import sentence_states
from cascadebert.models.members import build_member, save_trained
from cascadebert.training.loop import fit, on_logits, predict
from cascadebert.training.objectives.cross_entropy import cross_entropy


@pytest.fixture
def stage1(weights, sentences, settings, tmp_path):
    """A base fine-tuned for a moment, and the file of its tensors."""
    torch.manual_seed(0)
    member = build_member(weights, 4, 2, freeze_embeddings=True)
    fit(member, sentences, sentences.rows("train"), on_logits(cross_entropy), settings(), seed=1)
    save_trained(member, tmp_path / "base.safetensors")
    return member, tmp_path / "base.safetensors"


def test_second_stage_changes_off_ramps_and_not_a_bit_of_the_member(stage1, weights, sentences, settings):
    model = build_deebert(weights, stage1[1], 4, 2, freeze_embeddings=True)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    short = settings(keep="best", weight_decay=0.1, epochs=2)
    fit(model, sentences, sentences.rows("train"), on_logits(off_ramp_loss), short, seed=1)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {name for name in before if name.startswith("highways.")}
    member = stage1[0].state_dict()
    assert all(torch.equal(member[name.removeprefix("member.")], before[name]) for name in set(before) - changed)


def test_no_off_ramp_stands_after_the_last_layer(stage1, weights):
    model = build_deebert(weights, stage1[1], 4, 2, freeze_embeddings=True)
    assert len(model.highways) == 3
    assert model.exit_layers == [1, 2, 3, 4]


def test_last_exit_is_the_members_own_answer(stage1, weights, sentences):
    model = build_deebert(weights, stage1[1], 4, 2, freeze_embeddings=True)
    rows = sentences.rows("report")
    own = predict(stage1[0], sentences, rows)[0]
    np.testing.assert_allclose(predict(model, sentences, rows)[-1], own, atol=1e-6)
    assert np.ptp(own[:, 0]) > 1e-3


def test_each_off_ramp_reads_its_own_layer(stage1, weights, batch):
    model = build_deebert(weights, stage1[1], 4, 2, freeze_embeddings=True).eval()
    logits, states = model(batch), sentence_states(model.member.encoder, batch)
    assert logits.shape == (4, 4, 2)
    for i, highway in enumerate(model.highways):
        pooled = torch.tanh(states[i] @ highway.pooler.dense.weight.T + highway.pooler.dense.bias)
        expected = pooled @ highway.classifier.weight.T + highway.classifier.bias
        torch.testing.assert_close(logits[i], expected, atol=1e-6, rtol=1e-5)


def test_off_ramps_start_from_copies_of_the_pre_trained_pooler(stage1, weights):
    model = build_deebert(weights, stage1[1], 4, 2, freeze_embeddings=True)
    pretrained = build_member(weights, 4, 2, freeze_embeddings=True).encoder.pooler.dense.weight
    own = model.member.encoder.pooler.dense.weight
    assert not torch.equal(own, pretrained)  # stage 1 trained it
    poolers = [highway.pooler.dense.weight for highway in model.highways]
    assert all(torch.equal(pooler, pretrained) and pooler.requires_grad for pooler in poolers)
    assert len({tensor.data_ptr() for tensor in [*poolers, own]}) == 4
    assert len({highway.classifier.weight.data_ptr() for highway in model.highways}) == 3


def test_loss_is_the_plain_sum_without_the_last_exit():
    logits = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]], [[9.0, -9.0]]])
    expected = np.log(1 + np.exp(-1)) + np.log(1 + np.exp(2))
    assert off_ramp_loss(logits, {"labels": torch.tensor([0])}).item() == pytest.approx(expected, rel=1e-6)


def test_the_frozen_members_dropout_is_active_in_training(stage1, weights, batch):
    model = DeeBert(stage1[0], stage1[0].encoder.pooler)
    assert not torch.equal(model.train()(batch)[-1], model(batch)[-1])
    assert torch.equal(model.eval()(batch)[-1], model(batch)[-1])
