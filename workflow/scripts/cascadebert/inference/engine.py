"""One engine for every system: rows that have left are computed no further, and those that stay fill whole batches."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cascadebert.data.encoding import TokenRows
from cascadebert.exit_rules import Exits
from cascadebert.inference.leaving import Leaving, Threshold
from cascadebert.inference.onnx_runtime import Session, sessions
from cascadebert.layouts import Problem
from cascadebert.models.encoders import embedded
from cascadebert.models.half import HALF, autocast
from cascadebert.models.members import MultiExit


@dataclass(frozen=True)
class Stage:
    """Layers of one model, in succession, after the last of which rows may leave.

    Attributes:
        model: whose they are.
        member: its index among the system's models.
        layers: of it; those that begin at 0 begin with the token ids.
    """

    model: MultiExit
    member: int
    layers: range


@dataclass
class Part:
    """Rows between two stages.

    Attributes:
        rows: their indices.
        states: of all their tokens, padded; None before the first layer of a model.
        mask: True where there is a token; None as states are.
    """

    rows: Int[np.ndarray, " b"]
    states: Float[Tensor, "b l hidden"] | None = None
    mask: Bool[Tensor, "b 1 1 l"] | None = None

    def __getitem__(self, chosen: slice | np.ndarray) -> "Part":
        """Some of the rows."""
        if self.states is None or self.mask is None:
            return Part(self.rows[chosen])
        where = chosen if isinstance(chosen, slice) else torch.from_numpy(chosen).to(self.states.device)
        return Part(self.rows[chosen], self.states[where], self.mask[where])


def joined(parts: Sequence[Part]) -> Part:
    """Rows of several parts in one, padded to the longest."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    padded = [(part.states, part.mask) for part in parts if part.states is not None and part.mask is not None]
    if not padded:
        return Part(rows)
    longest = max(states.shape[1] for states, _ in padded)
    more = [(longest - states.shape[1], states, mask) for states, mask in padded]
    return Part(
        rows,
        torch.cat([F.pad(states, (0, 0, 0, width)) if width else states for width, states, _ in more]),
        torch.cat([F.pad(mask, (0, width)) if width else mask for width, _, mask in more]),
    )


@dataclass(frozen=True)
class Left:
    """How some rows left a system.

    Attributes:
        logits: of the exit that each row left at, float32.
        exit: its index.
        seconds: spent in the models' layers and classifiers; the rest of the time is the engine's own.
    """

    logits: Float[np.ndarray, "n classes"]
    exit: Int[np.ndarray, " n"]
    seconds: float


_computing: set[int] = set()
"""The process in which models have computed."""


def check_process() -> None:
    """Raise Problem in a fork of a process that has computed: its threads are not in the fork, which waits for them."""
    if _computing - {os.getpid()} and torch.get_num_threads() > 1:
        raise Problem(
            "this process was forked from one that has computed with torch, and would wait for its threads for ever:"
            " load the system in each process, started by spawn, or call torch.set_num_threads(1) before."
        )
    _computing.add(os.getpid())


class Engine:
    """The models of one system on a device, in one precision, in the order in which rows pass through them."""

    def __init__(self, models: Sequence[MultiExit], exits: Exits, device: torch.device, precision: str) -> None:
        """Take the models over: they are moved to the device, into evaluation mode, and into the precision.

        Half precision is that of training (autocast): linear layers inside the encoder compute in it, all else stays
        float32, so that a system answers as it was evaluated. The layers' weights are kept in it.

        Args:
            models: of a cascade, in ascending depth; or one, which has exits after its layers.
            exits: how rows leave; with "last" the last model's last exit answers all of them.
            device: to compute on.
            precision: to compute in.

        Raises:
            Problem: when this process was forked from one that has computed.
        """
        check_process()
        self.models, self.exits, self.device, self.precision = list(models), exits, device, precision
        for model in models:
            model.to(device).eval().requires_grad_(False)
            if precision in HALF:
                for module in model.encoder.encoder.modules():
                    if isinstance(module, nn.Linear):
                        module.to(HALF[precision])
        self.stages = [
            Stage(model, index, range(start, stop))
            for index, model in enumerate(models)
            for start, stop in zip([0, *model.exit_layers], model.exit_layers, strict=False)
        ]
        self.sessions: list[Session] | None = None
        if exits == "last":
            self.stages = [Stage(models[-1], len(models) - 1, range(models[-1].exit_layers[-1]))]

    def by_onnx_runtime(self) -> None:
        """Compute whole models by ONNX Runtime from now on.

        Raises:
            Problem: when that cannot be.
        """
        self.sessions = sessions(self.models)

    def alone(self) -> "Engine":
        """The last model as a whole, computed by the same means."""
        last = Engine(self.models, "last", self.device, self.precision)
        last.sessions = self.sessions
        return last

    @property
    def layers(self) -> list[int]:
        """Layers executed when a row leaves at each exit."""
        return np.cumsum([len(stage.layers) for stage in self.stages]).tolist()

    @torch.inference_mode()
    def answer(
        self,
        tokens: Callable[[int], TokenRows],
        n_classes: int,
        threshold: Threshold,
        batch: int,
        replay: Float[np.ndarray, "exits n classes"] | None = None,
    ) -> Left:
        """Pass all rows through the stages, each row as far as the exit rule wants it to go.

        A stage waits until a whole batch of rows has come to it; when no more will come it takes what is there. Rows
        come sorted by length, so that batches hold little padding. At most a batch of rows waits before each stage.

        Args:
            tokens: token ids of all rows for a model, by its index.
            n_classes: of the task.
            threshold: of the exit rule.
            batch: rows in a batch, at most.
            replay: logits of all exits that are taken for the models' own, which are computed all the same: rows of
                some length then leave where others of that length left.

        Raises:
            Problem: when a model's answers are no finite numbers, or as `check_process`.
        """
        check_process()
        first = tokens(self.stages[0].member)
        n = len(first.ends)
        logits, exit_of = np.empty((n, n_classes), dtype=np.float32), np.empty(n, dtype=int)
        leaving = Leaving(self.exits, threshold, len(self.stages), n)
        waiting: list[list[Part]] = [[] for _ in self.stages]
        seconds = 0.0

        def compute(index: int, part: Part) -> None:
            nonlocal seconds
            start = perf_counter()
            stage, answers = self._through(self.stages[index], part, tokens)
            seconds += perf_counter() - start
            self._check_finite(self.stages[index], answers)
            if replay is not None:
                answers = replay[index, part.rows]
            leaves = leaving(index, part.rows, answers)
            gone = part.rows[leaves]
            logits[gone], exit_of[gone] = answers[leaves], index
            if not leaves.all():
                waiting[index + 1].append(stage[~leaves] if leaves.any() else stage)
                empty(index + 1, batch)

        def empty(index: int, least: int) -> None:
            while (there := sum(len(part.rows) for part in waiting[index])) >= least and there:
                whole = joined(waiting[index])
                waiting[index] = [whole[batch:]] if there > batch else []
                compute(index, whole[:batch] if there > batch else whole)

        for rows in first.by_length(np.arange(n), batch):
            compute(0, Part(rows))
        for index in range(1, len(self.stages)):
            empty(index, 1)
        return Left(logits, exit_of, seconds)

    def _check_finite(self, stage: Stage, answers: Float[np.ndarray, "b classes"]) -> None:
        """Raise Problem if answers hold a number that is not finite: no class and no certainty can be read from it."""
        if not np.isfinite(answers).all():
            which = f"member {stage.member + 1} of {len(self.models)}, after its layer {stage.layers.stop},"
            remedy = "take precision fp32 (--precision fp32)" if self.precision in HALF else "copy or pack it anew"
            raise Problem(f"{which} answers numbers that are not finite in precision {self.precision}: {remedy}.")

    def _through(
        self, stage: Stage, part: Part, tokens: Callable[[int], TokenRows]
    ) -> tuple[Part, Float[np.ndarray, "b classes"]]:
        """Rows after a stage, ready for the next, and the logits of its exit."""
        model, rows = stage.model, tokens(stage.member)
        if self.sessions:
            return Part(part.rows), self.sessions[stage.member](*rows.padded(part.rows))
        with autocast(self.device, self.precision):
            if part.states is None or part.mask is None:
                arrays = dict(
                    zip(("input_ids", "token_type_ids", "attention_mask"), rows.padded(part.rows), strict=True)
                )
                batch = {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}
                states, mask = embedded(model.encoder, batch)
            else:
                longest = int(rows.lengths[part.rows].max())
                states, mask = part.states[:, :longest], part.mask[..., :longest]
            states, logits = model.pass_through(stage.layers, states, mask)
        goes_on = stage.layers.stop < model.exit_layers[-1]
        return Part(part.rows, states, mask) if goes_on else Part(part.rows), logits.float().cpu().numpy()
