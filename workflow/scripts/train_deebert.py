"""DeeBERT's second stage: off-ramps on the fine-tuned base, which stays as it is (section 4.2)."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.deebert import build_deebert, off_ramp_loss
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import on_logits
from cascadebert.training.runs import Run


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings, stage1: Path) -> None:
    """Train the off-ramps.

    Args:
        run: inputs and outputs.
        settings: optimisation.
        stage1: the fine-tuned base's trained tensors, the same that BERT-base and the cascade use.
    """
    device, task = run.start(), read_encoded(run.encoded)
    model = build_deebert(run.weights, stage1, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(model, task, on_logits(off_ramp_loss), settings)
    run.finish(model, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
