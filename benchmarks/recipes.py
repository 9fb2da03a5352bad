"""Learning rate and epochs of every system of the default, each chosen from one grid of the same size.

    snakemake --cores 2 results/table3.csv      # makes the task's token ids and every checkpoint, among others
    python benchmarks/recipes.py [results] > docs/recipes.md

Trains each system at each point of the grid and scores it on the selection split, averaged over its exits and over
seeds that the default's results are not of; the report split is never looked at. A system that is trained on top of
another stands on that one at its own best point. BERT-kL has one recipe for all its depths, so its score is their mean.
Every score is kept under results/recipes, so that the command goes on after a kill and prints in seconds afterwards.
"""

import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from itertools import product
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from tqdm import tqdm

from cascadebert.cluster.precision import native_precision
from cascadebert.config import read
from cascadebert.data.encoding import read_encoded
from cascadebert.files import read_json, write_json
from cascadebert.models.members import save_trained
from cascadebert.recipes import depths, recipes
from cascadebert.training.assembly import Given, training_of
from cascadebert.training.loop import fit, start
from cascadebert.training.teachers import skip_map, teacher_outputs, write_teacher

ROOT = Path(__file__).parents[1]
EPOCHS, SEEDS = (2, 4), (11,)
RATES, HIGHER_RATES = (1.0e-4, 3.0e-4, 1.0e-3), (3.0e-4, 1.0e-3, 3.0e-3)
"""Where an encoder is trained, and where nothing but classifiers on a frozen one are."""
PRESET = yaml.safe_load((ROOT / "config/config.yaml").read_text())
PRESET["training"]["precision"] = native_precision()
CONFIG = read(PRESET | {"results": "results"})
RECIPES, BASE = recipes(CONFIG), CONFIG.cascade[-1]
RUNS = {
    **{name: [name] for name in CONFIG.members},
    "bert_kl": [f"{BASE}_first{k}" for k in sorted(depths(CONFIG))],
    **{name: [f"{name}_{BASE}"] for name in ("pabee", "fastbert_teacher", "deebert", "fastbert")},
    **{"bert_pkd": [f"pkd_{BASE}"], "theseus": [f"theseus_{BASE}"], "bert_pd": [f"{CONFIG.bert_pd.member}_pd"]},
}
"""Trainings that share one recipe, by the name of its section."""

FROZEN = {"deebert", "fastbert"}
FIRST = {system for system, runs in RUNS.items() if not any(RECIPES[run].stands_on for run in runs)}
"""Systems that are trained on top of no other."""


@dataclass(frozen=True)
class Point:
    """One training of one run: its grid is that of the system."""

    system: str
    run: str
    lr: float
    epochs: int
    seed: int


def train(point: Point, results: Path, keep: Path | None = None) -> float:
    """Score on the selection split of the best epoch.

    Args:
        point: what to train.
        results: of the default.
        keep: where the trained tensors go, if others stand on them.
    """
    recipe = RECIPES[point.run]
    recipe = replace(recipe, settings=replace(recipe.settings, lr=point.lr, epochs=point.epochs))
    device, task = start(point.seed, 1), read_encoded(results / f"tasks/movies/{recipe.tokenizer}/training.arrow")
    below = {run: results / f"recipes/{run}_seed{point.seed}.safetensors" for run in recipe.stands_on}
    files = {
        "stage1": below.get(recipe.stage1),
        "predecessor": recipe.replacement and below[recipe.replacement.predecessor],
        "teacher": recipe.teacher and below[recipe.teacher].with_suffix(".npz"),
    }
    weights = results / f"weights/{recipe.weights}/model.safetensors"
    training = training_of(Given(recipe, task, weights, point.seed, files))
    rows, model = task.rows("train"), training.model.to(device)
    rest = {"extras": training.extras, "draws": training.draws}
    history = fit(model, task, rows, training.objective, recipe.settings, point.seed, **rest)
    if keep:
        save_trained(model, keep)
        if point.run == BASE:
            mapped = skip_map(recipe.layers, CONFIG.student_layers)
            outputs = teacher_outputs(model, task, rows, mapped, recipe.settings.precision)
            write_teacher(keep.with_suffix(".npz"), task.id[rows], *outputs, mapped)
    return max(epoch["selection"] for epoch in history)


def grid(system: str) -> list[Point]:
    """All trainings of a system."""
    return [Point(system, run, *values) for *values, run in product(rates_of(system), EPOCHS, SEEDS, RUNS[system])]


def rates_of(system: str) -> tuple[float, ...]:
    """Learning rates of a system's grid."""
    return HIGHER_RATES if system in FROZEN else RATES


def record(point: Point, results: Path) -> Path:
    """Where a point's score is kept."""
    return results / f"recipes/{point.run}_lr{point.lr:g}_epochs{point.epochs}_seed{point.seed}.json"


def scores(systems: list[str], results: Path) -> pd.DataFrame:
    """Scores of some systems' whole grids: rows (system, epochs), columns learning rates."""
    points = [point for system in systems for point in grid(system)]
    todo = [point for point in points if not record(point, results).is_file()]
    with ProcessPoolExecutor(cpu_count(), get_context("spawn")) as pool:
        running = {pool.submit(train, point, results): point for point in todo}
        for done in tqdm(as_completed(running), total=len(todo), disable=None):
            write_json(record(running[done], results), asdict(running[done]) | {"selection": done.result()})
    frame = pd.DataFrame([read_json(record(point, results)) for point in points])
    return frame.pivot_table(index=["system", "epochs"], columns="lr", values="selection", sort=False)


def best(table: pd.DataFrame, system: str) -> tuple[float, int]:
    """Learning rate and epochs of the best score; of equal ones the fewest epochs, then the lowest rate."""
    own = table.loc[system]
    epochs, rate = max(product(EPOCHS, rates_of(system)), key=lambda point: own.loc[point])
    return float(rate), int(epochs)


def main(results: Path) -> None:
    """Print the page."""
    first = scores([system for system in RUNS if system in FIRST], results)
    for system, seed in product((BASE, "fastbert_teacher"), SEEDS):
        (run,) = RUNS[system]
        kept = results / f"recipes/{run}_seed{seed}.safetensors"
        if not kept.is_file():
            train(Point(system, run, *best(first, system), seed), results, kept)
    table = pd.concat([first, scores([system for system in RUNS if system not in FIRST], results)])
    lines = []
    for system in RUNS:
        chosen = best(table, system)
        row = {"system": system}
        for epochs, rate in product(EPOCHS, sorted({*RATES, *HIGHER_RATES})):
            text = f"{100 * table.loc[(system, epochs), rate]:.1f}" if rate in rates_of(system) else ""
            row[f"{epochs} epochs, {rate:g}"] = f"**{text}**" if (rate, epochs) == chosen else text
        lines.append(row)
    rows = int(np.size(read_encoded(results / "tasks/movies/base/training.arrow").rows("selection")))
    print((__doc__ or "").split("\n")[0].replace("Learning", "# Learning", 1).rstrip("."))
    seeds = ", ".join(map(str, SEEDS))
    print(
        f"\nWritten by `python benchmarks/recipes.py > docs/recipes.md`. Accuracy in per cent on the {rows} instances"
        f" of the selection split of `movies`, best epoch, mean of the exits, seed {seeds}, precision"
        f" {native_precision()}. The best point of a row, in bold, is its recipe in config/config.yaml. Every system"
        " has six points; where nothing but classifiers on a frozen encoder is trained their learning rates are"
        " higher.\n"
    )
    print(pd.DataFrame(lines).to_markdown(index=False, disable_numparse=True))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
