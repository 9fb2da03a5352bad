"""PABEE: the whole encoder and a classifier for each layer, trained jointly (section 4.2)."""

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.pabee import build_pabee, weighted_loss
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import on_logits
from cascadebert.training.runs import Run


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings) -> None:
    """Train by the weighted mean of all exits' cross-entropies."""
    device, task = run.start(), read_encoded(run.encoded)
    model = build_pabee(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(model, task, on_logits(weighted_loss), settings)
    run.finish(model, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
