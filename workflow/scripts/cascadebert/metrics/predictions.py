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
