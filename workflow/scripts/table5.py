"""Table 5: DIS, accuracy and ECE of the small member with and without DAR (section 5.2), and of its controls."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.metrics.intervals import mean_sd, paired_interval, t_interval
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.tables import MISSING, intervals_over, seeds_by, sentences, with_interval, write_table

MEASURES = {"dis": "DIS ↑", "accuracy": "Acc ↑", "ece": "ECE ↓"}
WITHOUT = "without DAR"
PRINTED = {"with DAR": "cascadebert", WITHOUT: "cascadebert_without_dar"}
"""What the paper's table calls these."""


def main(measures: list[Path], paper: Path, spec: str, decimals: int, csv: Path) -> None:
    """Summarise the small member's measures over seeds.

    Args:
        measures: of measure_exits.py, every task and run.
        paper: the paper's printed values.
        spec: JSON with tasks, glue (the paper's names, or null), methods (run, its name here), notes.
        decimals: of numbers in per cent.
        csv: tidy, fractions, unrounded; the layout goes beside it as .md and .tex.
    """
    wanted = json.loads(spec)
    found, columns = printed_points(measures, wanted["tasks"])
    printed = pd.read_csv(paper).set_index(["system", "task"])
    names = dict(zip(wanted["tasks"], wanted["glue"], strict=True))
    rows = []
    for column in columns:
        by_run = {run: own.sort_values("seed") for run, own in found[found["column"] == column].groupby("run")}
        reference = by_run[next(run for run, method in wanted["methods"] if method == WITHOUT)]
        for run, method in wanted["methods"]:
            for measure in MEASURES:
                values = by_run[run][measure].to_numpy()
                mean, sd = mean_sd(values)
                low, high = t_interval(values)
                change = paired_interval(values, reference[measure].to_numpy())
                key = PRINTED.get(method), names.get(column)
                rows.append(
                    {
                        "task": column,
                        "method": method,
                        "measure": measure,
                        "mean": mean,
                        "sd": sd,
                        "low": low,
                        "high": high,
                    }
                    | {"n_seeds": len(values), "difference": change[0], "difference_low": change[1]}
                    | {"difference_high": change[2]}
                    | {"paper": printed[measure].get(key, float("nan")) / 100}
                )
    tidy = pd.DataFrame(rows)
    intervals = intervals_over(seeds_by(tidy))
    text = sentences(
        [
            f"The cascade's small member on the report split, in per cent, {intervals}; second lines:"
            " difference to the member without DAR, paired over seeds, in points of per cent.",
            "DIS (Eq. 3) counts an instance as difficult if the member gets it wrong; accuracy is accuracy whatever the"
            " task's metric (erratum 24); ECE (Eq. 7) has 10 bins of equal width (erratum 23).",
            "A temperature cannot change the order of confidences in a binary task, hence neither DIS nor accuracy"
            " there.",
            "- : undefined (no easy or no difficult instance).",
            *wanted["notes"],
        ]
    )
    table = layout(tidy, decimals)
    write_table(csv, tidy, (table, table), "Table 5", text)


def layout(tidy: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """Two lines a method, and the paper's where there are its values."""
    lines = []
    for (column, method), own in tidy.groupby(["task", "method"], sort=False):
        of = own.set_index("measure")

        def line(
            label: str, *names: str, digits: int = decimals, of: pd.DataFrame = of, column: str = column
        ) -> dict[str, str]:
            cells = {
                title: with_interval(*(of.loc[measure, name] if name else float("nan") for name in names), digits)
                for measure, title in MEASURES.items()
            }
            return {"Dataset": column, "Method": label} | cells

        lines.append(line(method, "mean", "low", "high"))
        if method != WITHOUT:
            lines.append(line("  difference", "difference", "difference_low", "difference_high"))
        if own["paper"].notna().any():
            lines.append(line("  as printed in the paper", "paper", "", "", digits=2))
    return pd.DataFrame(lines).fillna(MISSING)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
