"""One run's thresholds, chosen on the selection split for each target speed-up, and what they give (section 4.1)."""

from pathlib import Path

import pandas as pd
import tyro

from cascadebert.records import read_predictions, write_csv
from cascadebert.sweeps import sweep
from cascadebert.systems import SYSTEMS


def main(
    selection: Path,
    report: Path,
    mismatched: Path,
    task: str,
    system: str,
    seed: int,
    metric: str,
    targets: list[float],
    out: Path,
) -> None:
    """Write one row a split and target speed-up; a system without early exit has one target, its own ratio.

    Args:
        selection: .npz of the split that thresholds are chosen on.
        report: .npz of the split that tables print.
        mismatched: .npz of its other half.
        task: name, for the rows.
        system: name in systems.py.
        seed: for the rows.
        metric: of the task.
        targets: wanted speed-ups.
        out: CSV with columns task, system, seed, metric, split, target, threshold, speed_up, score, n (fractions).
    """
    exits = SYSTEMS[system].exits
    splits = {"selection": selection, "report": report, "mismatched": mismatched}
    loaded = {name: read_predictions(path) for name, path in splits.items()}
    stack = loaded["selection"].stack
    wanted = [stack.full_layers / float(stack.layers[-1])] if exits == "last" else targets
    rows = pd.DataFrame(sweep(loaded, exits, wanted, metric))
    names = {"task": task, "system": system, "seed": seed, "metric": metric}
    write_csv(out, rows.assign(**names)[[*names, *rows.columns]])


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
