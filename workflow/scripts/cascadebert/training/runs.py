"""What the training scripts share: their inputs, and what each leaves behind."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cascadebert.data.encoding import Encoded
from cascadebert.files import Origin, read_json, versions, write_json
from cascadebert.metrics.costs import member_flops
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions, write_predictions
from cascadebert.models.members import origin_of, save_trained
from cascadebert.systems import SPLITS
from cascadebert.training.loop import Settings, fit, predict, start
from cascadebert.training.objectives import Objective
from cascadebert.training.resume import ResumePoint


@dataclass(frozen=True)
class Run:
    """One training, from token ids to logits.

    Attributes:
        encoded: the task's token ids, from encode_task.py.
        weights: model.safetensors of the pre-trained checkpoint, config.json beside it.
        layers: transformer layers of the model.
        full_layers: transformer layers of the base, the numerator of every speed-up.
        metric: the task's, "accuracy" or "f1".
        seed: of initialisation, dropout and the order of rows.
        threads: of this process.
        code: digest of the code that runs, for the record.
        model: where the trained tensors go, .safetensors.
        origin: where the record of the training goes, .json.
        predictions: where the logits go, one .npz for each of selection, report, mismatched, test.
        checkpoint_minutes: between two writings of what a killed training goes on from, beside the model.
        workers: processes that make batches; 0 makes them in this one.
    """

    encoded: Path
    weights: Path
    layers: int
    full_layers: int
    metric: str
    seed: int
    threads: int
    code: str
    model: Path
    origin: Path
    predictions: tuple[Path, Path, Path, Path]
    checkpoint_minutes: float = 10.0
    workers: int = 0
    began: float = field(default_factory=time.perf_counter, init=False)

    def start(self) -> torch.device:
        """Seed everything, before any module is built."""
        return start(self.seed, self.threads)

    @property
    def resume(self) -> ResumePoint:
        """Where this training goes on from after a kill."""
        return ResumePoint(self.model.with_suffix(".resume"), self.checkpoint_minutes)

    def fit(
        self,
        model: nn.Module,
        data: Encoded,
        objective: Objective,
        settings: Settings,
        extras: Mapping[str, np.ndarray] | None = None,
        draws: Sequence[torch.Generator] = (),
    ) -> list[dict[str, float]]:
        """Train on the task's training split; see `training.fit`."""
        return fit(
            model,
            data,
            data.rows("train"),
            objective,
            settings,
            self.seed,
            self.metric,
            extras,
            draws,
            self.resume,
            self.workers,
        )

    def finish(self, model: nn.Module, data: Encoded, settings: Settings, history: list[dict[str, float]]) -> None:
        """Write the trained tensors, the logits of every split, and the record; nothing is left to resume from."""
        seconds = time.perf_counter() - self.began
        save_trained(model, self.model)
        for split, path in zip(SPLITS, self.predictions, strict=True):
            write_predictions(path, predictions_of(model, data, data.rows(split), self.full_layers, settings.precision))
        record = Origin(
            code=self.code,
            settings=dataclasses.asdict(settings),
            seed=self.seed,
            rows=int(data.rows("train").size),
            history=history,
            seconds=seconds,
            parameters=sum(tensor.numel() for tensor in model.parameters()),
            device=str(next(model.parameters()).device),
            threads=self.threads,
            versions=versions(),
            data=data.origin,
            weights=origin_of(self.weights),
            pooling=read_json(self.weights.with_name("config.json")).get("pooling", "cls"),
        )
        write_json(self.origin, record)
        self.resume.remove()


def predictions_of(model: nn.Module, data: Encoded, rows: np.ndarray, full_layers: int, precision: str) -> Predictions:
    """A model's logits on some rows of a task, with what is needed to score them; no row is a defined result."""
    stack = ExitLogits(predict(model, data, rows, precision), np.array(model.exit_layers), full_layers)
    tokens = data.lengths[rows]
    full = member_flops(model.shape, full_layers, len(data.names), tokens)
    return Predictions(stack, model.exit_flops(tokens), full, data.label[rows], data.id[rows], data.names)
