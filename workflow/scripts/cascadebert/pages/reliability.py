"""Confidence of the small member against its accuracy, on the report split (Figure 6, ours; section 5.2)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cascadebert.metrics.calibration import ece, reliability
from cascadebert.metrics.exits import confidence
from cascadebert.metrics.predictions import Predictions, read_predictions
from cascadebert.pages.figures import panels_of, save
from cascadebert.pages.kinds import Runs
from cascadebert.pages.styles import style_of

VARIANTS = {
    "with DAR": ("cascadebert", "s", "-"),
    "without DAR": ("cascadebert_without_dar", "o", "--"),
    "temperature scaling": ("cascadebert_tempered", "^", ":"),
}
"""The system whose colour each variant of a member has, its marker and line."""

MIN_BIN = 10
"""Instances, all seeds pooled, without which a bin has no mark: its accuracy would be chance."""


def render(page: Runs, out: Path) -> None:
    """Draw a panel for each task, all seeds pooled."""
    held = {(file.task, file.of): [*read_predictions(file.path).values()] for file in page.runs}
    frame = calibration_curves(held)
    figure, _ = panels_of(frame, page.names, plot_reliability, height=3.2)
    note = f"grey line: as often right as sure; marks: bins of {MIN_BIN} instances or more, all seeds together"
    figure.supxlabel(note, fontsize=7)
    save(figure, frame, out)


def calibration_curves(predictions: Mapping[tuple[str, str], Sequence[Predictions]]) -> pd.DataFrame:
    """Figure 6: confidence against accuracy, all seeds pooled.

    Args:
        predictions: of one member on the report split, by task and variant, one a seed.

    Returns:
        A row a task, variant and bin: column, variant, low, high, n, confidence, accuracy (NaN in an empty bin), ece
        (mean over seeds), n_seeds.
    """
    frames = []
    for (task, variant), of_seeds in predictions.items():
        seeds = [
            (confidence(one.stack.logits)[-1], one.stack.logits[-1].argmax(axis=-1) == one.label) for one in of_seeds
        ]
        sure, correct = (np.concatenate(parts) for parts in zip(*seeds, strict=True))
        bins = reliability(sure, correct)
        error = float(np.mean([ece(*seed) for seed in seeds]))
        bins = bins.assign(ece=error, n_seeds=len(seeds))
        bins.insert(0, "column", task)
        bins.insert(1, "variant", variant)
        frames.append(bins)
    return pd.concat(frames, ignore_index=True)


def plot_reliability(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 6: accuracy against confidence, and at the foot the share of instances in each bin.

    On the grey line a model is as often right as it is sure. A bin of a few instances has its share, but no mark.

    Args:
        ax: to draw on.
        frame: of `calibration_curves`, one column.
    """
    held, marked = frame[frame["n"] > 0], frame[frame["n"] >= MIN_BIN]
    low = 100 * held["low"].min()
    ax.plot([low, 100], [low, 100], color="#999999", linewidth=0.8)
    shares = ax.twinx()
    for name, (system, marker, line) in VARIANTS.items():
        bins, seen = frame[frame["variant"] == name], marked[marked["variant"] == name]
        if bins["n"].sum() == 0:
            continue
        style: dict[str, Any] = {"color": style_of(system).color, "linestyle": line}
        label = f"{name}: {100 * bins['ece'].iloc[0]:.1f}"
        ax.plot(100 * seen["confidence"], 100 * seen["accuracy"], marker=marker, label=label, **style)
        edges = 100 * np.array([*bins["low"], bins["high"].iloc[-1]])
        shares.stairs(100 * bins["n"] / bins["n"].sum(), edges, linewidth=0.8, **style)
    foot = 10 * np.floor(np.nanmin([low, 100 * marked["accuracy"].min()]) / 10)
    ax.set(xlim=(low, 102), xlabel="confidence (%)", ylabel="accuracy (%)", ylim=(foot - 0.4 * (100 - foot), 104))
    ax.set_yticks(np.arange(100, foot - 1, -10 if foot >= 50 else -20))
    shares.set(ylim=(0, 400), yticks=[0, 100])
    shares.set_ylabel("share (%)", loc="bottom", fontsize=7, labelpad=4)
    shares.grid(visible=False)
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        borderaxespad=4.5,
        title="ECE (%), lower is better",
        handlelength=2.4,
    )
