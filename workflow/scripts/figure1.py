"""An easy instance that a shallow off-ramp gets wrong and the complete small member right (Figure 1).

Of the instances of the report split where the off-ramp at the small member's depth is wrong and the complete member
is right, those that the member is surest of are kept (the top quarter of its confidence). Of these the one whose two
texts share most words is shown (of words that stand in either, those in both); then the surest, then the shortest,
then the first by id. The CSV states the rule and the number of candidates.
"""

import json
from pathlib import Path

import tyro

from cascadebert.files import read_examples
from cascadebert.metrics.predictions import read_predictions
from cascadebert.pages.figures import figure_of, save, sentence
from cascadebert.pages.instances import easy_instance
from cascadebert.pages.passages import LINE_HEIGHT, lines_of, plot_probabilities, plot_texts


def main(deebert: list[Path], small: list[Path], base: list[Path], examples: list[Path], spec: str, pdf: Path) -> None:
    """Draw the first task with pairs, or else the first.

    Args:
        deebert: .npz of the report split, one a task, of the first seed.
        small: of the complete small member.
        base: of the largest member.
        examples: .jsonl of each task.
        spec: JSON with tasks (in the order of the files) and layer, the small member's depth.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    wanted = json.loads(spec)
    texts = [read_examples(path) for path in examples]
    i = next((i for i, own in enumerate(texts) if "text_pair" in own), 0)
    predictions = (read_predictions(files[i]) for files in (deebert, small, base))
    frame = easy_instance(*predictions, texts[i], wanted["layer"])
    frame.insert(0, "task", wanted["tasks"][i])
    if "id" in frame:
        lines = lines_of(frame, inches=5.6)
        above, below = LINE_HEIGHT * len(lines), 1.9
        figure, axes = figure_of(2, per_row=1, height=(above + below) / 2, height_ratios=[above, below])
        plot_texts(axes[0], lines)
        plot_probabilities(axes[1], frame)
    else:
        task = wanted["tasks"][i]
        figure = sentence(f"{task}: no instance is wrong at the off-ramp and right in the complete member.")
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
