"""Difficulty of each training instance: easy if its held-out prediction was right in all seeds (section 3.2)."""

import logging
from pathlib import Path

import numpy as np
import tyro

from cascadebert.files import write_csv
from cascadebert.metrics.difficulty import difficulty_table
from cascadebert.metrics.predictions import read_predictions


def main(predictions: list[Path], seeds: list[int], out: Path) -> None:
    """Join the out-of-fold predictions.

    Args:
        predictions: of predict_fold.py, all folds of the first seed, then of the second, and so on.
        seeds: difficulty seeds.
        out: CSV with columns id, right (number of seeds), difficult.
    """
    by_seed = np.array_split(np.array(predictions, dtype=object), len(seeds))
    table = difficulty_table([[read_predictions(path) for path in of_seed] for of_seed in by_seed])
    logging.info("%d of %d training instances are difficult", table["difficult"].sum(), len(table))
    write_csv(out, table)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
