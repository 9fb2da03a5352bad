"""What DAR and its controls change: differences paired over seeds and over instances (paper, section 5.2)."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool

from cascadebert.metrics.exits import answers, exits_at
from cascadebert.metrics.intervals import mcnemar, mean_sd, paired_interval
from cascadebert.metrics.predictions import Predictions, read_predictions
from cascadebert.metrics.sweeps import HALVES, shared_seeds
from cascadebert.pages.tables import AVERAGE
from cascadebert.systems import SYSTEMS

REFERENCE = "cascadebert_without_dar"
"""What every variant is compared with."""


def right(predictions: Predictions, system: str, threshold: float) -> Bool[np.ndarray, " n"]:
    """Which instances a system answers rightly at a threshold."""
    exit_of = exits_at(predictions.stack, SYSTEMS[system].exits, threshold)
    return answers(predictions.stack, exit_of) == predictions.label


def instances(
    points: pd.DataFrame, files: dict[tuple[str, str, int, str], Path]
) -> dict[tuple[str, str, int, float], Bool[np.ndarray, " n"]]:
    """Right answers of every system, column, seed and target.

    Args:
        points: of `printed_points`.
        files: predictions by task, system, seed and split.
    """
    found = {}
    for (task, system, seed, split), path in files.items():
        own = points[(points["task"] == task) & (points["system"] == system) & (points["seed"] == seed)]
        own = own[own["split"] == split]
        if len(own):
            predictions = read_predictions(path)
            for row in own.itertuples():
                found[f"{task}{HALVES[split]}", system, seed, row.target] = right(predictions, system, row.threshold)
    return found


def ablation(
    points: pd.DataFrame,
    columns: list[str],
    systems: list[str],
    targets: list[float],
    correct: dict[tuple[str, str, int, float], Bool[np.ndarray, " n"]],
) -> pd.DataFrame:
    """Scores of each variant, and its difference to the cascade without DAR.

    Returns:
        One row a target, system and column (and their average): mean, sd, n_seeds, achieved_speed_up; difference, low,
        high (paired over seeds, 95 % t interval); mcnemar, the exact p of each seed, blank-separated ("" for the
        reference and the average). Fractions.
    """
    rows = []
    for target in map(float, targets):
        at = points[np.isclose(points["target"], target)]
        scores = at.pivot_table(index="seed", columns=["system", "column"], values="score")
        ratios = at.pivot_table(index="seed", columns=["system", "column"], values="speed_up")
        for system in systems:
            for column in [*columns, AVERAGE]:
                averaged = column == AVERAGE
                rows_of = shared_seeds(at) if averaged else at[at["column"] == column]
                seeds = sorted(rows_of["seed"].unique())
                own, other = (
                    scores.loc[seeds, name][columns if averaged else [column]].mean(axis=1, skipna=False)
                    for name in (system, REFERENCE)
                )
                mean, sd = mean_sd(own.to_numpy())
                difference, low, high = paired_interval(own.to_numpy(), other.to_numpy())
                p_values = [
                    mcnemar(correct[column, system, seed, target], correct[column, REFERENCE, seed, target])
                    for seed in seeds
                    if not averaged and system != REFERENCE
                ]
                rows.append(
                    {
                        "target_speed_up": target,
                        "system": system,
                        "task": column,
                        "mean": mean,
                        "sd": sd,
                        "n_seeds": len(own),
                        "achieved_speed_up": ratios[system][columns].mean().mean()
                        if averaged
                        else ratios[system][column].mean(),
                        "difference": difference,
                        "low": low,
                        "high": high,
                        "mcnemar": " ".join(map(str, p_values)),
                    }
                )
    return pd.DataFrame(rows)
