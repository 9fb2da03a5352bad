"""Table 4: the cascade with and without DAR, and controls that the paper lacks (section 5.2)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from cascadebert.metrics.exits import answers, exits_at
from cascadebert.metrics.intervals import mcnemar, mean_sd, paired_interval
from cascadebert.metrics.predictions import Predictions, read_predictions
from cascadebert.metrics.sweeps import HALVES, printed_points, shared_seeds
from cascadebert.pages import common_sense, summaries, tables
from cascadebert.pages.kinds import Ablation, File
from cascadebert.systems import SYSTEMS

REFERENCE = "cascadebert_without_dar"
"""What every variant is compared with."""

Right = Bool[np.ndarray, " n"]
"""Which instances are answered rightly."""


def render(page: Ablation, out: Path) -> None:
    """Compare each variant with the cascade without DAR, seed by seed and instance by instance."""
    points, columns = printed_points(page.sweeps, page.names)
    systems = [name for name in page.systems if name in set(points["system"])]
    tidy = ablation(points, columns, systems, page.targets, instances(points, page.predictions))
    tidy = summaries.beside_paper(page, tidy)
    seeds = tables.seeds_by(tidy)
    said = [
        "The cascade with difficulty-aware regularization, without it, and under controls.",
        *summaries.facts_of(page.tasks, columns),
        "Report split, in per cent, with the achieved speed-up in layers.",
        tables.means_over(seeds),
        summaries.average_note(columns),
        "Variants are compared at the same target, whatever ratio they achieve. Second lines: difference to the"
        f" cascade without DAR in points of per cent, paired over seeds, {tables.intervals_over(seeds)}."
        " Third lines: exact McNemar p values over instances, one a seed, not corrected for their number.",
        "Controls: a temperature fitted on the selection split; the distance of a batch's mean confidences in place"
        " of difficulty labels (as in COSEE); DAR with its difficulty labels dealt out at random.",
        summaries.server_note(tidy),
        common_sense.note(tidy),
    ]
    table = layout(tidy if len(columns) > 1 else tidy[tidy["task"] != summaries.AVERAGE], page.decimals)
    tables.write_table(page, out, tidy, table, said)


def answered_correctly(predictions: Predictions, system: str, threshold: float) -> Right:
    """Which instances a system answers rightly at a threshold."""
    exit_of = exits_at(predictions.stack, SYSTEMS[system].exits, threshold)
    return answers(predictions.stack, exit_of) == predictions.label


def instances(points: pd.DataFrame, files: tuple[File, ...]) -> dict[tuple[str, str, int, float], Right]:
    """Right answers of every system, column, seed and target.

    Args:
        points: of `printed_points`.
        files: predictions of the systems.
    """
    found = {}
    for file in files:
        names = {"task": file.task, "system": file.of, "split": file.split}
        own = points[(points[list(names)] == pd.Series(names)).all(axis=1)]
        for seed, predictions in read_predictions(file.path).items() if len(own) else ():
            for row in own[own["seed"] == seed].itertuples():
                column = f"{file.task}{HALVES[file.split]}"
                found[column, file.of, seed, row.target] = answered_correctly(predictions, file.of, row.threshold)
    return found


def ablation(
    points: pd.DataFrame,
    columns: list[str],
    systems: list[str],
    targets: tuple[float, ...],
    correct: dict[tuple[str, str, int, float], Right],
) -> pd.DataFrame:
    """Scores of each variant, and its difference to the cascade without DAR.

    Returns:
        One row a target, system and column (and their average): mean, sd, n_seeds, achieved_speed_up; difference, low,
        high (paired over seeds, 95 % t interval); mcnemar, the exact p of each seed, blank-separated ("" for the
        reference and the average). Fractions.
    """
    rows = []
    for target in targets:
        at = points[np.isclose(points["target"], target)]
        scores = at.pivot_table(index="seed", columns=["system", "column"], values="score")
        ratios = at.pivot_table(index="seed", columns=["system", "column"], values="speed_up")
        for system in systems:
            for column in [*columns, summaries.AVERAGE]:
                averaged = column == summaries.AVERAGE
                seeds = sorted((shared_seeds(at) if averaged else at[at["column"] == column])["seed"].unique())
                of = columns if averaged else [column]
                own, other = (
                    scores.loc[seeds, name][of].mean(axis=1, skipna=False).to_numpy() for name in (system, REFERENCE)
                )
                tested = [] if averaged or system == REFERENCE else seeds
                p_values = [
                    mcnemar(*(correct[column, name, seed, target] for name in (system, REFERENCE))) for seed in tested
                ]
                names = {"target_speed_up": target, "system": system, "task": column}
                numbers = (*mean_sd(own), len(own), ratios[system][of].mean().mean(), *paired_interval(own, other))
                titles = ("mean", "sd", "n_seeds", "achieved_speed_up", "difference", "low", "high")
                marked = common_sense.unlearned(at[(at["system"] == system) & at["column"].isin(of)])
                named = {"mcnemar": " ".join(map(str, p_values)), "unlearned": marked}
                rows.append(names | dict(zip(titles, numbers, strict=True)) | named)
    return pd.DataFrame(rows)


def layout(tidy: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Three lines a variant, and the paper's where there are its values."""
    lines = []
    for (target, system), own in tidy.groupby(["target_speed_up", "system"], sort=False):
        shown = {f"{target:g}× {SYSTEMS[system].label}": lambda row: summaries.cell(row, decimals)}
        if system != REFERENCE:
            shown["  difference"] = lambda row: tables.with_interval(row.difference, row.low, row.high, decimals)
            shown["  McNemar p"] = _p_values
        if own["paper"].notna().any():
            shown["  as printed in the paper"] = lambda row: tables.with_interval(
                row.paper, float("nan"), float("nan"), 1
            )
        lines += [
            {"Method": label} | {row.task: show(row) for row in own.itertuples()} for label, show in shown.items()
        ]
    return pd.DataFrame(lines)


def _p_values(row: Any) -> str:
    """The p values of a column's seeds; a dash for the average."""
    return " / ".join(f"{float(p):.2g}" for p in row.mcnemar.split()) or tables.MISSING
