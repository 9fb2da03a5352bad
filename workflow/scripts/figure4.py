"""Representations at the small member's depth, in DeeBERT and in the member (Figure 4).

t-SNE of the report split's sentences: a picture, not a measurement (erratum 32). The numbers beneath each panel count:
accuracy of the classifier there, and how far classes are apart in the space before t-SNE.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.pages.analysis import separation
from cascadebert.pages.figures import figure_of, save
from cascadebert.pages.panels import plot_states


def main(states: list[Path], spec: str, pdf: Path) -> None:
    """Draw a row for each task: DeeBERT's off-ramp, then the member.

    Args:
        states: of extract_states.py, one a task.
        spec: JSON with tasks (in the order of the files), perplexity, instances (drawn at most), seed.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    wanted = json.loads(spec)
    settings = {"perplexity": float(wanted["perplexity"])} | {name: wanted[name] for name in ("instances", "seed")}
    frames = []
    figure, axes = figure_of(2 * len(states), per_row=2, height=2.1)
    for task, path, *pair in zip(wanted["tasks"], states, axes[::2], axes[1::2], strict=True):
        with np.load(path) as file:
            frame = separation(dict(file), **settings)
        frames.append(frame.assign(task=task))
        for ax, (model, own) in zip(pair, frame.groupby("model", sort=False), strict=True):
            plot_states(ax, own)
            name = {"deebert": "DeeBERT", "member": "CascadeBERT"}[model]
            ax.set_title(f"{task}: {name}, layer {own['layers'].iloc[0]}")
        pair[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2, handlelength=1)
    save(figure, pd.concat(frames), pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
