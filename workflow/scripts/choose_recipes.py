"""Learning rate and epochs of every system from one grid, by the selection split: a table, and keys of a config."""

import json
from pathlib import Path

import pandas as pd
import tyro
import yaml

from cascadebert.config import read
from cascadebert.config.keys import Config
from cascadebert.files import read_json, write_csv, write_text
from cascadebert.pages.recipes import by_point, layout, overlay
from cascadebert.places import Places
from cascadebert.recipe import needed
from cascadebert.tuning import trainings

PAGE = """# Learning rate and epochs of every system, each chosen from one grid of the same size

Written by `snakemake {out}` (`--configfile` for another preset than the default). Score in per cent on the selection
split, best epoch, mean of the exits, of the tasks {tasks}, of the runs that share a recipe, and of seed {seeds};
precision {precision}. The best point of a row, in bold, is chosen; of equal ones the fewest epochs, then the lowest
rate. Every system has as many points; where nothing but classifiers on a frozen encoder is trained, their learning
rates are higher. What is trained on top of another run stands on that one as the config has it, and difficulty-aware
regularization is left out.

{table}
"""


def main(config: str, out: Path) -> None:
    """Choose.

    Args:
        config: as JSON; the record of every training of its grid is there.
        out: CSV of every training with its score; beside it .md, the table, and .yaml, the chosen points as an overlay.
    """
    settled = read(json.loads(config))
    tried = scored(settled)
    scores = by_point(tried)
    write_csv(out, tried)
    write_text(out.with_suffix(".yaml"), yaml.safe_dump(overlay(scores), sort_keys=False))
    said = {
        "out": out.with_suffix(".md"),
        "tasks": ", ".join(tried["task"].unique()),
        "seeds": ", ".join(map(str, needed(settled.recipe_grid).seeds)),
        "precision": settled.training.precision,
        "table": layout(scores).to_markdown(index=False, disable_numparse=True),
    }
    write_text(out.with_suffix(".md"), PAGE.format(**said))


def scored(config: Config) -> pd.DataFrame:
    """Every training of the grid: section, run, epochs, lr, task, seed, score (a fraction, of its best epoch)."""
    rows = []
    for point, task, seed in trainings(config):
        record = read_json(Path(Places(config.results).record(task, point.name, seed)))
        names = {"section": point.section, "run": point.run, "epochs": point.epochs, "lr": point.lr}
        rows.append(names | {"task": task, "seed": seed, "score": max(at["selection"] for at in record["history"])})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
