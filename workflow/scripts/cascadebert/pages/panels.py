"""Panels of Figures 2 to 4, 6 and 7: each function draws a frame on given axes."""

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh

from cascadebert.pages.figures import CLASSES, reach, say, span
from cascadebert.systems import SYSTEMS

VARIANTS = {
    "with DAR": ("cascadebert", "s", "-"),
    "without DAR": ("cascadebert_without_dar", "o", "--"),
    "temperature scaling": ("cascadebert_tempered", "^", ":"),
}
"""Figure 6: the system whose colour each variant of a member has, its marker and line."""

LINES = {"deebert": "-", "bert_kl": "--", "bert_complete": ":"}
"""Models of one depth, in the order of rows, and their lines."""


def plot_layers(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 2: accuracy of models of one depth on the instances that DeeBERT emits there.

    The axis spans the means; an interval that reaches beyond is cut.

    Args:
        ax: to draw on.
        frame: of `emitted_accuracy`, one column.
    """
    if frame.empty:
        say(ax, "DeeBERT emits too few instances\nat every layer compared.")
        return
    sizes = frame.sort_values("layers").groupby("layers")["n"].first()
    places = {layers: i for i, layers in enumerate(sizes.index)}
    for shift, (name, line) in zip((-0.12, 0.0, 0.12), LINES.items(), strict=True):
        own, system = frame[frame["system"] == name].sort_values("layers"), SYSTEMS[name]
        style = {"color": system.color, "marker": system.marker, "label": system.label.format(k="k")}
        ax.errorbar(
            own["layers"].map(places) + shift,
            100 * own["mean"],
            reach(own),
            linestyle=line,
            elinewidth=0.8,
            capsize=2,
            **style,
        )
    ax.set_xticks(range(len(sizes)), [f"{layers}\nn = {n:.0f}" for layers, n in sizes.items()])
    ax.set(xlim=(-0.5, len(sizes) - 0.5), ylabel="accuracy (%)")
    ax.grid(visible=False, axis="x")
    span(ax, 100 * frame["mean"].to_numpy())


def limits(shares: pd.Series) -> tuple[float, float]:
    """Bounds of some shares in per cent, for colours that all panels have in common; NaN does not count."""
    low, high = (0.0, 1.0) if shares.isna().all() else (shares.min(), shares.max())
    return (100 * low, 100 * high) if high > low else (100 * low - 1, 100 * high + 1)


def plot_dis(ax: Axes, frame: pd.DataFrame, low: float, high: float) -> QuadMesh:
    """Figure 3: DIS of each classifier, in per cent; a cell is blank without a model, a dash where it is undefined.

    Args:
        ax: to draw on.
        frame: of `dis_by_layer`, one column.
        low: of the colours, in per cent.
        high: of the colours.

    Returns:
        The cells, for a colour bar.
    """
    table = 100 * frame.pivot_table("dis", "system", "layers", dropna=False).reindex(list(LINES))
    numbers = {"annot": True, "fmt": ".1f", "annot_kws": {"fontsize": 7}}
    seaborn.heatmap(table, vmin=low, vmax=high, cmap="cividis", linewidths=1, cbar=False, ax=ax, **numbers)
    for row in frame[frame["dis"].isna()].itertuples():
        i, j = table.index.get_loc(row.system), table.columns.get_loc(row.layers)
        ax.text(j + 0.5, i + 0.5, "–", ha="center", va="center", fontsize=7)
    ax.set_yticklabels([SYSTEMS[name].label.format(k="k") for name in table.index], rotation=0)
    ax.set(xlabel="", ylabel="")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    return ax.collections[0]


def plot_states(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 4: representations in a plane, with what the classifier and two measures say of them.

    Args:
        ax: to draw on.
        frame: of `separation`, one model.
    """
    for i, name in enumerate(frame["class"].cat.categories):
        own, (color, marker, _) = frame[frame["class"] == name], CLASSES[i % len(CLASSES)]
        ax.scatter(own["x"], own["y"], s=5, c=color, marker=marker, alpha=0.6, linewidths=0, label=name)
    row = frame.iloc[0]
    apart = "undefined" if np.isnan(row["silhouette"]) else f"{row['silhouette']:.2f}"
    told = f"accuracy {100 * row['accuracy']:.1f} %\nsilhouette {apart}, 10 nearest neighbours "
    ax.set_xlabel(f"{told}{100 * row['neighbours']:.1f} %", fontsize=7)
    ax.set(xticks=[], yticks=[])


def plot_reliability(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 6: accuracy against confidence, and at the foot the share of instances in each bin.

    Args:
        ax: to draw on.
        frame: of `calibration_curves`, one column.
    """
    held = frame[frame["n"] > 0]
    low = 100 * held["low"].min()
    ax.plot([low, 100], [low, 100], color="#999999", linewidth=0.8)
    shares = ax.twinx()
    for name, (system, marker, line) in VARIANTS.items():
        bins, seen = frame[frame["variant"] == name], held[held["variant"] == name]
        if seen.empty:
            continue
        style = {"color": SYSTEMS[system].color, "linestyle": line}
        label = f"{name}: {100 * seen['ece'].iloc[0]:.1f}"
        ax.plot(100 * seen["confidence"], 100 * seen["accuracy"], marker=marker, label=label, **style)
        edges = 100 * np.array([*bins["low"], bins["high"].iloc[-1]])
        shares.stairs(100 * bins["n"] / bins["n"].sum(), edges, linewidth=0.8, **style)
    foot = 10 * np.floor(min(low, 100 * held["accuracy"].min()) / 10)
    ax.set(xlim=(low, 102), xlabel="confidence (%)", ylabel="accuracy (%)", ylim=(foot - 0.4 * (100 - foot), 104))
    ax.set_yticks(np.arange(100, foot - 1, -10 if foot >= 50 else -20))
    shares.set(ylim=(0, 400), yticks=[0, 100])
    shares.set_ylabel("share (%)", loc="bottom", fontsize=7, labelpad=4)
    shares.grid(visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4.5, title="ECE (%)", handlelength=2.4)


def plot_rating(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 7: share of difficult instances against how extreme people rated them.

    Args:
        ax: to draw on.
        frame: of `difficulty_by_rating`, one column.
    """
    share = 100 * frame["difficult"]
    errors = np.array([share - 100 * frame["low"], 100 * frame["high"] - share]).clip(min=0)  # 0, but for rounding
    ax.errorbar(frame["rating"], share, errors, color="#000000", marker="o", elinewidth=0.8, capsize=2)
    row = frame.iloc[0]
    rho = "undefined" if np.isnan(row["rho"]) else f"{row['rho']:.2f} [{row['rho_low']:.2f}, {row['rho_high']:.2f}]"
    ax.set(xlabel=f"absolute rating (points)\nρ: {rho}", ylabel="difficult (%)", ylim=(0, None))
