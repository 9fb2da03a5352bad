"""Table 4: the cascade with and without DAR, and controls that the paper lacks (section 5.2)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.files import read_json
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.ablation import REFERENCE, ablation, instances
from cascadebert.pages.tables import (
    AVERAGE,
    MISSING,
    cell,
    facts_of,
    intervals_over,
    means_over,
    paper_names,
    seeds_by,
    sentences,
    server_note,
    with_interval,
    with_paper,
    write_table,
)
from cascadebert.systems import SYSTEMS, shown_in


def main(
    sweeps: list[Path], predictions: list[Path], tasks: list[Path], paper: Path, spec: str, decimals: int, csv: Path
) -> None:
    """Compare each variant with the cascade without DAR, seed by seed and instance by instance.

    Args:
        sweeps: of sweep_thresholds.py.
        predictions: of the cascades, in the order of the spec's files.
        tasks: task.json of each task, in the order of columns.
        paper: the paper's printed values.
        spec: JSON with tasks, glue, targets, files (task, system, seed, split of each of the predictions), notes.
        decimals: of scores in per cent.
        csv: tidy, fractions, unrounded; the layout goes beside it as .md and .tex.
    """
    wanted = json.loads(spec)
    points, columns = printed_points(sweeps, wanted["tasks"])
    systems = [name for name in reversed(shown_in("table4")) if name in set(points["system"])]
    files = {tuple(key): path for key, path in zip(wanted["files"], predictions, strict=True)}
    tidy = ablation(points, columns, systems, wanted["targets"], instances(points, files))
    tidy = with_paper(tidy, pd.read_csv(paper), paper_names(wanted["tasks"], wanted["glue"]))
    facts = {name: read_json(path) for name, path in zip(wanted["tasks"], tasks, strict=True)}
    seeds = seeds_by(tidy)
    text = sentences(
        [
            "The cascade with difficulty-aware regularization, without it, and under controls.",
            *facts_of(facts, columns),
            "Report split, in per cent, with the achieved speed-up in layers.",
            means_over(seeds),
            "AVG is the mean of all columns, both halves of a task counted." if len(columns) > 1 else "",
            "Variants are compared at the same target, whatever ratio they achieve. Second lines: difference to the"
            f" cascade without DAR in points of per cent, paired over seeds, {intervals_over(seeds)}."
            " Third lines: exact McNemar p values over instances, one a seed, not corrected for their number.",
            "Controls: a temperature fitted on the selection split; the distance of a batch's mean confidences in place"
            " of difficulty labels (as in COSEE); DAR with its difficulty labels dealt out at random.",
            server_note(tidy),
            *wanted["notes"],
        ]
    )
    shown = tidy if len(columns) > 1 else tidy[tidy["task"] != AVERAGE]
    table = layout(shown, decimals)
    write_table(csv, tidy, (table, table), "Table 4", text)


def layout(tidy: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Three lines a variant, and the paper's where there are its values."""
    lines = []
    for (target, system), own in tidy.groupby(["target_speed_up", "system"], sort=False):
        label = f"{target:g}× {SYSTEMS[system].label}"
        lines.append({"Method": label} | {row.task: cell(row, decimals) for row in own.itertuples()})
        if system != REFERENCE:
            differences = {
                row.task: with_interval(row.difference, row.low, row.high, decimals) for row in own.itertuples()
            }
            lines.append({"Method": "  difference"} | differences)
            p_values = {
                row.task: " / ".join(f"{float(p):.2g}" for p in row.mcnemar.split()) or MISSING
                for row in own.itertuples()
            }
            lines.append({"Method": "  McNemar p"} | p_values)
        if own["paper"].notna().any():
            printed = {
                row.task: MISSING if np.isnan(row.paper) else f"{100 * row.paper:.1f}" for row in own.itertuples()
            }
            lines.append({"Method": "  as printed in the paper"} | printed)
    return pd.DataFrame(lines)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
