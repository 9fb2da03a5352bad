"""Control of DAR: the difficulty labels of a task dealt out at random among its training instances."""

from pathlib import Path

import tyro

from cascadebert.files import read_csv, write_csv
from cascadebert.metrics.difficulty import shuffled
from cascadebert.training.streams import stream


def main(labels: Path, seed: int, out: Path) -> None:
    """Permute what is known of the instances against their ids.

    Args:
        labels: labels.csv of label_difficulty.py.
        seed: of the permutation.
        out: CSV with the same columns id, right, difficult.
    """
    write_csv(out, shuffled(read_csv(labels), stream(seed, "shuffled difficulty")))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
