"""Table 1: the tasks, their metric, and the margin that was selected for each (section 4.1)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.files import read_json
from cascadebert.pages.tables import MISSING, sentences, write_table

COUNTED = ("train", "selection", "report", "mismatched", "test")


def main(tasks: list[Path], margins: list[Path], paper: Path, spec: str, decimals: int, csv: Path) -> None:
    """List what was trained and evaluated.

    Args:
        tasks: task.json of each task.
        margins: of select_margin.py, one a task.
        paper: the paper's printed values.
        spec: JSON with tasks (names), glue (the paper's names, or null).
        decimals: of scores in per cent.
        csv: tidy; the layout goes beside it as .md and .tex.
    """
    wanted = json.loads(spec)
    printed = pd.read_csv(paper, dtype=str).set_index("task")
    rows, shown = [], []
    for task, glue, fact, choice in zip(wanted["tasks"], wanted["glue"], tasks, margins, strict=True):
        known, chosen = read_json(fact), read_json(choice)
        means = {float(name): float(np.mean(np.array(of, dtype=float))) for name, of in chosen["scores"].items()}
        worst = min(means.values())
        row = {"task": task, "metric": known["metric"], **{split: known["rows"][split] for split in COUNTED}}
        row |= {
            "classes": len(known["names"]),
            "margin": chosen["margin"],
            "margin_spread": max(means.values()) - worst,
        }
        rows.append(row | {f"score_at_{margin:g}": mean for margin, mean in sorted(means.items())})
        of_margins = ", ".join(f"{margin:g}: {100 * mean:.{decimals}f}" for margin, mean in sorted(means.items()))
        shown.append(
            {"Dataset": task}
            | {f"# {split}": str(known["rows"][split] or MISSING) for split in COUNTED}
            | {"Metric": known["metric"], "ε": f"{chosen['margin']:g}", "selection score by ε": of_margins}
        )
        if glue:
            theirs = printed.loc[glue]
            counts = {"# train": theirs["train"], "# report": theirs["dev"], "# test": theirs["test"]}
            other = {"Metric": theirs["metric"], "ε": theirs["margin"], "selection score by ε": MISSING}
            shown.append(
                {"Dataset": "  as printed in the paper", **{f"# {split}": MISSING for split in COUNTED}}
                | counts
                | other
            )
    text = sentences(
        [
            "The tasks as they were divided here.",
            "The selection split chooses the margin ε, the thresholds and the best epoch; the report split is what the"
            " tables print (in a row of the paper the development set, both halves of MNLI together).",
            "ε is the margin whose cascade scores best on the selection split, averaged over the target speed-ups and"
            " the seeds, in per cent; the scores of the whole grid tell how flat the choice was.",
            "- : none, or not printed.",
            "In a binary task margins from 0.5 on are the same objective (erratum 8).",
        ]
    )
    table = pd.DataFrame(shown)
    write_table(csv, pd.DataFrame(rows), (table, table), "Table 1", text)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
