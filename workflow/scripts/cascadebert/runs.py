"""What the training scripts share: their inputs, and what each leaves behind."""

import dataclasses
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cascadebert.costs import member_flops
from cascadebert.encoding import Encoded
from cascadebert.exits import ExitLogits
from cascadebert.members import save_trained
from cascadebert.records import Origin, Predictions, versions, write_json, write_predictions
from cascadebert.systems import SPLITS
from cascadebert.training import Settings, predict, start


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
    began: float = field(default_factory=time.perf_counter, init=False)

    def start(self) -> torch.device:
        """Seed everything, before any module is built."""
        return start(self.seed, self.threads)

    def finish(self, model: nn.Module, data: Encoded, settings: Settings, history: list[dict[str, float]]) -> None:
        """Write the trained tensors, the logits of every split, and the record."""
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
        )
        write_json(self.origin, record)


def predictions_of(model: nn.Module, data: Encoded, rows: np.ndarray, full_layers: int, precision: str) -> Predictions:
    """A model's logits on some rows of a task, with what is needed to score them; no row is a defined result."""
    stack = ExitLogits(predict(model, data, rows, precision), np.array(model.exit_layers), full_layers)
    tokens = data.lengths[rows]
    full = member_flops(model.shape, full_layers, len(data.names), tokens)
    return Predictions(stack, model.exit_flops(tokens), full, data.label[rows], data.id[rows], data.names)
