"""A regularized member at the margin that was selected for its task: its logits, under a name without the margin."""

from pathlib import Path

import tyro

from cascadebert.records import read_json, read_predictions, write_predictions


def main(selected: Path, margins: list[float], candidates: list[Path], out: list[Path]) -> None:
    """Copy the predictions of one margin.

    Args:
        selected: of select_margin.py.
        margins: the grid.
        candidates: predictions; margins outermost, then splits.
        out: where they go, one a split.
    """
    first = margins.index(read_json(selected)["margin"]) * len(out)
    for source, target in zip(candidates[first : first + len(out)], out, strict=True):
        write_predictions(target, read_predictions(source))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
