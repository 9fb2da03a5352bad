"""Models of one depth on the instances that DeeBERT emits there: accuracy on the report split (Figure 2)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.metrics.predictions import read_predictions
from cascadebert.pages.analysis import deebert_thresholds, emitted_accuracy
from cascadebert.pages.figures import legend_above, panels_of, save, sentence
from cascadebert.pages.panels import plot_layers


def main(predictions: list[Path], sweeps: list[Path], spec: str, pdf: Path) -> None:
    """Draw a panel for each task.

    Args:
        predictions: .npz of the report split, one a run and seed.
        sweeps: of sweep_thresholds.py, DeeBERT's of every task.
        spec: JSON with tasks; runs, for each file [task, "deebert" | "bert_kl" | "bert_complete", layers, seed], layers
            being anything for DeeBERT; target, the speed-up at which DeeBERT emits; min_subset.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    wanted = json.loads(spec)
    runs = {tuple(run): read_predictions(path) for run, path in zip(wanted["runs"], predictions, strict=True)}
    points = pd.concat([pd.read_csv(path) for path in sweeps], ignore_index=True)
    frame = emitted_accuracy(runs, deebert_thresholds(points, float(wanted["target"])), wanted["min_subset"])
    at = f"{wanted['target']:g}×"
    if frame.empty:
        figure = sentence(f"At {at} DeeBERT emits {wanted['min_subset']} instances at none of the layers compared.")
    else:
        figure, axes = panels_of(frame, wanted["tasks"], plot_layers)
        figure.supxlabel(f"layers executed (n: instances that DeeBERT emits there, at {at})", fontsize=8)
        legend_above(figure, axes, ncols=3)
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
