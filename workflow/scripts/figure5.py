"""Score against speed-up, curves for adaptive systems and points for static ones (Figure 5, and with all systems)."""

import json
from pathlib import Path

import tyro

from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.analysis import trade_off
from cascadebert.pages.figures import save, trade_off_figure


def main(sweeps: list[Path], spec: str, pdf: Path) -> None:
    """Draw a panel for each column of Table 2.

    Args:
        sweeps: of sweep_thresholds.py, every task and run that the figure shows.
        spec: JSON with tasks, in the order of panels, and name, figure5 or figure5_all.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    wanted = json.loads(spec)
    points, columns = printed_points(sweeps, wanted["tasks"])
    metrics = dict(zip(points["column"], points["metric"], strict=True))
    frame = trade_off(points, wanted["name"])
    ncols = min(4, frame["system"].nunique())
    save(trade_off_figure(frame, {column: metrics[column] for column in columns}, ncols), frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
