"""FastBERT's second stage: the teacher, which stays as it is, teaches a student after each other layer (Table 7)."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.fastbert import build_fastbert, self_distillation_loss
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import on_logits
from cascadebert.training.runs import Run


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings, stage1: Path) -> None:
    """Train the students by self-distillation.

    Args:
        run: inputs and outputs.
        settings: optimisation; freeze_embeddings as in stage 1.
        stage1: the teacher's trained tensors, from train_fastbert_teacher.py.
    """
    device, task = run.start(), read_encoded(run.encoded)
    model = build_fastbert(run.weights, stage1, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(model, task, on_logits(self_distillation_loss), settings)
    run.finish(model, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
