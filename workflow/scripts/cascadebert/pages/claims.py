"""The paper's claims, each as one statistic by seed, and what an interval over seeds makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float

from cascadebert.metrics.intervals import holm, mean_sd, t_interval, t_test, verdict
from cascadebert.metrics.sweeps import shared_seeds

BySeed = Float[np.ndarray, " seeds"]

NOT_RUN = "not run"
"""Verdict on a claim whose systems this config does not have."""


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
        claimed: sign of the statistic if the claim is true.
        values: the statistic by seed.
        ours: the claim is not the paper's but a control of this reproduction.
    """

    name: str
    where: str
    says: str
    statistic: str
    claimed: Literal["positive", "negative"]
    values: Callable[[Evidence], BySeed]
    ours: bool = False


def gain(better: str, worse: str, target: float) -> Callable[[Evidence], BySeed]:
    """Difference of two systems at a ratio."""
    return lambda evidence: evidence.score(better, target) - evidence.score(worse, target)


def claims(speed_ups: list[float], high: list[float], static: float, depths: list[int], full: int) -> list[Claim]:
    """Every claim that is tested.

    Args:
        speed_ups: target ratios of Table 2.
        high: target ratios of Tables 4 and 7.
        static: ratio of the students.
        depths: of the complete members, the base's left out.
        full: layers of the base.
    """
    shallow = [depth for depth in depths if depth <= full / 2]
    low_ratio, high_ratio = min(speed_ups), max(speed_ups)
    found: list[Claim] = []

    def mean_over(layers: list[int]) -> str:
        return f"mean over depths {', '.join(map(str, sorted(layers)))}" if layers else "mean over depths in common"

    def add(
        name: str, where: str, says: str, statistic: str, claimed: str, values: Callable, ours: bool = False
    ) -> None:
        found.append(Claim(name, where, says, statistic, claimed, values, ours))

    def change(measure: str, other: str) -> Callable[[Evidence], BySeed]:
        return lambda e: e.measure(measure, "with DAR") - e.measure(measure, other)

    def at_depths(measure: str, model: str, layers: list[int]) -> Callable[[Evidence], BySeed]:
        return lambda e: e.measure(measure, model, layers) - e.measure(measure, "deebert", layers)

    named = {"bert_complete": "complete models", "bert_kl": "BERT-kL"}
    for model, label in named.items():
        add(
            f"off-ramps-accuracy-{model}",
            "section 2.1, Figure 2",
            f"{label} answer better than DeeBERT's off-ramps of the same depth",
            f"accuracy of {label} - off-ramps, {mean_over(depths)}",
            "positive",
            at_depths("accuracy", model, depths),
        )
    for model, label in named.items():
        add(
            f"off-ramps-dis-{model}",
            "section 2.2, Figure 3",
            f"shallow off-ramps of DeeBERT have a lower DIS than {label}",
            f"DIS of {label} - off-ramps, {mean_over(shallow)}",
            "positive",
            at_depths("dis", model, shallow),
        )
    for rival, label in (("deebert", "DeeBERT"), ("pabee", "PABEE")):
        for target in speed_ups:
            add(
                f"beats-{rival}-{target:g}x",
                "section 4.3, Table 2",
                f"CascadeBERT beats {label} at {target:g}x",
                f"score of CascadeBERT - {label}, AVG",
                "positive",
                gain("cascadebert", rival, target),
            )
        if high_ratio > low_ratio:
            add(
                f"gap-grows-{rival}",
                "section 4.3, Table 2",
                f"the gap to {label} grows with the speed-up",
                f"gap at {high_ratio:g}x - gap at {low_ratio:g}x, AVG",
                "positive",
                lambda e, rival=rival: (
                    gain("cascadebert", rival, high_ratio)(e) - gain("cascadebert", rival, low_ratio)(e)
                ),
            )
    for once, printed, note in (
        (False, 0.155, "as the paper counts"),
        (True, 0.119, "both halves of a task counted once"),
    ):
        add(
            f"headline-{'tasks' if once else 'columns'}",
            "abstract, section 4.3",
            f"at {high_ratio:g}x CascadeBERT is at least {100 * printed:.1f} % better than DeeBERT, {note}",
            f"relative gain at {high_ratio:g}x - {100 * printed:.1f} %",
            "positive",
            lambda e, once=once, printed=printed: e.relative("cascadebert", "deebert", high_ratio, once) - printed,
        )
    for rival, label in (
        ("distilbert", "DistilBERT"),
        ("bert_pkd", "BERT-PKD"),
        ("theseus", "BERT-of-Theseus"),
        ("bert_pd", "BERT-PD"),
    ):
        add(
            f"beats-{rival}",
            "section 4.3, Table 3",
            f"CascadeBERT beats {label} at {static:g}x",
            f"score of CascadeBERT - {label}, AVG",
            "positive",
            gain("cascadebert", rival, static),
        )
    for target in high:
        add(
            f"dar-helps-{target:g}x",
            "section 5.2, Table 4",
            f"DAR helps the cascade at {target:g}x",
            "score with DAR - without, AVG",
            "positive",
            gain("cascadebert", "cascadebert_without_dar", target),
        )
    add(
        "dar-dis",
        "section 5.2, Table 5",
        "DAR raises DIS",
        "DIS with DAR - without",
        "positive",
        change("dis", "without DAR"),
    )
    add(
        "dar-accuracy",
        "section 5.2, Table 5",
        "DAR costs the member a little accuracy",
        "accuracy with DAR - without",
        "negative",
        change("accuracy", "without DAR"),
    )
    add(
        "dar-ece",
        "section 5.2, Table 5",
        "DAR lowers ECE",
        "ECE with DAR - without",
        "negative",
        change("ece", "without DAR"),
    )
    add(
        "dar-ece-temperature",
        "section 5.2, Table 5",
        "DAR lowers ECE, compared with temperature scaling",
        "ECE with DAR - ECE after temperature scaling",
        "negative",
        change("ece", "temperature scaling"),
        True,
    )
    for target in high:
        add(
            f"labels-matter-{target:g}x",
            "section 3.2",
            f"the effect of DAR comes from its labels, at {target:g}x",
            "score with DAR - with shuffled labels, AVG",
            "positive",
            gain("cascadebert", "cascadebert_shuffled", target),
            True,
        )
    for target in high:
        add(
            f"beats-fastbert-{target:g}x",
            "Appendix A, Table 7",
            f"CascadeBERT beats FastBERT at {target:g}x, by layers",
            "score of CascadeBERT - FastBERT, AVG",
            "positive",
            gain("cascadebert", "fastbert", target),
        )
    add(
        "third-member",
        "section 5.3, Figure 5",
        "a third member helps a little",
        f"score of three members - two, AVG, mean over {', '.join(f'{t:g}x' for t in speed_ups)}",
        "positive",
        lambda e: np.mean([gain("cascadebert_three", "cascadebert", target)(e) for target in speed_ups], axis=0),
    )
    if high_ratio > low_ratio:
        add(
            "third-member-fades",
            "section 5.3, Figure 5",
            "the third member's gain fades at higher speed-ups",
            f"gain at {low_ratio:g}x - gain at {high_ratio:g}x, AVG",
            "positive",
            lambda e: (
                gain("cascadebert_three", "cascadebert", low_ratio)(e)
                - gain("cascadebert_three", "cascadebert", high_ratio)(e)
            ),
        )
    for rival, label in (("roberta_deebert", "DeeBERT"), ("roberta_pabee", "PABEE")):
        add(
            f"roberta-{rival}",
            "section 5.4, Table 6",
            f"on RoBERTa, too, the cascade beats {label} at {static:g}x",
            f"score of CascadeRoBERTa - {label}, AVG",
            "positive",
            gain("cascaderoberta", rival, static),
        )
    add(
        "roberta-kd",
        "section 5.4, Table 6",
        "vanilla KD improves CascadeRoBERTa",
        "score with KD - without, AVG",
        "positive",
        gain("cascaderoberta_kd", "cascaderoberta", static),
    )
    return found


def judged(found: list[Claim], evidence: Evidence) -> pd.DataFrame:
    """Each claim's estimate, 95 % t interval over seeds and verdict, alone and with Holm's correction over all claims.

    The verdict alone is that of the interval. With the correction it stands only if the adjusted p value is below 0.05.

    Returns:
        claim, where, says, statistic, claimed, source ("paper" or "control"), n_seeds, estimate, low, high (fractions),
        p, p_holm, verdict, verdict_holm.
    """
    rows = []
    for claim in found:
        row = {"claim": claim.name, "where": claim.where, "says": claim.says, "statistic": claim.statistic}
        row |= {"claimed": claim.claimed, "source": "control" if claim.ours else "paper"}
        try:
            values = claim.values(evidence)
        except LookupError:
            rows.append(row | {"n_seeds": 0, "verdict": NOT_RUN})
            continue
        low, high = t_interval(values)
        row |= {"n_seeds": len(values), "estimate": mean_sd(values)[0], "low": low, "high": high, "p": t_test(values)}
        rows.append(row | {"verdict": verdict(low, high, claim.claimed)})
    frame = pd.DataFrame(rows).reindex(
        columns=[*list(rows[0])[:6], "n_seeds", "estimate", "low", "high", "p", "p_holm", "verdict", "verdict_holm"]
    )
    frame["p_holm"] = holm(frame["p"].to_numpy(dtype=float))
    kept = (frame["p_holm"] < 0.05) | (frame["verdict"] == NOT_RUN)
    frame["verdict_holm"] = frame["verdict"].where(kept, "undecided at this size")
    return frame
