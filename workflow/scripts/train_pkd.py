"""BERT-PKD: the base's first layers, taught by the fine-tuned base's answers and states (section 4.2, Table 3)."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.members import build_member
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import Patience
from cascadebert.training.runs import Run
from cascadebert.training.teachers import patient_objective, read_teacher


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings, teacher: Path, patience: Patience) -> None:
    """Train a student that starts from the pre-trained base's first layers.

    Args:
        run: inputs and outputs.
        settings: optimisation.
        teacher: of predict_teacher.py, for a student of this depth.
        patience: the loss.
    """
    device, task = run.start(), read_encoded(run.encoded)
    student = build_member(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    objective, extras = patient_objective(patience), read_teacher(teacher, task.id)
    history = run.fit(student, task, objective, settings, extras)
    run.finish(student, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
