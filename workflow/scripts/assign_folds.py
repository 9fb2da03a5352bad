"""K stratified folds of the training split, one split for all difficulty seeds (section 3.2, erratum 10)."""

from pathlib import Path

import tyro

from cascadebert.files import read_examples, write_csv
from cascadebert.metrics.difficulty import assign_folds


def main(examples: Path, n_folds: int, seed: int, out: Path) -> None:
    """Assign each training instance to a fold.

    Args:
        examples: training.jsonl of prepare_task.py.
        n_folds: K.
        seed: of the split.
        out: CSV with columns id, fold.
    """
    train = read_examples(examples).query("split == 'train'")
    codes = train["label"].astype("category").cat.codes.to_numpy()
    write_csv(out, train[["id"]].assign(fold=assign_folds(codes, n_folds, seed)))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
