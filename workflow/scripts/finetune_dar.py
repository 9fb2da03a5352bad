"""A member of the cascade fine-tuned with difficulty-aware regularization (section 3.2, Eq. 5 and 6)."""

from pathlib import Path
from typing import Literal

import torch
import tyro
from torch import Tensor

from cascadebert.data.encoding import read_encoded
from cascadebert.metrics.difficulty import margin_of, read_difficult
from cascadebert.models.members import Batch, build_member
from cascadebert.training.loop import Settings, stream
from cascadebert.training.objectives import Distillation, cross_entropy, dar, on_logits
from cascadebert.training.objectives import kd as kd_loss
from cascadebert.training.runs import Run
from cascadebert.training.teachers import read_teacher

NO_TEACHER = Distillation(alpha=0.0, temperature=1.0)


def main(
    run: tyro.conf.OmitArgPrefixes[Run],
    settings: Settings,
    difficulty: Path,
    dar_weight: float,
    margin: float | Path,
    pairs: Literal["sampled", "all"] = "sampled",
    teacher: Path | None = None,
    kd: Distillation = NO_TEACHER,
) -> None:
    """Fine-tune by cross-entropy plus the margin objective on the confidences of easy and difficult instances.

    Args:
        run: inputs and outputs.
        settings: optimisation.
        difficulty: labels.csv of label_difficulty.py.
        dar_weight: lambda.
        margin: epsilon, or the JSON of select_margin.py.
        pairs: one partner drawn for each easy instance, or every pair of a batch.
        teacher: of predict_teacher.py, for vanilla distillation in the place of cross-entropy (section 5.4).
        kd: the distillation's loss.

    Raises:
        ValueError: for a distillation without a teacher.
    """
    if kd.alpha and not teacher:
        raise ValueError(f"--kd.alpha {kd.alpha} wants a --teacher")
    device, task = run.start(), read_encoded(run.encoded)
    extras = {"difficult": read_difficult(difficulty, task.id)}
    if teacher:
        extras |= read_teacher(teacher, task.id, ["logits"])
    epsilon = margin_of(margin)
    draws = torch.Generator().manual_seed(int(stream(run.seed, "dar").integers(2**31)))

    def objective(logits: Tensor, batch: Batch) -> Tensor:
        answers = kd_loss(logits, batch, kd.alpha, kd.temperature) if teacher else cross_entropy(logits, batch)
        return answers + dar_weight * dar(logits, batch["difficult"], epsilon, draws, pairs)

    member = build_member(run.weights, run.layers, len(task.names), settings.freeze_embeddings).to(device)
    history = run.fit(member, task, on_logits(objective), settings, extras, [draws])
    run.finish(member, task, settings, history)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
