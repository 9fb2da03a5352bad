"""What a task must have before anything is trained on it, and what is told of how it was read and divided."""

import logging
from typing import Any

import pandas as pd

from cascadebert.data.sources import Frames
from cascadebert.data.splits import normalised
from cascadebert.layouts import Problem

log = logging.getLogger(__name__)

FEW = 50
"""Rows of a selection split below which a user is warned: a score of them has a standard error of seven points."""


REPEATED = "(text in another split)"
"""Why rows are dropped that repeat a text."""


def labelled(frames: Frames, files: dict[str, str]) -> tuple[Frames, dict[str, int]]:
    """The rows that have a label, of test all, and how many of each split had none.

    Raises:
        Problem: when no row of a split has one.
    """
    kept = {split: frame if split == "test" else frame[frame["label"] != ""] for split, frame in frames.items()}
    for split, frame in kept.items():
        if len(frames[split]) and not len(frame):
            raise Problem(
                f"{files.get(split, f'the {split} split')} has no label in any row, and only test rows may lack one:"
                " fill them in, correct the key label, or call it test."
            )
    unlabelled = {f"{split} (unlabelled)": len(frames[split]) - len(frame) for split, frame in kept.items()}
    return kept, {why: count for why, count in unlabelled.items() if count}


def check_classes(train: pd.DataFrame, names: list[str], metric: str, declared: bool) -> None:
    """Raise Problem for training rows whose labels are not the classes of a task."""
    if len(names) < 2:
        raise Problem(
            f"the training data has one class only ({', '.join(names)}): a classifier needs two. (An empty label"
            " and -1 mean that there is none; where -1 is a class, declare it under labels.)"
        )
    if metric == "f1" and len(names) != 2:
        raise Problem(f"metric f1 needs two classes and there are {len(names)} ({', '.join(names)}): make it accuracy.")
    if metric == "f1" and not declared:
        log.warning(
            "f1 counts %s, the later in the alphabet: declare labels to say it, the one that counts last", names[1]
        )
    if not declared and len(names) > max(20, len(train) // 2):
        raise Problem(
            f"{len(train)} training rows have {len(names)} different labels ({', '.join(names[:3])}, ...): name the"
            " column of the class under label."
        )


def check_known(table: pd.DataFrame, names: list[str]) -> None:
    """Raise Problem for a label of which there is no training row; test rows may have none."""
    unknown = table[~table["label"].isin(names)]
    if len(unknown):
        rows = ", ".join(unknown["id"].iloc[:3])
        raise Problem(
            f"the label {unknown['label'].iloc[0]} is in {len(unknown)} rows ({rows}, ...) and in no training row, so"
            " that nothing can learn it: correct these rows, or leave them out."
        )


def check_splits(table: pd.DataFrame, names: list[str], metric: str) -> None:
    """Raise Problem for a split that cannot be scored, before anything is trained."""
    check_known(table, names)
    for split, frame in table.groupby("split", sort=False):
        if len(frame) < 2:
            raise Problem(
                f"the {split} split has one row: it needs two, so give it more under rows, or more in its file."
            )
        if split == "selection" and len(frame) < FEW:
            log.warning(
                "the selection split has %d rows, too few to choose epochs, margins and thresholds: give it more under"
                " rows.selection, or a file of its own under splits",
                len(frame),
            )
        if split != "train" and len(set(frame["label"])) == 1:
            log.warning(
                "all %d rows of the %s split are %s: what is seen there says little",
                len(frame),
                split,
                frame["label"].iloc[0],
            )
        if metric == "f1" and names[1] not in set(frame["label"]):
            raise Problem(
                f"the {split} split has no row of {names[1]} among its {len(frame)}, and f1 counts those: give it more"
                f" rows (rows.{split}), declare the labels in the other order, or make the metric accuracy."
            )


def check_training(table: pd.DataFrame, names: list[str], n_folds: int, unlabelled: int) -> None:
    """Raise Problem for a training split without one of the classes that it should have, or with too few rows of one.

    Args:
        table: all splits.
        names: of the classes.
        n_folds: K, each of which needs every class.
        unlabelled: rows that were dropped, since their label is empty or -1.
    """
    counts = table.loc[table["split"] == "train", "label"].value_counts()
    missing = [name for name in names if name not in counts]
    for name in missing:
        if len(elsewhere := table.loc[table["label"] == name, "split"]):
            raise Problem(
                f"no training row is of {name} once the data is divided, and {len(elsewhere)} of split"
                f" {elsewhere.iloc[0]} are: a text may be in one split alone, so give it more rows of other texts."
            )
    if len(counts) < 2 or (missing and unlabelled):
        dropped = f", and {unlabelled} rows were dropped, whose label is empty or -1" if unlabelled else ""
        raise Problem(
            f"no training row is of {', '.join(missing)} once the data is divided{dropped}: declare under labels"
            " what stands in the file (a class -1, too), leave out what does not, or give rows that no other split has."
        )
    if counts.min() < n_folds:
        raise Problem(
            f"{counts.idxmin()} has {counts.min()} training instances and difficulty.n_folds is {n_folds}: "
            "every fold needs one of each class, so lower it or give more rows."
        )


def contradicting(table: pd.DataFrame) -> int:
    """Texts that stand under more than one class."""
    return int((table["label"].groupby(normalised(table)).agg(lambda labels: len(set(labels))) > 1).sum())


def tell(about: dict[str, Any]) -> None:
    """Log which file is which split, how many rows it has of those that were found, and of what classes they are."""
    files = ", ".join(f"{split} is {file}" for split, file in about["files"].items()) or "made of one source"
    log.info("files: %s; not read: %s", files, ", ".join(about["unread"]) or "none")
    asked = {
        split: f", {about['asked'][split]} asked for" if split in about["asked"] else "" for split in about["rows"]
    }
    rows = "; ".join(f"{split} {n}{asked[split]}" for split, n in about["rows"].items())
    dropped = ", ".join(f"{n} of {why}" for why, n in about["dropped"].items() if n) or "none"
    log.info("rows: %s; found: %s; dropped: %s", rows, about["found"], dropped)
    log.info("classes: %s", about["classes"])
    for split, n in about["asked"].items():
        if about["rows"][split] < n:
            log.warning("%d rows of %s were asked for and there are %d", n, split, about["rows"][split])
    if about["contradicting"]:
        log.warning("%d texts stand under more than one class", about["contradicting"])
    for why, n in about["dropped"].items():
        if n and why.endswith("(unlabelled)"):
            log.warning(
                "%d rows of %s are dropped: their label is empty, -1 or -; a class so called is declared under labels",
                n,
                why,
            )
        if why.startswith("train") and why.endswith(REPEATED) and n > about["found"]["train"] // 10:
            log.warning("%d of %s: repeats make the splits smaller than they look", n, why)
    if any(about["classes"].get("test", {}).get(name) for name in about["names"]):
        log.warning("the test split has labels, and is answered only: to report it, see the key splits of a source")
