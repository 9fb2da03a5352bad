"""Figures: each function draws a frame on given axes; one function saves, with the plotted frame beside it."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascadebert.records import atomic, write_csv
from cascadebert.systems import SYSTEMS

WIDE, NARROW = 6.3, 3.0
"""Widths in inches: both columns of the page, one column."""

STYLE = {
    "font.size": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "figure.constrained_layout.use": True,
}
"""matplotlib settings of every figure."""


def plot_trade_off(ax: Axes, frame: pd.DataFrame) -> None:
    """Score against speed-up: a curve for each adaptive system, a point for each static one.

    The axis spans the means; an interval that reaches beyond is cut.

    Args:
        ax: to draw on.
        frame: columns system, speed_up (mean achieved), mean, low, high (fractions; NaN where there is no interval).
    """
    seen: list[float] = []
    for name, system in SYSTEMS.items():
        own = frame[frame["system"] == name].sort_values("speed_up")
        if own.empty:
            continue
        label = system.label.format(k="k")
        style = {"color": system.color, "marker": system.marker, "label": label}
        seen += [100 * own["mean"].min(), 100 * own["mean"].max()]
        if system.exits == "last":
            reach = (100 * (own["high"] - own["mean"])).fillna(0)
            ax.errorbar(
                own["speed_up"],
                100 * own["mean"],
                reach,
                linestyle="none",
                elinewidth=0.8,
                capsize=2,
                markersize=6,
                zorder=3,
                **style,
            )
        else:
            ax.plot(own["speed_up"], 100 * own["mean"], linestyle=system.line, **style)
            ax.fill_between(
                own["speed_up"], 100 * own["low"], 100 * own["high"], color=system.color, alpha=0.12, linewidth=0
            )
    if seen:
        margin = max(2.0, 0.12 * (max(seen) - min(seen)))
        ax.set_ylim(min(seen) - margin, max(seen) + margin)


def save(figure: Figure, frame: pd.DataFrame, pdf: Path) -> None:
    """Write the PDF, a PNG and the plotted frame as CSV under one name; the same frame gives the same bytes."""
    for path, options in ((pdf, {"metadata": {"CreationDate": None}}), (pdf.with_suffix(".png"), {"dpi": 300})):
        with atomic(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], **options)
    write_csv(pdf.with_suffix(".csv"), frame)


def figure_of(panels: int, width: float = WIDE, height: float = 2.6) -> tuple[Figure, list[Axes]]:
    """A figure of some panels side by side, in our style, without a display."""
    mpl.rcParams.update(STYLE)
    figure = Figure(figsize=(width, height))
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])
