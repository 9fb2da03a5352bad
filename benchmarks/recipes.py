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
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import product
from math import ceil
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow/scripts"))

from cascadebert.cluster.precision import native_precision
from cascadebert.config import plain, read
from cascadebert.data.encoding import Encoded, read_encoded
from cascadebert.files import read_json, write_json
from cascadebert.models.deebert import build_deebert, off_ramp_loss
from cascadebert.models.fastbert import build_fastbert, build_fastbert_teacher, self_distillation_loss
from cascadebert.models.members import build_member, load_trained, save_trained
from cascadebert.models.pabee import build_pabee, weighted_loss
from cascadebert.models.theseus import Theseus
from cascadebert.training.loop import Settings, fit, start, stream
from cascadebert.training.objectives import Patience, cross_entropy, kd, on_logits
from cascadebert.training.teachers import patient_objective, read_teacher, skip_map, teacher_outputs, write_teacher

ROOT = Path(__file__).parents[1]
EPOCHS, SEEDS = (2, 4), (11,)
RATES, HIGHER_RATES = (1.0e-4, 3.0e-4, 1.0e-3), (3.0e-4, 1.0e-3, 3.0e-3)
"""Where an encoder is trained, and where nothing but classifiers on a frozen one are."""
CONFIG = plain(read(yaml.safe_load((ROOT / "config/config.yaml").read_text()) | {"results": "results"}))
FULL, STUDENT = CONFIG["members"]["base"]["layers"], CONFIG["student_layers"]
FROZEN = {"deebert", "fastbert"}
ON_BASE = {"deebert", "bert_pkd", "theseus", "bert_pd"}
ON_TEACHER = {"fastbert"}
SYSTEMS = (
    *CONFIG["members"],
    *("bert_kl", "pabee", "fastbert_teacher", "deebert", "fastbert", "bert_pkd", "theseus", "bert_pd"),
)


@dataclass(frozen=True)
class Point:
    """One training of one system; layers are those of BERT-kL, which has several."""

    system: str
    lr: float
    epochs: int
    seed: int
    layers: int = 0


def settings_of(point: Point) -> Settings:
    """The default's settings with the point's learning rate and epochs."""
    values = CONFIG["training"] | {"lr": point.lr, "epochs": point.epochs, "precision": native_precision()}
    return Settings(**{field.name: values[field.name] for field in fields(Settings)})


def train(point: Point, results: Path, keep: Path | None = None) -> float:
    """Score on the selection split of the best epoch.

    Args:
        point: what to train.
        results: of the default.
        keep: where the trained tensors go, if others stand on them.
    """
    device, task, settings = start(point.seed, 1), read_encoded(results / "tasks/movies/base.arrow"), settings_of(point)
    n_classes, frozen = len(task.names), settings.freeze_embeddings
    below = results / f"recipes/base_seed{point.seed}.safetensors"
    base, extras, draws = results / "weights/base/model.safetensors", {}, []
    if point.system in CONFIG["members"] or point.system == "bert_pd":
        member = CONFIG["members"][CONFIG["bert_pd"]["member"] if point.system == "bert_pd" else point.system]
        model = build_member(
            results / f"weights/{member['weights']}/model.safetensors", member["layers"], n_classes, frozen
        )
        objective = on_logits(cross_entropy)
        if point.system == "bert_pd":
            objective = on_logits(partial(kd, alpha=1.0, temperature=1.0))
            extras = read_teacher(below.with_suffix(".npz"), task.id, ["logits"])
    elif point.system == "bert_kl":
        model, objective = build_member(base, point.layers, n_classes, frozen), on_logits(cross_entropy)
    elif point.system == "bert_pkd":
        model = build_member(base, STUDENT, n_classes, frozen)
        objective = patient_objective(Patience(alpha=0.5, beta=100.0, temperature=5.0, normalize=True))
        extras = read_teacher(below.with_suffix(".npz"), task.id)
    elif point.system == "theseus":
        tuned = build_member(base, FULL, n_classes, frozen)
        load_trained(tuned, below)
        steps = settings.epochs * ceil(len(task.rows("train")) / settings.batch_size)
        draws = [torch.Generator().manual_seed(int(stream(point.seed, "theseus").integers(2**31)))]
        model, objective = Theseus(tuned, STUDENT, 0.3, 0.5, steps, draws[0]), on_logits(cross_entropy)
    elif point.system == "deebert":
        model, objective = build_deebert(base, below, FULL, n_classes, frozen), on_logits(off_ramp_loss)
    elif point.system == "pabee":
        model, objective = build_pabee(base, FULL, n_classes, frozen), on_logits(weighted_loss)
    elif point.system == "fastbert_teacher":
        model, objective = build_fastbert_teacher(base, FULL, n_classes, frozen), on_logits(cross_entropy)
    else:
        teacher = results / f"recipes/fastbert_teacher_seed{point.seed}.safetensors"
        model = build_fastbert(base, teacher, FULL, n_classes, frozen)
        objective = on_logits(self_distillation_loss)
    rows = task.rows("train")
    history = fit(model.to(device), task, rows, objective, settings, point.seed, extras=extras, draws=draws)
    if keep:
        save_trained(model, keep)
        if point.system == "base":
            teach(model, task, keep.with_suffix(".npz"), settings)
    return max(epoch["selection"] for epoch in history)


def teach(model: torch.nn.Module, task: Encoded, out: Path, settings: Settings) -> None:
    """What students of a base learn from."""
    rows, mapped = task.rows("train"), skip_map(FULL, STUDENT)
    write_teacher(out, task.id[rows], *teacher_outputs(model, task, rows, mapped, settings.precision), mapped)


def grid(system: str) -> list[Point]:
    """All trainings of a system."""
    depths = range(1, FULL // 2 + 1) if system == "bert_kl" else (0,)
    return [Point(system, *values) for values in product(rates_of(system), EPOCHS, SEEDS, depths)]


def rates_of(system: str) -> tuple[float, ...]:
    """Learning rates of a system's grid."""
    return HIGHER_RATES if system in FROZEN else RATES


def record(point: Point, results: Path) -> Path:
    """Where a point's score is kept."""
    depth = point.layers or ""
    return results / f"recipes/{point.system}{depth}_lr{point.lr:g}_epochs{point.epochs}_seed{point.seed}.json"


def scores(systems: tuple[str, ...], results: Path) -> pd.DataFrame:
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
    first = scores(tuple(name for name in SYSTEMS if name not in ON_BASE | ON_TEACHER), results)
    for system, seed in product(("base", "fastbert_teacher"), SEEDS):
        kept = results / f"recipes/{system}_seed{seed}.safetensors"
        if not kept.is_file():
            train(Point(system, *best(first, system), seed), results, kept)
    table = pd.concat([first, scores(tuple(name for name in SYSTEMS if name in ON_BASE | ON_TEACHER), results)])
    lines = []
    for system in SYSTEMS:
        chosen = best(table, system)
        row = {"system": system}
        for epochs, rate in product(EPOCHS, sorted({*RATES, *HIGHER_RATES})):
            text = f"{100 * table.loc[(system, epochs), rate]:.1f}" if rate in rates_of(system) else ""
            row[f"{epochs} epochs, {rate:g}"] = f"**{text}**" if (rate, epochs) == chosen else text
        lines.append(row)
    rows = int(np.size(read_encoded(results / "tasks/movies/base.arrow").rows("selection")))
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
