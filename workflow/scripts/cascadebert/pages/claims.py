"""The page of verdicts: what became of every claim of the paper, and of the controls beside them."""

from pathlib import Path

import numpy as np
import pandas as pd

from cascadebert.files import write_csv
from cascadebert.pages.evidence import read_evidence
from cascadebert.pages.kinds import Verdicts
from cascadebert.pages.statements import claims
from cascadebert.pages.tables import MISSING, sentences, two_way_over, with_interval, write_layout
from cascadebert.pages.times import MARGIN, judged_on_the_clock, read_times
from cascadebert.pages.verdicts import VERDICTS, Effect, judged

NOT_RUN = "not run"
"""Verdict on a claim whose systems this config does not have, or have no such ratio."""


ON_CLOCK = (
    "Tests marked (clock) are of the times of one run for each task (Table 9), with t intervals over its turns; they"
    f" hold if at most {100 * MARGIN:g} % of the counted speed-up is missing, and are in no correction."
)


def read_effects(path: Path) -> dict[str, Effect]:
    """The sizes of the paper's effects by claim, of config/paper/effects.csv."""
    return {row.claim: Effect(row.points / 100, row.where) for row in pd.read_csv(path).itertuples()}


def render(page: Verdicts, out: Path) -> None:
    """Judge every claim."""
    evidence = read_evidence(page.tasks, page.baselines, page.systems, page.models)
    listed = claims([*page.speed_ups], [*page.high], page.static, [*page.depths], page.full_layers)
    frame = judged(listed, evidence, read_effects(page.effects), NOT_RUN)
    if page.times:
        on_clock = judged_on_the_clock(read_times(page.times, page.names, page.runs))
        frame = pd.concat([frame, on_clock], ignore_index=True)
    write_csv(out, frame)
    counts = frame.loc[frame["source"] == "paper", "verdict"].value_counts()
    tally = ", ".join(f"{name} {counts.get(name, 0)}" for name in (*VERDICTS, NOT_RUN))
    tested = int(frame["p"].notna().sum())
    seeds = int(frame.loc[frame["source"] != "clock", "n_seeds"].max())
    text = sentences(
        [
            f"{page.name} on {counts.sum()} tests of the paper's claims: {tally}.",
            f"Columns averaged: {', '.join(evidence.columns)}, report split. Estimates are in points of per cent,"
            f" {two_way_over({'all': seeds})}, each seed and each instance paired with itself.",
            "Every system stands at exactly the ratio that is named: two neighbouring settings of its rule are mixed,"
            " without looking at a label, so that the mean of layers on the report split is that of the ratio; where a"
            " rule has few settings (PABEE's patience, with 0 for the first classifier) this interpolates between two.",
            "Claimed is the size that the paper prints, or 0.5 points where it prints none. A claim holds if its"
            " interval lies on the claimed side of 0, and is smaller than claimed if it excludes the claimed size as"
            " well; there is no effect of the claimed size if it holds 0 and excludes that size; it is contradicted if"
            " the interval lies on the other side of 0; and undecided otherwise. Detectable is the effect that this run"
            " would have told from 0 with a probability of 80 %.",
            f"{tested} tests are made at once: the last column is the verdict that is left when p values, those against"
            " 0 and those against the claimed size, are corrected by Holm's method."
            if tested
            else "Without intervals nothing is decided.",
            "Against chance: some system of the claim is not above the baselines of common sense (Table 1).",
            "Intervals do not cover the choice of tasks or models. Tests marked (control) are not claims of the paper.",
            *([ON_CLOCK] if page.times else []),
            *page.left_out,
            *page.notes,
        ]
    )
    write_layout(out, layout(frame, page.decimals), text)


def layout(frame: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """A line a claim."""
    chance = frame["against_chance"].map(lambda names: " (against chance)" if names else "")
    size = [f"{100 * row.effect:+.{decimals}f}" for row in frame.itertuples()]
    detectable = [MISSING if np.isnan(of) else f"{100 * of:.{decimals}f}" for of in frame["detectable"]]
    return pd.DataFrame(
        {
            "Claim": [row.says + ("" if row.source == "paper" else f" ({row.source})") for row in frame.itertuples()],
            "Where": frame["where"],
            "Statistic": frame["statistic"],
            "Claimed": size,
            "Estimate": [with_interval(row.estimate, row.low, row.high, decimals) for row in frame.itertuples()],
            "Detectable": detectable,
            "p": [MISSING if np.isnan(p) else f"{p:.2g}" for p in frame["p"]],
            "Verdict": frame["verdict"] + chance,
            "after Holm": frame["verdict_holm"] + chance,
        }
    )
