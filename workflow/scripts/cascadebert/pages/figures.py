"""Figures: their style, how panels are laid out, and how they are saved with the plotted frame beside them."""

import logging
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator

from cascadebert.files import atomic, write_csv
from cascadebert.metrics.intervals import mean_sd, t_interval

log = logging.getLogger(__name__)

WIDE = 6.3
"""Width in inches: both columns of the page."""

STYLE: Any = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "hatch.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.5,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "pdf.fonttype": 42,
    "text.parse_math": False,  # a dollar sign is one
    "figure.constrained_layout.use": True,
}
"""matplotlib settings of every figure."""

FALLBACKS = (
    *(
        "Noto Sans CJK JP",
        "Noto Sans CJK SC",
        "WenQuanYi Zen Hei",
        "Droid Sans Fallback",
        "Arial Unicode MS",
        "Unifont",
    ),
    *("Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai", "Noto Sans Hebrew", "FreeSans"),
)
"""Fonts of scripts that ours lacks; where none is installed, a box stands for the letter, and the log says so."""


def fonts() -> list[str]:
    """Our font, and behind it those of this machine that have letters which it lacks."""
    held = {font.name for font in fontManager.ttflist}
    return ["DejaVu Sans", *(name for name in FALLBACKS if name in held)]


def over_seeds(values: Shaped[np.ndarray, " seeds"]) -> dict[str, Any]:
    """Mean of some seeds' fractions, its t interval (NaN for a single seed), and how many there are."""
    low, high = t_interval(values)
    return {"mean": mean_sd(values)[0], "low": low, "high": high, "n_seeds": len(values)}


def figure_of(
    panels: int, per_row: int = 3, height: float = 2.6, parts: tuple[int, ...] = (1,), **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of some panels in our style, without a display.

    Args:
        panels: how many.
        per_row: at most; rows are filled evenly, so that four panels are two rows of two.
        height: of a row, in inches.
        parts: relative widths of the axes that a panel is made of.
        options: of Figure.subplots.

    Returns:
        The figure and its axes, row by row.
    """
    mpl.rcParams.update(STYLE | {"font.family": fonts()})
    rows = math.ceil(panels / per_row)
    columns, held = math.ceil(panels / rows), panels * len(parts)
    figure = Figure(figsize=(WIDE, rows * height))
    options |= {"squeeze": False, "width_ratios": parts * columns}
    axes = figure.subplots(rows, columns * len(parts), **options).ravel()
    for ax in axes[held:]:
        ax.remove()
    return figure, list(axes[:held])


def panels_of(
    frame: pd.DataFrame, columns: list[str], plot: Callable[[Axes, pd.DataFrame], Any], **layout: Any
) -> tuple[Figure, list[Axes]]:
    """A panel for each column of a frame, titled with its name.

    Args:
        frame: with a column named column.
        columns: names, in order.
        plot: draws one column's rows on given axes.
        layout: of `figure_of`.
    """
    figure, axes = figure_of(len(columns), **layout)
    for ax, column in zip(axes, columns, strict=True):
        plot(ax, frame[frame["column"] == column])
        ax.set_title(column)
    return figure, axes


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """How wide a text is in a font of some points, in inches."""
    font = FontProperties(family=fonts(), size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(text, font, False)[0] / 72


def legend_outside(
    figure: Figure, axes: list[Axes], where: Literal["upper", "lower"] = "upper", title: str | None = None
) -> None:
    """One legend of every label that some panel has, in as many columns as fit; the figure grows by its height.

    Args:
        figure: in our style.
        axes: its panels.
        where: "upper" or "lower": above all panels or beneath them.
        title: of the legend.
    """
    handle_of: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        handle_of |= {label: handle for label, handle in zip(labels, handles, strict=True) if label not in handle_of}
    if handle_of:
        widest = 0.6 + max(width_of(label, float(STYLE["legend.fontsize"])) for label in handle_of)
        ncols = min(len(handle_of), max(1, int(figure.get_figwidth() / widest)))
        spread: dict[str, Any] = {"loc": f"outside {where} center", "ncols": ncols, "columnspacing": 1.2}
        figure.legend(handle_of.values(), handle_of.keys(), title=title, **spread)
        lines = math.ceil(len(handle_of) / ncols) + bool(title)
        figure.set_figheight(figure.get_figheight() + 0.16 * lines)


def towards(label: str, word: str = "better") -> str:
    """An axis label that says which way is better; along a vertical axis its arrow points upwards."""
    return f"{label} → {word}"


def say(ax: Axes, text: str) -> None:
    """A sentence in place of a panel that has nothing to show."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)


def sentence(text: str) -> Figure:
    """A sentence in place of a whole figure."""
    figure, (ax,) = figure_of(1, height=0.6)
    say(ax, text)
    return figure


def span(ax: Axes, means: np.ndarray) -> None:
    """Make the vertical axis span some means, in per cent; an interval that reaches beyond is cut."""
    low, high = np.nanmin(means), np.nanmax(means)
    margin = max(2.0, 0.12 * (high - low))
    ax.set_ylim(low - margin, min(high + margin, 101))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))


def interval_bars(rows: pd.DataFrame) -> np.ndarray:
    """Half the width of each row's interval, in per cent; 0 where there is none."""
    return (100 * (rows["high"] - rows["mean"])).fillna(0).to_numpy()


def save(figure: Figure, frame: pd.DataFrame, pdf: Path) -> None:
    """Write the PDF, a PNG and the plotted frame as CSV under one name; the same frame gives the same bytes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _write(figure, pdf)
    if any("missing from font" in str(warning.message) for warning in caught):
        log.warning(
            "%s has letters that no font here has: install fonts of their scripts, for example Noto's", pdf.name
        )
    write_csv(pdf.with_suffix(".csv"), frame)


def _write(figure: Figure, pdf: Path) -> None:
    for path, options in ((pdf, {"metadata": {"CreationDate": None}}), (pdf.with_suffix(".png"), {"dpi": 300})):
        with atomic(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], **options)
