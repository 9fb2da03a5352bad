"""Score against speed-up of every system: curves, and points for static ones (Figure 5, with all systems)."""

import json
from pathlib import Path

import tyro

from cascadebert.analysis import trade_off
from cascadebert.figures import save, trade_off_figure
from cascadebert.sweeps import printed_points


def main(sweeps: list[Path], spec: str, pdf: Path) -> None:
    """Draw a panel for each column of Table 2.

    Args:
        sweeps: of sweep_thresholds.py, every task and run.
        spec: JSON with tasks, in the order of panels.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    points, columns = printed_points(sweeps, json.loads(spec)["tasks"])
    metrics = dict(zip(points["column"], points["metric"], strict=True))
    frame = trade_off(points, "figure5_all")
    save(trade_off_figure(frame, {column: metrics[column] for column in columns}, ncols=4), frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
