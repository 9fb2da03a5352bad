"""Answers to GLUE's hidden test sets as the server takes them: a zip of eleven tab-separated files."""

import zipfile
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from cascadebert.files import atomic
from cascadebert.glue import GLUE, TEST_ROWS
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import answers, exits_at, speed_up
from cascadebert.metrics.predictions import Predictions
from cascadebert.systems import SYSTEMS

FILES = {
    "mnli": ("MNLI-m", "MNLI-mm"),
    "mrpc": ("MRPC",),
    "qnli": ("QNLI",),
    "qqp": ("QQP",),
    "rte": ("RTE",),
    "sst2": ("SST-2",),
}
"""Names, without ending, of each task's files, in the order of TEST_ROWS."""

PARTS = ("test", "test_mismatched")
"""What the ids of each of those files' rows begin with."""

NUMBERED = ("mrpc", "qqp", "sst2")
"""Tasks whose answers are class numbers; the others' are class names."""

UNTRIED = {"CoLA": (1063, "0"), "STS-B": (1379, "0.0"), "WNLI": (146, "0"), "AX": (1104, "entailment")}
"""Files of tasks that are not the paper's: rows, and the constant that they are filled with."""


def chosen(points: pd.DataFrame, target: float) -> pd.Series:
    """The model of a run that is submitted: the best on the selection split, of equals the one listed first.

    Args:
        points: of sweep_thresholds.py, one task and run.
        target: the speed-up, in layers.

    Returns:
        Its row on the selection split: seed, threshold, score and the rest.

    Raises:
        Problem: when the run has no such speed-up.
    """
    operating = points[(points["split"] == "selection") & (points["measure"] == "layers")]
    at_target = operating[np.isclose(operating["target"], target)]
    if at_target.empty:
        task, run = operating[["task", "run"]].iloc[0]
        known = ", ".join(f"{ratio:g}" for ratio in operating["target"].unique())
        raise Problem(f"{run} on {task} has no speed-up {target:g}: take one of {known}.")
    return at_target.sort_values("score", ascending=False, kind="stable").iloc[0]


def answered(predictions: Predictions, point: pd.Series) -> tuple[Int[np.ndarray, " n"], float]:
    """What a run answers to a split at one of its operating points, and the speed-up that it achieves there.

    Args:
        predictions: of the test split.
        point: of `chosen`.
    """
    stack = predictions.stack
    exit_of = exits_at(stack, SYSTEMS[point["system"]].exits, float(point["threshold"]))
    return answers(stack, exit_of), speed_up(stack, exit_of)


def files_for(task: str, predictions: Predictions, classes: Int[np.ndarray, " n"]) -> dict[str, list[str]]:
    """The files of one task, each a list of predictions in the order of the server's indices.

    Args:
        task: in GLUE.
        predictions: of the whole test split, in any order.
        classes: the answer to each row.

    Raises:
        Problem: when the rows are not exactly the server's, or a class is not one of the task's.
    """
    rows, labels = dict(zip(FILES[task], TEST_ROWS[task], strict=True)), GLUE[task].labels
    if set(predictions.names) != set(labels):
        raise Problem(
            f"the classes of {task} are {', '.join(predictions.names)} and the GLUE server knows {', '.join(labels)}: "
            "leave labels out of its entry under data."
        )
    expected = {file: [f"{part}-{i}" for i in range(rows[file])] for file, part in zip(rows, PARTS, strict=False)}
    place, ids = {name: i for i, name in enumerate(predictions.id.tolist())}, list(chain(*expected.values()))
    rows_held, known = len(predictions.id), len(place.keys() & set(ids))
    if not rows_held == known == len(ids):
        ranges = " and ".join(f"{names[0]} to {names[-1]}" for names in expected.values())
        raise Problem(
            f"the test split of {task} has {rows_held} rows, {known} of them among the {len(ids)} that "
            f"the GLUE server expects, {ranges} once each: "
            "give its source the whole test set and no rows.test, or take the task out of tasks."
        )
    words = [str(labels.index(name)) if task in NUMBERED else str(name) for name in predictions.names]
    answer = classes.tolist()
    return {file: [words[answer[place[name]]] for name in names] for file, names in expected.items()}


def filled() -> dict[str, list[str]]:
    """Every file of a submission with a constant in each row that the server accepts and that means nothing."""
    constants = {task: "0" if task in NUMBERED else GLUE[task].labels[0] for task in FILES}
    ours = {file: [constants[task]] * n for task in FILES for file, n in zip(FILES[task], TEST_ROWS[task], strict=True)}
    return ours | {file: [constant] * n for file, (n, constant) in UNTRIED.items()}


def write_submission(path: Path, files: dict[str, list[str]]) -> None:
    """Write a zip without folders; the same predictions give the same bytes."""
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
        for file, predictions in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{file}.tsv")  # dated 1980
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            lines = (f"{i}\t{prediction}\n" for i, prediction in enumerate(predictions))
            packed.writestr(entry, "".join(["index\tprediction\n", *lines]))
