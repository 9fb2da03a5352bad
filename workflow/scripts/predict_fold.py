"""A member fine-tuned on all folds but one, and its predictions on that one (section 3.2, leave-one-out)."""

import time
from pathlib import Path

import numpy as np
import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.files import read_csv, write_json
from cascadebert.metrics.predictions import write_predictions
from cascadebert.recipe import from_json
from cascadebert.training.assembly import Given, training_of
from cascadebert.training.loop import fit, start
from cascadebert.training.resume import ResumePoint
from cascadebert.training.runs import predictions_of


def main(
    recipe: str,
    encoded: Path,
    weights: Path,
    folds: Path,
    fold: int,
    seed: int,
    threads: int,
    code: str,
    record: Path,
    out: Path,
    checkpoint_minutes: float = 10.0,
    workers: int = 0,
) -> None:
    """Fine-tune, then predict the held-out fold; the model itself is not kept.

    Args:
        recipe: of the member, as JSON (cascadebert/recipe.py).
        encoded: token ids of the task's train split.
        weights: model.safetensors of the pre-trained checkpoint.
        folds: of assign_folds.py.
        fold: the one held out.
        seed: of initialisation, dropout and the order of rows.
        threads: of this process.
        code: digest of the code that runs.
        record: where the seconds that this took go, .json.
        out: .npz of the held-out fold's logits.
        checkpoint_minutes: between two writings of what a killed training goes on from, beside the logits.
        workers: processes that make batches; 0 makes them in this one.
    """
    began = time.perf_counter()
    device, task = start(seed, threads), read_encoded(encoded)
    assigned = read_csv(folds)
    held_out = np.isin(task.id, assigned.loc[assigned["fold"] == fold, "id"])
    rows, given = task.rows("train"), Given(from_json(recipe), task, weights, seed)
    training, settings = training_of(given), given.recipe.settings
    model, resume = training.model.to(device), ResumePoint(out.with_suffix(".resume"), checkpoint_minutes)
    fit(model, task, rows[~held_out[rows]], training.objective, settings, seed, resume=resume, workers=workers)
    layers = given.recipe.layers  # of the member itself: a fold is never set against a base
    write_predictions(out, {seed: predictions_of(model, task, rows[held_out[rows]], layers, settings.precision)})
    write_json(record, {"code": code, "seconds": time.perf_counter() - began})
    resume.remove()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
