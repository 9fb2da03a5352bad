"""One run's thresholds, chosen on the selection split for each target speed-up, and what they give (section 4.1)."""

from pathlib import Path

import pandas as pd
import tyro

from cascadebert.files import write_csv
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.systems import SYSTEMS


def main(
    selection: list[Path],
    report: list[Path],
    mismatched: list[Path],
    seeds: list[int],
    task: str,
    run: str,
    system: str,
    metric: str,
    targets: list[float],
    out: Path,
) -> None:
    """Write one row a seed, measure, target speed-up and split.

    Args:
        selection: .npz of the split that thresholds are chosen on, one a seed.
        report: .npz of the split that tables print.
        mismatched: .npz of its other half.
        seeds: in the order of the files.
        task: name, for the rows.
        run: name, for the rows.
        system: name in systems.py.
        metric: of the task.
        targets: wanted speed-ups.
        out: CSV with columns task, system, run, seed, metric, split, measure, target, threshold, speed_up,
            speed_up_flops, flops, score, n (fractions).
    """
    frames = []
    for seed, *files in zip(seeds, selection, report, mismatched, strict=True):
        splits = zip(("selection", "report", "mismatched"), files, strict=True)
        rows = sweep({name: read_predictions(path) for name, path in splits}, SYSTEMS[system].exits, targets, metric)
        names = {"task": task, "system": system, "run": run, "seed": seed, "metric": metric}
        frames.append(pd.DataFrame([names | row for row in rows]))
    write_csv(out, pd.concat(frames))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
