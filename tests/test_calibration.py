"""Calibration error and temperature against brute force, grids and data whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.metrics.calibration import ece, fit_temperature, reliability
from cascadebert.metrics.difficulty import dis
from cascadebert.metrics.exits import confidence

ROWS = st.lists(
    st.tuples(st.one_of(st.floats(0, 1), st.integers(0, 20).map(lambda k: k / 20)), st.booleans()),
    min_size=1,
    max_size=40,
)
MARGINS = st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.booleans()), min_size=2, max_size=40)
TEMPERATURES = st.floats(0.25, 4).filter(lambda t: abs(t - 1) > 0.01)


def arrays(rows):
    """Confidences and whether the answers are right."""
    sure, right = zip(*rows, strict=True)
    return np.array(sure), np.array(right)


def members_of_bins(sure, n_bins):
    """Which instances lie in each bin, by comparing every instance with every pair of edges."""
    for k in range(n_bins):
        yield [j for j, c in enumerate(sure) if k / n_bins < c <= (k + 1) / n_bins or (k == 0 and c == 0)]


def binary_logits(margins, flipped):
    """Two logits an instance, whose difference is exact at any temperature."""
    logits = np.zeros((len(margins), 2))
    logits[np.arange(len(margins)), np.array(flipped, dtype=int)] = margins
    return logits


def negative_log_likelihood(logits, labels, temperature):
    """Without softmax: mean of ln sum_k exp((z_k - z_y) / T)."""
    return np.mean([np.log(np.exp((z - z[y]) / temperature).sum()) for z, y in zip(logits, labels, strict=True)])


@given(ROWS, st.sampled_from([1, 3, 10]))
def test_ece_is_equation_7(rows, n_bins):
    sure, right = arrays(rows)
    filled = filter(None, members_of_bins(sure, n_bins))
    expected = sum(len(rows) / len(sure) * abs(right[rows].mean() - sure[rows].mean()) for rows in filled)
    assert ece(sure, right, n_bins) == pytest.approx(expected, abs=1e-12)


@given(ROWS)
def test_reliability_has_every_instance_in_its_bin(rows):
    sure, right = arrays(rows)
    for row, members in zip(reliability(sure, right).itertuples(), members_of_bins(sure, 10), strict=True):
        assert row.n == len(members)
        if members:
            assert row.confidence == pytest.approx(sure[members].mean())
            assert row.accuracy == pytest.approx(right[members].mean())
        else:
            assert np.isnan([row.confidence, row.accuracy]).all()


def test_bins_are_closed_above_and_the_first_below_too():
    edges = np.arange(11) / 10
    assert reliability(edges, np.ones(11, dtype=bool))["n"].tolist() == [2] + [1] * 9


def test_ece_of_calibrated_confidence_is_about_0():
    rng, n = np.random.default_rng(0), 20_000
    sure = rng.uniform(0.5, 1, n)
    assert ece(sure, rng.random(n) < sure) < 4 * np.sqrt(0.25 / (n / 5))
    assert ece(sure, rng.random(n) < sure - 0.2) == pytest.approx(0.2, abs=4 * np.sqrt(0.25 / n))


@pytest.mark.parametrize("wrong", [-0.1, 1.1, np.nan])
def test_ece_is_undefined_without_instances_and_refuses_confidence_outside_the_unit_interval(wrong):
    assert np.isnan(ece(np.array([]), np.array([], dtype=bool)))
    with pytest.raises(ValueError, match=r"confidence must lie in \[0, 1\]"):
        ece(np.array([0.5, wrong]), np.array([True, True]))


# --- temperature


@given(
    st.lists(st.tuples(st.lists(st.floats(-5, 5), min_size=3, max_size=3), st.integers(0, 2)), min_size=1, max_size=20)
)
def test_no_temperature_of_a_grid_is_likelier(rows):
    logits, labels = (np.array(column) for column in zip(*rows, strict=True))
    best = negative_log_likelihood(logits, labels, fit_temperature(logits, labels))
    for temperature in np.geomspace(1 / 20, 20, 31):
        assert best <= negative_log_likelihood(logits, labels, temperature) + 1e-4


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_temperature_of_the_labels_is_found_again(true_temperature):
    rng = np.random.default_rng(2)
    logits = rng.normal(scale=3, size=(5000, 3))
    gumbel = rng.gumbel(size=logits.shape)  # the argmax of logits / T + Gumbel noise is a draw from softmax(logits / T)
    labels = (logits / true_temperature + gumbel).argmax(axis=-1)
    assert fit_temperature(logits, labels) == pytest.approx(true_temperature, rel=0.15)


def test_temperature_of_one_sided_answers_is_a_bound_and_of_none_1():
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(1 / 20, rel=1e-3)
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(20, rel=1e-3)
    assert fit_temperature(logits[:0], np.array([], dtype=int)) == 1


@given(MARGINS, TEMPERATURES)
def test_temperature_cannot_change_the_dis_of_a_binary_task_but_changes_its_ece(rows, temperature):
    margins, flipped, hard = zip(*rows, strict=True)
    one, other = (confidence(binary_logits(margins, flipped)[None] / t)[0] for t in (1, temperature))
    np.testing.assert_equal(dis(other, np.array(hard)), dis(one, np.array(hard)))  # NaN is equal here
    cold, warm = (ece(sure, np.ones(len(margins), dtype=bool)) for sure in (one, other))
    assert (warm > cold) == (temperature > 1)  # all are right: the surer, the better calibrated
    assert warm != cold
