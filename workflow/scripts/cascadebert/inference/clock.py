"""The clock: systems timed in turns, so that what else the machine does meets all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from tabulate import tabulate

from cascadebert.data.encoding import TokenRows
from cascadebert.inference.adaptive import Adaptive
from cascadebert.inference.engine import Engine, Left
from cascadebert.inference.leaving import Threshold
from cascadebert.inference.settings import fastest
from cascadebert.inference.turns import alternating
from cascadebert.layouts import Problem
from cascadebert.recipe import needed


@dataclass(frozen=True)
class Timed:
    """One system at one setting, timed.

    Attributes:
        name: what it is called.
        batch_size: rows in a batch.
        counted: full layers over executed layers, on the rows that were timed.
        seconds: of each repetition.
        beside: of the base alone, in the same turns.
        latencies: of single rows in seconds, all repetitions, where a batch is one row.
        overhead: share of the time that was not spent in the models' layers and classifiers.
    """

    name: str
    batch_size: int
    counted: float
    seconds: Float[np.ndarray, " repeats"]
    beside: Float[np.ndarray, " repeats"]
    latencies: Float[np.ndarray, " n"]
    overhead: float

    @property
    def ratios(self) -> Float[np.ndarray, " repeats"]:
        """The base's time over the system's, in each turn."""
        return self.beside / self.seconds


class Course:
    """Rows that systems are timed on: texts, or token ids of some lengths that mean nothing.

    Attributes:
        texts: that are tokenised each time; None where there are token ids.
        tokens: of rows without texts.
        batch_size: rows in a batch; single rows come one after another, as they would from a user.
        latencies: seconds of each row or batch of rows that came at once, by what was timed.
        models: share of the last run's time that was spent in models.
        exits: of the last run.
    """

    def __init__(self, texts: Sequence[Any] | None, tokens: TokenRows | None, batch_size: int) -> None:
        """Take either."""
        self.texts, self.tokens, self.batch_size = texts, tokens, batch_size
        self.n = len(texts) if texts is not None else len(needed(tokens).ends)
        self.latencies: dict[str, list[float]] = {}
        self.models: dict[str, float] = {}
        self.exits: dict[str, Int[np.ndarray, " n"]] = {}

    def run(
        self,
        name: str,
        system: Adaptive,
        engine: Engine,
        threshold: Threshold,
        replay: Float[np.ndarray, "exits n classes"] | None = None,
    ) -> None:
        """Answer all rows once."""
        latencies, exits, models = self.latencies.setdefault(name, []), [], 0.0
        for rows in [slice(0, self.n)] if self.batch_size > 1 else [slice(row, row + 1) for row in range(self.n)]:
            start = perf_counter()
            if self.texts is not None:
                left, _ = system.left(self.texts[rows], threshold, self.batch_size, engine)
            else:
                left = self._replayed(system, engine, threshold, rows, replay)
            latencies.append(perf_counter() - start)
            models += left.seconds
            exits.append(left.exit)
        self.models[name], self.exits[name] = models, np.concatenate(exits)

    def _replayed(
        self,
        system: Adaptive,
        engine: Engine,
        threshold: Threshold,
        rows: slice,
        replay: Float[np.ndarray, "exits n classes"] | None,
    ) -> Left:
        """Rows of token ids, which leave where the logits that are replayed say."""
        tokens = needed(self.tokens)
        some = tokens if self.batch_size > 1 else tokens.only(rows.start)
        chosen = None if replay is None else replay[:, rows]
        return engine.answer(lambda member: some, len(system.classes), threshold, self.batch_size, chosen)


def timed(
    settings: Mapping[str, tuple[Adaptive, Threshold]],
    base: Adaptive,
    course: Course,
    repeats: int,
    replays: Mapping[str, Float[np.ndarray, "exits n classes"]] | None = None,
) -> list[Timed]:
    """Systems at some settings against the base alone, all by one engine, on one device, in turns.

    Args:
        settings: a system and its threshold, by a name for both.
        base: whose last model, as a whole, is what they are measured against.
        course: rows to time them on.
        repeats: of each.
        replays: logits of all exits that decide who leaves, by name, where rows are token ids that mean nothing.
    """
    device = base.engine.device
    alone = Engine(base.engine.models[-1:], "last", device, base.engine.precision)
    runs: dict[str, Callable[[], object]] = {"": partial(course.run, "", base, alone, float("nan"))}
    for name, (system, threshold) in settings.items():
        runs[name] = partial(course.run, name, system, system.engine, threshold, (replays or {}).get(name))
    seconds, results = alternating(runs, repeats, device), []
    for name, (system, _) in settings.items():
        layers = np.array(system.engine.layers)[course.exits[name]]
        results.append(
            Timed(
                name,
                course.batch_size,
                system.manifest.full_layers * course.n / float(layers.sum()),
                seconds[name],
                seconds[""],
                np.array(course.latencies[name][course.n :]) if course.batch_size == 1 else np.zeros(0),
                1 - course.models[name] / seconds[name][-1],
            )
        )
    return results


def reachable(system: Adaptive, speed_ups: Sequence[float]) -> list[float]:
    """Those of some ratios that a system can have; its own, for one that has one alone."""
    exits = system.manifest.exits
    largest = fastest(system.selection, exits)
    return [largest] if exits == "last" else [ratio for ratio in speed_ups if 1 <= ratio <= largest]


def bench_table(
    system: Adaptive,
    texts: Sequence[Any] | None,
    speed_ups: Sequence[float],
    batch_sizes: Sequence[int],
    rows: int,
    repeats: int,
) -> str:
    """A system at some speed-ups against its own last exit alone, as a table for a terminal.

    Raises:
        Problem: for less than one row, repeat or row in a batch, or when none of the speed-ups can be had.
    """
    if (least := min(rows, repeats, *batch_sizes)) < 1:
        raise Problem(f"{least} rows, repeats or rows in a batch cannot be timed: take 1 or more of each.")
    settings = {
        f"{ratio:g}x": (system, system.setting(speed_up=ratio).threshold) for ratio in reachable(system, speed_ups)
    }
    if not settings:
        largest = fastest(system.selection, system.manifest.exits)
        raise Problem(f"none of these speed-ups can be had: this system takes 1 to {largest:.4g}.")
    tokens = None if texts is not None else system.stand_ins(rows)
    replays = dict.fromkeys(settings, system.selection.logits[:, :rows]) if texts is None else None
    content = []
    for batch_size in batch_sizes:
        course = Course(texts, tokens, batch_size)
        for one in timed(settings, system, course, repeats, replays):
            ratios = one.ratios
            clock = f"{np.median(ratios):.2f} ({ratios.min():.2f} - {ratios.max():.2f})"
            ms = f"{1000 * np.median(one.seconds) / course.n:.2f}"
            content.append([one.name, batch_size, f"{one.counted:.2f}", clock, ms, f"{100 * one.overhead:.1f}"])
    engine, threads = system.engine, torch.get_num_threads()
    where = torch.cuda.get_device_name(engine.device) if engine.device.type == "cuda" else f"CPU, {threads} threads"
    heads = ["target", "batch", "counted in layers", "on the clock (min - max)", "ms a text", "engine's own (%)"]
    return f"{where}, {engine.precision}\n\n{tabulate(content, heads, disable_numparse=True)}"
