"""Table 5: DIS, accuracy and ECE of the small member with and without DAR (section 5.2), and of its controls."""

from pathlib import Path

import pandas as pd

from cascadebert.metrics.intervals import mean_sd, paired_interval, t_interval
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.kinds import Calibration
from cascadebert.pages.tables import intervals_over, seeds_by, with_interval, write_table

MEASURES = {"dis": "DIS ↑", "accuracy": "Acc ↑", "ece": "ECE ↓"}
WITHOUT = "without DAR"
PRINTED = {"with DAR": "cascadebert", WITHOUT: "cascadebert_without_dar"}
"""What the paper's table calls these."""


def render(page: Calibration, out: Path) -> None:
    """Summarise the small member's measures over seeds."""
    tidy = calibration(page)
    intervals = intervals_over(seeds_by(tidy))
    said = [
        f"The cascade's small member on the report split, in per cent, {intervals}; second lines:"
        " difference to the member without DAR, paired over seeds, in points of per cent.",
        "DIS (Eq. 3) counts an instance as difficult if the member gets it wrong; accuracy is accuracy whatever the"
        " task's metric (erratum 24); ECE (Eq. 7) has 10 bins of equal width (erratum 23).",
        "A temperature cannot change the order of confidences in a binary task, hence neither DIS nor accuracy there.",
        "- : undefined (no easy or no difficult instance).",
    ]
    table = layout(tidy, page.decimals)
    write_table(page, out, tidy, table, said)


def calibration(page: Calibration) -> pd.DataFrame:
    """A row a column, method and measure: mean, interval, difference to the member without DAR, the paper's value."""
    found, columns = printed_points(page.measures, page.names)
    printed = pd.read_csv(page.paper).set_index(["system", "task"])
    names = {task.name: task.glue for task in page.tasks}
    without = next(run for run, method in page.methods.items() if method == WITHOUT)
    rows = []
    for column in columns:
        by_run = {run: own.sort_values("seed") for run, own in found[found["column"] == column].groupby("run")}
        for run, method in page.methods.items():
            for measure in MEASURES:
                values, reference = (by_run[name][measure].to_numpy() for name in (run, without))
                numbers = dict(zip(("mean", "sd", "low", "high"), (*mean_sd(values), *t_interval(values)), strict=True))
                change = paired_interval(values, reference)
                titles = ("difference", "difference_low", "difference_high")
                numbers |= {"n_seeds": len(values)} | dict(zip(titles, change, strict=True))
                theirs = printed[measure].get((PRINTED.get(method), names.get(column)), float("nan")) / 100
                rows.append({"task": column, "method": method, "measure": measure} | numbers | {"paper": theirs})
    return pd.DataFrame(rows)


def layout(tidy: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Two lines a method, and the paper's where there are its values."""
    nothing = float("nan")
    lines = []
    for (column, method), own in tidy.groupby(["task", "method"], sort=False):
        shown = {method: lambda row: with_interval(row.mean, row.low, row.high, decimals)}
        if method != WITHOUT:
            shown["  difference"] = lambda row: with_interval(
                row.difference, row.difference_low, row.difference_high, decimals
            )
        if own["paper"].notna().any():
            shown["  as printed in the paper"] = lambda row: with_interval(row.paper, nothing, nothing, 2)
        lines += [
            {"Dataset": column, "Method": label} | {MEASURES[row.measure]: show(row) for row in own.itertuples()}
            for label, show in shown.items()
        ]
    return pd.DataFrame(lines)
