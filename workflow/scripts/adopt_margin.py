"""A regularized member at the margin that was selected for its task, under a name without the margin."""

import shutil
from pathlib import Path

import tyro

from cascadebert.files import atomic, read_json


def main(selected: Path, margins: list[float], candidates: list[Path], out: list[Path]) -> None:
    """Copy the model, its record and its answers at one margin.

    Args:
        selected: of select_margin.py.
        margins: the grid.
        candidates: files of a run at every margin; margins outermost.
        out: where those of the selected one go.
    """
    first = margins.index(read_json(selected)["margin"]) * len(out)
    for source, target in zip(candidates[first : first + len(out)], out, strict=True):
        with atomic(target) as temporary:
            shutil.copyfile(source, temporary)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
