"""The files between rules: written whole or not at all, read back into the library's types."""

import contextlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd

from cascadebert.layouts import Problem


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def part_of(folder: Path) -> Iterator[Path]:
    """A path of this call alone, beside `folder`, for a folder that is to take its name; what is left there goes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    names = {"prefix": f".{folder.name}.", "suffix": ".part"}
    with tempfile.TemporaryDirectory(**names, dir=folder.parent, ignore_cleanup_errors=True) as held:  # NFS keeps some
        yield Path(held, folder.name)


@contextlib.contextmanager
def told(what: str) -> Iterator[None]:
    """Tell in one sentence what a library raises of a user's file, whatever its type.

    Args:
        what: is wrong, with the file's name.

    Raises:
        Problem: for any error within.
    """
    try:
        yield
    except Problem:
        raise
    except Exception as error:  # of Python, torch, tokenizers, transformers or its checks, by what is wrong
        reason = repr(error) if isinstance(error, LookupError) else " ".join(str(error).split()).rstrip(".")
        raise Problem(f"{what} ({reason or type(error).__name__}): get it anew.") from error


def count_lines(file: Path) -> int:
    """Lines that end, of a file of any size."""
    with file.open("rb") as opened:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: opened.read(2**20), b""))


def write_json(path: Path, content: Any) -> None:
    """Write JSON, keys in the given order, undefined numbers refused."""
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def read_json(path: Path) -> Any:
    """Read JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_facts(*paths: Path) -> dict[str, Any]:
    """Facts of a task (names, metric, dropped, origin) with the rows of all the parts that are given."""
    parts = [read_json(path) for path in paths]
    return parts[0] | {"rows": {split: n for part in parts for split, n in part["rows"].items()}}


def write_text(path: Path, content: str) -> None:
    """Write a text."""
    with atomic(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame, unrounded, without its index."""
    with atomic(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


NAMES = ("id", "task", "run", "system", "label")
"""Columns of text in the CSV files that rules hand on, whatever it looks like."""


def read_csv(path: Path) -> pd.DataFrame:
    """Read what `write_csv` wrote: a name is text, also where it is NA, true or 2016; only what is empty is NaN."""
    return pd.read_csv(path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""])


def write_examples(path: Path, examples: pd.DataFrame) -> None:
    """Write a prepared task, a JSON object a line: id, split, text, text_pair (pairs), label, rating (where known)."""
    with atomic(path) as temporary:
        examples.to_json(temporary, orient="records", lines=True)


def read_examples(path: Path) -> pd.DataFrame:
    """Read what `write_examples` wrote; everything but the rating is text."""
    text = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return pd.DataFrame(text) if text else pd.DataFrame(columns=["id", "split", "text", "label"])


def is_lfs_pointer(content: bytes) -> bool:
    """Whether a file was cloned without Git LFS, so that a few lines stand in its place."""
    return content.startswith(b"version https://git-lfs.github.com/spec/")


class Origin(TypedDict):
    """What a training leaves beside its weights; times are not reproducible, so no rule reads it."""

    code: str  # digest of the script and of every module that it reaches
    settings: dict[str, Any]  # as resolved from the config
    seed: int
    rows: int  # training instances
    history: list[dict[str, float]]  # one entry an epoch: mean loss, and the selection score where one is kept
    seconds: float  # wall time from the start of the program to the end of training
    parameters: int  # of the model as it is run, frozen ones included
    device: str
    threads: int
    versions: dict[str, str]
    data: dict[str, Any]  # where the task's text is from: repository and commit, or package and digest
    weights: dict[str, Any]  # the same of the checkpoint
    pooling: str  # how the checkpoint's sentences are read; FastBERT's classifiers attend to all tokens either way


def versions() -> dict[str, str]:
    """Versions that a number can depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("torch", "transformers", "numpy")}
