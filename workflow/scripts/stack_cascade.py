"""A cascade's logits: its members' logits, one exit each, with the layers executed so far (section 3.1)."""

from pathlib import Path

import numpy as np
import tyro

from cascadebert.metrics.predictions import cascades_of, read_predictions, write_predictions


def main(members: list[Path], out: list[Path]) -> None:
    """Stack members that were trained apart; only the clip norm coupled them in the released code (erratum 12).

    Args:
        members: predictions; members outermost, in ascending depth, then splits.
        out: where the stacked ones go, one a split.
    """
    by_split = np.array(members, dtype=object).reshape(-1, len(out)).T
    for files, target in zip(by_split, out, strict=True):
        write_predictions(target, cascades_of([read_predictions(path) for path in files]))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
