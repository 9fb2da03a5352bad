"""An adaptive system at exactly a speed-up: two neighbouring settings of its rule, mixed; no label is looked at."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cascadebert.exit_rules import Exits
from cascadebert.metrics.exits import BELOW, ExitLogits, certainty, executed_at, exits_at, patient

Mixture = list[tuple[float, Int[np.ndarray, " n"]]]
"""Settings as (share, exit of each instance): a coin decides for an instance which of them it is treated by."""


@dataclass(frozen=True)
class Ladder:
    """Every setting of a system's rule on one split, from the fastest to the slowest.

    Attributes:
        stack: all exits' answers.
        exits: the rule.
        settings: thresholds or patiences, as `exits_at` takes them.
        layers: mean layers executed at each, each another, ascending.
    """

    stack: ExitLogits
    exits: Exits
    settings: Float[np.ndarray, " settings"]
    layers: Float[np.ndarray, " settings"]

    def at(self, target: float) -> Mixture:
        """The system at exactly a speed-up.

        Layers executed are linear in the shares, so that the mean is that of the target. Two neighbouring thresholds
        differ in a single instance, or in equal ones; patiences lie apart, and that of 0 is the first classifier's.

        Raises:
            LookupError: where it lies beyond the fastest or the slowest setting.
        """
        layers = self.stack.full_layers / target
        if not self.layers[0] - 1e-9 <= layers <= self.layers[-1] + 1e-9:
            raise LookupError(f"no setting at {target:g}x")
        slower = int(np.searchsorted(self.layers, layers - 1e-9))
        if not slower:
            return [(1.0, exits_at(self.stack, self.exits, self.settings[0]))]
        fast, slow = self.layers[slower - 1 : slower + 1]
        share = float(np.clip((layers - fast) / (slow - fast), 0, 1))
        between = (1 - share, self.settings[slower - 1]), (share, self.settings[slower])
        return [(weight, exits_at(self.stack, self.exits, at)) for weight, at in between if weight > 0]


def ladder(stack: ExitLogits, exits: Exits) -> Ladder:
    """The settings of a rule on some instances, of which there must be one at least."""
    if exits == "last":
        return Ladder(stack, exits, np.array([np.nan]), stack.layers[-1:].astype(float))
    if exits == "patience":
        settings = np.arange(len(stack.layers), dtype=float)
        layers = np.array([stack.layers[patient(stack.logits, int(t))].mean() for t in settings])
    else:
        n = stack.logits.shape[1]
        cost = np.broadcast_to(stack.layers[:, None], (len(stack.layers), n))
        taus, executed = executed_at(certainty(stack, exits), cost)
        settings, layers = -taus if exits in BELOW else taus, executed / n
    layers, first = np.unique(layers, return_index=True)
    return Ladder(stack, exits, settings[first], layers)
