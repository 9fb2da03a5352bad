"""A packed system's answers against the full compute that the tables rest on."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax

from cascadebert.exit_rules import Exits
from cascadebert.inference.engine import Left
from cascadebert.metrics.exits import BELOW, ExitLogits, certainty, exits_at

TOLERANCE = {"fp32": 1e-3, "bf16": 0.1, "fp16": 0.02}
"""Float error of a logit by precision, since sums in batches of other shapes differ; a tenth of it for a certainty.

On the default's CascadeBERT, DeeBERT and PABEE in bf16 it was at most 0.043, and 0.0008 of a certainty.
"""


@dataclass(frozen=True)
class Comparison:
    """How a system's answers to some instances differ from the full compute.

    Attributes:
        n: instances.
        exits_differ: of them, those that left at another exit.
        nearest: of these, the largest distance from the threshold (`distance`); 0 where none left elsewhere.
        logits_differ: largest difference of a logit at the exit that was taken.
    """

    n: int
    exits_differ: int
    nearest: float
    logits_differ: float

    def holds(self, precision: str) -> bool:
        """Whether float error of a precision explains all differences."""
        return self.logits_differ <= TOLERANCE[precision] and self.nearest <= TOLERANCE[precision] / 10


def compare(left: Left, stack: ExitLogits, exits: Exits, threshold: float) -> Comparison:
    """Hold answers against all exits' logits of the same instances.

    Args:
        left: how the instances left the packed system.
        stack: the full compute, in which no instance leaves.
        exits: the rule.
        threshold: of it.
    """
    expected, rows = exits_at(stack, exits, threshold), np.arange(len(left.exit))
    differ = np.flatnonzero(left.exit != expected)
    away = distance(stack, exits, threshold, np.stack([left.exit, expected]))[differ]
    logits = np.abs(left.logits - stack.logits[left.exit, rows])
    return Comparison(len(rows), len(differ), float(away.max(initial=0)), float(logits.max(initial=0)))


def distance(
    stack: ExitLogits, exits: Exits, threshold: float, taken: Int[np.ndarray, "2 n"]
) -> Float[np.ndarray, " n"]:
    """How much the full compute would have to change for an instance to leave at either of two exits.

    For a threshold it is the distance of the certainty at the first of both exits; for patience the smallest lead of
    the likeliest class over the next, as probabilities, at any exit up to the last of both.
    """
    rows = np.arange(taken.shape[1])
    if exits == "patience":
        likely = np.sort(softmax(stack.logits.astype(np.float64), axis=-1), axis=-1)
        return np.minimum.accumulate(likely[..., -1] - likely[..., -2])[taken.max(axis=0), rows]
    tau = -threshold if exits in BELOW else threshold
    return np.abs(certainty(stack, exits) - tau)[taken.min(axis=0), rows]
