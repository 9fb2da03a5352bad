"""How well each classifier's confidence ranks easy above difficult instances: DIS on the report split (Figure 3)."""

import json
from pathlib import Path

import pandas as pd
import tyro

from cascadebert.pages.analysis import dis_by_layer
from cascadebert.pages.figures import panels_of, save
from cascadebert.pages.panels import limits, plot_dis


def main(measures: list[Path], spec: str, pdf: Path) -> None:
    """Draw a panel for each task.

    Args:
        measures: of measure_exits.py, one a run.
        spec: JSON with tasks; runs, for each file [task, "deebert" | "bert_kl" | "bert_complete", layers]; what layers
            an exit executes is read from the file.
        pdf: the figure; .png and the plotted frame as .csv go beside it.
    """
    wanted = json.loads(spec)
    runs = [(task, system) for task, system, _ in wanted["runs"]]
    frame = dis_by_layer([pd.read_csv(path) for path in measures], runs)
    bounds = limits(frame["dis"])
    layout = {"per_row": 1 if frame["layers"].nunique() > 6 else 2, "height": 1.3}
    figure, axes = panels_of(frame, wanted["tasks"], lambda ax, own: plot_dis(ax, own, *bounds), **layout)
    figure.colorbar(axes[0].collections[0], ax=axes, label="DIS (%)", aspect=12 * len(axes))
    note = "\n–: undefined, the classifier is always right or always wrong" if frame["dis"].isna().any() else ""
    figure.supxlabel(f"layers executed{note}", fontsize=8)
    save(figure, frame, pdf)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
