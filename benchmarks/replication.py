"""Whether another run of a preset says the same: each claim by either run, and by the seeds of both where they differ.

    python benchmarks/replication.py results/evidence results/again config/config.yaml config/evidence.yaml

First the folders of the two finished runs, then the preset that both are of, after what it stands on. Points of per
cent, 95 % intervals over seeds and instances. The runs share their instances, so that the second is news of training
alone; and where the seeds of both are taken together, what else sets the runs apart (checkpoints, margins, devices)
counts as seeds. Then the means over the columns of Table 8's scores and of Table 5's differences to the small member
without DAR. Exits with 1 if a verdict changes its sign.
"""

import sys
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from finished import finished, seeds_of
from halves import SIGN
from tyro.conf import Positional

from cascadebert.metrics.crossed import Crossed
from cascadebert.metrics.predictions import check_same
from cascadebert.pages.claims import NOT_RUN
from cascadebert.pages.verdicts import judged


def both(first, second):
    """Two runs' evidence as that of one with the seeds of both, which differ.

    Raises:
        ValueError: where the runs answer other instances.
    """
    for column in first.columns:
        check_same(first.baselines[column].id, second.baselines[column].id)
    return replace(first, systems=_joined(first.systems, second.systems), exits=_joined(first.exits, second.exits))


def _joined(first, second):
    """What stands at the ends of nested dictionaries, of the seeds of both."""
    if isinstance(first, dict):
        return {name: _joined(first[name], second[name]) for name in first}
    if isinstance(first, Crossed):
        influence = {column: np.vstack([of, second.influence[column]]) for column, of in first.influence.items()}
        return Crossed(first.seeds + second.seeds, np.concatenate([first.values, second.values]), influence)
    joined = copy(first)
    joined.rungs = first.rungs | second.rungs
    return joined


def replicated(folders, presets):
    """Each claim's estimate, interval and verdict by the first run, the second, and both together."""
    (listed, first, effects), (_, second, _) = (finished(folder, presets) for folder in folders)
    parts = {"first": first, "second": second}
    if not {*seeds_of(first)} & {*seeds_of(second)}:
        parts["both"] = both(first, second)
    columns = {}
    for name, evidence in parts.items():
        frame = judged(listed, evidence, effects, NOT_RUN).set_index("claim")
        points = ((100 * frame[["estimate", "low", "high"]]).round(1) + 0.0).astype(str)  # no -0.0
        chance = np.where(frame["against_chance"].fillna("") == "", "", " (against chance)")
        columns[name] = points["estimate"] + " [" + points["low"] + ", " + points["high"] + "]"
        columns |= {
            f"{name}: verdict": frame["verdict"] + chance,
            f"{name}: after Holm": frame["verdict_holm"] + chance,
        }
    return pd.DataFrame(columns)[frame["n_seeds"] > 0]


def means(folders, table, value, by):
    """Means over the columns of what a table of either run has, in points, and their difference."""
    frames = [pd.read_csv(folder / table, dtype={"task": str}).query("task != 'AVG'") for folder in folders]
    first, second = (100 * frame.groupby(by, dropna=False)[value].mean() for frame in frames)
    return pd.DataFrame({"first": first, "second": second, "difference": second - first}).round(2).reset_index()


def main(first: Positional[Path], second: Positional[Path], presets: Positional[tuple[Path, ...]]) -> None:
    """Print the table, and end with an error where a verdict changes its sign.

    Args:
        first: folder of a finished run.
        second: folder of another.
        presets: that were run, in their order.
    """
    found = replicated((first, second), presets)
    print(found.to_markdown(), "\n")
    print(means((first, second), "table8.csv", "mean", ["method"]).to_markdown(index=False), "\n")
    print(means((first, second), "table5.csv", "difference", ["method", "measure"]).to_markdown(index=False))
    signs = [found[f"{name}: verdict"].str.removesuffix(" (against chance)").map(SIGN) for name in ("first", "second")]
    changes = signs[0].fillna(0) * signs[1].fillna(0) < 0
    same, holm = ((found[f"first: {of}"] == found[f"second: {of}"]).sum() for of in ("verdict", "after Holm"))
    print(f"\n{changes.sum()} of {len(found)} verdicts change their sign;")
    print(f"{same} are the same to the word, {holm} after Holm.")
    sys.exit(bool(changes.any()))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
