"""A system against its own last member on the clock of this machine, as a table for a terminal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tabulate import tabulate

from cascadebert.inference.adaptive import Adaptive
from cascadebert.inference.clock import Course, reachable, timed
from cascadebert.inference.engine import Engine
from cascadebert.inference.settings import fastest
from cascadebert.layouts import Problem


def machine_of(engine: Engine) -> str:
    """What computes, in words."""
    if engine.device.type == "cuda":
        return torch.cuda.get_device_name(engine.device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


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
    if not (speed_ups and batch_sizes):
        raise Problem("no speed-up or no batch size cannot be timed: name some, or leave the option out.")
    if (least := min(rows, repeats, *batch_sizes)) < 1:
        raise Problem(f"{least} rows, repeats or rows in a batch cannot be timed: take 1 or more of each.")
    settings = {
        f"{ratio:g}x": (system, system.setting(speed_up=ratio).threshold) for ratio in reachable(system, speed_ups)
    }
    if not settings:
        largest = fastest(system.selection, system.manifest.exits)
        raise Problem(f"none of these speed-ups can be had: this system takes 1 to {largest:.4g}.")
    replayed = system.selection.logits[:, :rows]
    n = replayed.shape[1] if texts is None else len(texts)
    replays = dict.fromkeys(settings, replayed) if texts is None else None
    meaningless = system.stand_ins(rows) if texts is None else None
    tokens = (lambda system, member: meaningless) if meaningless else None
    content = []
    for batch_size in batch_sizes:
        course = Course(n, batch_size, texts, tokens)
        for one in timed(settings, system, course, repeats, replays):
            ratios = one.ratios
            clock = f"{np.median(ratios):.2f} ({ratios.min():.2f} - {ratios.max():.2f})"
            ms = f"{1000 * np.median(one.seconds) / course.n:.2f}"
            content.append([one.name, batch_size, f"{one.counted:.2f}", clock, ms, f"{100 * one.overhead:.1f}"])
    heads = ["target", "batch", "counted in layers", "on the clock (min - max)", "ms a text", "engine's own (%)"]
    return (
        f"{machine_of(system.engine)}, {system.engine.precision}\n\n{tabulate(content, heads, disable_numparse=True)}"
    )
