"""PABEE: the whole encoder and a classifier for each layer, trained jointly (section 4.2)."""

import tyro

from cascadebert.encoding import read_encoded
from cascadebert.objectives import on_logits
from cascadebert.pabee import build_pabee, weighted_loss
from cascadebert.runs import Run
from cascadebert.training import Settings


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings) -> None:
    """Train by the weighted mean of all exits' cross-entropies."""
    device, task = run.start(), read_encoded(run.encoded)
    model = build_pabee(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(model, task, on_logits(weighted_loss), settings)
    run.finish(model, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
