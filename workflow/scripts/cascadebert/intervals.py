"""Means over seeds and how far to trust them (erratum 30)."""

import numpy as np
from jaxtyping import Float
from scipy import stats


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
    reach = stats.t.ppf((1 + level) / 2, max(len(values) - 1, 1)) * sd / np.sqrt(len(values))
    return float(mean - reach), float(mean + reach)


def tied(a: Float[np.ndarray, " seeds"], b: Float[np.ndarray, " seeds"]) -> bool:
    """Whether the 95 % t interval of the paired difference over seeds holds 0; False where there is no interval."""
    low, high = t_interval(a - b)
    return low <= 0 <= high
