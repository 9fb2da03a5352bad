"""A member that learns a fine-tuned base's answers: BERT-PD (section 4.2, Table 3), or vanilla distillation."""

from pathlib import Path

import tyro
from torch import Tensor

from cascadebert.encoding import read_encoded
from cascadebert.members import build_member
from cascadebert.objectives import Batch, Distillation, on_logits
from cascadebert.objectives import kd as kd_loss
from cascadebert.runs import Run
from cascadebert.teachers import read_teacher
from cascadebert.training import Settings


def main(run: tyro.conf.OmitArgPrefixes[Run], settings: Settings, teacher: Path, kd: Distillation) -> None:
    """Fine-tune by knowledge distillation.

    Args:
        run: inputs and outputs.
        settings: optimisation.
        teacher: of predict_teacher.py.
        kd: the loss.
    """
    device, task = run.start(), read_encoded(run.encoded)
    extras = read_teacher(teacher, task.id, ["logits"])

    def objective(logits: Tensor, batch: Batch) -> Tensor:
        return kd_loss(logits, batch, kd.alpha, kd.temperature)

    member = build_member(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(member, task, on_logits(objective), settings, extras)
    run.finish(member, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
