"""What an interval over seeds makes of a claim: the evidence by seed, and the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from cascadebert.metrics.intervals import holm, mean_sd, t_interval, t_test, verdict
from cascadebert.metrics.sweeps import shared_seeds

BySeed = Float[np.ndarray, " seeds"]

UNDECIDED = "undecided at this size"


class Evidence:
    """Scores and measures by seed, averaged over columns as the paper's AVG is.

    Attributes:
        points: of `printed_points`, every system.
        measures: of `printed_points`, from measure_exits.py, with columns model ("deebert", "bert_kl", "bert_complete",
            "with DAR", ...) and layers.
    """

    def __init__(self, points: pd.DataFrame, measures: pd.DataFrame) -> None:
        """Take the frames' rows of the seeds that every column has."""
        self.points, self.measures = shared_seeds(points), shared_seeds(measures)

    def score(self, system: str, target: float) -> BySeed:
        """A system's average at a target ratio.

        Raises:
            LookupError: when there is none.
        """
        own = self.points[(self.points["system"] == system) & np.isclose(self.points["target"], target)]
        if own.empty:
            raise LookupError(f"{system} at {target:g}x")
        return own.groupby("seed")["score"].mean(skipna=False).to_numpy()

    def relative(self, better: str, worse: str, target: float, tasks_once: bool) -> BySeed:
        """Relative gain of one system over another at a ratio; with tasks_once both halves of a task count as one."""
        by = ["seed", "task"] if tasks_once else ["seed", "column"]
        means = []
        for system in (better, worse):
            self.score(system, target)
            own = self.points[(self.points["system"] == system) & np.isclose(self.points["target"], target)]
            means.append(own.groupby(by)["score"].mean(skipna=False).groupby("seed").mean(skipna=False).to_numpy())
        return means[0] / means[1] - 1

    def measure(self, name: str, model: str, layers: list[int] | None = None) -> BySeed:
        """Mean of a measure (accuracy, dis, ece) of a model over columns and, where given, over depths.

        NaN where one of them is: means over other columns or depths could not be set against each other.

        Raises:
            LookupError: when there is none.
        """
        own = self.measures[self.measures["model"] == model]
        if layers is not None:
            own = own[own["layers"].isin(layers)]
        if own.empty or (layers is not None and set(own["layers"]) != set(layers)):
            raise LookupError(f"{name} of {model}")
        return own.groupby("seed")[name].mean(skipna=False).to_numpy()


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        name: short.
        where: in the paper.
        says: the claim.
        statistic: what is tested, in words.
        values: the statistic by seed.
        claimed: sign of the statistic if the claim is true.
        ours: the claim is not the paper's but a control of this reproduction.
    """

    name: str
    where: str
    says: str
    statistic: str
    values: Callable[[Evidence], BySeed]
    claimed: Literal["positive", "negative"] = "positive"
    ours: bool = False


def judged(found: Sequence[Claim], evidence: Evidence, not_run: str) -> pd.DataFrame:
    """Each claim's estimate, 95 % t interval over seeds and verdict, alone and with Holm's correction over all claims.

    The verdict alone is that of the interval. With the correction it stands only if the adjusted p value is below 0.05.

    Returns:
        claim, where, says, statistic, claimed, source ("paper" or "control"), n_seeds, estimate, low, high (fractions),
        p, p_holm, verdict, verdict_holm.
    """
    rows = []
    for claim in found:
        row: dict[str, Any] = {
            "claim": claim.name,
            "where": claim.where,
            "says": claim.says,
            "statistic": claim.statistic,
        }
        row |= {"claimed": claim.claimed, "source": "control" if claim.ours else "paper"}
        try:
            values = claim.values(evidence)
        except LookupError:
            rows.append(row | {"n_seeds": 0, "verdict": not_run})
            continue
        low, high = t_interval(values)
        row |= {"n_seeds": len(values), "estimate": mean_sd(values)[0], "low": low, "high": high, "p": t_test(values)}
        rows.append(row | {"verdict": verdict(low, high, claim.claimed)})
    frame = pd.DataFrame(rows).reindex(
        columns=[*list(rows[0])[:6], "n_seeds", "estimate", "low", "high", "p", "p_holm", "verdict", "verdict_holm"]
    )
    frame["p_holm"] = holm(frame["p"].to_numpy(dtype=float))
    kept = (frame["p_holm"] < 0.05) | (frame["verdict"] == not_run)
    frame["verdict_holm"] = frame["verdict"].where(kept, UNDECIDED)
    return frame
