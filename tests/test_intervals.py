"""Intervals, tests and verdicts against scipy, tables of t, brute force, and coverage."""

import statistics
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from cascadebert.metrics import intervals
from cascadebert.metrics.intervals import (
    holm,
    mcnemar,
    mean_sd,
    spearman,
    t_interval,
    verdict,
    wilson,
)

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=8).map(np.array)


@given(SCORES)
def test_mean_and_sd_are_those_of_a_sample(values):
    mean, sd = mean_sd(values)
    assert mean == pytest.approx(statistics.mean(values.tolist()))
    assert sd == pytest.approx(statistics.stdev(values.tolist()), abs=1e-12)


def test_single_seed_has_a_mean_and_neither_spread_nor_interval():
    mean, sd = mean_sd(np.array([0.5]))
    assert mean == 0.5
    assert np.isnan([sd, *t_interval(np.array([0.5]))]).all()


def test_interval_of_three_seeds_has_the_tabled_critical_value():
    low, high = t_interval(np.array([1.0, 2.0, 3.0]))
    assert (high - low) / 2 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert (high + low) / 2 == pytest.approx(2)


@given(SCORES.filter(lambda values: np.ptp(values) > 1e-6), st.sampled_from([0.8, 0.95, 0.99]))
def test_interval_is_scipys(values, level):
    expected = scipy.stats.t.interval(level, len(values) - 1, values.mean(), scipy.stats.sem(values))
    assert t_interval(values, level) == pytest.approx(expected)


# --- over instances


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_mcnemar_is_a_fair_coin_over_the_instances_that_differ(rows):
    a, b = np.array(rows, dtype=bool).reshape(-1, 2).T
    only_a, differ = int((a & ~b).sum()), int((a != b).sum())
    assert mcnemar(a, b) == pytest.approx(scipy.stats.binomtest(only_a, differ).pvalue if differ else 1)


@settings(max_examples=12)  # multipletests collects garbage at each call, which takes long in a process with torch
@given(st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), max_size=8).map(np.array))
def test_holm_steps_down_and_passes_nan_through(p_values):
    tests = sorted((p, j) for j, p in enumerate(p_values) if not np.isnan(p))
    expected, running = np.full(len(p_values), np.nan), 0.0
    for rank, (p, j) in enumerate(tests):
        running = expected[j] = min(1, max(running, (len(tests) - rank) * p))
    untouched = p_values.copy()
    np.testing.assert_allclose(holm(p_values), expected, atol=1e-12)
    np.testing.assert_array_equal(p_values, untouched)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys_and_undefined_without_instances(counts):
    expected = scipy.stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson(*counts) == pytest.approx(tuple(expected), abs=1e-12)
    assert np.isnan(wilson(0, 0)).all()


def pearson_of_ranks(a, b):
    """Spearman's correlation, spelled out."""
    return np.corrcoef(scipy.stats.rankdata(a), scipy.stats.rankdata(b))[0, 1]


def test_spearman_is_pearson_of_ranks_and_its_interval_that_of_a_loop_over_resamples():
    rng, n = np.random.default_rng(0), 200
    a = rng.normal(size=n)
    b = np.exp(a + rng.normal(size=n))
    rho, low, high = spearman(a, b)
    assert rho == pytest.approx(pearson_of_ranks(a, b))
    resampled = [pearson_of_ranks(a[rows], b[rows]) for rows in rng.integers(n, size=(2000, n))]
    monte_carlo = np.std(resampled) * np.sqrt(0.025 * 0.975 * (1 / 999 + 1 / 2000)) / scipy.stats.norm.pdf(1.96)
    assert (low, high) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])), abs=2.5 * monte_carlo)
    assert 2.5 * monte_carlo < np.std(resampled) * (1.96 - 1.645)  # tells a 95 % interval from one of 90 %


def test_spearman_resamples_pairs_from_its_own_seed():
    a, b = np.random.default_rng(1).normal(size=(2, 12))
    assert spearman(a, b, seed=3) == spearman(a, b, seed=3)
    assert spearman(a, b, seed=3)[1:] != spearman(a, b, seed=4)[1:]
    assert spearman(a, -a) == pytest.approx((-1, -1, -1))  # unpaired, resamples would not all be ordered so


@pytest.mark.parametrize(
    ("a", "b"),
    [([], []), ([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 1, 1]), ([1, np.nan, 2], [1, 2, 3])],
)
def test_spearman_is_undefined_of_constants_and_of_two_instances(a, b):
    assert np.isnan(spearman(np.array(a, dtype=float), np.array(b, dtype=float))).all()


def test_spearman_leaves_constant_resamples_out():
    a = np.array([0.0, 0, 0, 1])  # a third of its resamples hold no 1
    rho, low, high = spearman(a, np.array([1.0, 2, 3, 4]))
    assert rho == pytest.approx(np.sqrt(0.6))
    assert 0 < low <= rho < high <= 1


# --- verdicts


@pytest.mark.parametrize(
    ("estimate", "p", "p_effect", "said"),
    [
        (3.0, 0.01, 0.5, "holds"),
        (3.0, 0.01, 0.01, "holds"),  # larger than claimed
        (1.0, 0.01, 0.01, "holds, smaller than claimed"),
        (0.5, 0.30, 0.01, "no effect of the claimed size"),
        (-0.5, 0.30, 0.01, "no effect of the claimed size"),
        (-3.0, 0.01, 0.01, "contradicted"),
        (1.0, 0.30, 0.20, "undecided"),
        (1.0, 0.05, 0.05, "undecided"),
        (1.0, np.nan, np.nan, "undecided"),
    ],
)
def test_verdict_looks_at_0_and_at_the_claimed_effect(estimate, p, p_effect, said):
    assert verdict(estimate, 2.0, p, p_effect) == verdict(-estimate, -2.0, p, p_effect) == said


def test_importing_intervals_does_not_import_statsmodels():
    code = "import sys, cascadebert.metrics.intervals; sys.exit('statsmodels' in sys.modules)"
    folder = intervals.__file__.removesuffix("cascadebert/metrics/intervals.py")
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
