"""Difficulty labels of training instances against how extreme people rated them (Figure 7, ours; section 3.2)."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cascadebert.files import read_csv, read_examples
from cascadebert.metrics.intervals import spearman, wilson
from cascadebert.pages.figures import panels_of, save, sentence
from cascadebert.pages.kinds import Ratings

N_BINS = 8
NOTE = (
    "mean rating, in points from the classes' border\n"
    "ρ: Spearman's, of that distance and the number of right predictions, 95 % interval"
)


def render(page: Ratings, out: Path) -> None:
    """Draw a panel for each task that has ratings."""
    frames = []
    for task, labels, texts in zip(page.names, page.labels, page.examples, strict=True):
        frame = difficulty_by_rating(read_csv(labels), read_examples(texts))
        frames += [] if frame.empty else [frame.assign(column=task)]
    if frames:
        frame = pd.concat(frames, ignore_index=True)
        figure, _ = panels_of(frame, list(frame["column"].unique()), plot_rating)
        figure.supxlabel(NOTE, fontsize=7)
    else:
        frame, figure = pd.DataFrame(columns=["column"]), sentence("No training instance has a human rating.")
    save(figure, frame, out)


def difficulty_by_rating(labels: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """Figure 7: share of difficult training instances against how extreme people rated them.

    Args:
        labels: of label_difficulty.py: id (text), right, difficult.
        examples: the task's; without a rating the frame is empty. A rating of 0 is on the border between classes: a
            neutral sentence, or a pair with one.

    Returns:
        A row a bin of |rating|, equally full but for ties: rating (mean), n, difficult (share), low, high (Wilson);
        and in every row rho, rho_low, rho_high: Spearman's of |rating| and right, with its bootstrap interval.
    """
    if "rating" not in examples:
        return pd.DataFrame()
    rated = labels.merge(examples.loc[examples["split"] == "train", ["id", "rating"]], on="id").dropna(subset="rating")
    if rated.empty:
        return pd.DataFrame()
    extreme = rated["rating"].abs().to_numpy(dtype=float)
    rho = spearman(extreme, rated["right"].to_numpy(dtype=float), seed=0)
    edges = np.unique(np.quantile(extreme, np.linspace(0, 1, N_BINS + 1)))
    bin_of = np.maximum(np.searchsorted(edges, extreme, side="left"), 1)
    rows = []
    for k in np.unique(bin_of):
        in_bin = rated["difficult"].to_numpy(dtype=bool)[bin_of == k]
        low, high = wilson(int(in_bin.sum()), in_bin.size)
        numbers = {"rating": extreme[bin_of == k].mean(), "n": in_bin.size, "difficult": in_bin.mean()}
        rows.append(numbers | {"low": low, "high": high} | dict(zip(("rho", "rho_low", "rho_high"), rho, strict=True)))
    return pd.DataFrame(rows)


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
    ax.set(xlabel=f"ρ: {rho}", ylabel="difficult (%)", ylim=(0, None))
