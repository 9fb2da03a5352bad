"""Operating points: a threshold chosen on the selection split for a target speed-up, applied to the other splits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.exit_rules import Exits
from cascadebert.files import read_csv
from cascadebert.metrics.baselines import Baselines
from cascadebert.metrics.crossed import components
from cascadebert.metrics.exits import answers, exits_at, speed_up, threshold_for
from cascadebert.metrics.influence import mixed_score
from cascadebert.metrics.predictions import BySeed, Predictions, check_same
from cascadebert.metrics.scores import score

HALVES = {"report": "", "mismatched": "-mm"}
"""Splits that tables and figures show, and what their column's name ends in (MNLI-m and MNLI-mm)."""


MEASURES = ("layers", "flops")
"""What a target speed-up is a ratio of: layers, as in the paper, or floating-point operations (Table 7)."""


def operating_point(predictions: Predictions, exits: Exits, threshold: float, metric: str) -> dict[str, Any]:
    """One rule at one setting on one split.

    Returns:
        threshold; speed_up and speed_up_flops, the ratios achieved; flops, mean of an instance; score, a fraction; n,
        instances; answers, class index of each. NaN for an empty split.
    """
    exit_of = exits_at(predictions.stack, exits, threshold)
    given = answers(predictions.stack, exit_of)
    executed = predictions.flops[exit_of, np.arange(exit_of.size)]
    return {
        "threshold": threshold,
        "speed_up": speed_up(predictions.stack, exit_of),
        "speed_up_flops": predictions.full_flops.sum() / executed.sum() if exit_of.size else float("nan"),
        "flops": executed.mean() if exit_of.size else float("nan"),
        "score": score(metric, predictions.label, given),
        "n": exit_of.size,
        "answers": given,
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


def sweep_seeds(
    splits: dict[str, BySeed],
    exits: Exits,
    targets: list[float],
    metric: str,
    baselines: dict[str, Baselines],
    counted: Sequence[int] = (),
) -> pd.DataFrame:
    """Operating points of one run with every seed, and beside each what the baselines reach on the same instances.

    Args:
        splits: predictions by split and seed.
        exits: the system's rule.
        targets: wanted speed-ups.
        metric: of the task.
        baselines: by split.
        counted: as of `sweep`.

    Returns:
        What `sweep` returns, without answers, by seed; and majority and tfidf, the baselines' scores, alike and apart,
        `crossed.components` of the difference to the better of the two, the same for all seeds.
    """
    seeds = list(splits["selection"])
    by_seed = [
        sweep({split: of[seed] for split, of in splits.items()}, exits, targets, metric, counted) for seed in seeds
    ]
    against = {}
    for split, of in splits.items():
        check_same(of[seeds[0]].id, baselines[split].id)
        against[split] = (baselines[split].label, baselines[split].better(metric)[1], baselines[split].scores(metric))
    rows = []
    for of_seeds in zip(*by_seed, strict=True):
        label, baseline, scores = against[of_seeds[0]["split"]]
        influence = [mixed_score(metric, label, [(1.0, row.pop("answers"))])[1] - baseline for row in of_seeds]
        beside = scores | components({"": np.array(influence)})._asdict()
        rows += [{"seed": seed} | row | beside for seed, row in zip(seeds, of_seeds, strict=True)]
    return pd.DataFrame(rows)


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
    points = pd.concat([read_csv(path) for path in files], ignore_index=True)
    points = points[points["split"].isin(HALVES) & (points["n"] > 0)]
    if "measure" in points:
        points = points[points["measure"] == measure]
    points = points.assign(column=points["task"] + points["split"].map(HALVES))
    held = set(points["column"])
    return points, [f"{task}{end}" for task in tasks for end in HALVES.values() if f"{task}{end}" in held]
