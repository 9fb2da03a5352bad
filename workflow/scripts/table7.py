"""Table 7: FastBERT and CascadeBERT, their speed-up counted in layers and in operations (Appendix A)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.files import read_json
from cascadebert.metrics.sweeps import MEASURES, printed_points
from cascadebert.pages.tables import (
    entries,
    facts_of,
    layout,
    means_over,
    paper_names,
    seeds_by,
    sentences,
    server_note,
    summarised,
    with_paper,
    write_table,
)
from cascadebert.systems import shown_in

COUNTED = {"layers": "by layers", "flops": "by FLOPs"}


def main(sweeps: list[Path], tasks: list[Path], paper: Path, spec: str, decimals: int, csv: Path) -> None:
    """Set both against each other under both counts.

    Args:
        sweeps: of sweep_thresholds.py.
        tasks: task.json of each task, in the order of columns.
        paper: the paper's printed values.
        spec: JSON with tasks, glue, targets, full_layers, notes.
        decimals: of scores in per cent.
        csv: tidy, fractions, unrounded; the layout goes beside it as .md and .tex.
    """
    wanted = json.loads(spec)
    names = paper_names(wanted["tasks"], wanted["glue"])
    rows, frames, columns = entries(shown_in("table7"), wanted["targets"], wanted["full_layers"]), [], []
    for measure in MEASURES:
        points, columns = printed_points(sweeps, wanted["tasks"], measure)
        tidy, _ = summarised(points, rows, columns)
        if measure == "flops":
            other, _ = summarised(points.assign(speed_up=points["speed_up_flops"]), rows, columns)
            tidy["achieved_speed_up"] = other["achieved_speed_up"]
        tidy["method"] += f", {COUNTED[measure]}"
        frames.append(tidy.assign(measure=measure))
    order = [f"{row.label}, {counted}" for row in rows for counted in COUNTED.values()]
    tidy = pd.concat(frames).sort_values("method", key=lambda methods: methods.map(order.index), kind="stable")
    tidy = with_paper(tidy, pd.read_csv(paper), names)
    tidy.loc[tidy["measure"] != "layers", "paper"] = float("nan")
    facts = {name: read_json(path) for name, path in zip(wanted["tasks"], tasks, strict=True)}
    text = sentences(
        [
            "FastBERT's classifiers read all tokens and cost more than a linear one.",
            *facts_of(facts, columns),
            "Report split, in per cent.",
            means_over(seeds_by(tidy)),
            "AVG is the mean of all columns, both halves of a task counted." if len(columns) > 1 else "",
            "By layers: thresholds for a ratio of layers, that ratio in brackets. By FLOPs: thresholds for a ratio of"
            " floating-point operations, classifiers and attention products included, that ratio in brackets.",
            "The paper does not say which it means (erratum 29); its values stand under the first.",
            server_note(tidy),
            *wanted["notes"],
        ]
    )
    table = layout(tidy, set(), decimals, "{}")
    write_table(csv, tidy, (table, table), "Table 7", text)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
