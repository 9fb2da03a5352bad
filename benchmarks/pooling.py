"""What the reading of the checkpoint does to every comparison: [CLS] beside the mean of tokens, same seeds.

    snakemake --cores 2 all
    snakemake --cores 2 all --configfile config/config.yaml config/pooling/cls_recipes.yaml
    snakemake --cores 2 results/cls/table2.csv results/cls/figures/figure3.pdf
        --configfile config/config.yaml config/pooling/cls_recipes.yaml config/pooling/cls.yaml
    python benchmarks/pooling.py [results]

Prints the table of docs/method.md: accuracy in per cent on the report split and on its mismatched half, means over the
default's seeds, with the speed-ups that were achieved.
"""

from pathlib import Path

import pandas as pd
import tyro
from tyro.conf import Positional

READINGS = {"[CLS]": "cls", "mean, recipes of [CLS]": "cls_recipes", "mean, its own recipes": "."}
"""Columns, and where the results of each lie below the default's."""

SYSTEMS = {
    "DeeBERT": "deebert_base",
    "PABEE": "pabee_base",
    "FastBERT": "fastbert_base",
    "CascadeBERT": "cascadebert",
}
DEPTHS = {"BERT-{}L": "base_first{}", "BERT-Complete-{}L": {1: "small", 2: "two", 3: "medium"}}


def both(frame: pd.DataFrame, column: str, pattern: str) -> str:
    """A number of the report split and of its mismatched half; a dash where nothing was run."""
    if frame.empty:
        return "-"
    means = frame.groupby("split")[column].mean()
    return " / ".join(pattern.format(means[split]) for split in ("report", "mismatched"))


def read(path: Path) -> pd.DataFrame:
    """A frame, empty where there is no file."""
    columns = ["split", "measure", "target", "score", "speed_up", "layers", "accuracy"]
    return pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=columns)


def rows_of(results: Path) -> dict[str, str]:
    """One column of the table, by row."""
    rows = {}
    exits = read(results / "measures/movies/deebert_base.csv")
    for layer in range(1, 7):
        name = f"off-ramp after layer {layer}" if layer < 6 else "BERT-base"
        rows[name] = both(
            exits[exits["layers"] == layer].assign(score=lambda f: 100 * f["accuracy"]), "score", "{:.1f}"
        )
    for label, runs in DEPTHS.items():
        for depth in (1, 2, 3):
            run = runs[depth] if isinstance(runs, dict) else runs.format(depth)
            own = read(results / f"measures/movies/{run}.csv")
            rows[label.format(depth)] = both(own.assign(score=100 * own["accuracy"]), "score", "{:.1f}")
    for target in (2, 3, 4):
        for label, run in SYSTEMS.items():
            points = read(results / f"sweeps/movies/{run}.csv")
            points = points[(points["measure"] == "layers") & (points["target"] == target)]
            points = points.assign(score=100 * points["score"])
            ratio = f" ({both(points, 'speed_up', '{:.2f}×')})" if len(points) else ""
            rows[f"{target}× {label}"] = both(points, "score", "{:.1f}") + ratio
    return rows


def main(results: Positional[Path] = Path("results")) -> None:
    """Print the table."""
    table = pd.DataFrame({column: rows_of(results / folder) for column, folder in READINGS.items()})
    print(table.rename_axis("movies / movies-mm").to_markdown(disable_numparse=True))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
