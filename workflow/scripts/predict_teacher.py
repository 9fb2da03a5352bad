"""A fine-tuned base's answers and states on the training split, for the students that it teaches (Tables 3 and 6)."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import read_encoded
from cascadebert.models.building import build_model
from cascadebert.models.members import load_trained
from cascadebert.recipe import from_json
from cascadebert.training.loop import start
from cascadebert.training.teachers import skip_map, teacher_outputs, write_teacher


def main(
    recipe: str, encoded: Path, weights: Path, trained: Path, student_layers: int, threads: int, out: Path
) -> None:
    """Write logits, and states of the sentence after the layers that a student of some depth is mapped to.

    Args:
        recipe: of the teacher, as JSON (cascadebert/recipe.py).
        encoded: token ids of the task's train split.
        weights: model.safetensors of the teacher's pre-trained checkpoint.
        trained: the fine-tuned teacher's trained tensors.
        student_layers: of the student, for PKD's map.
        threads: of this process.
        out: .npz with ids, logits (n, classes), states (n, layers, hidden), layers.
    """
    device, task, run = start(0, threads), read_encoded(encoded), from_json(recipe)
    teacher = build_model(run, weights, len(task.names))
    load_trained(teacher, trained)
    rows, mapped = task.rows("train"), skip_map(run.layers, student_layers)
    outputs = teacher_outputs(teacher.to(device), task, rows, mapped, run.settings.precision)
    write_teacher(out, task.id[rows], *outputs, mapped)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
