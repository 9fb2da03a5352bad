"""Score against speed-up, curves for adaptive systems and points for static ones (Figure 5, and with all systems)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cascadebert.metrics.baselines import BASELINES
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.figures import (
    figure_of,
    interval_bars,
    legend_outside,
    over_seeds,
    panels_of,
    save,
    span,
    towards,
)
from cascadebert.pages.kinds import TradeOff
from cascadebert.pages.styles import COMMON_SENSE, short_name, style_of
from cascadebert.systems import SYSTEMS

METRICS = {"accuracy": "accuracy", "f1": "F1"}


def render(page: TradeOff, out: Path) -> None:
    """Draw a panel for each column of Table 2."""
    points, columns = printed_points(page.sweeps, page.names)
    scores = dict(zip(points["column"], points["metric"], strict=True))
    metrics = {column: scores[column] for column in columns}
    frame = trade_off(points, page.systems)
    if page.ratio is None:
        figure = curves_figure(frame, metrics)
    else:
        frame = pd.concat([frame, better_baselines(points, columns)], ignore_index=True)
        figure = comparison_figure(frame, metrics, page.ratio)
    save(figure, frame, out)


def trade_off(points: pd.DataFrame, systems: Sequence[str]) -> pd.DataFrame:
    """Figure 5: operating points of a figure's systems, over seeds.

    Args:
        points: of `printed_points`.
        systems: that the figure shows.

    Returns:
        A row a column, system, run and target: speed_up (mean achieved), mean, low, high (score), n_seeds.
    """
    names, rows = ["column", "system", "run", "target"], []
    for key, of_key in points[points["system"].isin(systems)].groupby(names, sort=False):
        entry = dict(zip(names, key, strict=True)) | {"speed_up": of_key["speed_up"].mean()}
        rows.append(entry | over_seeds(of_key["score"].to_numpy()))
    return pd.DataFrame(rows, columns=[*names, "speed_up", "mean", "low", "high", "n_seeds"])


def better_baselines(points: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The better baseline of common sense in each column, as rows of `trade_off` without a ratio."""
    scores = points.drop_duplicates("column").set_index("column").loc[columns, list(BASELINES)]
    best = {"column": columns, "system": scores.idxmax(axis=1).to_numpy(), "mean": scores.max(axis=1).to_numpy()}
    return pd.DataFrame(best).assign(run="", n_seeds=0)


def plot_trade_off(ax: Axes, frame: pd.DataFrame, bars: bool = True) -> None:
    """Score against speed-up: a curve for each adaptive system, points for each static one, a line for a baseline.

    Every mark stands at its own ratio. The axis spans the means; an interval that reaches beyond is cut.

    Args:
        ax: to draw on.
        frame: columns system, speed_up (mean achieved), mean, low, high (fractions; NaN where there is no interval).
        bars: whether intervals are drawn.
    """
    for name, system in SYSTEMS.items():
        rows = frame[frame["system"] == name].sort_values("speed_up")
        if rows.empty:
            continue
        color, marker, line, _ = style_of(name)
        style: dict[str, Any] = {"color": color, "marker": marker, "label": system.label.format(k="k")}
        style |= {"linestyle": "none" if system.exits == "last" else line, "markersize": 3.5, "elinewidth": 0.8}
        ax.errorbar(rows["speed_up"], 100 * rows["mean"], interval_bars(rows) if bars else None, **style)
    for row in frame[frame["system"].isin(BASELINES)].itertuples():
        ax.axhline(100 * row.mean, color="#999999", linewidth=0.8, zorder=0)
    if not frame.empty:
        span(ax, 100 * frame["mean"].to_numpy())
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def nearest(frame: pd.DataFrame, ratio: float) -> pd.DataFrame:
    """Of each system the point that is nearest to a speed-up, and a baseline, which has none; the best score first."""
    distance = (frame["speed_up"] - ratio).abs().fillna(0)
    rows = frame.loc[distance.groupby(frame["system"], sort=False).idxmin()]
    return rows.sort_values("mean", ascending=False, kind="stable")


def plot_at_ratio(ax: Axes, frame: pd.DataFrame, ratio: float) -> None:
    """Each system by name, with its score and interval at one speed-up; the best on top.

    The axis spans the means and an interval of middling width; one that reaches beyond is cut, and an arrow says so.

    Args:
        ax: to draw on.
        frame: as `plot_trade_off` takes it.
        ratio: the speed-up; of a system that has none there the nearest, told in brackets if a tenth away or more.
    """
    rows = nearest(frame, ratio)
    names = []
    halves = interval_bars(rows)
    margin = max(2.0, float(np.median(halves)))
    low, high = max(0, 100 * rows["mean"].min() - margin), min(100, 100 * rows["mean"].max() + margin)
    for place, (row, half) in enumerate(zip(rows.itertuples(), halves, strict=True)):
        score = 100 * row.mean
        if row.system in BASELINES:
            ax.axvline(score, color="#999999", linewidth=0.8, zorder=0)
            ax.plot(score, place, color="#999999", marker="|", markersize=7)
            names.append(COMMON_SENSE[row.system])
            continue
        color, marker, line, _ = style_of(row.system)
        ax.hlines(place, max(low, score - half), min(high, score + half), color=color, linewidth=0.9)
        ax.plot(score, place, color=color, marker=marker, linestyle=line)
        for end, arrow, beyond in ((low, "<", score - half < low), (high, ">", score + half > high)):
            if beyond:
                ax.plot(end, place, color=color, marker=arrow, markersize=2.5)
        elsewhere = abs(row.speed_up / ratio - 1) > 0.1
        names.append(short_name(row.system) + (f" ({row.speed_up:.2g}×)" if elsewhere else ""))
    ax.set_yticks(range(len(names)), names, fontsize=6.5)
    ax.set(xlim=(low - 0.04 * (high - low), high + 0.04 * (high - low)), ylim=(len(names) - 0.5, -0.5))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)


def curves_figure(frame: pd.DataFrame, metrics: dict[str, str]) -> Figure:
    """Figure 5: a panel for each column of the tables.

    Args:
        frame: of `trade_off`.
        metrics: of each column, in order.
    """
    figure, axes = panels_of(frame, list(metrics), plot_trade_off)
    for ax, metric in zip(axes, metrics.values(), strict=True):
        ax.set_ylabel(towards(f"{METRICS[metric]} (%)"))
    figure.supxlabel(towards("speed-up (×): layers of the base / layers executed", "faster"), fontsize=8)
    legend_outside(figure, axes)
    return figure


def comparison_figure(frame: pd.DataFrame, metrics: dict[str, str], ratio: float) -> Figure:
    """Figure 5 of every system: two panels for each column, all ratios, and beside it one ratio with intervals.

    Args:
        frame: of `trade_off` and `better_baselines`.
        metrics: of each column, in order.
        ratio: of the second panel; its names are the legend of both.
    """
    figure, axes = figure_of(len(metrics), per_row=2, height=2.3, parts=(3, 2))
    for (column, metric), curves, forest in zip(metrics.items(), axes[::2], axes[1::2], strict=True):
        rows = frame[frame["column"] == column]
        plot_trade_off(curves, rows, bars=False)
        plot_at_ratio(forest, rows, ratio)
        curves.set_title(column)
        forest.set_title(f"at {ratio:g}×")
        curves.set_ylabel(towards(f"{METRICS[metric]} (%)"))
        curves.set_xlabel(towards("speed-up (×)", "faster"), fontsize=7)
        forest.set_xlabel(towards("%"), fontsize=7)
    return figure
