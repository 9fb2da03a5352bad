"""A member fine-tuned on all folds but one, and its predictions on that one (section 3.2, leave-one-out)."""

import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.encoding import read_encoded
from cascadebert.members import build_member
from cascadebert.objectives import cross_entropy, on_logits
from cascadebert.records import write_json, write_predictions
from cascadebert.runs import predictions_of
from cascadebert.training import Settings, fit, start


def main(
    encoded: Path,
    weights: Path,
    layers: int,
    settings: Settings,
    folds: Path,
    fold: int,
    seed: int,
    threads: int,
    origin: Path,
    out: Path,
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
        origin: where the seconds that this took go, .json.
        out: .npz of the held-out fold's logits.
    """
    began = time.perf_counter()
    device, task = start(seed, threads), read_encoded(encoded)
    assigned = pd.read_csv(folds, dtype={"id": str})
    held_out = np.isin(task.id, assigned.loc[assigned["fold"] == fold, "id"])
    rows = task.rows("train")
    member = build_member(weights, layers, len(task.names), settings.freeze_embeddings).to(device)
    fit(member, task, rows[~held_out[rows]], on_logits(cross_entropy), settings, seed)
    write_predictions(out, predictions_of(member, task, rows[held_out[rows]], layers, settings.precision))
    write_json(origin, {"seconds": time.perf_counter() - began})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
