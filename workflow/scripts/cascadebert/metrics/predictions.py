"""One system's logits on one split, and the file that holds them: what stands between models and pages."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from cascadebert.files import atomic
from cascadebert.metrics.exits import ExitLogits, cascade


@dataclass(frozen=True)
class Predictions:
    """One system's logits on one split, with the labels to score them.

    Attributes:
        stack: all exits' logits.
        flops: operations executed when an instance leaves at each exit, earlier members' included.
        full_flops: of a model as deep as the base and as wide as this one on each instance, the numerator of a ratio
            of operations.
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


BySeed = dict[int, Predictions]
"""One run on one split, by model seed."""


def write_predictions(path: Path, by_seed: BySeed) -> None:
    """Write one .npz: seeds, logits (seeds, exits, n, classes) in float32, and what all seeds share."""
    first = next(iter(by_seed.values()))
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            seeds=np.array(list(by_seed), dtype=np.int64),
            logits=np.stack([of.stack.logits for of in by_seed.values()]).astype(np.float32),
            layers=first.stack.layers,
            full_layers=np.int64(first.stack.full_layers),
            flops=first.flops,
            full_flops=first.full_flops,
            label=first.label,
            id=first.id,
            names=first.names,
        )


def read_predictions(*paths: Path) -> BySeed:
    """Read what `write_predictions` wrote, the seeds of all files together."""
    by_seed = {}
    for path in paths:
        with np.load(path) as file:
            shared = [file[name] for name in ("flops", "full_flops", "label", "id", "names")]
            layers, full_layers = file["layers"], int(file["full_layers"])
            for seed, logits in zip(file["seeds"].tolist(), file["logits"], strict=True):
                by_seed[seed] = Predictions(ExitLogits(logits, layers, full_layers), *shared)
    return by_seed


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


def cascades_of(members: list[BySeed]) -> BySeed:
    """The cascade of some runs' predictions of one split, seed by seed."""
    return {seed: cascade_of([member[seed] for member in members]) for seed in members[-1]}


def check_aligned(predictions: list[Predictions]) -> None:
    """Check that files predict the same instances in the same order, before they are compared by position.

    Raises:
        ValueError: when they do not.
    """
    for other in predictions:
        check_same(predictions[0].id, other.id)


def check_same(ids: Shaped[np.ndarray, " n"], others: Shaped[np.ndarray, " m"]) -> None:
    """Check that the instances of two files are the same in the same order.

    Raises:
        ValueError: when they are not.
    """
    if not np.array_equal(ids, others):
        raise ValueError("files to be compared instance by instance predict different instances")


def logits_after(predictions: Predictions, layer: int) -> Float[np.ndarray, "n classes"]:
    """Logits of the exit after a layer.

    Raises:
        ValueError: when there is none.
    """
    layers = predictions.stack.layers.tolist()
    if layer not in layers:
        raise ValueError(f"no exit after layer {layer}, there are exits after {layers}")
    return predictions.stack.logits[layers.index(layer)]
