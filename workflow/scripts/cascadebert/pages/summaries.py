"""Systems at some speed-ups over seeds: one tidy frame, the paper's scores beside it, and its layout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.files import read_facts
from cascadebert.metrics.crossed import Crossed, interval
from cascadebert.metrics.intervals import mean_sd
from cascadebert.metrics.sweeps import HALVES, shared_seeds
from cascadebert.pages.common_sense import SIGN, paper_unlearned, unlearned
from cascadebert.pages.kinds import Returned, Table, Task
from cascadebert.pages.tables import MISSING, sentences
from cascadebert.systems import SYSTEMS

AVERAGE = "AVG"
"""Column of the mean over all others, both halves of a task counting as one column each, as in the paper."""

BESIDE = {"paper": "  as printed in the paper", "server": "  {} (GLUE server)"}
"""Columns of others' scores that stand in rows of their own below ours, and what those rows are called."""

WHOLE = ("bert_base", "roberta_base")
"""Systems that nothing was taken from: they are compared with no other at a ratio."""

APART = (*WHOLE, *(name for name, system in SYSTEMS.items() if system.as_released))
"""Systems that are never in bold: those, and one whose ratio is not the one that it stands under."""


@dataclass(frozen=True)
class Entry:
    """One row: a system at a target speed-up."""

    system: str
    target: float
    label: str


def entries(systems: Sequence[str], targets: Sequence[float], full_layers: int) -> list[Entry]:
    """Rows in the paper's order: the uncompressed model, then for each ratio the static systems and the adaptive ones.

    Args:
        systems: that stand in the table, in the order of rows.
        targets: ratios; with more than one, an adaptive system's label begins with its own.
        full_layers: layers of the base; {k} in a label is full_layers / target.
    """
    rows = [Entry(system, 1.0, SYSTEMS[system].label) for system in systems if system in WHOLE]
    for target in map(float, targets):
        for system in (system for system in systems if system not in WHOLE):
            label = SYSTEMS[system].label.format(k=f"{full_layers / target:g}")
            prefix = f"{target:g}× " if SYSTEMS[system].exits != "last" and len(targets) > 1 else ""
            rows.append(Entry(system, target, prefix + label))
    return rows


def summarised(points: pd.DataFrame, rows: list[Entry], columns: list[str]) -> pd.DataFrame:
    """Means over seeds of every row and column, and of the average over columns, of the seeds that all columns have.

    Args:
        points: of `printed_points`, all tasks, systems and seeds.
        rows: systems and targets.
        columns: of `printed_points`.

    Returns:
        A tidy frame (method, system, target_speed_up, task, metric, mean, sd, n_seeds, achieved_speed_up, unlearned),
        fractions, unrounded, NaN where a system has no such ratio.
    """
    metrics = dict(zip(points["column"], points["metric"], strict=True))
    tidy = []
    for row in rows:
        of_row = points[(points["system"] == row.system) & np.isclose(points["target"], row.target)]
        of_column = {column: of_row[of_row["column"] == column].sort_values("seed") for column in columns}
        scores = {column: frame["score"].to_numpy() for column, frame in of_column.items()}
        if all(len(values) for values in scores.values()):
            whole = shared_seeds(of_row).sort_values("seed")
            scores[AVERAGE] = np.mean([whole.loc[whole["column"] == name, "score"] for name in columns], axis=0)
        for column in [*columns, AVERAGE]:
            values = scores.get(column, np.array([]))
            mean, sd = mean_sd(values) if len(values) else (float("nan"), float("nan"))
            achieved = of_column[column]["speed_up"].mean() if column in of_column and len(values) else float("nan")
            names = {"method": row.label, "system": row.system, "target_speed_up": row.target, "task": column}
            numbers = {"mean": mean, "sd": sd, "n_seeds": len(values), "achieved_speed_up": achieved}
            numbers["unlearned"] = len(values) > 0 and unlearned(of_column.get(column, of_row))
            tidy.append(names | {"metric": metrics.get(column, "mean")} | numbers)
    return pd.DataFrame(tidy)


def with_paper(
    tidy: pd.DataFrame, printed: pd.DataFrame, paper_names: dict[str, str], majority: pd.DataFrame
) -> pd.DataFrame:
    """Set the paper's printed score, as a fraction, beside ours wherever the task is the paper's.

    Averages stand side by side only where they are of the same columns.

    Args:
        tidy: of `summarised`.
        printed: config/paper/tableN.csv, in per cent.
        paper_names: the paper's column of each of ours.
        majority: config/paper/majority.csv.
    """
    known = {(row.system, float(row.target), row.task): row.score / 100 for row in printed.itertuples()}
    ours = [paper_names.get(task, "") for task in tidy["task"].unique()]
    names = tidy["task"].map(paper_names)
    if sorted(ours) != sorted(printed["task"].unique()):
        names = names.replace(AVERAGE, None)
    keys = [*zip(tidy["system"], tidy["target_speed_up"], names, strict=True)]
    scores = [known.get(key, float("nan")) for key in keys]
    chance = {row.task: (row.score / 100, row.n) for row in majority.itertuples()}
    marked = [
        key[2] in chance and paper_unlearned(score, *chance[key[2]]) for score, key in zip(scores, keys, strict=True)
    ]
    return tidy.assign(paper=scores, paper_unlearned=marked)


def beside_paper(page: Table, tidy: pd.DataFrame) -> pd.DataFrame:
    """A tidy frame of a page with what the paper prints in its table."""
    return with_paper(tidy, pd.read_csv(page.paper), paper_names(page.tasks), pd.read_csv(page.majority))


def with_server(tidy: pd.DataFrame, returned: Sequence[Returned]) -> pd.DataFrame:
    """Set what the GLUE server returned, as a fraction, beside ours; its average where it has every column.

    Args:
        tidy: of `summarised`.
        returned: of each submission.

    Raises:
        ValueError: for a score of a column that the table does not have.
    """
    columns = [column for column in tidy["task"].unique() if column != AVERAGE]
    known: dict[tuple, float] = {}
    for entry in returned:
        scores = {column: score / 100 for column, score in entry.scores.items()}
        for column in sorted(set(scores) - set(columns)):
            raise ValueError(
                f"server_scores has a score of {column}, and the columns of the table are {', '.join(columns)}: "
                "leave it out, or give the task its mismatched half."
            )
        if set(scores) == set(columns):
            scores[AVERAGE] = float(np.mean([scores[column] for column in columns]))
        known |= {(entry.system, entry.target, column): score for column, score in scores.items()}
    keys = zip(tidy["system"], tidy["target_speed_up"], tidy["task"], strict=True)
    return tidy.assign(server=[known.get(key, float("nan")) for key in keys])


def best(tidy: pd.DataFrame, score: Callable[[str, float, str], Crossed]) -> set[tuple]:
    """(system, target, task) of every cell in bold: the best mean at a ratio, and those not told apart from it.

    Args:
        tidy: of `summarised`.
        score: of a system at a target on a task, the average among them.
    """
    bold = set()
    compared = tidy[tidy["mean"].notna() & ~tidy["system"].isin(APART)]
    for (target, task), group in compared.groupby(["target_speed_up", "task"]):
        top = group.loc[group["mean"].idxmax()]
        of_top = score(top["system"], target, task)
        for row in group.itertuples():
            difference = interval(score(row.system, target, task) - of_top)
            if row.mean == top["mean"] or difference.low <= 0 <= difference.high:
                bold.add((row.system, target, task))
    return bold


def paper_names(tasks: Sequence[Task]) -> dict[str, str]:
    """The paper's column of each of ours that is one of its tasks, both halves and the average."""
    known = {task.name: task.glue for task in tasks if task.glue}
    return known | {f"{task}-mm": f"{name}-mm" for task, name in known.items()} | {AVERAGE: AVERAGE}


def cell(row: Any, decimals: int) -> str:
    """Mean ± sd in per cent, the achieved ratio, and a sign, as in `81.2±0.3 (3.01×)†`; the only place that rounds."""
    if np.isnan(row.mean):
        return MISSING
    spread = "" if np.isnan(row.sd) else f"±{100 * row.sd:.{decimals}f}"
    ratio = "" if np.isnan(row.achieved_speed_up) else f" ({row.achieved_speed_up:.2f}×)"
    return f"{100 * row.mean:.{decimals}f}{spread}{ratio}{SIGN if row.unlearned else ''}"


def layout(tidy: pd.DataFrame, bold: set[tuple], decimals: int, mark: str) -> pd.DataFrame:
    """The paper's layout: a row a method, a column a task, both halves of a task in one column.

    Args:
        tidy: of `with_paper`, and of `with_server` where the table has that.
        bold: of `best`.
        decimals: of scores in per cent.
        mark: what sets a cell in bold, with {} for the cell.
    """
    if tidy["task"].nunique() == 2:  # one column: its average would say the same again
        tidy = tidy[tidy["task"] != AVERAGE]
    content = []
    for method, rows in tidy.groupby("method", sort=False):
        content.append({"Method": method} | _cells(rows, lambda row: _marked(row, cell(row, decimals), bold, mark)))
        for name, label in BESIDE.items():
            if name in rows and rows[name].notna().any():
                content.append({"Method": label.format(method)} | _cells(rows, partial(_per_cent, name)))
    return pd.DataFrame(content)


def _per_cent(name: str, row: Any) -> str:
    """A fraction that others measured, in per cent, with the digits that they print."""
    score, sign = getattr(row, name), SIGN if getattr(row, f"{name}_unlearned", False) else ""
    return MISSING if np.isnan(score) else f"{100 * score:.1f}{sign}"


def _marked(row: Any, text: str, bold: set[tuple], mark: str) -> str:
    """A cell's text, in bold if it is among the best."""
    return mark.format(text) if (row.system, row.target_speed_up, row.task) in bold else text


def _cells(rows: pd.DataFrame, show: Any) -> dict[str, str]:
    """One method's cells by printed column; a mismatched half joins its task as "a / b"."""
    cells: dict[str, str] = {}
    ends = HALVES["mismatched"]
    for row in rows.itertuples():
        task = row.task.removesuffix(ends)
        if row.task.endswith(ends) and task in cells:
            cells[f"{task} / {row.task}"] = f"{cells.pop(task)} / {show(row)}"
        else:
            cells[row.task] = show(row)
    return cells


def facts_of(tasks: Sequence[Task], columns: list[str]) -> list[str]:
    """Splits and sizes of each task, and which lack a mismatched half, as sentences of a caption."""
    sizes, lacking = [], []
    for task, fact in ((task.name, read_facts(*task.facts)) for task in tasks):
        halves = [f"{fact['rows']['report']} instances"]
        if f"{task}-mm" in columns:
            halves.append(f"{fact['rows']['mismatched']} of its mismatched half")
        else:
            lacking.append(task)
        sizes.append(f"{task} ({fact['metric']}, {fact['rows']['train']} training instances): {' and '.join(halves)}")
    return [f"{'; '.join(sizes)}.", f"No mismatched half: {', '.join(lacking)}." if lacking else ""]


def server_note(tidy: pd.DataFrame) -> str:
    """What a reader must know of rows from the GLUE server, if any is shown: errata 20 and 30, why levels differ."""
    notes = {
        "paper": "Rows as printed in the paper are single submissions to the GLUE test server, at ratios of their own:"
        " their level is not that of the report split (F1 on QQP is lower there by some 17 points).",
        "server": "Rows marked (GLUE server) are what the same server returned for a submission of ours: of each task"
        " the seed that was best on the selection split, at the thresholds that were chosen there.",
    }
    return sentences([note for name, note in notes.items() if name in tidy and tidy[name].notna().any()])


def miss_note(tidy: pd.DataFrame) -> str:
    """How far thresholds from the selection split miss their ratio on the report split."""
    adaptive = [name for name, system in SYSTEMS.items() if system.exits != "last" and not system.as_released]
    exiting = tidy[tidy["system"].isin(adaptive) & tidy["achieved_speed_up"].notna()]
    if exiting.empty:
        return ""
    miss = (exiting["achieved_speed_up"] / exiting["target_speed_up"] - 1).abs()
    most = exiting.loc[miss.idxmax()]
    return (
        f"They miss it by {100 * miss.mean():.0f} % in the mean and by up to {100 * miss.max():.0f} %"
        f" ({most['method']} on {most['task']}); claims compare systems at exactly the same ratio instead."
    )


def average_note(columns: list[str]) -> str:
    """What the last column is, where there is one."""
    return "AVG is the mean of all columns, both halves of a task counted." if len(columns) > 1 else ""
