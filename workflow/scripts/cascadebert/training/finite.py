"""Stopping a training whose numbers are no numbers any more, at that step and in one sentence."""

import numpy as np
import torch
from torch import Tensor

from cascadebert.layouts import Problem
from cascadebert.recipe import Settings

EVERY = 50
"""Steps between two looks on a GPU, which would have to wait for each; on a CPU each step is looked at."""


class Watch:
    """The first step whose loss or gradient is not finite, noted on the device where it happens."""

    def __init__(self, settings: Settings, steps: int, device: torch.device) -> None:
        """Watch a training.

        Args:
            settings: of the optimisation, for the message.
            steps: of the whole training.
            device: where losses are.
        """
        self.settings, self.steps = settings, steps
        self.every = 1 if device.type == "cpu" else EVERY
        self.first = torch.zeros((), dtype=torch.long, device=device)

    def see(self, step: int, *numbers: Tensor) -> None:
        """Note the step, counted from 1, if one of its numbers is not finite."""
        fine = torch.stack([number.detach().float().to(numbers[0].device) for number in numbers]).isfinite().all()
        self.first = torch.where(fine | (self.first > 0), self.first, step)
        if step % self.every == 0:
            self.look()

    def look(self) -> None:
        """Raise Problem if a step was noted."""
        if first := int(self.first):
            raise Problem(
                f"the loss or its gradient is not finite at step {first} of {self.steps} (peak learning rate"
                f" {self.settings.lr:g}, precision {self.settings.precision}): {remedy(self.settings.precision)}."
            )


def remedy(precision: str) -> str:
    """What helps against numbers that are not finite."""
    return "lower the lr" + (", or take precision bf16 or fp32" if precision == "fp16" else ", or give it a warmup")


def check_finite(numbers: np.ndarray, rows: int, precision: str) -> None:
    """Raise Problem if a model's answers to so many rows hold a number that is not finite."""
    if bad := int((~np.isfinite(numbers)).sum()):
        raise Problem(
            f"{bad} of the {numbers.size} numbers that a model answers to {rows} rows are not finite (precision"
            f" {precision}): {remedy(precision)}, and train it again."
        )
