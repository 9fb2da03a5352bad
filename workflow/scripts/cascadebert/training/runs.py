"""What a training leaves behind beside its weights: answers, and a record of how it went."""

import dataclasses

import numpy as np
from torch import nn

from cascadebert.data.encoding import Encoded
from cascadebert.files import Origin, read_json, versions
from cascadebert.metrics.costs import member_flops
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions
from cascadebert.models.encoders import origin_of
from cascadebert.models.members import MultiExit
from cascadebert.training.assembly import Given
from cascadebert.training.loop import device_of, predict


def predictions_of(model: MultiExit, data: Encoded, rows: np.ndarray, full_layers: int, precision: str) -> Predictions:
    """A model's logits on some rows of a task, with what is needed to score them; no row is a defined result."""
    stack = ExitLogits(predict(model, data, rows, precision), np.array(model.exit_layers), full_layers)
    tokens = data.lengths[rows]
    full = member_flops(model.shape, full_layers, len(data.names), tokens)
    return Predictions(stack, model.exit_flops(tokens), full, data.label[rows], data.id[rows], data.names)


def record_of(
    given: Given, model: nn.Module, history: list[dict[str, float]], seconds: float, threads: int, code: str
) -> Origin:
    """The record of a training; its times are not reproducible, so no rule reads them as anything but times."""
    return Origin(
        code=code,
        settings=dataclasses.asdict(given.recipe.settings),
        seed=given.seed,
        rows=int(given.task.rows("train").size),
        history=history,
        seconds=seconds,
        parameters=sum(tensor.numel() for tensor in model.parameters()),
        device=str(device_of(model)),
        threads=threads,
        versions=versions(),
        data=given.task.origin,
        weights=origin_of(given.weights),
        pooling=read_json(given.weights.with_name("config.json")).get("pooling", "cls"),
    )
