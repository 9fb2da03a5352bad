"""Operations against the paper's figure, a counter that watches a real model run, and sums by hand."""

import numpy as np
import pytest
import torch
from builders import CPU
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, RobertaConfig
from transformers.models.bert.modeling_bert import BertLayer, BertPooler
from transformers.models.roberta.modeling_roberta import RobertaLayer

from cascadebert.metrics.costs import (
    Shape,
    attention_classifier_flops,
    exit_flops,
    layer_flops,
    member_flops,
    pooled_classifier_flops,
)
from cascadebert.models.deebert import build_deebert
from cascadebert.models.members import build_member, save_trained
from cascadebert.models.pabee import build_pabee
from cascadebert.training.loop import to_batch
from cascadebert.training.runs import predictions_of

BASE = Shape(768, 3072)


def counted(module, *inputs):
    """Operations of the matrix products that a forward pass really makes."""
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        module(*inputs)
    return counter.get_total_flops()


def small_config(kind=BertConfig, hidden=24, heads=3, intermediate=56):
    """An encoder with every width another number."""
    widths = {"hidden_size": hidden, "num_attention_heads": heads, "intermediate_size": intermediate}
    return kind(**widths, attn_implementation="eager")


# --- a layer


def test_without_attention_products_it_is_fastberts_figure_added_rightly():
    (whole,) = layer_flops(BASE, np.array([128]))
    products = 2 * 2 * 128 * 128 * 768  # queries by keys, weights by values
    assert (whole - products) / 1e6 == pytest.approx(1811.9, abs=0.05)  # erratum 18: theirs mis-adds 603.0 + 1207.9


LENGTHS = np.array([1, 2, 5, 17, 64, 128])


@pytest.mark.parametrize(("kind", "layer"), [(BertConfig, BertLayer), (RobertaConfig, RobertaLayer)])
def test_layer_costs_what_a_real_one_executes_each_instance_at_its_own_length(kind, layer):
    real = layer(small_config(kind)).eval()
    found = [counted(real, torch.zeros(1, tokens, 24)) for tokens in LENGTHS.tolist()]
    assert layer_flops(Shape(24, 56), LENGTHS).tolist() == found
    assert layer_flops(Shape(24, 56), LENGTHS[:0]).shape == (0,)


def test_layer_of_bert_base_costs_what_a_real_one_executes():
    config = BertConfig(attn_implementation="eager")
    with torch.device("meta"):  # shapes alone: nothing is computed
        found = counted(BertLayer(config).eval(), torch.zeros(1, 128, 768))
    assert layer_flops(BASE, np.array([128])).tolist() == [found] == [1_862_270_976]
    assert found / 1e6 == pytest.approx(1862.3, abs=0.05), "the paper's figure"


# --- classifiers


@pytest.mark.parametrize("classes", [2, 3])
def test_pooled_classifier_costs_what_a_real_one_executes(classes):
    config = small_config()
    real = torch.nn.Sequential(BertPooler(config), torch.nn.Linear(24, classes))
    assert pooled_classifier_flops(Shape(24, 56), classes) == counted(real, torch.zeros(1, 9, 24))


def test_attention_classifier_of_bert_base_is_fastberts_46_1_million_but_for_two_terms():
    (whole,) = attention_classifier_flops(BASE, 128, 2, np.array([128]))
    products, first_linear = 4 * 128 * 128 * 128, 2 * 128 * 128
    fastbert = whole - products - first_linear + 128 * first_linear
    assert fastbert / 1e6 == pytest.approx(46.1, abs=0.05)


# --- models


def test_member_is_its_layers_and_one_classifier():
    projections = 4 * 4 * 4 + 2 * 4 * 10  # query, key, value, output; the feed-forward network's two
    layers = [2 * t * projections + 2 * (2 * t * t * 4) for t in (3, 7)]
    classifier = 2 * 4 * 4 + 2 * 4 * 3
    assert (layers, classifier) == ([1008, 2800], 56)
    assert member_flops(Shape(4, 10), 2, 3, np.array([3, 7])).tolist() == [2072, 5656]


def test_multi_exit_model_pays_for_every_classifier_on_the_way():
    tokens = np.array([3, 7])  # a layer costs 1008 and 2800
    assert exit_flops(Shape(4, 10), [1, 2, 3], 56.0, tokens).tolist() == [[1064, 2856], [2128, 5712], [3192, 8568]]
    each = exit_flops(Shape(4, 10), [1, 2], np.array([10.0, 20.0]), tokens)
    assert each.tolist() == [[1018, 2820], [2036, 5640]]


def layer_of(model):
    """Operations of a layer as wide as a model's, at 5 tokens, attention written out."""
    wide = model.shape.intermediate
    return counted(BertLayer(small_config(hidden=16, heads=2, intermediate=wide)), torch.zeros(1, 5, 16))


def test_member_of_the_tiny_bert_costs_what_its_parts_execute(weights):
    for layers in (1, 3):
        member = build_member(weights, layers, 3, freeze_embeddings=False).eval()
        classifier = counted(member.classify, torch.zeros(1, 16))
        assert classifier == 2 * 16 * 16 + 2 * 16 * 3
        assert member.exit_flops(np.array([5])).tolist() == [[layers * layer_of(member) + classifier]]


def test_exits_of_deebert_and_pabee_cost_what_their_parts_execute_and_ascend_with_length(weights, tmp_path):
    save_trained(build_member(weights, 4, 2, freeze_embeddings=False), tmp_path / "stage1.safetensors")
    deebert = build_deebert(weights, tmp_path / "stage1.safetensors", 4, 2, freeze_embeddings=False).eval()
    pabee = build_pabee(weights, 4, 2, freeze_embeddings=False).eval()
    cls = torch.zeros(1, 16)
    off_ramps = [counted(ramp, cls) for ramp in deebert.highways] + [counted(deebert.member.classify, cls)]
    shared = counted(pabee.encoder.pooler, cls[:, None])
    classifiers = [shared + counted(classifier, cls) for classifier in pabee.classifiers]
    for model, parts in ((deebert, off_ramps), (pabee, classifiers)):
        found = model.exit_flops(np.arange(2, 33))
        assert found[:, 3].tolist() == [k * layer_of(model) + sum(parts[:k]) for k in (1, 2, 3, 4)]
        assert found.shape == (4, 31)
        assert (np.diff(found, axis=0) > 0).all()
        assert (np.diff(found, axis=1) > 0).all()


def test_predictions_cost_each_instance_at_its_own_length(weights, sentences):
    member = build_member(weights, 1, 2, freeze_embeddings=False).eval()
    rows = sentences.rows("report")
    found = predictions_of(member, sentences, rows, 4, "fp32")
    shape = member.shape
    for i, row in enumerate(rows):
        own = np.array([int(to_batch(sentences, np.array([row]), CPU)["attention_mask"].sum())])
        assert found.flops[0, i] == layer_flops(shape, own)[0] + pooled_classifier_flops(shape, 2)
        assert found.full_flops[i] == 4 * layer_flops(shape, own)[0] + pooled_classifier_flops(shape, 2)
    assert len(set(found.full_flops)) > 3  # lengths do differ
