"""One run's thresholds, chosen on the selection split for each target speed-up, and what they give (section 4.1)."""

from pathlib import Path

import tyro

from cascadebert.exit_rules import Exits
from cascadebert.files import write_csv
from cascadebert.metrics.baselines import read_baselines
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.sweeps import sweep_seeds


def main(
    selection: Path,
    report: Path,
    mismatched: Path,
    baselines: Path,
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
        baselines: .npz of the task's baselines of common sense.
        task: name, for the rows.
        run: name, for the rows.
        system: name, for the rows.
        exits: how its instances leave.
        metric: of the task.
        targets: wanted speed-ups.
        out: CSV with columns task, system, run, seed, metric, split, measure, target, threshold, speed_up,
            speed_up_flops, flops, score, n, and what `sweep_seeds` says of the baselines (fractions).
        counted: layers that thresholds are chosen by, one an exit, where they are not those that are executed.
    """
    by_split = {"selection": selection, "report": report, "mismatched": mismatched}
    predictions = {split: read_predictions(path) for split, path in by_split.items()}
    frame = sweep_seeds(predictions, exits, targets, metric, read_baselines(baselines)[0], counted)
    for place, name, value in ((0, "task", task), (1, "system", system), (2, "run", run), (4, "metric", metric)):
        frame.insert(place, name, value)
    write_csv(out, frame)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
