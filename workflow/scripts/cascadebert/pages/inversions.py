"""How well each classifier's confidence ranks easy above difficult instances: DIS on the report split (Figure 3)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.collections import Collection

from cascadebert.files import read_csv
from cascadebert.pages.figures import panels_of, save, towards
from cascadebert.pages.kinds import File, Runs
from cascadebert.systems import SYSTEMS

MODELS = ["deebert", "bert_kl", "bert_complete"]
"""Models of one depth, in the order of rows."""


def render(page: Runs, out: Path) -> None:
    """Draw a panel for each task."""
    frame = dis_by_layer(page.runs)
    bounds = limits(frame["dis"])
    layout = {"per_row": 1 if frame["layers"].nunique() > 6 else 2, "height": 1.3}
    figure, axes = panels_of(frame, page.names, lambda ax, rows: plot_dis(ax, rows, *bounds), **layout)
    figure.colorbar(axes[0].collections[0], ax=axes, label=towards("DIS (%)"), aspect=12 * len(axes))
    note = "\n–: undefined, the classifier is always right or always wrong" if frame["dis"].isna().any() else ""
    figure.supxlabel(f"layers executed{note}", fontsize=8)
    save(figure, frame, out)


def dis_by_layer(measures: Sequence[File]) -> pd.DataFrame:
    """Figure 3: DIS of every classifier on the report split (section 2.2).

    Args:
        measures: of measure_exits.py.

    Returns:
        A row a classifier: column, system, layers, dis (mean over the seeds where it is defined, a fraction; NaN where
        there is none), n_seeds (where it is defined).
    """
    rows = []
    for file in measures:
        frame = read_csv(file.path)
        for layers, of_depth in frame[frame["split"] == "report"].groupby("layers"):
            names = {"column": file.task, "system": file.of, "layers": int(layers)}
            rows.append(names | {"dis": of_depth["dis"].mean(), "n_seeds": int(of_depth["dis"].notna().sum())})
    return pd.DataFrame(rows)


def limits(shares: pd.Series) -> tuple[float, float]:
    """Bounds of some shares in per cent, for colours that all panels have in common; NaN does not count."""
    low, high = (0.0, 1.0) if shares.isna().all() else (shares.min(), shares.max())
    return (100 * low, 100 * high) if high > low else (100 * low - 1, 100 * high + 1)


def luminance(color: np.ndarray) -> float:
    """Relative luminance of an sRGB colour, as the Web Content Accessibility Guidelines define it."""
    rgb = np.asarray(color[:3])
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def plot_dis(ax: Axes, frame: pd.DataFrame, low: float, high: float) -> Collection:
    """Figure 3: DIS of each classifier, in per cent; a cell is blank without a model, a dash where it is undefined.

    Args:
        ax: to draw on.
        frame: of `dis_by_layer`, one column.
        low: of the colours, in per cent.
        high: of the colours.

    Returns:
        The cells, for a colour bar.
    """
    table = 100 * frame.pivot_table("dis", "system", "layers", dropna=False).reindex(MODELS)
    numbers = {"annot": True, "fmt": ".1f", "annot_kws": {"fontsize": 7}}
    seaborn.heatmap(table, vmin=low, vmax=high, cmap="cividis", linewidths=1, cbar=False, ax=ax, **numbers)
    colors = np.asarray(ax.collections[0].get_facecolor())[table.notna().to_numpy().ravel()]
    for text, color in zip(ax.texts, colors, strict=True):
        text.set_color("black" if luminance(color) > 0.18 else "white")  # the higher contrast of the two
    for row in frame[frame["dis"].isna()].itertuples():
        i, j = table.index.get_loc(row.system), table.columns.get_loc(row.layers)
        ax.text(j + 0.5, i + 0.5, "–", ha="center", va="center", fontsize=7)
    ax.set_yticklabels([SYSTEMS[name].label.format(k="k") for name in table.index], rotation=0)
    ax.set(xlabel="", ylabel="")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    return ax.collections[0]
