"""BERT-of-Theseus: the fine-tuned base, its modules replaced ever more often by one layer each (Table 3)."""

from math import ceil
from pathlib import Path

import torch
import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.members import build_member, load_trained
from cascadebert.models.theseus import Theseus
from cascadebert.training.loop import Settings, stream
from cascadebert.training.objectives import cross_entropy, on_logits
from cascadebert.training.runs import Run


def main(
    run: tyro.conf.OmitArgPrefixes[Run],
    settings: Settings,
    predecessor: Path,
    predecessor_layers: int,
    base_rate: float,
    full_at: float,
) -> None:
    """Train the successor by cross-entropy.

    Args:
        run: inputs and outputs; its layers are the successor's.
        settings: optimisation; freeze_embeddings as in the predecessor's.
        predecessor: the fine-tuned base's trained tensors.
        predecessor_layers: of the base.
        base_rate: b, the replacement rate of the first batch.
        full_at: share of the steps after which the successor is trained alone.
    """
    device, task = run.start(), read_encoded(run.encoded)
    base = build_member(run.weights, predecessor_layers, len(task.names), settings.freeze_embeddings)
    load_trained(base, predecessor)
    steps = settings.epochs * ceil(len(task.rows("train")) / settings.batch_size)
    draws = torch.Generator().manual_seed(int(stream(run.seed, "theseus").integers(2**31)))
    model = Theseus(base, run.layers, base_rate, full_at, steps, draws).to(device)
    history = run.fit(model, task, on_logits(cross_entropy), settings, draws=[draws])
    run.finish(model.export(), task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
