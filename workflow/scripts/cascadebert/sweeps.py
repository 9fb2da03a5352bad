"""Operating points: a threshold chosen on the selection split for a target speed-up, applied to the other splits."""

from pathlib import Path
from typing import Any

import pandas as pd

from cascadebert.exits import answers, exits_at, speed_up, threshold_for
from cascadebert.records import Predictions
from cascadebert.scores import score
from cascadebert.systems import Exits

HALVES = {"report": "", "mismatched": "-mm"}
"""Splits that tables and figures show, and what their column's name ends in (MNLI-m and MNLI-mm)."""


def operating_point(predictions: Predictions, exits: Exits, threshold: float, metric: str) -> dict[str, Any]:
    """One rule at one setting on one split.

    Returns:
        threshold; speed_up, the ratio achieved; score, a fraction; n, instances. NaN for an empty split.
    """
    exit_of = exits_at(predictions.stack, exits, threshold)
    return {
        "threshold": threshold,
        "speed_up": speed_up(predictions.stack, exit_of),
        "score": score(metric, predictions.label, answers(predictions.stack, exit_of)),
        "n": exit_of.size,
    }


def sweep(splits: dict[str, Predictions], exits: Exits, targets: list[float], metric: str) -> list[dict[str, Any]]:
    """Operating points of one run at some target speed-ups on some splits.

    Args:
        splits: predictions by split, "selection" among them: each threshold is chosen there, without labels.
        exits: the system's rule.
        targets: wanted speed-ups.
        metric: of the task.

    Returns:
        One row a split and target, with those two and what `operating_point` returns.
    """
    rows = []
    for target in targets:
        threshold = threshold_for(splits["selection"].stack, exits, target)
        for split, predictions in splits.items():
            rows.append({"split": split, "target": target} | operating_point(predictions, exits, threshold, metric))
    return rows


def printed_points(files: list[Path], tasks: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """The operating points that tables and figures show.

    Args:
        files: CSV files of sweep_thresholds.py.
        tasks: names, in the order of columns.

    Returns:
        The points of non-empty report and mismatched splits with a further column, column; and the columns in order,
        a mismatched half behind its task.
    """
    points = pd.concat([pd.read_csv(path) for path in files], ignore_index=True)
    points = points[points["split"].isin(HALVES) & (points["n"] > 0)]
    points = points.assign(column=points["task"] + points["split"].map(HALVES))
    held = set(points["column"])
    return points, [f"{task}{end}" for task in tasks for end in HALVES.values() if f"{task}{end}" in held]
