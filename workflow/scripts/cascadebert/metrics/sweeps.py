"""Operating points: a threshold chosen on the selection split for a target speed-up, applied to the other splits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.exit_rules import Exits
from cascadebert.metrics.exits import answers, exits_at, speed_up, threshold_for
from cascadebert.metrics.predictions import Predictions
from cascadebert.metrics.scores import score

HALVES = {"report": "", "mismatched": "-mm"}
"""Splits that tables and figures show, and what their column's name ends in (MNLI-m and MNLI-mm)."""


MEASURES = ("layers", "flops")
"""What a target speed-up is a ratio of: layers, as in the paper, or floating-point operations (Table 7)."""


def operating_point(predictions: Predictions, exits: Exits, threshold: float, metric: str) -> dict[str, Any]:
    """One rule at one setting on one split.

    Returns:
        threshold; speed_up and speed_up_flops, the ratios achieved; flops, mean of an instance; score, a fraction; n,
        instances. NaN for an empty split.
    """
    exit_of = exits_at(predictions.stack, exits, threshold)
    executed = predictions.flops[exit_of, np.arange(exit_of.size)]
    return {
        "threshold": threshold,
        "speed_up": speed_up(predictions.stack, exit_of),
        "speed_up_flops": predictions.full_flops.sum() / executed.sum() if exit_of.size else float("nan"),
        "flops": executed.mean() if exit_of.size else float("nan"),
        "score": score(metric, predictions.label, answers(predictions.stack, exit_of)),
        "n": exit_of.size,
    }


def sweep(
    splits: dict[str, Predictions], exits: Exits, targets: list[float], metric: str, counted: Sequence[int] = ()
) -> list[dict[str, Any]]:
    """Operating points of one run at some target speed-ups, in layers and in operations, on some splits.

    Args:
        splits: predictions by split, "selection" among them: each threshold is chosen there, without labels.
        exits: the system's rule; "last" has nothing to set, so its one target is its own ratio, in layers.
        targets: wanted speed-ups.
        metric: of the task.
        counted: layers at each exit that a ratio of layers is chosen by, where they are not those that are executed;
            what is achieved is told of the executed ones.

    Returns:
        One row a measure, target and split, with those three and what `operating_point` returns.
    """
    chosen, rows = splits["selection"], []
    if exits == "last":
        targets = [chosen.stack.full_layers / float(chosen.stack.layers[-1])]
    stack = replace(chosen.stack, layers=np.array(counted)) if counted else chosen.stack
    for measure in MEASURES if exits != "last" else ("layers",):
        cost = (chosen.flops, chosen.full_flops) if measure == "flops" else None
        thresholds = np.asarray(threshold_for(stack, exits, np.array(targets, dtype=float), cost))
        for target, threshold in zip(targets, thresholds.tolist(), strict=True):
            for split, predictions in splits.items():
                names = {"split": split, "measure": measure, "target": target}
                rows.append(names | operating_point(predictions, exits, threshold, metric))
    return rows


def shared_seeds(points: pd.DataFrame) -> pd.DataFrame:
    """The rows of those seeds that every column has: only they can be averaged over columns.

    Args:
        points: of `printed_points`.
    """
    columns = points.groupby("seed")["column"].transform("nunique")
    return points[columns == points["column"].nunique()]


def printed_points(files: Sequence[Path], tasks: list[str], measure: str = "layers") -> tuple[pd.DataFrame, list[str]]:
    """The operating points, or the measures of exits, that tables and figures show.

    Args:
        files: CSV files of sweep_thresholds.py, or of measure_exits.py.
        tasks: names, in the order of columns.
        measure: what the targets are ratios of.

    Returns:
        The rows of non-empty report and mismatched splits with a further column, column; and the columns in order,
        a mismatched half behind its task.
    """
    points = pd.concat([pd.read_csv(path) for path in files], ignore_index=True)
    points = points[points["split"].isin(HALVES) & (points["n"] > 0)]
    if "measure" in points:
        points = points[points["measure"] == measure]
    points = points.assign(column=points["task"] + points["split"].map(HALVES))
    held = set(points["column"])
    return points, [f"{task}{end}" for task in tasks for end in HALVES.values() if f"{task}{end}" in held]
