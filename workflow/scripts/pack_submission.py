"""One run's answers to GLUE's test sets at one speed-up, as a zip for the GLUE server (docs/glue-server.md)."""

import logging
from pathlib import Path

import tyro

from cascadebert.files import read_csv
from cascadebert.layouts import Problem
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.submission import FILES, answered, chosen, files_for, filled, write_submission

log = logging.getLogger(__name__)


def main(tasks: list[str], predictions: list[Path], sweeps: list[Path], target: float, out: Path) -> None:
    """Answer each task that has a test set: by the best seed on its selection split, at the threshold chosen there.

    Args:
        tasks: called as in GLUE, in the order of the files.
        predictions: .npz of the test split, one a task.
        sweeps: of sweep_thresholds.py, one a task.
        target: the speed-up.
        out: zip.

    Raises:
        Problem: when no task has a test set, or one has another than the server's.
    """
    files, answers = filled(), []
    for task, path, sweep in zip(tasks, predictions, sweeps, strict=True):
        point = chosen(read_csv(sweep), target)
        held = read_predictions(path)[point["seed"]]
        if not held.id.size:
            log.info("%s: its source has no test set", task)
            continue
        answers.append(task)
        classes, achieved = answered(held, point)
        files |= files_for(task, held, classes)
        log.info(
            "%s: seed %d (%s %.4f on the selection split), threshold %g, %.2fx on the test split",
            *(" and ".join(f"{file}.tsv" for file in FILES[task]), point["seed"], point["metric"], point["score"]),
            *(point["threshold"], achieved),
        )
    if not answers:
        raise Problem(f"no source of {', '.join(tasks)} has a test set: give one, there is nothing to submit.")
    ours = {file for task in answers for file in FILES[task]}
    for file, rows in files.items():
        if file not in ours:
            log.info("%s.tsv: not answered, each of its %d rows filled with %s", file, len(rows), rows[0])
    write_submission(out, files)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
