"""How good each exit of one run is on its own: accuracy, DIS (Eq. 3) and ECE (Eq. 7); Table 5 and Figure 3."""

from pathlib import Path

import pandas as pd
import tyro

from cascadebert.files import write_csv
from cascadebert.metrics.measures import measures
from cascadebert.metrics.predictions import read_predictions


def main(report: Path, mismatched: Path, task: str, run: str, out: Path) -> None:
    """Write one row a seed, split and exit.

    Args:
        report: .npz of the split that tables print.
        mismatched: .npz of its other half.
        task: name, for the rows.
        run: name, for the rows.
        out: CSV with columns task, run, seed, split, layers, accuracy, dis, ece, n (fractions).
    """
    by_split, frames = {"report": read_predictions(report), "mismatched": read_predictions(mismatched)}, []
    for seed in by_split["report"]:
        for split, by_seed in by_split.items():
            names = {"task": task, "run": run, "seed": seed, "split": split}
            frames.append(pd.DataFrame([names | row for row in measures(by_seed[seed])]))
    write_csv(out, pd.concat(frames))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
