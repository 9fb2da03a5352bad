"""One training loop and one prediction loop for every system."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm
from transformers import get_linear_schedule_with_warmup, set_seed

from cascadebert.data.encoding import Encoded
from cascadebert.metrics.scores import score
from cascadebert.models.encoders import Batch
from cascadebert.models.half import autocast
from cascadebert.models.members import trained
from cascadebert.recipe import Settings
from cascadebert.training.finite import Watch, check_finite
from cascadebert.training.gpus import claim
from cascadebert.training.resume import ResumePoint, TrainingState
from cascadebert.training.streams import stream

log = logging.getLogger(__name__)

Objective = Callable[[Any, Batch], Tensor]
"""The model and a batch, to the loss."""


def on_logits(loss: Callable[[Tensor, Batch], Tensor]) -> Objective:
    """An objective that needs nothing but the logits of all exits, in float32 whatever the precision."""
    return lambda model, batch: loss(model(batch).float(), batch)


def start(seed: int, threads: int) -> torch.device:
    """Seed everything, before any module is built; take a free GPU if there is one; from now on, log progress."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    set_seed(seed)
    torch.set_num_threads(threads)
    if not torch.cuda.is_available():
        return torch.device("cpu")
    visible = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    torch.cuda.set_device(claim([str(gpu.uuid) for gpu in visible]))  # what "cuda" means from now on
    return torch.device("cuda")


def device_of(model: nn.Module) -> torch.device:
    """Where a model lives."""
    return next(model.parameters()).device


class _Batches(Dataset):
    """Batches by the rows that are in them; each of the extras is indexed as the task's rows are."""

    def __init__(self, data: Encoded, extras: Mapping[str, np.ndarray] | None = None) -> None:
        """Keep references: nothing is copied, and token ids stay memory-mapped."""
        self.data, self.extras = data, extras or {}

    def __getitem__(self, rows: np.ndarray) -> Batch:
        """One batch, on the CPU."""
        ids, types, mask = self.data.padded(rows)
        arrays = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask, "labels": self.data.label[rows]}
        arrays |= {name: array[rows] for name, array in self.extras.items()}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def to_device(batch: Batch, device: torch.device) -> Batch:
    """A batch where the model lives; the copy of pinned memory does not block."""
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}


def to_batch(
    data: Encoded, rows: np.ndarray, device: torch.device, extras: Mapping[str, np.ndarray] | None = None
) -> Batch:
    """Rows of a task as tensors; each of the extras is indexed as the task's rows are."""
    return to_device(_Batches(data, extras)[rows], device)


def fit(
    model: Any,
    data: Encoded,
    rows: np.ndarray,
    objective: Objective,
    settings: Settings,
    seed: int,
    metric: str = "accuracy",
    extras: Mapping[str, np.ndarray] | None = None,
    draws: Sequence[torch.Generator] = (),
    resume: ResumePoint | None = None,
    workers: int = 0,
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
        seed: decides the order of rows, whatever the workers; dropout follows the global seed.
        metric: of the task.
        extras: arrays, a row for each of data's, that the objective finds in its batch beside the labels.
        draws: generators that the objective or the model draws from.
        resume: where to go on from after a kill; None for a training that is never taken up again.
        workers: processes that make batches; 0 makes them here.

    Returns:
        One entry an epoch: loss and, with keep="best", selection.

    Raises:
        Problem: at the first step whose loss or gradient is not finite, or when an answer is not.
    """
    device = device_of(model)
    optimizer = torch.optim.AdamW(_groups(model, settings.weight_decay), lr=settings.lr, fused=True)
    steps = settings.epochs * -(-len(rows) // settings.batch_size)
    schedule = get_linear_schedule_with_warmup(optimizer, round(settings.warmup * steps), steps)
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    order, total = stream(seed, "order"), torch.zeros((), device=device)
    state = TrainingState(model, optimizer, schedule, scaler, order, draws, total)
    if resume and (held := resume.read()):
        state.unpack(held)
        log.info("going on after %d epochs and %d batches", state.epoch, state.batches)
    watch, per_epoch = Watch(settings, steps, device), steps // settings.epochs
    parameters, source = list(trained(model).values()), _Batches(data, extras)
    progress = tqdm(total=steps, initial=schedule.last_epoch, mininterval=10, unit="step", ascii=True)
    while state.epoch < settings.epochs:
        model.train()
        state.begin_epoch()
        batches = list(data.epoch(rows, settings.batch_size, order))[state.batches :]
        loader = DataLoader(
            source,
            batch_size=None,
            sampler=batches,
            num_workers=workers,
            pin_memory=device.type == "cuda",
            generator=torch.Generator(),  # its own, so that the global one is left to dropout
        )
        for batch in loader:
            with autocast(device, settings.precision):
                loss = objective(model, to_device(batch, device))
            scaler.scale(loss).backward()
            untouched = all(tensor.grad is None for tensor in parameters)  # where Theseus replaces nothing
            if not untouched:
                scaler.unscale_(optimizer)
            norm, scale = nn.utils.clip_grad_norm_(parameters, settings.clip_norm), scaler.get_scale()
            overflow = scaler.is_enabled() and scale > 1  # of a scaled gradient: the step is left out, the scale halved
            watch.see(state.epoch * per_epoch + state.batches + 1, loss, *([] if overflow else [norm]))
            if untouched:
                optimizer.step()  # changes nothing; a scaler refuses to
            else:
                scaler.step(optimizer)
                scaler.update()
            if scaler.get_scale() >= scale:  # float16 gradients that overflowed made no step
                schedule.step()
            optimizer.zero_grad(set_to_none=True)
            state.total += loss.detach() * len(batch["labels"])
            state.batches += 1
            progress.update()
            if resume and resume.due():
                watch.look()
                resume.write(state.pack())
        watch.look()
        state.history.append({"loss": state.total.item() / len(rows)})
        if settings.keep == "best":
            reached = mean_score(model, data, data.rows("selection"), metric, settings.precision)
            if reached > max((epoch["selection"] for epoch in state.history[:-1]), default=-1):
                state.best = {name: tensor.detach().clone() for name, tensor in trained(model).items()}
            state.history[-1]["selection"] = reached
        state.epoch, state.batches = state.epoch + 1, 0
        state.total.zero_()
        log.info("epoch %d of %d: %s", state.epoch, settings.epochs, state.history[-1])
    progress.close()
    with torch.no_grad():
        for name, tensor in trained(model).items():
            if state.best:
                tensor.copy_(state.best[name])
    model.eval()
    return state.history


def _groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Optimizer groups: biases and LayerNorm are not decayed."""
    plain = {name: tensor for name, tensor in trained(model).items() if name.endswith("bias") or "LayerNorm" in name}
    decayed = [tensor for name, tensor in trained(model).items() if name not in plain]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": list(plain.values()), "weight_decay": 0.0},
    ]


@torch.inference_mode()
def predict(
    model: nn.Module, data: Encoded, rows: np.ndarray, precision: str = "fp32", batch_size: int = 64
) -> np.ndarray:
    """Logits of every exit in evaluation mode, (exits, rows, classes) float32, in the order of rows.

    Raises:
        Problem: when one is not finite.
    """
    model.eval()
    device = device_of(model)
    exit_layers: Any = model.exit_layers
    logits = np.zeros((len(exit_layers), len(rows), len(data.names)), dtype=np.float32)
    place = np.full(len(data.label), -1)
    place[rows] = np.arange(len(rows))
    for batch_rows in data.by_length(rows, batch_size):
        with autocast(device, precision):
            out = model(to_batch(data, batch_rows, device))
        logits[:, place[batch_rows]] = out.float().cpu().numpy()
    check_finite(logits, len(rows), precision)
    return logits


def mean_score(model: nn.Module, data: Encoded, rows: np.ndarray, metric: str, precision: str) -> float:
    """Task metric averaged over the exits."""
    answers = predict(model, data, rows, precision).argmax(axis=-1)  # (exits, rows)
    return float(np.mean([score(metric, data.label[rows], of_exit) for of_exit in answers]))
