"""Reading data sets, wherever they come from, into one schema: id, text, text_pair (pairs), label, rating if known."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.data.corpus import read_corpus
from cascadebert.glue import GLUE
from cascadebert.layouts import DATA_KEYS, FILES, Part, Problem, files_of, kind_of
from cascadebert.recipe import needed

Frames = dict[str, pd.DataFrame]
"""By split: train, and where the source has them report, mismatched and test (of MNLI both halves, in order)."""


def read_source(definition: dict[str, Any], archive: Path | None = None, part: Part | None = None) -> Frames:
    """A data set as its source has it: nothing dropped, nothing drawn.

    Args:
        definition: an entry of the config's data.
        archive: the package's file, or what fetch_dataset.py made, for a package or hub source.
        part: of the task that is made of it, where files that this part does not depend on are not to be read.

    Returns:
        A frame a split, with columns id, text, text_pair (pairs), label (a name, "" where unknown), and rating
        (package, toy sentences), whose absolute value is the distance from the border between classes.

    Raises:
        Problem: for a file that cannot be read or a column or label that is not as declared.
    """
    source = definition["source"]
    kind = kind_of(source, DATA_KEYS)
    if kind == "package":
        return read_corpus(source, needed(archive), definition.get("labels"))
    if kind == "toy":
        return _toy_pairs(source["toy"]) if source.get("pairs") else _toy_sentences(source["toy"])
    if kind == "path":
        files = files_of(Path(source["path"]), part)
        tables = {split: (str(file), _read_table(file)) for split, file in files.items()}
    else:
        tables = _read_hub(source, needed(archive))
    frames = {split: _in_schema(table, definition, split, name) for split, (name, table) in tables.items()}
    halves = [frames.pop(half) for half in ("test", "test_mismatched") if half in frames]
    return frames | ({"test": pd.concat(halves, ignore_index=True)} if halves else {})


def labels_of(definition: dict[str, Any], train: pd.DataFrame) -> list[str]:
    """Class names in index order: declared, or of the GLUE task, or those found, sorted (numbers as numbers)."""
    if "labels" in definition:
        return list(definition["labels"])
    if "glue" in definition:
        return list(GLUE[definition["glue"]].labels)
    found = sorted(set(train["label"]) - {""})
    return sorted(found, key=int) if all(name.lstrip("-").isdigit() for name in found) else found


def _read_table(file: Path | zipfile.Path) -> pd.DataFrame:
    """A .jsonl, .csv or .parquet file; CSV cells stay text."""
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(io.BytesIO(file.read_bytes()))
        text = file.read_bytes().decode("utf-8")
        if file.suffix == ".csv":
            return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except UnicodeDecodeError as error:
        raise Problem(f"{file} is not UTF-8 at byte {error.start}: convert it first.") from None
    except (OSError, ValueError) as error:
        raise Problem(f"{file} cannot be read ({error}): check the file.") from None
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise Problem(f"{file} line {number} is not JSON ({error}): put one object on each line.") from None
    return pd.DataFrame(rows)


def _read_hub(source: dict[str, Any], archive: Path) -> dict[str, tuple[str, pd.DataFrame]]:
    """A data set of the model hub, its splits under our names; a split may lie in several files."""
    with zipfile.ZipFile(archive) as packed:
        held = {folder.name: folder for folder in zipfile.Path(packed).iterdir() if folder.is_dir()}
        found = {split: next((name for name in names if name in held), None) for split, names in FILES.items()}
        return {
            split: (f"{source['hub']} {name}", pd.concat(map(_read_table, held[name].iterdir()), ignore_index=True))
            for split, name in found.items()
            if name
        }


def _in_schema(table: pd.DataFrame, definition: dict[str, Any], split: str, name: str) -> pd.DataFrame:
    """Bring a source's columns under our names, its labels to class names."""
    glue = GLUE.get(definition.get("glue", ""))
    columns = definition.get("columns") or list(needed(glue).columns)
    declared = definition.get("labels") or (list(glue.labels) if glue else [])
    for column in columns + ([] if split.startswith("test") else [definition["label"]]):
        if column not in table.columns:
            raise Problem(f"{name} has no column {column}: it has {', '.join(map(str, table.columns))}.")
    frame = pd.DataFrame({"id": [f"{split}-{i}" for i in table.get("idx", range(len(table)))]})
    for ours, theirs in zip(("text", "text_pair"), columns, strict=False):
        missing = [i for i, text in enumerate(table[theirs]) if not isinstance(text, str)]
        if missing:
            raise Problem(f"{name} row {missing[0]} has no text in column {theirs}: fill it or drop the row.")
        frame[ours] = table[theirs].to_numpy()
    values = table[definition["label"]] if definition["label"] in table.columns else [""] * len(table)
    frame["label"] = [_label(value, declared, f"{name} row {i}") for i, value in enumerate(values)]
    if split == "train" and (frame["label"] == "").any():
        raise Problem(f"{name} row {int(np.argmax(frame['label'] == ''))} has no label: training rows need one.")
    return frame


def _label(value: Any, declared: list[str], where: str) -> str:
    """Class name of a cell; "" where it is empty or -1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a table's integers beside an empty cell
    text = "" if value is None or value != value else str(value).strip()  # NaN differs from itself
    if text in ("", "-1"):
        return ""
    if not declared or text in declared:
        return text
    if text.isdigit() and int(text) < len(declared):
        return declared[int(text)]
    raise Problem(
        f"{where} has label {text}, which is not among {', '.join(declared)}: correct it, or declare it under labels."
    )


TOY_WORDS = {
    "positive": ["good", "great", "lovely", "clever", "warm", "bright", "fine", "sweet"],
    "negative": ["bad", "awful", "dull", "cold", "stupid", "grim", "weak", "sour"],
    "filler": [
        "the",
        "a",
        "this",
        "film",
        "story",
        "actor",
        "scene",
        "plot",
        "music",
        "joke",
        "was",
        "is",
        "seems",
        "quite",
        "very",
        "rather",
        "and",
        "with",
        "of",
    ],
}
"""Vocabulary of the toy data."""


def _toy_sentences(rows: int) -> Frames:
    """Sentences whose majority of coloured words is the label; about one in eight is flipped by "not".

    The rating is the number of positive words minus that of negative ones, its sign turned by "not" as well.
    """
    rng = np.random.default_rng(20211107)
    content = []
    for i in range(rows):
        label = str(rng.choice(["negative", "positive"]))
        coloured = [*rng.choice(TOY_WORDS[label], 2), *rng.choice(TOY_WORDS["negative"] + TOY_WORDS["positive"], 1)]
        words = [*coloured, *rng.choice(TOY_WORDS["filler"], int(rng.integers(3, 9)))]
        rng.shuffle(words)
        rating = float(sum((word in TOY_WORDS["positive"]) - (word in TOY_WORDS["negative"]) for word in words))
        if rng.random() < 0.125:
            words, label, rating = ["not", *words], {"negative": "positive", "positive": "negative"}[label], -rating
        content.append((f"toy-{i}", " ".join(words), label, rating))
    return {"train": pd.DataFrame(content, columns=["id", "text", "label", "rating"])}


def _toy_pairs(rows: int) -> Frames:
    """Pairs in the shape of MNLI, both halves and an unlabelled test split: the second agrees, opposes or is mute."""
    rng = np.random.default_rng(20211108)

    def frame(n: int, prefix: str, labelled: bool = True) -> pd.DataFrame:
        content = []
        for i in range(n):
            first, second = rng.permutation(["negative", "positive"])
            label = str(rng.choice(GLUE["mnli"].labels))
            kind = {"entailment": first, "contradiction": second, "neutral": "filler"}[label]
            text = " ".join([*rng.choice(TOY_WORDS["filler"], 4), *rng.choice(TOY_WORDS[first], 2)])
            pair = " ".join([*rng.choice(TOY_WORDS["filler"], 2), *rng.choice(TOY_WORDS[kind], 2)])
            content.append((f"{prefix}-{i}", text, pair, label if labelled else ""))
        return pd.DataFrame(content, columns=["id", "text", "text_pair", "label"])

    return {
        "train": frame(rows, "train"),
        "report": frame(rows // 4, "report"),
        "mismatched": frame(rows // 4, "mismatched"),
        "test": frame(rows // 8, "test", labelled=False),
    }


def read_texts(definition: str, archive: Path | None) -> pd.DataFrame:
    """Every text of a data set's labelled splits once, as columns id and text (and text_pair); labels are left out.

    Args:
        definition: an entry of the config's data, as JSON.
        archive: as of `read_source`.
    """
    frames = read_source(json.loads(definition), archive, "report")
    whole = pd.concat([frame for split, frame in frames.items() if split != "test"], ignore_index=True)
    columns = [column for column in ("text", "text_pair") if column in whole]
    return whole.drop_duplicates(columns, ignore_index=True)[["id", *columns]]
