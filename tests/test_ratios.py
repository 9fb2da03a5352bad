"""A system at exactly a ratio: the mean cost of its mixture, neighbours alone, and what lies out of reach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_builders import by_margin

from cascadebert.metrics.exits import exits_at, tau_for_speed_up
from cascadebert.metrics.ratios import ladder

RULES = ("confidence", "entropy", "uncertainty", "patience")
MARGINS = st.integers(2, 12).flatmap(
    lambda n: st.lists(st.lists(st.integers(-6, 6), min_size=n, max_size=n), min_size=2, max_size=5)
)


def stack_of(margins, layers=None, full=6):
    """Exits of some margins between two classes."""
    margins = np.array(margins, dtype=float)
    return by_margin(margins, np.ones(margins.shape[1], dtype=int), layers, full).stack


@given(MARGINS, st.sampled_from(RULES), st.floats(0, 1))
def test_mixture_executes_exactly_the_layers_of_the_target(margins, rule, between):
    stack = stack_of(margins)
    rungs = ladder(stack, rule)
    assert (np.diff(rungs.layers) >= 0).all()
    assert (rungs.layers[0], rungs.layers[-1]) == (1, len(stack.layers))
    layers = 1 + between * (len(stack.layers) - 1)
    mixture = rungs.at(stack.full_layers / layers)
    assert sum(share for share, _ in mixture) == pytest.approx(1)
    assert sum(share * stack.layers[exits].mean() for share, exits in mixture) == pytest.approx(layers)
    assert 1 <= len(mixture) <= 2
    held = {float(stack.layers[exits].mean()) for _, exits in mixture}
    assert not ((rungs.layers > min(held) + 1e-12) & (rungs.layers < max(held) - 1e-12)).any()


def test_threshold_that_meets_the_target_is_that_of_a_sweep():
    sure = np.random.default_rng(0).permutation(np.arange(1, 13)) / 4
    stack = stack_of([sure, sure], [1, 7])
    tau = tau_for_speed_up(stack.confidence, stack.layers, 6, 3.0)  # 2 layers on average: 2 of 12 stay
    ((share, exits),) = ladder(stack, "confidence").at(3.0)
    assert share == pytest.approx(1)
    np.testing.assert_array_equal(exits, exits_at(stack, "confidence", float(tau)))
    assert exits.sum() == 2


def test_between_two_patiences_a_coin_decides():
    stack = stack_of(np.array([[1, 1, -1], [1, 1, 1], [1, 1, 1]]))  # patience 1 leaves after 2, 2 and 3 layers
    mixture = ladder(stack, "patience").at(6 / 2.5)
    assert [exits.tolist() for _, exits in mixture] == [[1, 1, 2], [2, 2, 2]]
    assert [share for share, _ in mixture] == pytest.approx([0.75, 0.25])
    fastest = ladder(stack, "patience").at(6.0)
    assert [exits.tolist() for _, exits in fastest] == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("rule", "layers", "target"), [("confidence", [2, 8], 3.5), ("patience", [1, 2], 2.9), ("last", [2], 2.0)]
)
def test_ratio_out_of_reach_is_refused(rule, layers, target):
    with pytest.raises(LookupError, match=f"no setting at {target:g}x"):
        ladder(stack_of([[1, 2]] * len(layers), layers), rule).at(target)


def test_static_model_has_its_own_ratio():
    ((share, exits),) = ladder(stack_of([[1, 2]], [2]), "last").at(3.0)
    assert (share, exits.tolist()) == (1, [0, 0])
