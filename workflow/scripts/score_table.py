"""Tables 2, 3 and 6: systems against systems at some speed-ups (sections 4.3 and 5.4)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.files import read_json
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.tables import (
    best,
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
    with_server,
    write_table,
)
from cascadebert.systems import shown_in


def main(sweeps: list[Path], tasks: list[Path], paper: Path, number: int, spec: str, decimals: int, csv: Path) -> None:
    """Summarise operating points over seeds.

    Args:
        sweeps: of sweep_thresholds.py, every task and run.
        tasks: task.json of each task, in the order of columns.
        paper: the paper's printed values.
        number: of the table.
        spec: JSON with title, tasks (names, in order), glue (the paper's names, or null), targets, full_layers, notes,
            and for Table 2 server (what the GLUE server returned).
        decimals: of scores in per cent, in md and tex.
        csv: tidy, fractions, unrounded; the paper's layout goes beside it as .md and .tex.
    """
    wanted = json.loads(spec)
    points, columns = printed_points(sweeps, wanted["tasks"])
    systems = [name for name in shown_in(f"table{number}") if name in set(points["system"])]
    tidy, by_seed = summarised(points, entries(systems, wanted["targets"], wanted["full_layers"]), columns)
    tidy = with_paper(tidy, pd.read_csv(paper), paper_names(wanted["tasks"], wanted["glue"]))
    if "server" in wanted:
        tidy = with_server(tidy, wanted["server"])
    facts = {name: read_json(path) for name, path in zip(wanted["tasks"], tasks, strict=True)}
    text = sentences(
        [
            wanted["title"],
            *facts_of(facts, columns),
            "Report split, in per cent.",
            means_over(seeds_by(tidy)),
            "In brackets the achieved speed-up in layers. Thresholds are chosen on the selection split for each ratio,"
            " without labels of the report split.",
            "AVG is the mean of all columns, both halves of a task counted." if len(columns) > 1 else "",
            "Bold: the best mean at a ratio, and those not told apart from it (paired over seeds, 95 % t interval).",
            server_note(tidy),
            "- : not available.",
            *wanted["notes"],
        ]
    )
    bold = best(tidy, by_seed)
    layouts = tuple(layout(tidy, bold, decimals, mark) for mark in ("**{}**", r"\textbf{{{}}}"))
    write_table(csv, tidy, layouts, f"Table {number}", text)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
