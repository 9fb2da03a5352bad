"""Which rows leave at an exit, asked one exit after another as a model computes them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from cascadebert.exit_rules import Exits
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import confidence, entropy

Threshold = float | int | Sequence[float]
"""tau, S, speed or t of an exit rule, the same for all exits, or one for each exit but the last."""


class Leaving:
    """An exit rule at a threshold, and what it has seen of some rows so far."""

    def __init__(self, exits: Exits, threshold: Threshold, n_exits: int, rows: int) -> None:
        """Start before the first exit.

        Args:
            exits: the rule.
            threshold: as `threshold_for` returns it.
            n_exits: of the model.
            rows: that will be asked for.

        Raises:
            Problem: when there are more or fewer thresholds than exits that have one.
        """
        self.exits, self.last = exits, n_exits - 1
        several = np.atleast_1d(np.asarray(threshold, dtype=float))
        if len(several) not in (1, max(self.last, 1)):
            said = f"{len(several)} thresholds are given for {n_exits} exits"
            raise Problem(f"{said}: give one for all, or {self.last}, one for each but the last.")
        self.thresholds = np.broadcast_to(several, max(self.last, 1))
        self.answer = np.full(rows, -1)  # of the exit before
        self.streak = np.zeros(rows, dtype=int)  # exits in succession that have repeated their predecessor's answer

    def __call__(
        self, exit: int, rows: Int[np.ndarray, " b"], logits: Float[np.ndarray, "b classes"]
    ) -> Bool[np.ndarray, " b"]:
        """Which of some rows leave at an exit; at the last one all do."""
        if self.exits == "last" or exit == self.last:
            return np.full(len(rows), exit == self.last)
        threshold = self.thresholds[exit]
        if self.exits == "patience":
            answer = logits.argmax(axis=-1)
            self.streak[rows] = np.where(answer == self.answer[rows], self.streak[rows] + 1, 0)
            self.answer[rows] = answer
            return self.streak[rows] >= threshold
        if self.exits == "confidence":
            return confidence(logits[None])[0] > threshold
        uncertain = entropy(logits[None])[0]
        return uncertain / (np.log(logits.shape[-1]) if self.exits == "uncertainty" else 1.0) < threshold
