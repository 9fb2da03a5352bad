"""Trade-off curves of every adaptive system, static ones as points (Figure 5, with all systems)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.figures import figure_of, plot_trade_off, save
from cascadebert.intervals import mean_sd, t_interval
from cascadebert.tables import HALVES, columns_of


def main(sweeps: list[Path], spec: str, pdf: Path) -> None:
    """Draw one panel a column of Table 2.

    Args:
        sweeps: of sweep_thresholds.py, every task, system and seed.
        spec: JSON with tasks, in the order of panels.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    points = pd.concat([pd.read_csv(path) for path in sweeps], ignore_index=True)
    points = points[points["split"].isin(HALVES)]
    points = points.assign(column=points["task"] + points["split"].map(HALVES))
    columns = columns_of(points, json.loads(spec)["tasks"])
    rows = []
    for (column, system, target), own in points.groupby(["column", "system", "target"], sort=False):
        mean, _ = mean_sd(own["score"].to_numpy())
        low, high = t_interval(own["score"].to_numpy())
        names = {"column": column, "system": system, "target": target, "n_seeds": len(own)}
        rows.append(names | {"speed_up": own["speed_up"].mean(), "mean": mean, "low": low, "high": high})
    frame = pd.DataFrame(rows)
    frame = frame[frame["column"].isin(columns)]
    metrics = dict(zip(points["column"], points["metric"], strict=True))
    figure, axes = figure_of(len(columns))
    for ax, column in zip(axes, columns, strict=True):
        plot_trade_off(ax, frame[frame["column"] == column])
        ax.set_ylabel(f"{column}: {metrics[column]} (%)")
    axes[0].legend(loc="lower left")
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
