"""Times of packed systems on one machine: the clock's speed-up beside the counted one, and a verdict of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.files import read_csv
from cascadebert.metrics.intervals import t_interval
from cascadebert.systems import SYSTEMS

KEYS = ["task", "run", "system", "label", "what", "target", "batch_size"]

MARGIN = 0.05
"""Share of the counted speed-up that may be missing on the clock, stated in advance."""


def read_times(paths: Sequence[Path], tasks: Sequence[str], runs: Mapping[str, str]) -> pd.DataFrame:
    """Times of all tasks, a row a system, ratio, batch size and turn, with the clock's speed-up in it.

    Args:
        paths: one a task.
        tasks: their names.
        runs: the system of each run.
    """
    frame = pd.concat([read_csv(path).assign(task=task) for path, task in zip(paths, tasks, strict=True)])
    clock = frame["base_seconds"] / frame["seconds"]
    return frame.assign(clock=clock, system=frame["run"].map(runs).fillna("")).reset_index(drop=True)


def clocked(times: pd.DataFrame) -> pd.DataFrame:
    """Turns of a system at a ratio and batch size as one row.

    Returns:
        task, run, system, label, what, target, batch_size; clock (median of the turns), low and high (least and
        most of them); ms a text (median), p50_ms and p95_ms of single texts, tokenising_ms; speed_up and speed_up_flops
        (counted on the timed rows), of_counted (clock over speed_up), own_share (of the time, outside of the models),
        memory_mb, n, turns, machine, precision.
    """
    rows = []
    for key, of_key in times.groupby(KEYS, sort=False, dropna=False):
        first = of_key.iloc[0]
        row = dict(zip(KEYS, key, strict=True)) | {"clock": of_key["clock"].median()}
        row |= {"low": of_key["clock"].min(), "high": of_key["clock"].max(), "turns": len(of_key)}
        row |= {"ms": 1000 * of_key["seconds"].median() / first["n"]}
        names = ("p50_ms", "p95_ms", "tokenising_ms", "speed_up", "speed_up_flops", "own_share", "memory_mb", "n")
        row |= {name: first[name] for name in (*names, "machine", "precision")}
        rows.append(row | {"of_counted": row["clock"] / row["speed_up"]})
    return pd.DataFrame(rows)


def judged_on_the_clock(times: pd.DataFrame) -> pd.DataFrame:
    """A verdict for each adaptive system: whether the speed-up that is counted in layers is had on the clock.

    The statistic is the clock's speed-up over the counted one, less 1: its geometric mean over tasks, ratios and batch
    sizes in each turn, with a t interval over turns. It holds if the interval lies above minus `MARGIN`, is
    contradicted if it lies below, and undecided otherwise. Turns are of one run on one machine, and so is the verdict.

    Returns:
        As `verdicts.judged`, a row a system; source is "clock".
    """
    rows = []
    tokens = times[times["what"] == "tokens"]
    for (system, label), of_system in tokens.groupby(["system", "label"], sort=False):
        if SYSTEMS[system].exits == "last":
            continue
        logs = np.log(of_system["clock"] / of_system["speed_up"])
        turns = logs.groupby(of_system["turn"]).mean().to_numpy()
        estimate, (low, high) = np.expm1(turns.mean()), np.expm1(t_interval(turns))
        said = "holds" if low >= -MARGIN else "contradicted" if high < -MARGIN else "undecided"
        row: dict[str, Any] = {"claim": f"clock-{system}", "where": "section 4.1, speed-up ratio", "source": "clock"}
        row |= {"says": f"the speed-up of {label} that is counted in layers is had on the clock", "claimed": "positive"}
        row |= {"statistic": "clock over counted, less 1; all tasks, ratios and batch sizes", "effect": -MARGIN}
        row |= {"effect_where": "margin stated in advance", "n_seeds": 1, "against_chance": ""}
        rows.append(row | {"estimate": estimate, "low": low, "high": high, "verdict": said, "verdict_holm": said})
    return pd.DataFrame(rows)
