"""Models of one depth on the instances that DeeBERT emits there: accuracy on the report split (Figure 2)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from cascadebert.files import read_csv
from cascadebert.metrics.exits import exits_at
from cascadebert.metrics.predictions import Predictions, check_aligned, logits_after, read_predictions
from cascadebert.pages.figures import (
    interval_bars,
    legend_outside,
    over_seeds,
    panels_of,
    save,
    say,
    sentence,
    span,
    towards,
)
from cascadebert.pages.kinds import AccuracyByLayer
from cascadebert.pages.styles import style_of
from cascadebert.systems import SYSTEMS

LINES = {"deebert": "-", "bert_kl": "--", "bert_complete": ":"}
"""Models of one depth, in the order of points, and their lines."""


def render(page: AccuracyByLayer, out: Path) -> None:
    """Draw a panel for each task."""
    runs = {
        (file.task, file.of, file.layers, seed): predictions
        for file in page.runs
        for seed, predictions in read_predictions(file.path).items()
    }
    points = pd.concat([read_csv(path) for path in page.sweeps], ignore_index=True)
    frame = accuracy_by_layer(runs, deebert_thresholds(points, page.target), page.min_subset)
    at = f"{page.target:g}×"
    if frame.empty:
        figure = sentence(f"At {at} DeeBERT emits {page.min_subset} instances at none of the layers compared.")
    else:
        figure, axes = panels_of(frame, page.names, plot_layers)
        figure.supxlabel(f"layers executed (n: instances that DeeBERT emits there, at {at})", fontsize=8)
        legend_outside(figure, axes)
    save(figure, frame, out)


def deebert_thresholds(sweeps: pd.DataFrame, target: float) -> dict[tuple[str, int], float]:
    """DeeBERT's threshold for a target speed-up in layers, by task and seed.

    Raises:
        ValueError: when the sweeps hold no such target.
    """
    points = sweeps[(sweeps["system"] == "deebert") & (sweeps["measure"] == "layers") & (sweeps["split"] == "report")]
    at = points[np.isclose(points["target"], target)]
    if at.empty:
        raise ValueError(f"no threshold of DeeBERT for {target:g}x; there are {sorted(set(points['target'].tolist()))}")
    return {(row.task, int(row.seed)): float(row.threshold) for row in at.itertuples()}


def accuracy_by_layer(
    runs: dict[tuple[str, str, int, int], Predictions],
    thresholds: dict[tuple[str, int], float],
    min_subset: int,
) -> pd.DataFrame:
    """Figure 2: models of one depth on the instances that DeeBERT emits there (section 2.1, errata 21 and 22).

    Args:
        runs: report predictions by task, system (deebert, bert_kl, bert_complete), layers (not consulted for DeeBERT)
            and seed.
        thresholds: of `deebert_thresholds`.
        min_subset: a seed whose subset at a layer is smaller is left out there.

    Returns:
        A row a task, layer of the complete members, and system: column, layers, system, n (mean size of the subset),
        mean, low, high (accuracy over seeds), n_seeds. The base's depth, where all three are one model, is left out.
    """
    rows = []
    for (task, system, _, seed), deebert in runs.items():
        if system != "deebert":
            continue
        leaves_after = deebert.stack.layers[exits_at(deebert.stack, "entropy", thresholds[task, seed])]
        for layer in sorted({k for t, s, k, _ in runs if (t, s) == (task, "bert_complete")}):
            subset = leaves_after == layer
            if layer == deebert.stack.full_layers or subset.sum() < min_subset:
                continue
            answers = {"deebert": logits_after(deebert, layer).argmax(axis=-1)}
            for other in ("bert_kl", "bert_complete"):
                if (task, other, layer, seed) in runs:
                    check_aligned([deebert, runs[task, other, layer, seed]])
                    answers[other] = runs[task, other, layer, seed].stack.logits[-1].argmax(axis=-1)
            for name, given in answers.items():
                accuracy = float((given == deebert.label)[subset].mean())
                rows.append((task, layer, name, int(subset.sum()), accuracy))
    by_seed = pd.DataFrame(rows, columns=["column", "layers", "system", "n", "accuracy"])
    groups = by_seed.groupby(["column", "layers", "system"], sort=False)
    return pd.DataFrame(
        [
            dict(zip(("column", "layers", "system"), key, strict=True))
            | {"n": of_key["n"].mean()}
            | over_seeds(of_key["accuracy"].to_numpy())
            for key, of_key in groups
        ],
        columns=["column", "layers", "system", "n", "mean", "low", "high", "n_seeds"],
    )


def plot_layers(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 2: accuracy of models of one depth on the instances that DeeBERT emits there.

    The axis spans the means; an interval that reaches beyond is cut.

    Args:
        ax: to draw on.
        frame: of `accuracy_by_layer`, one column.
    """
    if frame.empty:
        say(ax, "DeeBERT emits too few instances\nat every layer compared.")
        return
    sizes = frame.sort_values("layers").groupby("layers")["n"].first()
    places = {layers: i for i, layers in enumerate(sizes.index)}
    for shift, (name, line) in zip((-0.12, 0.0, 0.12), LINES.items(), strict=True):
        rows, (color, marker, *_) = frame[frame["system"] == name].sort_values("layers"), style_of(name)
        style: dict[str, Any] = {"color": color, "marker": marker, "label": SYSTEMS[name].label.format(k="k")}
        ax.errorbar(
            rows["layers"].map(places) + shift,
            100 * rows["mean"],
            interval_bars(rows),
            linestyle=line,
            elinewidth=0.8,
            capsize=2,
            **style,
        )
    ax.set_xticks(range(len(sizes)), [f"{layers}\nn = {n:.0f}" for layers, n in sizes.items()])
    ax.set(xlim=(-0.5, len(sizes) - 0.5), ylabel=towards("accuracy (%)"))
    ax.grid(visible=False, axis="x")
    span(ax, 100 * frame["mean"].to_numpy())
