"""Intervals over seeds and instances together: both are samples, and each seed answers every instance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

BySeed = Float[np.ndarray, " seeds"]
Influence = Float[np.ndarray, "seeds n"]

POWER = 0.8
"""With what probability a run shows an effect that is called detectable."""


@dataclass(frozen=True, eq=False)
class Crossed:
    """A statistic of a model, or a difference of two, by seed, and what each instance adds to it.

    Attributes:
        seeds: of the trainings.
        values: the statistic of each.
        influence: by column, the statistic's influence function at each instance (n times what the instance adds, of
            mean 0): with it a score that is no mean, such as F1 or DIS, varies over instances as a mean does. Columns
            are other instances.
        unlearned: what it is made of that is not above a baseline of common sense.
    """

    seeds: tuple[int, ...]
    values: BySeed
    influence: dict[str, Influence] = field(default_factory=dict)
    unlearned: frozenset[str] = frozenset()

    def __sub__(self, other: "Crossed") -> "Crossed":
        """Difference, each seed paired with itself and each instance with itself."""
        return weighted([1.0, -1.0], [self, other])


def weighted(weights: Sequence[float], parts: Sequence[Crossed]) -> Crossed:
    """A weighted sum of statistics, of the seeds that all of them have."""
    parts = shared(parts)
    values = np.asarray(weights) @ np.array([part.values for part in parts])
    return _combined(values, [np.full(len(parts[0].seeds), weight) for weight in weights], parts)


def mean_of(parts: Sequence[Crossed]) -> Crossed:
    """Mean of statistics."""
    return weighted([1 / len(parts)] * len(parts), parts)


def relative(better: Crossed, worse: Crossed) -> Crossed:
    """Relative gain, better / worse - 1, its influence by the delta method; NaN over a score of 0."""
    better, worse = shared([better, worse])
    divisor = np.where(worse.values == 0, np.nan, worse.values)
    ratio = better.values / divisor
    return _combined(ratio - 1, [1 / divisor, -ratio / divisor], [better, worse])


def shared(parts: Sequence[Crossed]) -> list[Crossed]:
    """The same statistics, of the seeds that all of them have."""
    seeds = [seed for seed in parts[0].seeds if all(seed in part.seeds for part in parts)]
    return [of_seeds(part, seeds) for part in parts]


def of_seeds(part: Crossed, seeds: Sequence[int]) -> Crossed:
    """A statistic of some of its seeds, those of them that it has."""
    seeds = [seed for seed in seeds if seed in part.seeds]
    rows = [part.seeds.index(seed) for seed in seeds]
    influence = {column: of[rows] for column, of in part.influence.items()}
    return Crossed(tuple(seeds), part.values[rows], influence, part.unlearned)


def _combined(values: BySeed, slopes: list[BySeed], parts: Sequence[Crossed]) -> Crossed:
    """A function of statistics by its values and its slope in each, both by seed."""
    influence: dict[str, Influence] = {}
    for slope, part in zip(slopes, parts, strict=True):
        for column, of in part.influence.items():
            influence[column] = influence.get(column, 0.0) + slope[:, None] * of
    return Crossed(parts[0].seeds, values, influence, frozenset().union(*(part.unlearned for part in parts)))


class Components(NamedTuple):
    """What instances add to a statistic's variance: alike with every seed, and differently with each."""

    alike: float
    apart: float


def components(influence: dict[str, Influence]) -> Components:
    """Variance components of instances, summed over columns, by the mean squares of a two-way layout.

    Returns:
        alike: of a mean over infinitely many seeds, unbiased and so possibly negative; apart: further, of one seed. Of
            a single seed or instance both are NaN.
    """
    alike = apart = 0.0
    for of in influence.values():
        seeds, n = of.shape
        if seeds < 2 or n < 2:
            return Components(float("nan"), float("nan"))
        over_seeds = of.mean(axis=0)
        of_instances = seeds * np.square(over_seeds).sum()
        residual = (np.square(of).sum() - of_instances) / ((seeds - 1) * (n - 1))
        instances = of_instances / (n - 1)
        alike, apart = alike + (instances - residual) / (seeds * n), apart + residual / n
    return Components(float(alike), float(apart))


class Interval(NamedTuple):
    """Of a mean over seeds and instances; all but the estimate are NaN for a single seed or instance.

    Attributes:
        estimate: the mean.
        low: of the 95 % interval.
        high: of the interval.
        p: two-sided, against 0 if nothing else is asked.
        detectable: the effect that a run of this size shows, as an interval without 0, with 80 % probability.
    """

    estimate: float
    low: float
    high: float
    p: float
    detectable: float

    @property
    def reaches_zero(self) -> bool:
        """Whether it does not lie above 0; of a single seed, which has no interval, the estimate decides."""
        return bool((self.estimate if np.isnan(self.low) else self.low) <= 0)


def interval(statistic: Crossed, against: float = 0.0) -> Interval:
    """What `interval_of` says of a statistic."""
    return interval_of(statistic.values, components(statistic.influence), against)


def interval_of(values: BySeed, of_instances: Components, against: float = 0.0) -> Interval:
    """Student-t interval of a mean over crossed random seeds and instances.

    The variance is the sum of three components: seeds, instances, and their interaction with the residual. It is that
    of studies with several readers of the same cases, here seeds and instances, and its degrees of freedom are
    Satterthwaite's, as Hillis (2007), A comparison of denominator degrees of freedom methods for multiple observer
    ROC analysis, Statistics in Medicine 26, has them there. A component is never below 0: seeds that agree by chance
    do not make an interval shorter than what instances alone would. Where theirs is 0 the interval is that of
    instances, normal and not Student's: with Hillis's degrees of freedom there, too, up to 98 % of intervals hold the
    truth at five seeds. A bootstrap of both, Owen's (2007) pigeonhole, is
    too narrow in seeds where there are few of them.

    Args:
        values: the statistic of each seed.
        of_instances: of `components`.
        against: what p tests.
    """
    n, estimate = len(values), float(np.mean(values))
    spread = float(np.var(values, ddof=1)) if n > 1 else float("nan")
    if np.isnan([estimate, spread, *of_instances]).any():
        return Interval(estimate, *[float("nan")] * 4)
    apart, alike = of_instances.apart / n, max(of_instances.alike, 0.0)
    seeds = max(spread / n - apart, 0.0)
    variance = seeds + apart + alike
    uncertain = (spread / n) ** 2 / (n - 1) if seeds else 0.0  # there are so many instances that theirs is known
    freedom = variance**2 / uncertain if uncertain else np.inf
    error = np.sqrt(variance)
    t = stats.t.ppf(0.975, freedom)
    away = abs(estimate - against)
    p = float(2 * stats.t.sf(away / error, freedom)) if variance else float(away == 0)
    detectable = (t + stats.t.ppf(POWER, freedom)) * error
    return Interval(estimate, float(estimate - t * error), float(estimate + t * error), p, float(detectable))
