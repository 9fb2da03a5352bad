"""Whether another run of a preset, with other seeds, says the same: each claim by either run, and by the seeds of both.

    python benchmarks/replication.py results/evidence results/again config/config.yaml config/evidence.yaml

First the folders of the two finished runs, then the preset that both are of, after what it stands on. Points of per
cent, 95 % intervals over seeds and instances. The runs share their instances, so that the second is news of training
alone. Exits with 1 if a verdict changes its sign.
"""

import sys
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from finished import finished
from halves import SIGN
from tyro.conf import Positional

from cascadebert.metrics.crossed import Crossed
from cascadebert.pages.claims import NOT_RUN
from cascadebert.pages.verdicts import judged


def both(first, second):
    """Two runs' evidence as that of one with the seeds of both.

    Raises:
        SystemExit: where both have a seed.
    """
    return replace(first, systems=_joined(first.systems, second.systems), exits=_joined(first.exits, second.exits))


def _joined(first, second):
    """What stands at the ends of nested dictionaries, of the seeds of both."""
    if isinstance(first, dict):
        return {name: _joined(first[name], second[name]) for name in first}
    if isinstance(first, Crossed):
        influence = {column: np.vstack([of, second.influence[column]]) for column, of in first.influence.items()}
        return Crossed(first.seeds + second.seeds, np.concatenate([first.values, second.values]), influence)
    if shared := set(first.rungs) & set(second.rungs):
        sys.exit(f"both runs have seeds {sorted(shared)}: run the second with others, --config seeds=[21,22].")
    joined = copy(first)
    joined.rungs = first.rungs | second.rungs
    return joined


def replicated(folders, presets):
    """Each claim's estimate, interval and verdict by the first run, the second, and both together."""
    (listed, first, effects), (_, second, _) = (finished(folder, presets) for folder in folders)
    columns = {}
    for name, evidence in (("first", first), ("second", second), ("both", both(first, second))):
        frame = judged(listed, evidence, effects, NOT_RUN).set_index("claim")
        points = ((100 * frame[["estimate", "low", "high"]]).round(1) + 0.0).astype(str)  # no -0.0
        columns[name] = points["estimate"] + " [" + points["low"] + ", " + points["high"] + "]"
        columns |= {f"{name}: verdict": frame["verdict"], f"{name}: after Holm": frame["verdict_holm"]}
    return pd.DataFrame(columns)[frame["n_seeds"] > 0]


def main(first: Positional[Path], second: Positional[Path], presets: Positional[tuple[Path, ...]]) -> None:
    """Print the table, and end with an error where a verdict changes its sign.

    Args:
        first: folder of a finished run.
        second: folder of another with other seeds.
        presets: that were run, in their order.
    """
    found = replicated((first, second), presets)
    print(found.to_markdown())
    one, other = (found[f"{name}: verdict"].map(SIGN).fillna(0) for name in ("first", "second"))
    same = (found["first: verdict"] == found["second: verdict"]).sum()
    print(f"\n{(one * other < 0).sum()} of {len(found)} verdicts change their sign; {same} are the same to the word.")
    sys.exit(bool((one * other < 0).any()))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
