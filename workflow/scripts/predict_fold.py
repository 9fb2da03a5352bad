"""A member fine-tuned on all folds but one, and its predictions on that one (section 3.2, leave-one-out)."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.files import write_json
from cascadebert.metrics.predictions import write_predictions
from cascadebert.models.members import build_member
from cascadebert.training.loop import Settings, fit, start
from cascadebert.training.objectives import cross_entropy, on_logits
from cascadebert.training.resume import ResumePoint
from cascadebert.training.runs import predictions_of


def main(
    encoded: Path,
    weights: Path,
    layers: int,
    settings: Settings,
    folds: Path,
    fold: int,
    seed: int,
    threads: int,
    code: str,
    origin: Path,
    out: Path,
    checkpoint_minutes: float = 10.0,
    workers: int = 0,
) -> None:
    """Fine-tune, then predict the held-out fold; the model itself is not kept.

    Args:
        encoded: the task's token ids.
        weights: model.safetensors of the pre-trained checkpoint.
        layers: transformer layers of the member.
        settings: optimisation.
        folds: of assign_folds.py.
        fold: the one held out.
        seed: of initialisation, dropout and the order of rows.
        threads: of this process.
        code: digest of the code that runs.
        origin: where the seconds that this took go, .json.
        out: .npz of the held-out fold's logits.
        checkpoint_minutes: between two writings of what a killed training goes on from, beside the logits.
        workers: processes that make batches; 0 makes them in this one.
    """
    began = time.perf_counter()
    device, task = start(seed, threads), read_encoded(encoded)
    assigned = pd.read_csv(folds, dtype={"id": str})
    held_out = np.isin(task.id, assigned.loc[assigned["fold"] == fold, "id"])
    rows = task.rows("train")
    member = build_member(weights, layers, len(task.names), settings.freeze_embeddings).to(device)
    resume, trained_on = ResumePoint(out.with_suffix(".resume"), checkpoint_minutes), rows[~held_out[rows]]
    fit(member, task, trained_on, on_logits(cross_entropy), settings, seed, resume=resume, workers=workers)
    write_predictions(out, predictions_of(member, task, rows[held_out[rows]], layers, settings.precision))
    write_json(origin, {"code": code, "seconds": time.perf_counter() - began})
    resume.remove()


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
