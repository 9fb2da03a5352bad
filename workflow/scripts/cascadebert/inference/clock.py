"""The clock: systems timed in turns, so that what else the machine does meets all of them alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from cascadebert.data.encoding import TokenRows
from cascadebert.inference.adaptive import Adaptive
from cascadebert.inference.engine import Engine, Left
from cascadebert.inference.leaving import Threshold
from cascadebert.inference.settings import fastest, within_reach
from cascadebert.inference.turns import alternating
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
        exit: index of the exit that each row left at.
    """

    name: str
    batch_size: int
    counted: float
    seconds: Float[np.ndarray, " repeats"]
    beside: Float[np.ndarray, " repeats"]
    latencies: Float[np.ndarray, " timed"]
    overhead: float
    exit: Int[np.ndarray, " n"]

    @property
    def ratios(self) -> Float[np.ndarray, " repeats"]:
        """The base's time over the system's, in each turn."""
        return self.beside / self.seconds


class Course:
    """Rows that systems are timed on: texts, which are tokenised each time, or token ids.

    Attributes:
        n: how many there are.
        batch_size: rows in a batch; single rows come one after another, as they would from a user.
        texts: None where there are token ids.
        tokens: of all rows, by system and index of its model; None where there are texts.
        latencies: seconds of each row or batch of rows that came at once, by what was timed.
        models: share of the last run's time that was spent in models.
        exits: of the last run.
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        texts: Sequence[Any] | None = None,
        tokens: Callable[[Adaptive, int], TokenRows] | None = None,
    ) -> None:
        """Take either."""
        self.n, self.batch_size, self.texts, self.tokens = n, batch_size, texts, tokens
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
                left, *_ = system.left(self.texts[rows], threshold, self.batch_size, engine)
            else:
                left = self._from_tokens(system, engine, threshold, rows, replay)
            latencies.append(perf_counter() - start)
            models += left.seconds
            exits.append(left.exit)
        self.models[name], self.exits[name] = models, np.concatenate(exits)

    def _from_tokens(
        self,
        system: Adaptive,
        engine: Engine,
        threshold: Threshold,
        rows: slice,
        replay: Float[np.ndarray, "exits n classes"] | None,
    ) -> Left:
        """Rows of token ids, which leave where the logits that are replayed say, if there are some."""
        of = needed(self.tokens)
        chosen = None if replay is None else replay[:, rows]

        def tokens(member: int) -> TokenRows:
            held = of(system, member)
            return held if self.batch_size > 1 else held.only(rows.start)

        return engine.answer(tokens, len(system.classes), threshold, self.batch_size, chosen)


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
        replays: logits of all exits that decide who leaves, by name, where token ids mean nothing.
    """
    runs: dict[str, Callable[[], object]] = {"": partial(course.run, "", base, base.engine.alone(), float("nan"))}
    for name, (system, threshold) in settings.items():
        runs[name] = partial(course.run, name, system, system.engine, threshold, (replays or {}).get(name))
    seconds, results = alternating(runs, repeats, base.engine.device), []
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
                course.exits[name],
            )
        )
    return results


def reachable(system: Adaptive, speed_ups: Sequence[float]) -> list[float]:
    """Those of some ratios that a system can have; its own, for one that has one alone."""
    stack, exits = system.selection, system.manifest.exits
    asked = [fastest(stack, exits)] if exits == "last" else speed_ups
    return [ratio for ratio in asked if within_reach(stack, exits, ratio)]
