"""Trade-off curves of every adaptive system, static ones as points (Figure 5, with all systems)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.figures import figure_of, plot_trade_off, save
from cascadebert.intervals import mean_sd, t_interval
from cascadebert.sweeps import printed_points


def main(sweeps: list[Path], spec: str, pdf: Path) -> None:
    """Draw one panel a column of Table 2.

    Args:
        sweeps: of sweep_thresholds.py, every task, system and seed.
        spec: JSON with tasks, in the order of panels.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    points, columns = printed_points(sweeps, json.loads(spec)["tasks"])
    rows = []
    for (column, system, target), own in points.groupby(["column", "system", "target"], sort=False):
        mean, _ = mean_sd(own["score"].to_numpy())
        low, high = t_interval(own["score"].to_numpy())
        names = {"column": column, "system": system, "target": target, "n_seeds": len(own)}
        rows.append(names | {"speed_up": own["speed_up"].mean(), "mean": mean, "low": low, "high": high})
    frame = pd.DataFrame(rows)
    metrics = dict(zip(points["column"], points["metric"], strict=True))
    figure, axes = figure_of(len(columns))
    for ax, column in zip(axes, columns, strict=True):
        plot_trade_off(ax, frame[frame["column"] == column])
        ax.set_ylabel(f"{column}: {metrics[column]} (%)")
    figure.supxlabel("speed-up: layers of the base / layers executed", fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6, columnspacing=1.2)
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
