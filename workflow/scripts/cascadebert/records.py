"""The files between rules: written whole or not at all, read back into the library's types."""

import contextlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from cascadebert.exits import ExitLogits, cascade


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


def write_json(path: Path, content: Any) -> None:
    """Write JSON, keys in the given order, undefined numbers refused."""
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def read_json(path: Path) -> Any:
    """Read JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_text(path: Path, content: str) -> None:
    """Write a text."""
    with atomic(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame, unrounded, without its index."""
    with atomic(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def write_examples(path: Path, examples: pd.DataFrame) -> None:
    """Write a prepared task, a JSON object a line: id, split, text, text_pair (pairs), label, rating (where known)."""
    with atomic(path) as temporary:
        examples.to_json(temporary, orient="records", lines=True)


def read_examples(path: Path) -> pd.DataFrame:
    """Read what `write_examples` wrote; everything but the rating is text."""
    text = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    return pd.DataFrame(text)


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


@dataclass(frozen=True)
class Predictions:
    """One system's logits on one split, with the labels to score them.

    Attributes:
        stack: all exits' logits.
        flops: operations executed when an instance leaves at each exit, earlier members' included.
        full_flops: of the base on each instance, the numerator of a speed-up in operations.
        label: class index of each instance, -1 where unknown.
        id: of each instance, as in the task's examples.
        names: class names; index = class.
    """

    stack: ExitLogits
    flops: Float[np.ndarray, "exits n"]
    full_flops: Float[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    id: Shaped[np.ndarray, " n"]
    names: Shaped[np.ndarray, " classes"]


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write one .npz: logits (exits, n, classes) float32, layers, full_layers, and what Predictions holds."""
    stack = predictions.stack
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            logits=stack.logits.astype(np.float32),
            layers=stack.layers,
            full_layers=np.int64(stack.full_layers),
            flops=predictions.flops,
            full_flops=predictions.full_flops,
            label=predictions.label,
            id=predictions.id,
            names=predictions.names,
        )


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote."""
    with np.load(path) as file:
        stack = ExitLogits(file["logits"], file["layers"], int(file["full_layers"]))
        held = (file[name] for name in ("flops", "full_flops", "label", "id", "names"))
        return Predictions(stack, *held)


def cascade_of(members: list[Predictions]) -> Predictions:
    """The cascade of some members' predictions of one split (section 3.1).

    Raises:
        ValueError: when two members predict different instances.
    """
    last = members[-1]
    if any((member.id != last.id).any() for member in members):
        raise ValueError("the members of a cascade predict different instances")
    flops = np.cumsum([member.flops[-1] for member in members], axis=0)
    return Predictions(cascade([m.stack for m in members]), flops, last.full_flops, last.label, last.id, last.names)
