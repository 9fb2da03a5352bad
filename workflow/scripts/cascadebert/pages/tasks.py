"""Table 1: the tasks, their metric, and the margin that was selected for each (section 4.1)."""

from pathlib import Path

import numpy as np
import pandas as pd

from cascadebert.files import read_facts, read_json
from cascadebert.metrics.baselines import BASELINES, read_baselines
from cascadebert.metrics.sweeps import HALVES
from cascadebert.pages.kinds import TaskTable
from cascadebert.pages.tables import MISSING, write_table

COUNTED = ("train", "selection", "report", "mismatched", "test")

SAID = (
    "The tasks as they were divided here.",
    "The selection split chooses the margin ε, the thresholds and the best epoch; the report split is what the"
    " tables print (in a row of the paper the development set, both halves of MNLI together).",
    "ε is the margin whose cascade scores best on the selection split, averaged over the target speed-ups and"
    " the seeds, in per cent; the scores of the whole grid tell how flat the choice was.",
    "- : none, or not printed.",
    "In a binary task margins from 0.5 on are the same objective (erratum 8).",
    "Score: what baselines of common sense reach on the report split, and on its mismatched half, in per cent; C of the"
    " logistic regression was chosen on the selection split. For F1 the majority class is class 1.",
)


def render(page: TaskTable, out: Path) -> None:
    """List what was trained and evaluated, and below it what the paper prints."""
    printed, majority = (pd.read_csv(path, dtype=str).set_index("task") for path in (page.paper, page.majority))
    rows, shown = [], []
    for task, choice, baselines in zip(page.tasks, page.margins, page.baselines, strict=True):
        known, chosen = read_facts(*task.facts), read_json(choice)
        counts = {split: known["rows"][split] for split in COUNTED}
        means = {float(name): float(np.mean(np.array(of, dtype=float))) for name, of in chosen["scores"].items()}
        means = dict(sorted(means.items()))
        spread = max(means.values()) - min(means.values())
        row = {"task": task.name, "metric": known["metric"], **counts, "classes": len(known["names"])}
        row |= {"margin": chosen["margin"], "margin_spread": spread}
        of_margins = ", ".join(f"{margin:g}: {100 * mean:.{page.decimals}f}" for margin, mean in means.items())
        shown.append(_line(task.name, counts, known["metric"], f"{chosen['margin']:g}", of_margins))
        by_split, strength = read_baselines(baselines)
        scores = {split: by_split[split].scores(known["metric"]) for split in HALVES if by_split[split].id.size}
        labels = BASELINES | {"tfidf": f"{BASELINES['tfidf']} (C = {strength:g})"}
        for name, label in labels.items():
            row |= {f"{name}{end}": scores[split][name] for split, end in HALVES.items() if split in scores}
            reached = " / ".join(f"{100 * of[name]:.{page.decimals}f}" for of in scores.values())
            shown.append(_line(f"  {label}", {}, score=reached))
        rows.append(row | {"C": strength} | {f"score_at_{margin:g}": mean for margin, mean in means.items()})
        if task.glue:
            theirs = printed.loc[task.glue]
            counts = {"train": theirs["train"], "report": theirs["dev"], "test": theirs["test"]}
            shown.append(_line("  as printed in the paper", counts, theirs["metric"], theirs["margin"]))
            shown.append(_line("  majority class, GLUE's test set", {}, score=majority["score"][task.glue]))
    write_table(page, out, pd.DataFrame(rows), pd.DataFrame(shown), SAID)


def _line(
    label: str,
    counts: dict[str, int | str],
    metric: str = MISSING,
    margin: str = MISSING,
    of_margins: str = MISSING,
    score: str = MISSING,
) -> dict[str, str]:
    """One printed line; a split that has no rows is a dash."""
    sizes = {f"# {split}": str(counts.get(split) or MISSING) for split in COUNTED}
    said = {"Metric": metric, "ε": margin, "selection score by ε": of_margins, "Score": score}
    return {"Dataset": label} | sizes | said
