"""Which cells of a table are not above the baselines of common sense, and the baselines' own rows."""

from typing import Any

import numpy as np
import pandas as pd

from cascadebert.metrics.baselines import BASELINES
from cascadebert.metrics.crossed import Components, interval_of
from cascadebert.metrics.intervals import wilson
from cascadebert.metrics.sweeps import shared_seeds

SIGN = "†"
"""Behind every cell that is not above the better baseline."""


def unlearned(points: pd.DataFrame) -> bool:
    """Whether a system's score is not above the better baseline: the interval of the difference reaches 0.

    Args:
        points: operating points of one system at one ratio; of several columns their average is meant. With a single
            seed, which has no interval, the means decide.
    """
    points = shared_seeds(points)
    gap = points["score"] - points[list(BASELINES)].max(axis=1)
    values = gap.groupby(points["seed"]).mean().to_numpy()
    of_columns = points.drop_duplicates("column")[["alike", "apart"]]
    return interval_of(values, Components(*(of_columns.sum() / len(of_columns) ** 2))).reaches_zero


MARKS = ("unlearned", "paper_unlearned")
"""Columns of tidy frames: whether our score, and the paper's, is marked."""


def with_baselines(tidy: pd.DataFrame, points: pd.DataFrame, columns: list[str], average: str) -> pd.DataFrame:
    """A tidy frame below rows of the baselines.

    Args:
        tidy: of `summaries.summarised`.
        points: of `printed_points`.
        columns: of the same.
        average: name of the column of their mean.
    """
    first = points.drop_duplicates("column").set_index("column").loc[columns]
    rows: list[dict[str, Any]] = []
    for name, label in BASELINES.items():
        scores = {**first[name], average: first[name].mean()}
        metrics = {**first["metric"], average: "mean"}
        rows += [
            {"method": label, "system": name, "task": column, "metric": metrics[column], "mean": score}
            for column, score in scores.items()
        ]
    marks = {name: False for name in MARKS if name in tidy}
    return pd.concat([pd.DataFrame(rows).assign(n_seeds=0, **marks), tidy], ignore_index=True)


def paper_unlearned(score: float, chance: float, n: int) -> bool:
    """Whether a score that others published is not above the majority class of GLUE's test set, both fractions.

    It is of one model, so that its interval is over instances alone: Wilson's, F1 taken as if it were an accuracy.

    Args:
        score: of a single submission; NaN where there is none.
        chance: of the majority class.
        n: instances of the test set.
    """
    return bool(not np.isnan(score) and wilson(round(score * n), n)[0] <= chance)


def note(tidy: pd.DataFrame) -> str:
    """What the sign means, if it stands anywhere."""
    if not any(tidy[name].any() for name in MARKS if name in tidy):
        return ""
    return (
        f"{SIGN} : not above the better of two baselines of common sense, the majority class (for F1 class 1) and"
        " TF-IDF with logistic regression on the same rows (95 % interval over seeds and instances). Scores of the"
        " paper are set against the majority class of GLUE's test sets, over instances (config/paper/majority.csv)."
    )
