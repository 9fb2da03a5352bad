"""One training loop and one prediction loop for every system."""

import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers import get_linear_schedule_with_warmup, set_seed

from cascadebert.encoding import Encoded
from cascadebert.members import trained
from cascadebert.objectives import Batch, Objective
from cascadebert.scores import score

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a model is trained (paper, section 4.1; erratum 14 for what it leaves open)."""

    epochs: int
    lr: float
    batch_size: int
    weight_decay: float
    warmup: float  # share of the steps
    clip_norm: float
    precision: Literal["fp32", "bf16"]
    freeze_embeddings: bool
    keep: Literal["best", "last"]  # the epoch that is kept


def start(seed: int, threads: int) -> torch.device:
    """Seed everything, before any module is built, and take the GPU if there is one."""
    set_seed(seed)
    torch.set_num_threads(threads)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A random stream of its own for each purpose, so that drawing from one moves no other."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def device_of(model: nn.Module) -> torch.device:
    """Where a model lives."""
    return next(model.parameters()).device


def to_batch(
    data: Encoded, rows: np.ndarray, device: torch.device, extras: Mapping[str, np.ndarray] | None = None
) -> Batch:
    """Rows of a task as tensors; each of the extras is indexed as the task's rows are."""
    ids, types, mask = data.padded(rows)
    arrays = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask, "labels": data.label[rows]}
    arrays |= {name: array[rows] for name, array in (extras or {}).items()}
    return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in arrays.items()}


def fit(
    model: nn.Module,
    data: Encoded,
    rows: np.ndarray,
    objective: Objective,
    settings: Settings,
    seed: int,
    metric: str = "accuracy",
    extras: Mapping[str, np.ndarray] | None = None,
) -> list[dict[str, float]]:
    """Train what is not frozen; leave the model in evaluation mode at the epoch that settings.keep names.

    AdamW with linear decay and global clipping over the trained tensors only. keep="best" is the epoch with the best
    task metric, averaged over exits, on the selection split; ties go to the earlier epoch.

    Args:
        model: maps a batch to logits (exits, b, classes).
        data: the task.
        rows: indices of the training rows.
        objective: the loss of the model on a batch.
        settings: optimisation.
        seed: decides the order of rows; dropout follows the global seed.
        metric: of the task.
        extras: arrays, a row for each of data's, that the objective finds in its batch beside the labels.

    Returns:
        One entry an epoch: loss and, with keep="best", selection.
    """
    device, order = device_of(model), stream(seed, "order")
    optimizer = torch.optim.AdamW(_groups(model, settings.weight_decay), lr=settings.lr, fused=True)
    steps = settings.epochs * -(-len(rows) // settings.batch_size)
    schedule = get_linear_schedule_with_warmup(optimizer, round(settings.warmup * steps), steps)
    parameters = list(trained(model).values())
    history: list[dict[str, float]] = []
    best: dict[str, Tensor] = {}
    progress = tqdm(total=steps, mininterval=10, unit="step", ascii=True)
    for _ in range(settings.epochs):
        model.train()
        total = torch.zeros((), device=device)
        for batch_rows in data.epoch(rows, settings.batch_size, order):
            batch = to_batch(data, batch_rows, device, extras)
            with autocast(device, settings.precision):
                loss = objective(model, batch)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            total += loss.detach() * len(batch_rows)
            progress.update()
        history.append({"loss": total.item() / len(rows)})
        if settings.keep == "best":
            history[-1]["selection"] = mean_score(model, data, data.rows("selection"), metric, settings.precision)
            if history[-1]["selection"] > max((epoch["selection"] for epoch in history[:-1]), default=-1):
                best = {name: tensor.detach().clone() for name, tensor in trained(model).items()}
        log.info("epoch %d of %d: %s", len(history), settings.epochs, history[-1])
    progress.close()
    with torch.no_grad():
        for name, tensor in trained(model).items():
            if best:
                tensor.copy_(best[name])
    model.eval()
    return history


def _groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Optimizer groups: biases and LayerNorm are not decayed."""
    plain = {name: tensor for name, tensor in trained(model).items() if name.endswith("bias") or "LayerNorm" in name}
    decayed = [tensor for name, tensor in trained(model).items() if name not in plain]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": list(plain.values()), "weight_decay": 0.0},
    ]


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """bf16 where asked for; parameters, losses and confidences stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


@torch.inference_mode()
def predict(
    model: nn.Module, data: Encoded, rows: np.ndarray, precision: str = "fp32", batch_size: int = 64
) -> np.ndarray:
    """Logits of every exit in evaluation mode, (exits, rows, classes) float32, in the order of rows."""
    model.eval()
    device = device_of(model)
    logits = np.zeros((len(model.exit_layers), len(rows), len(data.names)), dtype=np.float32)
    place = np.full(len(data.label), -1)
    place[rows] = np.arange(len(rows))
    for batch_rows in data.by_length(rows, batch_size):
        with autocast(device, precision):
            out = model(to_batch(data, batch_rows, device))
        logits[:, place[batch_rows]] = out.float().cpu().numpy()
    return logits


def mean_score(model: nn.Module, data: Encoded, rows: np.ndarray, metric: str, precision: str) -> float:
    """Task metric averaged over the exits."""
    answers = predict(model, data, rows, precision).argmax(axis=-1)  # (exits, rows)
    return float(np.mean([score(metric, data.label[rows], of_exit) for of_exit in answers]))
