"""One part of a task as text: what is trained on, what is reported, or what is only answered (Table 1; erratum 17)."""

import json
import logging
from pathlib import Path
from typing import Any, Literal

import tyro

from cascadebert.data.checks import (
    REPEATED,
    check_classes,
    check_known,
    check_splits,
    check_training,
    contradicting,
    labelled,
    tell,
)
from cascadebert.data.labels import warn_of
from cascadebert.data.origins import origin_of_data
from cascadebert.data.sources import labels_of, read_source, unread
from cascadebert.data.splits import carve, draw_test
from cascadebert.files import write_examples, write_json
from cascadebert.layouts import PARTS, Part


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
        facts: JSON with names, metric, rows of each split, how many rows were found, asked for and dropped, and why,
            rows of each class, texts that stand under several classes, which file is which split, and where the text is
            from.
        archive: the package's file, or what fetch_dataset.py made, where the source is a package or of the hub.
    """
    entry = json.loads(definition)
    frames, dropped = read_source(entry, archive, part), {}
    files = {split: frame.attrs["file"] for split, frame in frames.items() if "file" in frame.attrs}
    rows_found = {split: len(frame) for split, frame in frames.items()}
    if "package" in entry["source"]:
        band = entry["source"]["neutral_band"]
        decided = {split: frame["rating"].abs() > band for split, frame in frames.items()}
        dropped = {f"{split} (neutral)": int((~kept).sum()) for split, kept in decided.items()}
        frames = {split: frame[decided[split]] for split, frame in frames.items()}
    frames, unlabelled = labelled(frames, files)
    names = labels_of(entry, frames["train"])
    check_classes(frames["train"], names, metric, declared="labels" in entry or "glue" in entry)
    if part == "test":
        table, repeats = draw_test(frames, entry["rows"], entry["seed"]), {}
        check_known(table, [*names, ""])
    else:
        table, repeats = carve(frames, entry["rows"], entry["seed"], selection)
        ours = table[table["split"].isin(PARTS[part])].dropna(axis="columns", how="all")
        check_splits(table if part == "training" else ours, names, metric)  # caps of training rows are not the report's
        if part == "training":
            check_training(table, names, n_folds, unlabelled.get("train (unlabelled)", 0))
        table = ours
    if part == "training":
        warn_of(names, table.loc[table["split"] == "train", "label"])
    dropped |= unlabelled | {f"{split} {REPEATED}": count for split, count in repeats.items()}
    classes = {
        split: {name: int(n) for name, n in table.loc[table["split"] == split, "label"].value_counts().items()}
        for split in PARTS[part]
    }
    about: dict[str, Any] = {
        "names": names,
        "metric": metric,
        "rows": {split: int((table["split"] == split).sum()) for split in PARTS[part]},
        "asked": {split: n for split, n in entry["rows"].items() if split in PARTS[part]},
        "found": rows_found,
        "dropped": dropped,
        "classes": classes,
        "contradicting": contradicting(table[table["split"] != "test"]),
        "files": files,
        "unread": unread(entry["source"]),
        "origin": origin_of_data(entry["source"], archive, part),
    }
    tell(about)
    write_examples(examples, table)
    write_json(facts, about)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    tyro.cli(main, description=__doc__)
