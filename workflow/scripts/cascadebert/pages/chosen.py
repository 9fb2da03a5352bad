"""What systems answer at the thresholds that a page prints, which were chosen on the selection split for each seed."""

from collections.abc import Sequence

import pandas as pd

from cascadebert.metrics.crossed import Crossed, mean_of
from cascadebert.metrics.exact import over_seeds
from cascadebert.metrics.exits import answers, exits_at
from cascadebert.metrics.influence import mixed_score
from cascadebert.metrics.predictions import read_predictions
from cascadebert.pages.kinds import File
from cascadebert.systems import SYSTEMS


def with_answers(points: pd.DataFrame, files: Sequence[File]) -> pd.DataFrame:
    """Operating points with what was answered there: label and answers, the class index of each instance.

    Args:
        points: of `printed_points`.
        files: predictions of each run and split that has points.
    """
    parts = []
    for file in files:
        of_run = points[(points["task"] == file.task) & (points["run"] == file.of) & (points["split"] == file.split)]
        if of_run.empty:
            continue
        by_seed, rule = read_predictions(file.path), SYSTEMS[of_run["system"].iloc[0]].exits
        predictions = [by_seed[seed] for seed in of_run["seed"]]
        exit_of = [exits_at(of.stack, rule, tau) for of, tau in zip(predictions, of_run["threshold"], strict=True)]
        answered = [answers(of.stack, exits) for of, exits in zip(predictions, exit_of, strict=True)]
        parts.append(of_run.assign(label=[of.label for of in predictions], answers=answered))
    return pd.concat(parts, ignore_index=True)


def score_of(points: pd.DataFrame, columns: Sequence[str]) -> Crossed:
    """A system's score at one ratio: of a column, or the average of several, of the seeds that all of them have.

    Args:
        points: of `with_answers`, one system and target.
        columns: that are averaged.
    """
    of_columns = []
    for column in columns:
        of_column = points[points["column"] == column].sort_values("seed")
        scores = {row.seed: mixed_score(row.metric, row.label, [(1.0, row.answers)]) for row in of_column.itertuples()}
        of_columns.append(over_seeds(column, scores))
    return mean_of(of_columns)
