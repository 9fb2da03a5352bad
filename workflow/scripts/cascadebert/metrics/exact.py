"""One run on one split at exactly the ratios that it is asked for: scores, the whole curve, and who leaves early."""

from collections.abc import Callable, Sequence

import numpy as np

from cascadebert.exit_rules import Exits
from cascadebert.metrics.crossed import Crossed
from cascadebert.metrics.influence import Influenced, influenced_dis, influenced_ece, mixed_score
from cascadebert.metrics.predictions import BySeed, Predictions
from cascadebert.metrics.ratios import Ladder, Mixture, ladder

CURVE = (1.5, 5.0)
"""Speed-ups between which the area under the curve is taken."""

POINTS = 16
"""Of the curve, at equal steps of the logarithm of the speed-up."""


def over_seeds(column: str, by_seed: dict[int, Influenced]) -> Crossed:
    """A statistic of one column from that of each seed."""
    values, influence = zip(*by_seed.values(), strict=True)
    return Crossed(tuple(by_seed), np.array(values), {column: np.array(influence)})


class Exact:
    """A run's answers to one split, all seeds."""

    def __init__(self, column: str, by_seed: BySeed, exits: Exits, metric: str) -> None:
        """Find the settings of every seed.

        Args:
            column: name of the split's column in tables.
            by_seed: predictions, of one instance at least.
            exits: the system's rule.
            metric: of the task.
        """
        self.column, self.metric = column, metric
        self.rungs = {seed: (of, ladder(of.stack, exits)) for seed, of in by_seed.items()}

    def of_seeds(self, seeds: Sequence[int]) -> "Exact":
        """The same with some of its seeds, those of them that it has."""
        part = Exact(self.column, {}, "last", self.metric)
        part.rungs = {seed: self.rungs[seed] for seed in seeds if seed in self.rungs}
        return part

    def _each(self, statistic: Callable[[Predictions, Ladder], Influenced]) -> Crossed:
        """A statistic of every seed."""
        return over_seeds(self.column, {seed: statistic(*of) for seed, of in self.rungs.items()})

    def score(self, target: float) -> Crossed:
        """The task's score at exactly a speed-up.

        Raises:
            LookupError: where some seed has no such setting.
        """
        return self._each(lambda of, rungs: self._scored(of, rungs.at(target)))

    def area(self) -> Crossed:
        """Mean score between 1.5x and 5x, by the trapezoid rule over log speed-up: the idea of ELUE's score.

        ELUE (Liu et al. 2022) scores a system by its whole curve of performance against cost instead of a point on it.

        Raises:
            LookupError: where some seed has no setting at one of the ends.
        """
        targets = np.geomspace(*CURVE, POINTS).tolist()
        weights = np.full(POINTS, 1 / (POINTS - 1))
        weights[[0, -1]] /= 2

        def of_curve(of: Predictions, rungs: Ladder) -> Influenced:
            values, influence = zip(*(self._scored(of, rungs.at(target)) for target in targets), strict=True)
            return float(weights @ np.array(values)), weights @ np.array(influence)

        return self._each(of_curve)

    def leaving(self, target: float) -> Crossed:
        """Of the instances that the first exit gets wrong, the share that leaves there at a speed-up.

        Such an instance is difficult for it (section 2.2): a member that knows what it does not know lets it go on.
        """

        def of_seed(of: Predictions, rungs: Ladder) -> Influenced:
            wrong = of.stack.classes[0] != of.label
            if not wrong.any():
                return float("nan"), np.full(wrong.size, np.nan)
            leaves = sum(share * (exits == 0) for share, exits in rungs.at(target))
            value = float(leaves[wrong].mean())
            return value, wrong * (leaves - value) / wrong.mean()

        return self._each(of_seed)

    def _scored(self, of: Predictions, mixture: Mixture) -> Influenced:
        """The score of a mixture of settings."""
        instances = np.arange(of.label.size)
        return mixed_score(
            self.metric, of.label, [(share, of.stack.classes[exits, instances]) for share, exits in mixture]
        )


def exit_measures(column: str, by_seed: BySeed, exit_of: int) -> dict[str, Crossed]:
    """Accuracy, DIS and ECE of one exit, as of `measures.measures`, with what each instance adds."""

    def each(statistic: Callable[[np.ndarray, np.ndarray], Influenced]) -> Crossed:
        stacks = {
            seed: (of.stack.confidence[exit_of], of.stack.classes[exit_of] == of.label) for seed, of in by_seed.items()
        }
        return over_seeds(column, {seed: statistic(*of) for seed, of in stacks.items()})

    return {
        "accuracy": each(
            lambda _, correct: mixed_score("accuracy", np.ones(correct.size, int), [(1.0, correct.astype(int))])
        ),
        "dis": each(lambda sure, correct: influenced_dis(sure, ~correct)),
        "ece": each(influenced_ece),
    }


def fixed(column: str, seeds: Sequence[int], of: Influenced) -> Crossed:
    """A statistic that no seed moves, beside those of some seeds."""
    return over_seeds(column, dict.fromkeys(seeds, of))
