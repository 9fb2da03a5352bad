"""Difficulty labels of training instances against how extreme people rated them (checks section 3.2)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.files import read_examples
from cascadebert.pages.analysis import difficulty_by_rating
from cascadebert.pages.figures import panels_of, save, sentence
from cascadebert.pages.panels import plot_rating


def main(labels: list[Path], examples: list[Path], spec: str, pdf: Path) -> None:
    """Draw a panel for each task that has ratings.

    Args:
        labels: .csv of label_difficulty.py, one a task.
        examples: .jsonl of each task.
        spec: JSON with tasks, in the order of the files.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    frames = []
    for task, path, texts in zip(json.loads(spec)["tasks"], labels, examples, strict=True):
        frame = difficulty_by_rating(pd.read_csv(path, dtype={"id": str}), read_examples(texts))
        frames += [] if frame.empty else [frame.assign(column=task)]
    if frames:
        frame = pd.concat(frames, ignore_index=True)
        figure, _ = panels_of(frame, list(frame["column"].unique()), plot_rating)
        figure.supxlabel(
            "ρ: Spearman's, of absolute human rating and number of right predictions, 95 % interval", fontsize=7
        )
    else:
        frame, figure = pd.DataFrame(columns=["column"]), sentence("No training instance has a human rating.")
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
