"""One run's thresholds, chosen on the selection split for each target speed-up, and what they give (section 4.1)."""

from pathlib import Path

import pandas as pd
import tyro

from cascadebert.exit_rules import Exits
from cascadebert.files import write_csv
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.sweeps import sweep


def main(
    selection: Path,
    report: Path,
    mismatched: Path,
    task: str,
    run: str,
    system: str,
    exits: Exits,
    metric: str,
    targets: list[float],
    out: Path,
    counted: tuple[int, ...] = (),
) -> None:
    """Write one row a seed, measure, target speed-up and split.

    Args:
        selection: .npz of the split that thresholds are chosen on.
        report: .npz of the split that tables print.
        mismatched: .npz of its other half.
        task: name, for the rows.
        run: name, for the rows.
        system: name, for the rows.
        exits: how its instances leave.
        metric: of the task.
        targets: wanted speed-ups.
        out: CSV with columns task, system, run, seed, metric, split, measure, target, threshold, speed_up,
            speed_up_flops, flops, score, n (fractions).
        counted: layers that thresholds are chosen by, one an exit, where they are not those that are executed.
    """
    by_split = {"selection": selection, "report": report, "mismatched": mismatched}
    predictions, frames = {split: read_predictions(path) for split, path in by_split.items()}, []
    for seed in predictions["selection"]:
        of_seed = {split: by_seed[seed] for split, by_seed in predictions.items()}
        rows = sweep(of_seed, exits, targets, metric, counted)
        names = {"task": task, "system": system, "run": run, "seed": seed, "metric": metric}
        frames.append(pd.DataFrame([names | row for row in rows]))
    write_csv(out, pd.concat(frames))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
