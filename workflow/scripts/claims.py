"""A verdict on every claim of the paper, decided from an interval over seeds."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.files import write_csv, write_text
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.claims import NOT_RUN, Evidence, claims, judged
from cascadebert.pages.tables import MISSING, intervals_over, sentences, to_markdown, with_interval


def main(sweeps: list[Path], measures: list[Path], spec: str, decimals: int, csv: Path) -> None:
    """Judge every claim.

    Args:
        sweeps: of sweep_thresholds.py, every task and run.
        measures: of measure_exits.py, every task and run.
        spec: JSON with tasks, models (run -> what it is called among the claims), speed_ups, high, static, depths,
            full_layers, left_out (sentences on what was not run), notes.
        decimals: of numbers in per cent.
        csv: tidy, fractions, unrounded; the page goes beside it as .md.
    """
    wanted = json.loads(spec)
    points, columns = printed_points(sweeps, wanted["tasks"])
    found, _ = printed_points(measures, wanted["tasks"])
    models = pd.DataFrame(
        [(run, model) for run, names in wanted["models"].items() for model in names], columns=["run", "model"]
    )
    evidence = Evidence(points, found.merge(models, on="run"))
    listed = claims(wanted["speed_ups"], wanted["high"], wanted["static"], wanted["depths"], wanted["full_layers"])
    frame = judged(listed, evidence)
    write_csv(csv, frame)
    counts = frame.loc[frame["source"] == "paper", "verdict"].value_counts()
    tally = ", ".join(
        f"{name} {counts.get(name, 0)}" for name in ("holds", "contradicted", "undecided at this size", NOT_RUN)
    )
    tested = int(frame["p"].notna().sum())
    text = sentences(
        [
            f"Verdicts on {int((frame['source'] == 'paper').sum())} tests of the paper's claims: {tally}.",
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
            *wanted["left_out"],
            *wanted["notes"],
        ]
    )
    table = pd.DataFrame(
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
    write_text(csv.with_suffix(".md"), to_markdown(table, text))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
