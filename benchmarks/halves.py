"""Whether a finished run's verdicts depend on which seeds it had: each claim judged by either half of the seeds.

    python benchmarks/halves.py results/evidence config/config.yaml config/evidence.yaml

First the folder of results, then the preset that was run, after what it stands on. A verdict changes its sign where one
half of the seeds says "holds" (or "holds, smaller than claimed") and the other "contradicted"; estimates are printed,
too, so that a change of sign that neither half decides is seen. Exits with 1 if a verdict changes.
"""

import sys
from pathlib import Path

import pandas as pd
import tyro
from finished import finished, seeds_of
from tyro.conf import Positional

from cascadebert.pages.claims import NOT_RUN
from cascadebert.pages.verdicts import judged

SIGN = {"holds": 1, "holds, smaller than claimed": 1, "contradicted": -1}


def halves(results, presets):
    """Each claim's estimate and verdict with all seeds, with every other one, and with those between."""
    listed, evidence, effects = finished(results, presets)
    seeds = seeds_of(evidence)
    parts = [evidence, evidence.of_seeds(seeds[::2]), evidence.of_seeds(seeds[1::2])]
    frames = [judged(listed, part, effects, NOT_RUN).set_index("claim") for part in parts]
    columns = {}
    for name, frame in zip(("all", "first", "second"), frames, strict=True):
        columns |= {f"{name}: seeds": frame["n_seeds"], f"{name}: points": 100 * frame["estimate"]}
        columns[f"{name}: verdict"] = frame["verdict"]
    found = pd.DataFrame(columns)
    first, second = (found[f"{name}: verdict"].map(SIGN).fillna(0) for name in ("first", "second"))
    return found.assign(changes=first * second < 0)


def main(results: Positional[Path], presets: Positional[tuple[Path, ...]]) -> None:
    """Print the table, and end with an error where a verdict changes its sign.

    Args:
        results: folder of the finished run.
        presets: that were run, in their order.
    """
    found = halves(results, presets)
    print(found.to_markdown(floatfmt=".1f"))
    decided = (found["first: verdict"].map(SIGN).notna() & found["second: verdict"].map(SIGN).notna()).sum()
    print(
        f"\n{found['changes'].sum()} of {len(found)} verdicts change their sign; {decided} are decided by both halves."
    )
    sys.exit(bool(found["changes"].any()))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
