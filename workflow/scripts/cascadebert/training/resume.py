"""Taking a killed training up again where it was, so that it ends in the same bytes as one that was left alone."""

import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cascadebert.files import atomic, versions
from cascadebert.models.members import trained

log = logging.getLogger(__name__)

WITHOUT_EFFECT = ("--checkpoint-minutes", "--workers")
"""Arguments of a program that change nothing in what it makes."""


def fingerprint(arguments: Sequence[str]) -> str:
    """Digest of all that a training's outcome depends on: arguments, files that they name, versions, the kind of GPU.

    Args:
        arguments: of the program, as in sys.argv. Of a file that exists the content counts, and that of the config.json
            and the tokenizer.json beside it, so that other code (its digest is an argument), settings, seeds, data or
            weights are told apart.
    """
    digest = hashlib.sha256()
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    digest.update(json.dumps([versions(), device]).encode())
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if {before, argument} & set(WITHOUT_EFFECT):
            continue
        digest.update(argument.encode() + b"\0")
        beside = (os.path.join(os.path.dirname(argument), name) for name in ("config.json", "tokenizer.json"))
        for path in (argument, *beside):
            if os.path.isfile(argument) and os.path.isfile(path):
                with open(path, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@dataclass
class ResumePoint:
    """The file from which a training goes on after a kill, written now and then beside its outputs.

    Attributes:
        path: where it lies; not one of the rule's outputs, since Snakemake removes those before it runs a job again.
        minutes: between two writings; 0 writes after each step.
        arguments: of the program, what `fingerprint` is taken of; and digests of what it reads that none of them names.
    """

    path: Path
    minutes: float
    arguments: Sequence[str] = field(default_factory=lambda: tuple(sys.argv))
    written: float = field(default_factory=time.monotonic, init=False)

    @cached_property
    def key(self) -> str:
        """Fingerprint of the training."""
        return fingerprint(self.arguments)

    def read(self) -> dict[str, Any] | None:
        """The state that this same training was left in; None where there is none, or none that can be used."""
        if not self.path.is_file():
            return None
        try:
            held = torch.load(self.path, map_location="cpu", weights_only=True)
            key, state = held["key"], held["state"]
        except Exception as error:  # whatever a damaged archive makes of itself
            log.warning("%s is damaged (%s): it is ignored, the training starts anew", self.path, error)
            return None
        if key != self.key:
            log.warning("%s is of other settings, code or data: it is ignored, the training starts anew", self.path)
            return None
        return state

    def due(self) -> bool:
        """Whether it is time to write."""
        return time.monotonic() - self.written >= 60 * self.minutes

    def write(self, state: dict[str, Any]) -> None:
        """Replace the file, whole or not at all."""
        with atomic(self.path) as temporary:
            torch.save({"key": self.key, "state": state}, temporary)
        self.written = time.monotonic()

    def remove(self) -> None:
        """Leave nothing behind once the outputs are written."""
        self.path.unlink(missing_ok=True)


@dataclass
class TrainingState:
    """All that the rest of a training depends on, beside its data and settings.

    Attributes:
        model: its trained tensors and persistent buffers change.
        optimizer: with its moments.
        schedule: of the learning rate.
        scaler: of the loss (float16).
        order: the stream that rows are shuffled by.
        draws: generators that the objective draws from.
        epoch: epochs that are over.
        batches: of the present epoch that are done.
        shuffled_from: state of `order` before the present epoch was shuffled.
        total: loss so far in this epoch, summed over rows.
        history: one entry an epoch that is over.
        best: tensors of the best epoch.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    order: np.random.Generator
    draws: Sequence[torch.Generator]
    total: Tensor
    epoch: int = 0
    batches: int = 0
    shuffled_from: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def tensors(self) -> dict[str, Tensor]:
        """What training may change in the model."""
        parameters = dict(self.model.named_parameters())
        buffers = {name: held for name, held in self.model.state_dict().items() if name not in parameters}
        return trained(self.model) | buffers

    def on_gpu(self) -> list[Tensor]:
        """The random state of the GPU that this job has taken, if any; when it goes on, it may have taken another."""
        return [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []

    def begin_epoch(self) -> None:
        """Note where the order of the epoch that begins comes from."""
        self.shuffled_from = dict(self.order.bit_generator.state)

    def pack(self) -> dict[str, Any]:
        """All of it as plain containers of tensors and numbers."""
        return {
            "tensors": {name: tensor.detach() for name, tensor in self.tensors().items()},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "order": json.dumps(self.shuffled_from),
            "draws": [generator.get_state() for generator in self.draws],
            "random": [torch.get_rng_state(), *self.on_gpu()],
            "total": self.total,
            "epoch": self.epoch,
            "batches": self.batches,
            "history": self.history,
            "best": self.best,
        }

    def unpack(self, held: dict[str, Any]) -> None:
        """Be as `pack` found it."""
        with torch.no_grad():
            for name, tensor in self.tensors().items():
                tensor.copy_(held["tensors"][name])
        self.optimizer.load_state_dict(held["optimizer"])
        self.schedule.load_state_dict(held["schedule"])
        self.scaler.load_state_dict(held["scaler"])
        self.order.bit_generator.state = json.loads(held["order"])
        for generator, state in zip(self.draws, held["draws"], strict=True):
            generator.set_state(state)
        torch.set_rng_state(held["random"][0])
        for state in held["random"][1:]:
            torch.cuda.set_rng_state(state)
        self.total.copy_(held["total"])
        self.epoch, self.batches = held["epoch"], held["batches"]
        self.history, self.best = held["history"], held["best"]
