"""What a training is put together from: a recipe with its files, and the model and objective that come of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cascadebert.data.encoding import Encoded
from cascadebert.files import read_json
from cascadebert.models.building import build_model
from cascadebert.models.members import MultiExit
from cascadebert.recipe import Recipe, needed
from cascadebert.training.loop import Objective
from cascadebert.training.streams import stream


@dataclass(frozen=True)
class Given:
    """A recipe with what it is carried out on.

    Attributes:
        recipe: what is trained.
        task: token ids of its train and selection split.
        weights: model.safetensors of the pre-trained checkpoint.
        seed: of initialisation, dropout, order and draws.
        files: what else the recipe asks for, by name: stage1, predecessor (trained tensors), teacher (of
            predict_teacher.py), difficulty (labels.csv), margin (of select_margin.py).
    """

    recipe: Recipe
    task: Encoded
    weights: Path
    seed: int
    files: Mapping[str, Path | None] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        """One of the files.

        Raises:
            ValueError: when the recipe asks for it and it was not given.
        """
        if not (path := self.files.get(name)):
            raise ValueError(f"the recipe's objective, {self.recipe.objective}, wants a file: --{name}")
        return path

    @property
    def steps(self) -> int:
        """Batches of the whole training."""
        return self.recipe.settings.epochs * ceil(len(self.task.rows("train")) / self.recipe.settings.batch_size)

    def build(self) -> MultiExit:
        """The model of the recipe."""
        stage1 = self.file("stage1") if self.recipe.stage1 else None
        return build_model(self.recipe, self.weights, len(self.task.names), stage1)

    def margin(self) -> float:
        """Epsilon: the recipe's, or the one that was selected for the task."""
        margin = needed(self.recipe.dar).margin
        return read_json(self.file("margin"))["margin"] if margin is None else margin

    def draws(self, purpose: str) -> torch.Generator:
        """A generator of its own for each purpose."""
        return torch.Generator().manual_seed(int(stream(self.seed, purpose).integers(2**31)))


@dataclass(frozen=True)
class Training:
    """What `fit` is given.

    Attributes:
        model: that is trained.
        objective: its loss on a batch.
        extras: arrays that the objective finds in its batch, a row for each of the task's.
        draws: generators that the objective or the model draws from.
        kept: what of the trained model is kept.
    """

    model: nn.Module
    objective: Objective
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    draws: Sequence[torch.Generator] = ()
    kept: Callable[[Any], MultiExit] = lambda model: model


def training_of(given: Given) -> Training:
    """What the recipe's objective makes of it."""
    return import_module(f"cascadebert.training.objectives.{given.recipe.objective}").training(given)
