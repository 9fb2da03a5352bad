"""A run's logits on splits that it was not trained on, all seeds in one process."""

from itertools import repeat
from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.metrics.predictions import BySeed, read_predictions, write_predictions
from cascadebert.models.building import build_model
from cascadebert.models.members import load_trained
from cascadebert.recipe import from_json
from cascadebert.training.loop import start
from cascadebert.training.runs import predictions_of


def main(
    recipe: str,
    encoded: Path,
    weights: Path,
    seeds: list[int],
    models: list[Path],
    full_layers: int,
    threads: int,
    splits: list[str],
    out: list[Path],
    stage1: tuple[Path, ...] = (),
    answers: tuple[Path, ...] = (),
) -> None:
    """Predict some splits; of the selection split, which the trainings have answered, put their answers together.

    Args:
        recipe: of the run, as JSON (cascadebert/recipe.py).
        encoded: token ids of the task's splits but the selection split.
        weights: model.safetensors of the pre-trained checkpoint.
        seeds: of the trainings.
        models: trained tensors, one a seed.
        full_layers: layers of the base, the numerator of every speed-up.
        threads: of this process.
        splits: that are wanted.
        out: .npz, one a split.
        stage1: trained tensors of the recipe's first stage, one a seed.
        answers: of train.py to the selection split, one a seed.
    """
    device, task, run = start(0, threads), read_encoded(encoded), from_json(recipe)
    by_split: dict[str, BySeed] = {split: {} for split in splits if split != "selection"}
    for seed, trained, first in zip(seeds, models, stage1 or repeat(None, len(seeds)), strict=True):
        model = build_model(run, weights, len(task.names), first)
        load_trained(model, trained)
        model.to(device)
        for split, by_seed in by_split.items():
            by_seed[seed] = predictions_of(model, task, task.rows(split), full_layers, run.settings.precision)
    by_split["selection"] = read_predictions(*answers)
    for split, path in zip(splits, out, strict=True):
        write_predictions(path, by_split[split])


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
