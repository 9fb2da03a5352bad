"""A fine-tuned base's answers and states on the training split, for the students that it teaches (Tables 3 and 6)."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.members import build_member, load_trained
from cascadebert.training.loop import Settings, start
from cascadebert.training.teachers import skip_map, teacher_outputs, write_teacher


def main(
    encoded: Path,
    weights: Path,
    trained: Path,
    layers: int,
    student_layers: int,
    settings: Settings,
    threads: int,
    out: Path,
) -> None:
    """Write logits, and states of the sentence after the layers that a student of some depth is mapped to.

    Args:
        encoded: the task's token ids.
        weights: model.safetensors of the teacher's pre-trained checkpoint.
        trained: the fine-tuned teacher's trained tensors.
        layers: transformer layers of the teacher.
        student_layers: of the student, for PKD's map.
        settings: as the teacher was fine-tuned; precision and freeze_embeddings count.
        threads: of this process.
        out: .npz with ids, logits (n, classes), states (n, layers, hidden), layers.
    """
    device, task = start(0, threads), read_encoded(encoded)
    teacher = build_member(weights, layers, len(task.names), settings.freeze_embeddings)
    load_trained(teacher, trained)
    rows, mapped = task.rows("train"), skip_map(layers, student_layers)
    outputs = teacher_outputs(teacher.to(device), task, rows, mapped, settings.precision)
    write_teacher(out, task.id[rows], *outputs, mapped)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
