"""Figure 8 (not in the paper): the clock's speed-up against the one that is counted in layers."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from cascadebert.pages.figures import legend_outside, panels_of, save, towards
from cascadebert.pages.kinds import Clocked
from cascadebert.pages.styles import style_of
from cascadebert.pages.times import clocked, read_times
from cascadebert.systems import SYSTEMS


def render(page: Clocked, out: Path) -> None:
    """Draw a panel for each task and batch size."""
    frame = clocked(read_times(page.times, page.names, page.runs))
    frame = frame[frame["what"] == "tokens"].copy()
    several = len(page.names) > 1
    frame["column"] = [
        (f"{row.task}, " if several else "") + ("one by one" if row.batch_size == 1 else f"batches of {row.batch_size}")
        for row in frame.itertuples()
    ]
    figure, axes = panels_of(frame, [*dict.fromkeys(frame["column"])], plot_clock, per_row=2, height=2.8)
    figure.supxlabel("speed-up counted in layers (×)", fontsize=8)
    figure.supylabel(towards("speed-up on the clock (×)", "faster"), fontsize=8)
    legend_outside(figure, axes)
    save(figure, frame, out)


def plot_clock(ax: Axes, frame: pd.DataFrame) -> None:
    """A point for each ratio of a system, joined; above the line a system is faster than is counted.

    Args:
        ax: to draw on.
        frame: columns system, speed_up (counted), clock, low, high.
    """
    most = float(frame[["speed_up", "high"]].max().max()) * 1.05
    ax.plot([0.8, most], [0.8, most], color="#999999", linewidth=0.8, zorder=0, label="the clock is what is counted")
    for system, rows in frame.groupby("system", sort=False):
        rows = rows.sort_values("speed_up")
        color, marker, line, _ = style_of(system)
        line = "none" if SYSTEMS[system].exits == "last" else line
        error = [rows["clock"] - rows["low"], rows["high"] - rows["clock"]]
        label = SYSTEMS[system].label.format(k="k")
        ax.errorbar(rows["speed_up"], rows["clock"], error, color=color, marker=marker, linestyle=line, label=label)
