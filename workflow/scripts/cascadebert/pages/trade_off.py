"""Score against speed-up, curves for adaptive systems and points for static ones (Figure 5, and with all systems)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cascadebert.metrics.baselines import BASELINES
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.figures import interval_bars, legend_above, over_seeds, panels_of, save, span
from cascadebert.pages.kinds import TradeOff
from cascadebert.pages.styles import style_of
from cascadebert.systems import SYSTEMS

METRICS = {"accuracy": "accuracy", "f1": "F1"}


def render(page: TradeOff, out: Path) -> None:
    """Draw a panel for each column of Table 2."""
    points, columns = printed_points(page.sweeps, page.names)
    metrics = dict(zip(points["column"], points["metric"], strict=True))
    frame = trade_off(points, page.systems)
    if page.baselines:
        frame = pd.concat([frame, better_baselines(points, columns)], ignore_index=True)
    ncols = min(3, frame["system"].nunique())
    save(trade_off_figure(frame, {column: metrics[column] for column in columns}, ncols), frame, out)


def trade_off(points: pd.DataFrame, systems: Sequence[str]) -> pd.DataFrame:
    """Figure 5: operating points of a figure's systems, over seeds.

    Args:
        points: of `printed_points`.
        systems: that the figure shows.

    Returns:
        A row a column, system, run and target: speed_up (mean achieved), mean, low, high (score), n_seeds.
    """
    names, rows = ["column", "system", "run", "target"], []
    for key, own in points[points["system"].isin(systems)].groupby(names, sort=False):
        entry = dict(zip(names, key, strict=True)) | {"speed_up": own["speed_up"].mean()}
        rows.append(entry | over_seeds(own["score"].to_numpy()))
    return pd.DataFrame(rows, columns=[*names, "speed_up", "mean", "low", "high", "n_seeds"])


def better_baselines(points: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The better baseline of common sense in each column, as rows of `trade_off` without a ratio."""
    scores = points.drop_duplicates("column").set_index("column").loc[columns, list(BASELINES)]
    best = {"column": columns, "system": scores.idxmax(axis=1).to_numpy(), "mean": scores.max(axis=1).to_numpy()}
    return pd.DataFrame(best).assign(run="", n_seeds=0)


def side_by_side(speed_ups: pd.Series, step: float = 0.1) -> pd.Series:
    """Where points of one speed-up stand, so that none hides another: in their order, around that speed-up.

    Example:
        >>> side_by_side(pd.Series([2.0, 3.0, 2.0])).tolist()
        [1.95, 3.0, 2.05]
    """
    same = speed_ups.groupby(speed_ups.round(2))
    return speed_ups + step * (same.cumcount() - (same.transform("size") - 1) / 2)


def plot_trade_off(ax: Axes, frame: pd.DataFrame) -> None:
    """Score against speed-up: a curve for each adaptive system, a point for each static one, a line for a baseline.

    The axis spans the means; an interval that reaches beyond is cut. Static systems of one speed-up stand side by
    side.

    Args:
        ax: to draw on.
        frame: columns system, speed_up (mean achieved), mean, low, high (fractions; NaN where there is no interval).
    """
    static = [name for name, system in SYSTEMS.items() if system.exits == "last"]
    places = side_by_side(frame.loc[frame["system"].isin(static), "speed_up"])
    for name, system in SYSTEMS.items():
        own = frame[frame["system"] == name].sort_values("speed_up")
        if own.empty:
            continue
        color, marker, line = style_of(name)
        style: dict[str, Any] = {"color": color, "marker": marker, "label": system.label.format(k="k")}
        if system.exits == "last":
            style |= {"linestyle": "none", "elinewidth": 0.8, "capsize": 1.5, "markersize": 5, "zorder": 3}
            ax.errorbar(places[own.index], 100 * own["mean"], interval_bars(own), **style)
        else:
            ax.plot(own["speed_up"], 100 * own["mean"], linestyle=line, **style)
            band: dict[str, Any] = {"color": color, "alpha": 0.12, "linewidth": 0}
            ax.fill_between(own["speed_up"], 100 * own["low"], 100 * own["high"], **band)
    for row in frame[frame["system"].isin(BASELINES)].itertuples():
        ax.axhline(100 * row.mean, color="#999999", linewidth=0.8, zorder=0, label="better of majority, TF-IDF")
    if not frame.empty:
        span(ax, 100 * frame["mean"].to_numpy())
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def trade_off_figure(frame: pd.DataFrame, metrics: dict[str, str], ncols: int) -> Figure:
    """Figure 5: a panel for each column of the tables.

    Args:
        frame: of `trade_off`.
        metrics: of each column, in order.
        ncols: of the legend.
    """
    figure, axes = panels_of(frame, list(metrics), plot_trade_off)
    for ax, metric in zip(axes, metrics.values(), strict=True):
        ax.set_ylabel(f"{METRICS[metric]} (%)")
    figure.supxlabel("speed-up (×): layers of the base / layers executed", fontsize=8)
    legend_above(figure, axes, ncols)
    return figure
