"""A member that learns a fine-tuned base's answers: BERT-PD (section 4.2, Table 3), or vanilla distillation."""

from pathlib import Path

import tyro
from torch import Tensor

from cascadebert.data.encoding import read_encoded
from cascadebert.models.members import Batch, build_member
from cascadebert.training.loop import Settings
from cascadebert.training.objectives import Distillation, on_logits
from cascadebert.training.objectives import kd as kd_loss
from cascadebert.training.runs import Run
from cascadebert.training.teachers import read_teacher


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
