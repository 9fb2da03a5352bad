"""What can be told of sources before anything is fetched: local files that are not what they are named, shared text."""

import os
import re
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from cascadebert.config.types import UNUSABLE
from cascadebert.layouts import (
    DATA_KEYS,
    ENDINGS,
    FILES,
    Problem,
    checkpoint_files,
    configuration,
    files_of,
    is_data,
    kind_of,
    names_in,
)
from cascadebert.tokenizer_files import check_older

SPLITS = {stem: split for split, stems in FILES.items() for stem in stems} | {"eval": "report"}
"""Beginnings of names that say of which split a file is, also those of files that are not read."""

NO_DATA = (".md", ".py", ".ipynb", ".sh", ".log")
"""Endings of files that are about a split."""


def data_problems(key: str, path: Path, splits: dict[str, str] | None) -> Iterator[str]:
    """Local data that is not there or cannot be read, or of which it is not clear what is which split."""
    try:
        if not path.exists():
            yield f"config key {key} is {path}, which is not there: name a file with data, or a folder of such."
            return
        files = files_of(path, splits=splits)
        held = sorted(path.iterdir()) if path.is_dir() else []
    except Problem as problem:
        yield f"config key {key}: {problem}"
        return
    except OSError as error:
        yield _closed(key, path, error)
        return
    if "train" not in files or not is_data(files["train"].name):
        named = ", ".join(file.name for file in held[:10])
        yield (
            f"config key {key} is {path}, where there is no training data{f' but {named}' if named else ''}: give a"
            f" {', '.join(ENDINGS)} file (or one of these and .gz), or a folder with train{ENDINGS[0]} or the like."
        )
    if path.is_file() and splits:
        yield f"config key {key.removesuffix('path')}splits does not go with a single file: give a folder."
    for one, other in combinations(files, 2):
        if files[one] == files[other]:
            said = f"splits names {files[one].name} as {one} and as {other}"
            yield f"config key {key.removesuffix('path')}{said}: name another file for one of them, or leave it out."
    yield from _file_problems(key, files.values())
    there = {split for file in files.values() if (split := _meant(file))} | set(files)
    for file in held:
        split = _meant(file)
        if split and split not in there and file not in files.values() and file.suffix not in NO_DATA:
            stem = next(stem for stem in FILES[split] if not stem.endswith("_matched"))
            what = ", a folder," if file.is_dir() else "" if file.exists() else ", a link to nothing,"
            yield (
                f"config key {key} is {path}, where {file.name}{what} has the name of a {split} split and is not read:"
                f" make it one {', '.join(ENDINGS)} file (or one of these and .gz) that is called {stem},"
                " name it under splits, or call it something else."
            )


def checkpoint_problems(key: str, path: Path) -> Iterator[str]:
    """A local checkpoint that lacks a file, or whose files or configuration cannot be read or are of another kind."""
    try:
        if not path.is_dir():
            what = "is a file: name its folder" if path.exists() else "is not there: name a folder with a checkpoint"
            yield f"config key {key} is {path}, which {what}."
            return
        held = checkpoint_files(names_in(path), f"config key {key} is {path}, which")
    except Problem as problem:
        yield str(problem)
        return
    except OSError as error:
        yield _closed(key, path, error)
        return
    yield from _file_problems(key, [path / name for name in held])
    try:
        check_older(path, configuration(path, str(path)), str(path))
    except Problem as problem:
        yield f"config key {key}: {problem}"


def known_of(source: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """What a checkpoint's config.json is known to say before it is imported; nothing of one that is fetched."""
    if "random" in source:
        kind = source.get("architecture", "bert")
        places = 128 if kind == "bert" else 130
        return {"model_type": kind, "num_hidden_layers": source["random"], "max_position_embeddings": places}
    if "distilled" in source:
        teacher = known_of(config["weights"][source["distilled"]]["source"], config)
        return teacher | {"num_hidden_layers": len(source["layers"])}
    if "path" in source:
        try:
            return configuration(Path(source["path"]), source["path"])
        except Problem:  # told where its files are looked at
            return {}
    return {"model_type": "bert"} if "onnx" in source else {}


def same_text(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether text that is trained on or reported may be the same in two sources, whatever they are called."""
    return bool(_origins(one) & _origins(other))


def _origins(source: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Where a source's text is from: its files, whichever way leads there, or what it is called elsewhere."""
    if "path" in source:
        files = files_of(Path(source["path"]), "report", source.get("splits")).values()
        return {(held.st_dev, held.st_ino) for held in map(os.stat, files)}
    kind = kind_of(source, DATA_KEYS)
    return {(kind, bool(source.get("pairs")) if kind == "toy" else source[kind], source.get("name"))}


def _meant(file: Path) -> str | None:
    """The split that a file's name begins with; no other letter follows."""
    stems = [stem for stem in SPLITS if re.match(rf"{stem}(?![^\W\d_])", file.name.casefold())]
    return SPLITS[max(stems, key=len)] if stems else None


def _file_problems(key: str, files: Iterable[Path]) -> Iterator[str]:
    """Files that this user must not read, or whose names Snakemake takes for patterns."""
    for file in files:
        if odd := set(str(file)) & set(UNUSABLE):
            yield f"config key {key}: Snakemake takes {' and '.join(sorted(odd))} in {file} for its own: rename it."
        if not os.access(file, os.R_OK):
            yield f"config key {key}: {file} cannot be read (permission denied): allow it, as with chmod u+r."


def _closed(key: str, path: Path, error: OSError) -> str:
    """A sentence on a path that the system does not open."""
    return f"config key {key} is {path}, which cannot be read ({error.strerror}): allow it, or name another."
