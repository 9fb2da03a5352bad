"""Table 5: DIS, accuracy and ECE of the small member with and without DAR (section 5.2), and of its controls."""

from pathlib import Path

import pandas as pd

from cascadebert.metrics.crossed import Crossed, interval
from cascadebert.metrics.exact import exit_measures
from cascadebert.metrics.intervals import mean_sd
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.sweeps import HALVES
from cascadebert.pages.kinds import Calibration
from cascadebert.pages.tables import seeds_by, two_way_over, with_interval, write_table

MEASURES = {"dis": "DIS ↑", "accuracy": "Acc ↑", "ece": "ECE ↓"}
WITHOUT = "without DAR"
PRINTED = {"with DAR": "cascadebert", WITHOUT: "cascadebert_without_dar"}
"""What the paper's table calls these."""


def render(page: Calibration, out: Path) -> None:
    """Summarise the small member's measures over seeds and instances."""
    tidy = calibration(page)
    said = [
        f"The cascade's small member on the report split, in per cent, {two_way_over(seeds_by(tidy))}; second lines:"
        " difference to the member without DAR, paired, in points of per cent.",
        "DIS (Eq. 3) counts an instance as difficult if the member gets it wrong; accuracy is accuracy whatever the"
        " task's metric (erratum 24); ECE (Eq. 7) has 10 bins of equal width (erratum 23).",
        "A temperature cannot change the order of confidences in a binary task, hence neither DIS nor accuracy there.",
        "- : undefined (no easy or no difficult instance).",
    ]
    table = layout(tidy, page.decimals)
    write_table(page, out, tidy, table, said)


def calibration(page: Calibration) -> pd.DataFrame:
    """A row a column, method and measure: mean, interval, difference to the member without DAR, the paper's value."""
    printed = pd.read_csv(page.paper).set_index(["system", "task"])
    names = {task.name: task.glue for task in page.tasks}
    of_column: dict[str, dict[str, dict[str, Crossed]]] = {}
    for file in page.predictions:
        by_seed = read_predictions(file.path)
        if next(iter(by_seed.values())).label.size:
            column = f"{file.task}{HALVES[file.split]}"
            of_column.setdefault(column, {})[file.of] = exit_measures(column, by_seed, 0)
    rows = []
    for column in [f"{task}{end}" for task in page.names for end in HALVES.values() if f"{task}{end}" in of_column]:
        for method, of in of_column[column].items():
            for measure in MEASURES:
                value = of[measure]
                alone, change = interval(value), interval(value - of_column[column][WITHOUT][measure])
                numbers = {"mean": alone.estimate, "sd": mean_sd(value.values)[1], "low": alone.low, "high": alone.high}
                numbers |= {"n_seeds": len(value.seeds), "difference": change.estimate}
                numbers |= {"difference_low": change.low, "difference_high": change.high}
                theirs = printed[measure].get((PRINTED.get(method), names.get(column)), float("nan")) / 100
                rows.append({"task": column, "method": method, "measure": measure} | numbers | {"paper": theirs})
    return pd.DataFrame(rows)


def layout(tidy: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Two lines a method, and the paper's where there are its values."""
    nothing = float("nan")
    lines = []
    for (column, method), rows in tidy.groupby(["task", "method"], sort=False):
        shown = {method: lambda row: with_interval(row.mean, row.low, row.high, decimals)}
        if method != WITHOUT:
            shown["  difference"] = lambda row: with_interval(
                row.difference, row.difference_low, row.difference_high, decimals
            )
        if rows["paper"].notna().any():
            shown["  as printed in the paper"] = lambda row: with_interval(row.paper, nothing, nothing, 2)
        lines += [
            {"Dataset": column, "Method": label} | {MEASURES[row.measure]: show(row) for row in rows.itertuples()}
            for label, show in shown.items()
        ]
    return pd.DataFrame(lines)
