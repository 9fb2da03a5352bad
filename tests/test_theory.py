"""Appendix C against a count instance by instance, its own algebra, and the paper's formulas spelled as printed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.metrics.theory import (
    condition_residuals,
    counts_before,
    cumulative_layers,
    gain_bounds,
    largest_accuracy_step,
    performance_difference,
    predicted_gain,
    smallest_layer_ratio,
)


@st.composite
def cascades(draw, last=None, ascending=False):
    """layers, accuracies, new, after; last says whether M* is (not) the last but one."""
    size = draw(st.integers(4 if last is False else 3, 6))
    layers = np.array(sorted(draw(st.sets(st.integers(1, 24), min_size=size, max_size=size))))
    accuracies = np.array(draw(st.lists(st.floats(0, 1), min_size=size, max_size=size)))
    after = np.array(draw(st.lists(st.integers(0, 50), min_size=size, max_size=size).filter(any)))
    places = {None: range(1, size - 1), True: [size - 2], False: range(1, size - 2)}[last]
    return layers, np.sort(accuracies) if ascending else accuracies, draw(st.sampled_from(places)), after


def in_the_papers_letters(layers, accuracies, new, after):
    """Eq. 12 and 13 as printed: s_i, s_(i+1) and T."""
    i, above = new - 1, new + 1
    paid = layers[new] / layers[above] * (after[above] + after[new])
    total = after[new] * (accuracies[new] - accuracies[i]) - paid * (accuracies[above] - accuracies[i])
    return after[i] + after[new] - paid, after[above] + paid, total / after.sum()


def per_instance(values, counts):
    """One value for each of the instances that leave after each member."""
    return np.repeat(values, counts)


@given(cascades(), st.randoms())
def test_equations_8_and_9_are_counts_over_instances(cascade, random):
    layers, accuracies, new, after = cascade
    before = np.bincount([random.randrange(len(after) - 1) for _ in range(after.sum())], minlength=len(after) - 1)
    old_layers, old_accuracies = np.delete(layers, new), np.delete(accuracies, new)
    run = per_instance([layers[: k + 1].sum() for k in range(len(layers))], after)
    old_run = per_instance([old_layers[: k + 1].sum() for k in range(len(before))], before)
    gain = per_instance(accuracies, after).mean() - per_instance(old_accuracies, before).mean()
    assert performance_difference(accuracies, new, before, after) == pytest.approx(gain, abs=1e-12)
    assert condition_residuals(layers, new, before, after) == (0, old_run.sum() - run.sum())
    assert condition_residuals(layers, new, before, after + 1)[0] == -len(after)


@given(cascades())
def test_cascade_without_the_new_member_meets_equations_9_and_10(cascade):
    layers, _, new, after = cascade
    before = counts_before(layers, new, after)
    assert condition_residuals(layers, new, before, after) == pytest.approx((0, 0), abs=1e-8)
    others = [k for k in range(len(before)) if k not in (new - 1, new)]
    np.testing.assert_array_equal(before[others], np.delete(after, new)[others])


@given(cascades(last=True))
def test_equations_12_and_13_are_as_printed_where_the_next_member_is_the_last(cascade):
    layers, accuracies, new, after = cascade
    smaller, larger, gain = in_the_papers_letters(*cascade)
    before = counts_before(layers, new, after)
    assert before[new - 1 :] == pytest.approx([smaller, larger])
    assert predicted_gain(*cascade) == pytest.approx(gain, abs=1e-12)
    assert predicted_gain(*cascade) == pytest.approx(performance_difference(accuracies, new, before, after), abs=1e-12)


@given(cascades(last=False))
def test_equations_12_and_13_as_printed_forget_what_later_exits_pay(cascade):
    layers, accuracies, new, after = cascade
    later = after[new + 2 :].sum()
    smaller, larger, printed = in_the_papers_letters(*cascade)
    as_printed = np.delete(after, new).astype(float)
    as_printed[new - 1 : new + 1] = smaller, larger
    assert condition_residuals(layers, new, as_printed, after)[1] == pytest.approx(-layers[new] * later, abs=1e-8)
    exact = performance_difference(accuracies, new, counts_before(layers, new, after), after)
    step = accuracies[new + 1] - accuracies[new - 1]
    forgotten = layers[new] / layers[new + 1] * later * step / after.sum()
    assert printed - exact == pytest.approx(forgotten, abs=1e-12)
    with pytest.raises(ValueError, match="Eq. 13 needs M\\* last but one"):
        predicted_gain(*cascade)


def test_equation_13_fails_of_a_cascade_with_a_later_member():
    cascade = np.array([2, 4, 8, 12]), np.array([0.6, 0.7, 0.8, 0.9]), 1, np.array([50, 20, 10, 20])
    layers, accuracies, new, after = cascade
    exact = performance_difference(accuracies, new, counts_before(layers, new, after), after)
    assert in_the_papers_letters(*cascade)[2] == pytest.approx(-0.01)
    assert exact == pytest.approx(-0.03)


@given(cascades(ascending=True))
def test_bounds_hold_wherever_the_new_member_stands(cascade):
    layers, accuracies, new, after = cascade
    before = counts_before(layers, new, after)
    gain = performance_difference(accuracies, new, before, after)
    bounds = gain_bounds(*cascade)
    assert all(gain <= bound + 1e-9 for bound in bounds)
    assert bounds[1] <= bounds[2] + 1e-9
    assert bounds[2] <= bounds[3] + 1e-9
    both = (before[new - 1] + before[new]) / after.sum()
    step = accuracies[new + 1] - accuracies[new - 1]
    assert bounds[2] == pytest.approx(both * step * (1 - layers[new - 1] / layers[new + 1]), abs=1e-9)


def test_bounds_by_hand():
    cascade = np.array([2, 6, 12]), np.array([0.7, 0.8, 0.9]), 1, np.array([60, 30, 10])
    assert gain_bounds(*cascade) == pytest.approx((0.1 * 0.1, 0.2 * (0.3 - 0.4 / 6), 0.2 * 5 / 6, 0.2 * 5 / 6))
    assert predicted_gain(*cascade) == pytest.approx(0.3 * 0.1 - 0.5 * 0.4 * 0.2)
    cascade = np.array([1, 6, 8, 12]), np.array([0.3, 0.7, 0.8, 0.9]), 2, np.array([10, 60, 20, 10])
    assert gain_bounds(*cascade)[2:] == pytest.approx((0.9 * 0.2 * 0.5, 0.9 * 0.4 * 5 / 6))  # of the whole cascade
    bounds = gain_bounds(np.array([6, 8, 12]), np.array([0.7, 0.7, 0.9]), 1, np.array([50, 10, 40]))
    assert bounds[1] < bounds[0] == 0  # the second can lie below the first


@given(cascades(ascending=True))
def test_inserting_a_member_lowers_the_largest_step_and_raises_the_smallest_ratio(cascade):
    layers, accuracies, new, _ = cascade
    assert largest_accuracy_step(accuracies) <= largest_accuracy_step(np.delete(accuracies, new))
    assert smallest_layer_ratio(layers) >= smallest_layer_ratio(np.delete(layers, new))


def test_ratio_of_2_6_12_is_above_that_of_2_12_though_the_paper_says_non_increasing():
    assert smallest_layer_ratio(np.array([2, 6, 12])) == pytest.approx(1 / 3)
    assert smallest_layer_ratio(np.array([2, 12])) == pytest.approx(1 / 6)
    assert largest_accuracy_step(np.array([0.7, 0.8, 0.95])) == pytest.approx(0.15)
    for layers, costs in (([2, 12], [2, 14]), ([2, 6, 12], [2, 8, 20])):  # the paper's cascades
        assert cumulative_layers(np.array(layers)).tolist() == costs


@pytest.mark.parametrize(("layers", "new"), [([2, 6, 12], 0), ([2, 6, 12], 2), ([2, 12, 6], 1), ([6, 6, 12], 1)])
@pytest.mark.parametrize("function", [predicted_gain, gain_bounds])
def test_new_member_must_stand_between_two(function, layers, new):
    with pytest.raises(ValueError, match="between two members"):
        function(np.array(layers), np.array([0.7, 0.8, 0.9]), new, np.array([1, 1, 1]))
    with pytest.raises(ValueError, match="between two members"):
        counts_before(np.array(layers), new, np.array([1, 1, 1]))


@pytest.mark.parametrize("middle", [0.6, 0.95])
def test_bounds_need_an_accuracy_between_the_neighbours(middle):
    with pytest.raises(ValueError, match="bounds need"):
        gain_bounds(np.array([2, 6, 12]), np.array([0.7, middle, 0.9]), 1, np.array([1, 1, 1]))


def test_nothing_is_gained_or_bounded_without_instances():
    layers, accuracies, none = np.array([2, 6, 12]), np.array([0.7, 0.8, 0.9]), np.zeros(3, dtype=int)
    assert np.isnan(predicted_gain(layers, accuracies, 1, none))
    assert np.isnan(performance_difference(accuracies, 1, none[1:], none))
    assert np.isnan(gain_bounds(layers, accuracies, 1, none)).all()
