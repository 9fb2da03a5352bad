"""Means over seeds, comparisons over seeds and instances, and how far to trust them (erratum 30).

Functions that need statsmodels import it themselves: it takes a second, and most readers of this module do without.
"""

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

Verdict = Literal["holds", "holds, smaller than claimed", "no effect of the claimed size", "contradicted", "undecided"]
"""On a claim, in this order: its interval is above 0; above 0 and below the claimed effect; it holds 0 and excludes the
effect; it is below 0; it holds both."""


def mean_sd(values: Float[np.ndarray, " seeds"]) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof 1); the latter is NaN for a single seed.

    Example:
        >>> mean_sd(np.array([1.0, 2.0, 3.0]))
        (2.0, 1.0)
    """
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def t_interval(values: Float[np.ndarray, " seeds"], level: float = 0.95) -> tuple[float, float]:
    """Student-t interval of a mean over seeds; NaN for a single seed. A bootstrap would be too narrow at so few."""
    mean, sd = mean_sd(values)
    half = stats.t.ppf((1 + level) / 2, max(len(values) - 1, 1)) * sd / np.sqrt(len(values))
    return float(mean - half), float(mean + half)


def mcnemar(correct_a: Bool[np.ndarray, " n"], correct_b: Bool[np.ndarray, " n"]) -> float:
    """Exact two-sided McNemar p value of two models on the same instances; 1 where they never differ.

    Example:
        >>> mcnemar(np.array([True, True, True, True]), np.array([False, False, False, True]))
        0.25
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact_test

    table = [[np.sum((correct_a == i) & (correct_b == j)) for j in (True, False)] for i in (True, False)]
    return float(exact_test(np.array(table), exact=True).pvalue)


def holm(p_values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Holm's adjusted p values of one family of tests; NaN stays NaN and does not count as a test.

    Example:
        >>> holm(np.array([0.25, np.nan, 0.125]))
        array([0.25,  nan, 0.25])
    """
    from statsmodels.stats.multitest import multipletests

    adjusted = p_values.copy()
    tested = ~np.isnan(p_values)
    adjusted[tested] = multipletests(p_values[tested], method="holm")[1]
    return adjusted


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion, such as accuracy over instances; NaN for n = 0."""
    from statsmodels.stats.proportion import proportion_confint

    if not n:
        return float("nan"), float("nan")
    low, high = proportion_confint(successes, n, method="wilson")
    return float(low), float(high)


def spearman(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], seed: int = 0) -> tuple[float, float, float]:
    """Spearman's rank correlation and its 95 % percentile bootstrap interval over instances.

    Resamples in which a or b is constant have no correlation and are left out.

    Args:
        a: one value an instance.
        b: the other value.
        seed: of the resampling.

    Returns:
        Correlation, low, high; NaN where a or b is constant or there are fewer than 3 instances.
    """
    if len(a) < 3 or not (np.ptp(a) > 0 and np.ptp(b) > 0):
        return (float("nan"),) * 3

    def correlation(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
        return float(stats.spearmanr(x, y).statistic) if np.ptp(x) and np.ptp(y) else float("nan")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # scipy's own interval, not used, is then NaN
        resampled = stats.bootstrap(
            (a, b),
            correlation,
            paired=True,
            vectorized=False,
            n_resamples=999,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
    low, high = np.nanquantile(resampled.bootstrap_distribution, [0.025, 0.975])
    return correlation(a, b), float(low), float(high)


def verdict(estimate: float, effect: float, p: float, p_effect: float) -> Verdict:
    """What is said of the claim that a statistic is of some size, by two tests at 5 %, or their corrected p values.

    Args:
        estimate: of the statistic.
        effect: the claimed size, whose sign is the claimed one.
        p: of the test against 0; NaN where there is none.
        p_effect: of the test against the effect.

    Example:
        >>> verdict(2.0, 3.0, 0.01, 0.2), verdict(1.0, 3.0, 0.01, 0.01), verdict(1.0, 3.0, 0.3, 0.01)
        ('holds', 'holds, smaller than claimed', 'no effect of the claimed size')
        >>> verdict(-2.0, 3.0, 0.01, 0.01), verdict(1.0, 3.0, 0.3, 0.2)
        ('contradicted', 'undecided')
    """
    if effect < 0:
        estimate, effect = -estimate, -effect
    smaller = p_effect < 0.05 and estimate < effect
    if p < 0.05:
        if estimate < 0:
            return "contradicted"
        return "holds, smaller than claimed" if smaller else "holds"
    return "no effect of the claimed size" if smaller else "undecided"
