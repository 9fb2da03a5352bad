"""Table 8 (not in the paper): every system, what it reaches, what it holds in memory, what it costs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.files import read_json
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.tables import (
    AVERAGE,
    WHOLE,
    Entry,
    cell,
    facts_of,
    means_over,
    seeds_by,
    sentences,
    summarised,
    write_table,
)
from cascadebert.systems import SYSTEMS


def main(sweeps: list[Path], origins: list[Path], tasks: list[Path], spec: str, decimals: int, csv: Path) -> None:
    """Summarise scores, sizes and costs over seeds.

    Args:
        sweeps: of sweep_thresholds.py, every task and run.
        origins: records of trainings, in the order of the spec's trainings.
        tasks: task.json of each task, in the order of columns.
        spec: JSON with tasks, targets, full_layers, trainings (run and role of each of the origins), notes; role is
            "model" for what is in memory when the run's system answers, "before" for what was trained before it,
            "labels" for the difficulty runs that all seeds share.
        decimals: of scores in per cent.
        csv: tidy, fractions, unrounded; the layout goes beside it as .md and .tex.
    """
    wanted = json.loads(spec)
    points, columns = printed_points(sweeps, wanted["tasks"])
    costs = pd.DataFrame(wanted["trainings"], columns=["run", "role"])
    records = [read_json(path) for path in origins]
    costs = costs.assign(
        seconds=[record["seconds"] for record in records],
        parameters=[record.get("parameters", 0) for record in records],
    )
    repeats = len(points[["task", "seed"]].drop_duplicates())
    rows, shown = [], []
    for (run, target), own in points.groupby(["run", "target"], sort=False):
        system = own["system"].iloc[0]
        if SYSTEMS[system].exits != "last" and not np.isclose(target, wanted["targets"]).any():
            continue
        label = SYSTEMS[system].label.format(k=f"{wanted['full_layers'] / target:g}")
        prefix = f"{target:g}× " if SYSTEMS[system].exits != "last" else ""
        tidy, _ = summarised(own, [Entry(system, target, prefix + label)], columns)
        mine = costs[costs["run"] == run]
        labels = mine.loc[mine["role"] == "labels", "seconds"].sum()
        mine = mine[mine["role"] != "labels"]
        held = mine.loc[mine["role"] == "model", "parameters"].sum() / repeats
        facts = {
            "parameters": held,
            "flops": own.groupby("column")["flops"].mean().mean(),
            "speed_up_flops": own.groupby("column")["speed_up_flops"].mean().mean(),
            "training_seconds": mine["seconds"].sum() / repeats + labels / len(wanted["tasks"]),
        }
        rows += [row | facts for row in tidy.to_dict("records")]
        scores = {row.task: cell(row, decimals) for row in tidy.itertuples() if row.task != AVERAGE or len(columns) > 1}
        shown.append(
            {"target": 0 if system in WHOLE else target, "order": list(SYSTEMS).index(system), "Method": prefix + label}
            | scores
            | {
                "parameters (M)": f"{held / 1e6:.1f}",
                "MFLOPs": f"{facts['flops'] / 1e6:.1f}",
                "by FLOPs": f"{facts['speed_up_flops']:.2f}×",
                "training (s)": f"{facts['training_seconds']:.0f}",
            }
        )
    known = {name: read_json(path) for name, path in zip(wanted["tasks"], tasks, strict=True)}
    text = sentences(
        [
            "Every system at each ratio that it has.",
            *facts_of(known, columns),
            "Report split, in per cent, with the achieved speed-up in layers.",
            means_over(seeds_by(pd.DataFrame(rows))),
            "AVG is the mean of all columns, both halves of a task counted." if len(columns) > 1 else "",
            "Parameters are those resident when the system answers, all members of a cascade and frozen embeddings"
            " included. MFLOPs are millions of floating-point operations, the mean of the report split's instances"
            " at their own lengths, layers counted whole; beside them the ratio to the base's. Training is wall time a"
            " task and seed, difficulty labels and teachers included, the selection of the margin and the pre-training"
            " or distillation of checkpoints not; jobs ran side by side, so it is a rough figure.",
            *wanted["notes"],
        ]
    )
    table = pd.DataFrame(shown).sort_values(["target", "order"], kind="stable").drop(columns=["target", "order"])
    write_table(csv, pd.DataFrame(rows), (table, table), "Table 8", text)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
