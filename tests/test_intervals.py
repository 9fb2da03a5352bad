"""Means, t intervals and the paired comparison against scipy, tables of t, and coverage."""

import statistics

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.intervals import mean_sd, t_interval, tied

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=8).map(np.array)


@given(SCORES)
def test_mean_and_sd_are_those_of_a_sample(values):
    mean, sd = mean_sd(values)
    assert mean == pytest.approx(statistics.mean(values.tolist()))
    assert sd == pytest.approx(statistics.stdev(values.tolist()), abs=1e-12)


def test_single_seed_has_a_mean_and_no_spread():
    mean, sd = mean_sd(np.array([0.5]))
    assert mean == 0.5
    assert np.isnan(sd)
    assert np.isnan(t_interval(np.array([0.5]))).all()


def test_interval_of_three_seeds_has_the_tabled_critical_value():
    low, high = t_interval(np.array([1.0, 2.0, 3.0]))
    assert (high - low) / 2 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert (high + low) / 2 == pytest.approx(2)


@given(SCORES.filter(lambda values: np.ptp(values) > 1e-6), st.sampled_from([0.8, 0.95, 0.99]))
def test_interval_is_scipys(values, level):
    expected = scipy.stats.t.interval(level, len(values) - 1, values.mean(), scipy.stats.sem(values))
    assert t_interval(values, level) == pytest.approx(expected)


def test_interval_covers_95_per_cent():
    rng, repeats = np.random.default_rng(0), 2000
    intervals = [t_interval(rng.normal(size=3)) for _ in range(repeats)]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / repeats))


def test_tied_is_paired_over_seeds():
    a = np.array([0.80, 0.90, 0.70])
    assert tied(a, a)
    assert not tied(a, a + 0.01 + np.array([0.0, 0.001, -0.001]))  # small, but the same way with each seed
    assert tied(a, a + np.array([0.02, -0.01, 0.01]))
    assert tied(a, a[::-1])  # the same scores, other seeds


def test_nothing_ties_with_a_single_seed():
    assert not tied(np.array([0.8]), np.array([0.8]))
