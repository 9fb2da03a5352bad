"""What an interval over seeds and instances makes of a claim, and of all claims at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from cascadebert.metrics.crossed import Crossed, interval
from cascadebert.metrics.intervals import Verdict, holm, verdict
from cascadebert.pages.evidence import Evidence

VERDICTS: tuple[str, ...] = get_args(Verdict)
UNDECIDED = VERDICTS[-1]

SMALLEST = 0.005
"""Smallest effect of interest, stated in advance: what a claim is judged by where the paper gives no number."""


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        name: short.
        where: in the paper.
        says: the claim.
        statistic: what is tested, in words.
        values: the statistic; a LookupError where there is none.
        claimed: sign of the statistic if the claim is true.
        ours: the claim is not the paper's but a control of this reproduction.
    """

    name: str
    where: str
    says: str
    statistic: str
    values: Callable[[Evidence], Crossed]
    claimed: Literal["positive", "negative"] = "positive"
    ours: bool = False


@dataclass(frozen=True)
class Effect:
    """The size that the paper gives to a claim: a fraction, and where it stands."""

    size: float
    where: str


NO_NUMBER = Effect(SMALLEST, "no number in the paper: smallest effect of interest")

COLUMNS = (
    *("claim", "where", "says", "statistic", "claimed", "source", "effect", "effect_where", "n_seeds", "estimate"),
    *("low", "high", "detectable", "p", "p_effect", "p_holm", "p_effect_holm", "verdict", "verdict_holm"),
    "against_chance",
)


def judged(claims: Sequence[Claim], evidence: Evidence, effects: Mapping[str, Effect], not_run: str) -> pd.DataFrame:
    """Each claim's estimate, 95 % interval and verdict, alone and with Holm's correction over all claims.

    The tests against 0 are one family of the correction, those against the claimed effects another.

    Returns:
        claim, where, says, statistic, claimed, source ("paper" or "control"), effect (signed) and where it stands,
        n_seeds, estimate, low, high, detectable (fractions), p and p_effect (against 0 and against the effect), both
        after Holm's method, verdict, verdict_holm, against_chance (what is in the statistic and not above the
        baselines of common sense).
    """
    rows = []
    for claim in claims:
        effect = effects.get(claim.name, NO_NUMBER)
        size = effect.size if claim.claimed == "positive" else -effect.size
        row: dict[str, Any] = {"claim": claim.name, "where": claim.where, "says": claim.says}
        row |= {"statistic": claim.statistic, "claimed": claim.claimed, "source": "control" if claim.ours else "paper"}
        row |= {"effect": size, "effect_where": effect.where, "against_chance": "", "n_seeds": 0}
        try:
            statistic = claim.values(evidence)
        except LookupError:
            rows.append(row)
            continue
        row |= {"n_seeds": len(statistic.seeds), "against_chance": ", ".join(sorted(statistic.unlearned))}
        rows.append(row | interval(statistic)._asdict() | {"p_effect": interval(statistic, against=size).p})
    frame = pd.DataFrame(rows).reindex(columns=COLUMNS)
    for name in ("p", "p_effect"):
        frame[f"{name}_holm"] = holm(frame[name].to_numpy(dtype=float))
    for end in ("", "_holm"):
        tests = frame[["estimate", "effect", f"p{end}", f"p_effect{end}"]].astype(float)
        said = [verdict(*row) for row in tests.itertuples(index=False)]
        frame[f"verdict{end}"] = np.where(frame["n_seeds"] > 0, said, not_run)
    return frame
