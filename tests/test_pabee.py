"""PABEE: one pooler for all layers, a classifier for each, later exits weighing more."""

import numpy as np
import pytest
import torch
from transformers.models.bert.modeling_bert import BertPooler

from cascadebert.models.encoders import sentence_states
from cascadebert.models.pabee import build_pabee, weighted_loss


def test_one_pooler_and_a_classifier_for_each_layer(weights):
    model = build_pabee(weights, 4, 3, freeze_embeddings=False)
    assert sum(isinstance(module, BertPooler) for module in model.modules()) == 1
    assert len({classifier.weight.data_ptr() for classifier in model.classifiers}) == 4
    assert model.exit_layers == [1, 2, 3, 4]


def test_each_exit_reads_its_own_layer_through_the_shared_pooler(weights, batch):
    model = build_pabee(weights, 4, 3, freeze_embeddings=False).eval()
    logits, dense = model(batch), model.encoder.pooler.dense
    assert logits.shape == (4, 4, 3)
    for i, cls in enumerate(sentence_states(model.encoder, batch)):
        expected = model.classifiers[i](torch.tanh(cls @ dense.weight.T + dense.bias))
        torch.testing.assert_close(logits[i], expected, atol=1e-6, rtol=1e-5)


def test_loss_weighs_the_jth_exit_by_j():
    logits = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]], [[0.0, 0.0]]])
    each = [np.log(1 + np.exp(-1)), np.log(1 + np.exp(2)), np.log(2)]
    expected = (1 * each[0] + 2 * each[1] + 3 * each[2]) / 6
    assert weighted_loss(logits, {"labels": torch.tensor([0])}).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("freeze", [True, False])
def test_everything_is_trained_but_what_is_frozen(weights, batch, freeze):
    model = build_pabee(weights, 4, 3, freeze)
    weighted_loss(model(batch), batch).backward()
    without = {name for name, tensor in model.named_parameters() if tensor.grad is None or not tensor.grad.any()}
    embeddings = {name for name, _ in model.named_parameters() if name.startswith("encoder.embeddings.")}
    assert {name for name in without if not name.endswith("key.bias")} == (embeddings if freeze else set())
