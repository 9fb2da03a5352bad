"""Confidence of the small member against its accuracy, on the report split (reliability diagrams; section 5.2)."""

import json
from pathlib import Path

import tyro

from cascadebert.metrics.predictions import read_predictions
from cascadebert.pages.analysis import calibration_curves
from cascadebert.pages.figures import panels_of, save
from cascadebert.pages.panels import plot_reliability


def main(predictions: list[Path], spec: str, pdf: Path) -> None:
    """Draw a panel for each task, all seeds pooled.

    Args:
        predictions: .npz of the small member on the report split, one a variant and seed.
        spec: JSON with tasks; runs, for each file [task, "with DAR" | "without DAR" | "temperature scaling", seed].
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    wanted = json.loads(spec)
    runs = [(task, variant) for task, variant, _ in wanted["runs"]]
    frame = calibration_curves([read_predictions(path) for path in predictions], runs)
    figure, _ = panels_of(frame, wanted["tasks"], plot_reliability, height=3.2)
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
