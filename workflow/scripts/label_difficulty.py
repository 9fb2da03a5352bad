"""Difficulty of each training instance: easy if its held-out prediction was right in all seeds (section 3.2)."""

import logging
from pathlib import Path

import tyro

from cascadebert.files import write_csv
from cascadebert.metrics.difficulty import difficulty_table
from cascadebert.metrics.predictions import Predictions, read_predictions


def main(predictions: list[Path], out: Path) -> None:
    """Join the out-of-fold predictions.

    Args:
        predictions: of predict_fold.py, all folds of all seeds.
        out: CSV with columns id, right (number of seeds), difficult.
    """
    by_seed: dict[int, list[Predictions]] = {}
    for path in predictions:
        for seed, of_fold in read_predictions(path).items():
            by_seed.setdefault(seed, []).append(of_fold)
    table = difficulty_table(list(by_seed.values()))
    logging.info("%d of %d training instances are difficult", table["difficult"].sum(), len(table))
    write_csv(out, table)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
