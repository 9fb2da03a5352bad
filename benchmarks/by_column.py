"""What the averages of a finished run hide: each claim's estimate in every column, and that of off-ramps at each depth.

    python benchmarks/by_column.py results/evidence config/config.yaml config/evidence.yaml

First the folder of results, then the preset that was run, after what it stands on. Points of per cent, 95 % intervals
over seeds and instances as in claims.md, not corrected for their number.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import tyro
from finished import finished
from tyro.conf import Positional

from cascadebert.metrics.crossed import interval
from cascadebert.pages.statements import SHALLOW, change


def of_column(evidence, column):
    """The same with one of the columns."""
    systems = {name: {column: held[column]} for name, held in evidence.systems.items() if column in held}
    exits = {
        model: {depth: {column: held[column]} for depth, held in by_depth.items() if column in held}
        for model, by_depth in evidence.exits.items()
    }
    return replace(evidence, columns=[column], systems=systems, exits=exits)


def estimate(statistic, evidence):
    """A statistic with its interval, or a dash where there is none."""
    try:
        tested = interval(statistic(evidence))
    except LookupError:
        return "-"
    return f"{100 * tested.estimate:.1f} [{100 * tested.low:.1f}, {100 * tested.high:.1f}]"


def main(results: Positional[Path], presets: Positional[tuple[Path, ...]]) -> None:
    """Print a table of columns and one of depths.

    Args:
        results: folder of the finished run.
        presets: that were run, in their order.
    """
    listed, evidence, _ = finished(results, presets)
    parts = {"AVG": evidence} | {column: of_column(evidence, column) for column in evidence.columns}
    rows = {claim.name: {name: estimate(claim.values, part) for name, part in parts.items()} for claim in listed}
    rows = {name: row for name, row in rows.items() if row["AVG"] != "-"}
    print(pd.DataFrame(rows).T.to_markdown(disable_numparse=True), "\n")
    depths = {
        f"{label}, {measure}": {
            f"{depth} layers": estimate(change(measure, model, "deebert", [depth]), evidence)
            for depth in sorted(evidence.exits.get(model, {}))
        }
        for model, label in SHALLOW.items()
        for measure in ("accuracy", "dis")
    }
    print(pd.DataFrame(depths).T.to_markdown(disable_numparse=True))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
