"""Cross-entropy and difficulty-aware regularization: hand values, brute force over pairs, directions of gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.objectives import cross_entropy, dar


def generator(seed=0):
    """A generator for drawing pairs."""
    return torch.Generator().manual_seed(seed)


def drawn(seed, b=9, classes=2):
    """Logits that want a gradient, and difficulties of both kinds."""
    torch.manual_seed(seed)
    hard = torch.tensor([True, False] + [i % 3 == 0 for i in range(b - 2)])
    return (2 * torch.randn(1, b, classes)).requires_grad_(), hard


def confidences(logits):
    """c(x) of the last exit."""
    return torch.exp(logits[-1]).amax(-1) / torch.exp(logits[-1]).sum(-1)


def test_cross_entropy_is_the_last_exits():
    logits = torch.tensor([[[9.0, 0.0], [0.0, 9.0]], [[0.0, 1.0], [2.0, 0.0]]])
    expected = np.mean([np.log(1 + np.e), np.log(1 + np.exp(-2))])
    assert cross_entropy(logits, {"labels": torch.tensor([0, 0])}).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("pairs", ["sampled", "all"])
def test_a_step_down_raises_easy_and_lowers_difficult_confidence(pairs):
    logits = torch.tensor([[[0.5, 0.0], [0.0, 0.8]]], requires_grad=True)
    hard = torch.tensor([False, True])
    dar(logits, hard, 0.5, generator(), pairs).backward()
    before, after = confidences(logits), confidences(logits - 0.1 * logits.grad)
    assert after[0] > before[0]
    assert after[1] < before[1]


def test_hand_value_of_a_pair():
    logits = torch.log(torch.tensor([[[0.7, 0.3], [0.2, 0.8]]]))
    assert dar(logits, torch.tensor([False, True]), 0.5, generator()).item() == pytest.approx(
        0.5 - (0.7 - 0.8), rel=1e-6
    )


@pytest.mark.parametrize("pairs", ["sampled", "all"])
def test_nothing_is_lost_where_the_margin_is_met(pairs):
    logits = torch.tensor([[[4.0, 0.0], [0.1, 0.0]]], requires_grad=True)
    loss = dar(logits, torch.tensor([False, True]), 0.3, generator(), pairs)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("pairs", ["sampled", "all"])
@pytest.mark.parametrize("hard", [True, False])
def test_batch_of_one_kind_loses_nothing_and_still_goes_backward(pairs, hard):
    logits = torch.randn(1, 4, 3, requires_grad=True)
    loss = dar(logits, torch.tensor([hard] * 4), 0.5, generator(), pairs)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


@given(st.integers(0, 1000), st.floats(0.05, 0.7), st.integers(2, 3))
def test_all_is_the_mean_over_every_pair_of_easy_and_difficult(seed, margin, classes):
    logits, hard = drawn(seed, classes=classes)
    c = confidences(logits).tolist()
    pairs = [(e, h) for e in range(len(c)) for h in range(len(c)) if hard[h] and not hard[e]]
    expected = np.mean([max(0, margin - (c[e] - c[h])) for e, h in pairs])
    assert dar(logits, hard, margin, generator(), "all").item() == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 1000), st.integers(0, 5))
def test_sampled_draws_one_difficult_partner_for_each_easy_instance(seed, pair_seed):
    logits, hard = drawn(seed)
    easy_c, hard_c = (confidences(logits)[which].tolist() for which in (~hard, hard))
    partners = torch.randint(len(hard_c), (len(easy_c),), generator=generator(pair_seed)).tolist()
    expected = np.mean([max(0, 0.4 - (c - hard_c[h])) for c, h in zip(easy_c, partners, strict=True)])
    assert dar(logits, hard, 0.4, generator(pair_seed)).item() == pytest.approx(expected, abs=1e-6)


def test_pairs_are_reproduced_by_the_generator_and_by_nothing_else():
    logits, hard = drawn(3, b=30)
    torch.manual_seed(1)
    first = dar(logits, hard, 0.5, generator(1))
    torch.manual_seed(2)
    assert dar(logits, hard, 0.5, generator(1)) == first
    assert dar(logits, hard, 0.5, generator(2)) != first


def test_a_generator_goes_on_to_other_pairs():
    logits, hard = drawn(3, b=30)
    same = generator(1)
    assert dar(logits, hard, 0.5, same) != dar(logits, hard, 0.5, same)


@given(st.integers(0, 1000))
def test_equation_5_as_printed_would_pull_the_other_way(seed):
    logits, hard = drawn(seed)
    dar(logits, hard, 1.0, generator(), "all").backward()
    literal = logits.detach().clone().requires_grad_()
    c = confidences(literal)
    gaps = c[hard][:, None] - c[~hard][None, :]  # g = +1 where d_i > d_j
    (1.0 - gaps).clamp(min=0).mean().backward()
    torch.testing.assert_close(logits.grad, -literal.grad, atol=1e-6, rtol=1e-4)
    assert logits.grad.abs().max() > 1e-4


@given(st.integers(0, 1000))
def test_margins_of_a_half_and_more_differ_by_a_constant_for_two_classes(seed):
    logits, hard = drawn(seed)
    losses = [dar(logits, hard, margin, generator(), "all") for margin in (0.5, 0.7)]
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in losses]
    torch.testing.assert_close(*gradients, atol=1e-7, rtol=0)
    assert (losses[1] - losses[0]).item() == pytest.approx(0.2, abs=1e-6)


def test_smaller_margins_do_saturate_for_two_classes():
    logits, hard = drawn(0)
    gradients = [torch.autograd.grad(dar(logits, hard, m, generator(), "all"), logits)[0] for m in (0.1, 0.5)]
    assert not torch.allclose(*gradients)
