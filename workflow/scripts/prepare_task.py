"""One part of a task as text: what is trained on, what is reported, or what is only answered (Table 1; erratum 17)."""

import json
import logging
from pathlib import Path
from typing import Literal

import pandas as pd
import tyro

from cascadebert.data.origins import origin_of_data
from cascadebert.data.sources import labels_of, read_source
from cascadebert.data.splits import carve, draw_test
from cascadebert.files import write_examples, write_json
from cascadebert.layouts import PARTS, Part, Problem


def main(
    part: Part,
    definition: str,
    metric: str,
    selection: Literal["train", "validation"],
    n_folds: int,
    examples: Path,
    facts: Path,
    archive: Path | None = None,
) -> None:
    """Read a data set from its source and divide it.

    Args:
        part: training (train and selection split), report (report and mismatched split) or test.
        definition: the config's entry under data, as JSON; of its rows those keys that the part depends on.
        metric: the task's.
        selection: where the selection split comes from, a slice of the training data or the report split itself.
        n_folds: K, into which the training split must be divisible; nothing that is written depends on it.
        examples: JSON Lines with id, split, text, text_pair (pairs), label (a name), rating (where known).
        facts: JSON with names, metric, rows of each split, how many rows were dropped why, and where the text is from.
        archive: the package's file, or what fetch_dataset.py made, where the source is a package or of the hub.
    """
    entry = json.loads(definition)
    frames, dropped = read_source(entry, archive, part), {}
    if "package" in entry["source"]:
        band = entry["source"]["neutral_band"]
        decided = {split: frame["rating"].abs() > band for split, frame in frames.items()}
        dropped = {f"{split} (neutral)": int((~kept).sum()) for split, kept in decided.items()}
        frames = {split: frame[decided[split]] for split, frame in frames.items()}
    names = labels_of(entry, frames["train"])
    if metric == "f1" and len(names) != 2:
        raise Problem(f"metric f1 needs two classes and there are {len(names)} ({', '.join(names)}): make it accuracy.")
    if len(names) < 2:
        raise Problem(f"the training data has one class only ({', '.join(names)}): a classifier needs two.")
    if part == "test":
        table = draw_test(frames, entry["rows"], entry["seed"])
    else:
        table, repeats = carve(frames, entry["rows"], entry["seed"], selection)
        table = table[table["split"].isin(PARTS[part])].dropna(axis="columns", how="all")
        dropped |= {f"{split} (text in another split)": count for split, count in repeats.items()}
    check_labels(table, names)
    if part == "training":
        check_folds(table, n_folds)
    rows = {split: int((table["split"] == split).sum()) for split in PARTS[part]}
    logging.info("rows %s, dropped %s", rows, dropped)
    write_examples(examples, table)
    origin = origin_of_data(entry["source"], archive, part)
    write_json(facts, {"names": names, "metric": metric, "rows": rows, "dropped": dropped, "origin": origin})


def check_labels(table: pd.DataFrame, names: list[str]) -> None:
    """Raise Problem for a label that is no class, or for none where there must be one."""
    unknown = sorted(set(table["label"]) - {*names, ""})
    if unknown:
        raise Problem(f"the label {unknown[0]} is in no training row: declare it under labels.")
    blank = table[(table["label"] == "") & (table["split"] != "test")]
    if len(blank):
        raise Problem(
            f"{blank['id'].iloc[0]} of the {blank['split'].iloc[0]} split has no label: only test rows may lack one."
        )


def check_folds(table: pd.DataFrame, n_folds: int) -> None:
    """Raise Problem where a class has fewer training rows than there are folds."""
    rarest = table.loc[table["split"] == "train", "label"].value_counts()
    if rarest.min() < n_folds:
        raise Problem(
            f"{rarest.idxmin()} has {rarest.min()} training instances and difficulty.n_folds is {n_folds}: "
            "every fold needs one of each class, so lower it or give more rows."
        )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
