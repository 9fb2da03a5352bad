"""Reading data sets, wherever they come from, into one schema: id, text, text_pair (pairs), label, rating if known."""

import json
import logging
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.data.corpus import read_corpus
from cascadebert.data.labels import class_name, ordered, spelled
from cascadebert.data.tables import read_table
from cascadebert.glue import GLUE
from cascadebert.layouts import DATA_KEYS, Part, Problem, files_of, kind_of, which_split
from cascadebert.names import one_line, whole_characters, written_otherwise
from cascadebert.recipe import needed

log = logging.getLogger(__name__)

DIVIDING = re.compile(r"(sub)?set|split|fold|partition|usage|(is_?)?(train(ing)?|test|val(idation)?|dev|eval)", re.I)
"""Columns that may say which split a row is of."""

NAMED = re.compile(r"train|val|dev|test", re.I)
"""What the name of a split holds."""

Frames = dict[str, pd.DataFrame]
"""By split: train, and where the source has them selection, report, mismatched and test (of MNLI both, in order)."""


def read_source(definition: dict[str, Any], archive: Path | None = None, part: Part | None = None) -> Frames:
    """A data set as its source has it: nothing dropped, nothing drawn.

    Args:
        definition: an entry of the config's data.
        archive: the package's file, or what fetch_dataset.py made, for a package or hub source.
        part: of the task that is made of it, where files that this part does not depend on are not to be read.

    Returns:
        A frame a split, with columns id, text, text_pair (pairs), label (a name, "" where unknown), and rating
        (package, toy sentences), whose absolute value is the distance from the border between classes; its attrs name
        the file that it was read from, where it was one.

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
        files = files_of(Path(source["path"]), part, source.get("splits"))
        tables = {split: (str(file), read_table(file)) for split, file in files.items()}
        if part != "test" and Path(source["path"]).is_file():
            _warn_of_division(source, *tables["train"])
    else:
        tables = _read_hub(source, needed(archive))
    frames = {split: _in_schema(table, definition, split, name) for split, (name, table) in tables.items()}
    halves = [frames.pop(half) for half in ("test", "test_mismatched") if half in frames]
    if halves:
        frames["test"] = pd.concat(halves, ignore_index=True)
        frames["test"].attrs["file"] = " and ".join(half.attrs["file"] for half in halves)
    return frames


def unread(source: dict[str, Any]) -> list[str]:
    """Files beside those of a local data set that are read for none of its splits; hidden ones are not meant.

    Beside a single file they are those of other splits, where its own name is that of a train split.
    """
    path = Path(source.get("path", ""))
    if "path" not in source:
        return []
    if path.is_dir():
        read = {file.name for file in files_of(path, splits=source.get("splits")).values()}
        return sorted(file.name for file in path.iterdir() if file.name not in read and not file.name.startswith("."))
    try:
        beside = files_of(path.parent)
    except (Problem, OSError):  # of files that are not asked for, or of a folder that may not be listed
        return []
    return sorted(file.name for file in beside.values() if file != path) if path == beside.get("train") else []


def labels_of(definition: dict[str, Any], train: pd.DataFrame) -> list[str]:
    """Class names in index order: declared, or of the GLUE task, or those found, sorted (numbers as numbers)."""
    if "labels" in definition:
        return list(definition["labels"])
    if "glue" in definition:
        return list(GLUE[definition["glue"]].labels)
    return ordered(train["label"])


def _warn_of_division(source: dict[str, Any], name: str, table: pd.DataFrame) -> None:
    """Log where a single file seems to be divided already, by a column of its own or by files beside it."""
    if beside := unread(source):
        log.warning("%s is read alone, without %s: name their folder to have them as splits", name, ", ".join(beside))
    for column in (str(column) for column in table.columns if DIVIDING.fullmatch(str(column).strip())):
        values = sorted({str(value).strip() for value in table[column].unique()})
        if len(values) > 1 and (all(map(NAMED.search, values)) or (NAMED.search(column) and len(values) == 2)):
            log.warning(
                "%s has a column %s of %s, and is divided anew: give a folder with a file of each",
                name,
                column,
                ", ".join(values),
            )


def _read_hub(source: dict[str, Any], archive: Path) -> dict[str, tuple[str, pd.DataFrame]]:
    """A data set of the model hub, its splits under our names; a split may lie in several files."""
    with zipfile.ZipFile(archive) as packed:
        held = {folder.name: folder for folder in zipfile.Path(packed).iterdir() if folder.is_dir()}
        named = which_split(held, source.get("splits"), source["hub"])
        return {
            split: (f"{source['hub']} {name}", pd.concat(map(read_table, held[name].iterdir()), ignore_index=True))
            for split, name in named.items()
        }


def _in_schema(table: pd.DataFrame, definition: dict[str, Any], split: str, name: str) -> pd.DataFrame:
    """Bring a source's columns under our names, its labels to class names."""
    glue = GLUE.get(definition.get("glue", ""))
    columns = definition.get("columns") or list(needed(glue).columns)
    declared = definition.get("labels") or (list(glue.labels) if glue else [])
    labelled = not split.startswith("test") or definition["label"] in table.columns
    needed_columns = columns + ([definition["label"]] if labelled else [])
    for column in needed_columns:
        if list(table.columns).count(column) != 1:
            many = "several columns" if column in table.columns else "no column"
            present = ", ".join(map(str, table.columns[:20])) + (", ..." if len(table.columns) > 20 else "")
            other = "" if column in table.columns else written_otherwise(column, table.columns)
            raise Problem(f"{name} has {many} {column}: it has {present}{other}.")
    frame = pd.DataFrame({"id": _ids(table, split, name)})
    for ours, theirs in zip(("text", "text_pair"), columns, strict=False):
        frame[ours] = _texts(table[theirs], name)
    values = table[definition["label"]] if labelled else [""] * len(table)
    frame["label"] = [class_name(value, declared, f"{name} row {i}") for i, value in enumerate(values)]
    frame.attrs["file"] = name
    return frame


def _ids(table: pd.DataFrame, split: str, name: str) -> list[str]:
    """A column idx, as GLUE's files have it, on one line, if it tells the rows apart; else their numbers."""
    ids = [one_line(spelled(value) or "") for value in table.get("idx", range(len(table)))]
    if len(set(ids)) < len(ids) or not all(ids):
        log.warning("%s has a column idx that does not tell its rows apart: they are numbered instead", name)
        ids = list(map(str, range(len(table))))
    return [f"{split}-{i}" for i in ids]


def _texts(values: pd.Series, where: str) -> list[str]:
    """Texts of a column; a number is its digits, half a character is a question mark."""
    texts = []
    for i, value in enumerate(values):
        text = None if isinstance(value, bool) else spelled(value)
        if text is None:
            raise Problem(
                f"{where} row {i} has {str(value)[:40]} in column {values.name}, which is no text: make it one."
            )
        if not text and not isinstance(value, str):
            raise Problem(f"{where} row {i} has no text in column {values.name}: fill it or drop the row.")
        texts.append(whole_characters(text))
    blank = sum(not text.strip() for text in texts)
    if blank == len(texts):
        raise Problem(f"{where} has nothing but blanks in column {values.name}: name the text's under columns.")
    if blank:
        log.warning("%s has %d blank texts in column %s", where, blank, values.name)
    if all(re.fullmatch(r"\s*[\d.,+-]+\s*", text) for text in texts if text.strip()):
        log.warning("%s has nothing but numbers in column %s: is it the text's?", where, values.name)
    return texts


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
