"""The paper's claims, each as one statistic by seed, and the page of verdicts on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from cascadebert.files import write_csv, write_text
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.kinds import Verdicts
from cascadebert.pages.tables import MISSING, intervals_over, sentences, to_markdown, with_interval
from cascadebert.pages.verdicts import UNDECIDED, BySeed, Claim, Evidence, judged

NOT_RUN = "not run"
"""Verdict on a claim whose systems this config does not have."""

Statistic = Callable[[Evidence], BySeed]

OURS, WITHOUT, THREE = "cascadebert", "cascadebert_without_dar", "cascadebert_three"
ROBERTA = "cascaderoberta"
SHALLOW = {"bert_complete": "complete models", "bert_kl": "BERT-kL"}
EARLY = {"deebert": "DeeBERT", "pabee": "PABEE"}
STATIC = {"distilbert": "DistilBERT", "bert_pkd": "BERT-PKD", "theseus": "BERT-of-Theseus", "bert_pd": "BERT-PD"}
HEADLINES = {
    "columns": (False, 0.155, "as the paper counts"),
    "tasks": (True, 0.119, "both halves of a task counted once"),
}


def gain(better: str, worse: str, target: float) -> Statistic:
    """Difference of two systems at a ratio."""
    return lambda evidence: evidence.score(better, target) - evidence.score(worse, target)


def growth(better: str, worse: str, least: float, most: float) -> Statistic:
    """Their difference at one ratio less that at another."""
    return lambda evidence: gain(better, worse, most)(evidence) - gain(better, worse, least)(evidence)


def mean_gain(better: str, worse: str, targets: list[float]) -> Statistic:
    """Mean of their differences at some ratios."""
    return lambda evidence: np.mean([gain(better, worse, target)(evidence) for target in targets], axis=0)


def relative(target: float, tasks_once: bool, printed: float) -> Statistic:
    """Relative gain over DeeBERT at a ratio, less what the paper prints."""
    return lambda evidence: evidence.relative(OURS, "deebert", target, tasks_once) - printed


def change(measure: str, model: str, other: str, layers: list[int] | None = None) -> Statistic:
    """Difference of two models in a measure, at some depths."""
    return lambda evidence: evidence.measure(measure, model, layers) - evidence.measure(measure, other, layers)


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
    least, most = min(speed_ups), max(speed_ups)
    several = [most] if most > least else []  # nothing grows or fades with a single ratio
    return [
        *(
            Claim(
                f"off-ramps-accuracy-{model}",
                "section 2.1, Figure 2",
                f"{label} answer better than DeeBERT's off-ramps of the same depth",
                f"accuracy of {label} - off-ramps, {_mean_over(depths)}",
                change("accuracy", model, "deebert", depths),
            )
            for model, label in SHALLOW.items()
        ),
        *(
            Claim(
                f"off-ramps-dis-{model}",
                "section 2.2, Figure 3",
                f"shallow off-ramps of DeeBERT have a lower DIS than {label}",
                f"DIS of {label} - off-ramps, {_mean_over(shallow)}",
                change("dis", model, "deebert", shallow),
            )
            for model, label in SHALLOW.items()
        ),
        *(
            claim
            for rival, label in EARLY.items()
            for claim in (
                *(_beats(rival, label, target, f"-{target:g}x", "section 4.3, Table 2") for target in speed_ups),
                *(
                    Claim(
                        f"gap-grows-{rival}",
                        "section 4.3, Table 2",
                        f"the gap to {label} grows with the speed-up",
                        f"gap at {target:g}x - gap at {least:g}x, AVG",
                        growth(OURS, rival, least, target),
                    )
                    for target in several
                ),
            )
        ),
        *(
            Claim(
                f"headline-{counted}",
                "abstract, section 4.3",
                f"at {most:g}x CascadeBERT is at least {100 * printed:.1f} % better than DeeBERT, {note}",
                f"relative gain at {most:g}x - {100 * printed:.1f} %",
                relative(most, tasks_once, printed),
            )
            for counted, (tasks_once, printed, note) in HEADLINES.items()
        ),
        *(_beats(rival, label, static, "", "section 4.3, Table 3") for rival, label in STATIC.items()),
        *(
            Claim(
                f"dar-helps-{target:g}x",
                "section 5.2, Table 4",
                f"DAR helps the cascade at {target:g}x",
                "score with DAR - without, AVG",
                gain(OURS, WITHOUT, target),
            )
            for target in high
        ),
        _dar("dis", "raises DIS", "DIS with DAR - without", "positive"),
        _dar("accuracy", "costs the member a little accuracy", "accuracy with DAR - without", "negative"),
        _dar("ece", "lowers ECE", "ECE with DAR - without", "negative"),
        Claim(
            "dar-ece-temperature",
            "section 5.2, Table 5",
            "DAR lowers ECE, compared with temperature scaling",
            "ECE with DAR - ECE after temperature scaling",
            change("ece", "with DAR", "temperature scaling"),
            "negative",
            ours=True,
        ),
        *(
            Claim(
                f"labels-matter-{target:g}x",
                "section 3.2",
                f"the effect of DAR comes from its labels, at {target:g}x",
                "score with DAR - with shuffled labels, AVG",
                gain(OURS, "cascadebert_shuffled", target),
                ours=True,
            )
            for target in high
        ),
        *(
            _beats("fastbert", "FastBERT", target, f"-{target:g}x", "Appendix A, Table 7", ", by layers")
            for target in high
        ),
        Claim(
            "third-member",
            "section 5.3, Figure 5",
            "a third member helps a little",
            f"score of three members - two, AVG, mean over {', '.join(f'{t:g}x' for t in speed_ups)}",
            mean_gain(THREE, OURS, speed_ups),
        ),
        *(
            Claim(
                "third-member-fades",
                "section 5.3, Figure 5",
                "the third member's gain fades at higher speed-ups",
                f"gain at {least:g}x - gain at {target:g}x, AVG",
                growth(THREE, OURS, target, least),
            )
            for target in several
        ),
        *(
            Claim(
                f"roberta-roberta_{rival}",
                "section 5.4, Table 6",
                f"on RoBERTa, too, the cascade beats {label} at {static:g}x",
                f"score of CascadeRoBERTa - {label}, AVG",
                gain(ROBERTA, f"roberta_{rival}", static),
            )
            for rival, label in EARLY.items()
        ),
        Claim(
            "roberta-kd",
            "section 5.4, Table 6",
            "vanilla KD improves CascadeRoBERTa",
            "score with KD - without, AVG",
            gain("cascaderoberta_kd", ROBERTA, static),
        ),
    ]


def _mean_over(layers: list[int]) -> str:
    """What depths a statistic is a mean over."""
    return f"mean over depths {', '.join(map(str, sorted(layers)))}" if layers else "mean over depths in common"


def _beats(rival: str, label: str, target: float, end: str, where: str, counted: str = "") -> Claim:
    """That the cascade beats a rival at a ratio; end is that of the claim's name."""
    says, statistic = f"CascadeBERT beats {label} at {target:g}x{counted}", f"score of CascadeBERT - {label}, AVG"
    return Claim(f"beats-{rival}{end}", where, says, statistic, gain(OURS, rival, target))


def _dar(measure: str, does: str, statistic: str, claimed: Literal["positive", "negative"]) -> Claim:
    """What DAR does to a measure of the small member."""
    values = change(measure, "with DAR", "without DAR")
    return Claim(f"dar-{measure}", "section 5.2, Table 5", f"DAR {does}", statistic, values, claimed)


def render(page: Verdicts, out: Path) -> None:
    """Judge every claim."""
    points, columns = printed_points(page.sweeps, page.names)
    found, _ = printed_points(page.measures, page.names)
    called = [(run, model) for run, names in page.models.items() for model in names]
    measures = found.merge(pd.DataFrame(called, columns=["run", "model"]), on="run")
    listed = claims([*page.speed_ups], [*page.high], page.static, [*page.depths], page.full_layers)
    frame = judged(listed, Evidence(points, measures), NOT_RUN)
    write_csv(out, frame)
    counts = frame.loc[frame["source"] == "paper", "verdict"].value_counts()
    tally = ", ".join(f"{name} {counts.get(name, 0)}" for name in ("holds", "contradicted", UNDECIDED, NOT_RUN))
    tested = int(frame["p"].notna().sum())
    text = sentences(
        [
            f"{page.name} on {counts.sum()} tests of the paper's claims: {tally}.",
            f"Columns averaged: {', '.join(columns)}, report split. Estimates are in points of per cent,"
            f" {intervals_over({'all': int(frame['n_seeds'].max())})}, each seed paired with itself.",
            "A claim holds if its whole interval lies on the claimed side of 0, is contradicted if it lies on the"
            " other, and is undecided otherwise.",
            f"{tested} tests are made at once: the last column is the verdict that is left when the p values of the t"
            " tests are corrected by Holm's method; with few seeds it can hardly be reached."
            if tested
            else "Without intervals nothing is decided.",
            "The intervals are of the training seed alone: they do not cover the choice of tasks, data or models.",
            "Tests marked (control) are not claims of the paper.",
            *page.left_out,
            *page.notes,
        ]
    )
    write_text(out.with_suffix(".md"), to_markdown(layout(frame, page.decimals), text))


def layout(frame: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """A line a claim."""
    return pd.DataFrame(
        {
            "Claim": [row.says + (" (control)" if row.source == "control" else "") for row in frame.itertuples()],
            "Where": frame["where"],
            "Statistic": frame["statistic"],
            "Claimed": frame["claimed"].map({"positive": "> 0", "negative": "< 0"}),
            "Estimate": [with_interval(row.estimate, row.low, row.high, decimals) for row in frame.itertuples()],
            "p": [MISSING if np.isnan(p) else f"{p:.2g}" for p in frame["p"]],
            "Verdict": frame["verdict"],
            "after Holm": frame["verdict_holm"],
        }
    )
