"""Table 4: the cascade with and without DAR, and controls that the paper lacks (section 5.2)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.metrics.crossed import interval
from cascadebert.metrics.intervals import mcnemar, mean_sd
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages import common_sense, summaries, tables
from cascadebert.pages.chosen import score_of, with_answers
from cascadebert.pages.kinds import Ablation
from cascadebert.systems import SYSTEMS

REFERENCE = "cascadebert_without_dar"
"""What every variant is compared with."""


def render(page: Ablation, out: Path) -> None:
    """Compare each variant with the cascade without DAR, seed by seed and instance by instance."""
    points, columns = printed_points(page.sweeps, page.names)
    systems = [name for name in page.systems if name in set(points["system"])]
    tidy = ablation(with_answers(points, page.predictions), columns, systems, page.targets)
    tidy = summaries.beside_paper(page, tidy)
    seeds = tables.seeds_by(tidy)
    said = [
        "The cascade with difficulty-aware regularization, without it, and under controls.",
        *summaries.facts_of(page.tasks, columns),
        "Report split, in per cent, with the achieved speed-up in layers.",
        tables.means_over(seeds),
        summaries.average_note(columns),
        "Variants are compared at the same target, whatever ratio they achieve. Second lines: difference to the"
        f" cascade without DAR in points of per cent, paired, {tables.two_way_over(seeds)}."
        " Third lines: exact McNemar p values over instances, one a seed, not corrected for their number.",
        "Controls: a temperature fitted on the selection split; the distance of a batch's mean confidences in place"
        " of difficulty labels (as in COSEE); DAR with its difficulty labels dealt out at random.",
        summaries.server_note(tidy),
        common_sense.note(tidy),
    ]
    table = layout(tidy if len(columns) > 1 else tidy[tidy["task"] != summaries.AVERAGE], page.decimals)
    tables.write_table(page, out, tidy, table, said)


def ablation(points: pd.DataFrame, columns: list[str], systems: list[str], targets: tuple[float, ...]) -> pd.DataFrame:
    """Scores of each variant, and its difference to the cascade without DAR.

    Args:
        points: of `with_answers`.
        columns: of `printed_points`.
        systems: in the order of rows.
        targets: ratios.

    Returns:
        One row a target, system and column (and their average): mean, sd, n_seeds, achieved_speed_up; difference, low,
        high (paired, over seeds and instances); mcnemar, the exact p of each seed, blank-separated ("" for the
        reference and the average). Fractions.
    """
    rows = []
    for target in targets:
        at = points[np.isclose(points["target"], target)]
        for system in systems:
            of_system, other = (at[at["system"] == name] for name in (system, REFERENCE))
            for column in [*columns, summaries.AVERAGE]:
                of = columns if column == summaries.AVERAGE else [column]
                score = score_of(of_system, of)
                difference = interval(score - score_of(other, of))
                shown = of_system[of_system["column"].isin(of)]
                compared = system != REFERENCE and column != summaries.AVERAGE
                rows.append(
                    {
                        "target_speed_up": target,
                        "system": system,
                        "task": column,
                        **dict(zip(("mean", "sd"), mean_sd(score.values), strict=True)),
                        "n_seeds": len(score.seeds),
                        "achieved_speed_up": shown[shown["seed"].isin(score.seeds)]["speed_up"].mean(),
                        "difference": difference.estimate,
                        "low": difference.low,
                        "high": difference.high,
                        "mcnemar": " ".join(map(str, _mcnemar(shown, other))) if compared else "",
                        "unlearned": common_sense.unlearned(shown),
                    }
                )
    return pd.DataFrame(rows)


def _mcnemar(one: pd.DataFrame, other: pd.DataFrame) -> list[float]:
    """Exact McNemar p of two systems in one column, seed by seed."""
    both = one.merge(other, on=["column", "seed"]).sort_values("seed")
    return [mcnemar(row.answers_x == row.label_x, row.answers_y == row.label_y) for row in both.itertuples()]


def layout(tidy: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Three lines a variant, and the paper's where there are its values."""
    lines = []
    for (target, system), rows in tidy.groupby(["target_speed_up", "system"], sort=False):
        shown = {f"{target:g}× {SYSTEMS[system].label}": lambda row: summaries.cell(row, decimals)}
        if system != REFERENCE:
            shown["  difference"] = lambda row: tables.with_interval(row.difference, row.low, row.high, decimals)
            shown["  McNemar p"] = _p_values
        if rows["paper"].notna().any():
            shown["  as printed in the paper"] = lambda row: tables.with_interval(
                row.paper, float("nan"), float("nan"), 1
            )
        lines += [
            {"Method": label} | {row.task: show(row) for row in rows.itertuples()} for label, show in shown.items()
        ]
    return pd.DataFrame(lines)


def _p_values(row: Any) -> str:
    """The p values of a column's seeds; a dash for the average."""
    return " / ".join(f"{float(p):.2g}" for p in row.mcnemar.split()) or tables.MISSING
