"""A member that learns a fine-tuned base's answers: BERT-PD (section 4.2, Table 3)."""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cascadebert.models.encoders import Batch
from cascadebert.recipe import needed
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits
from cascadebert.training.objectives.cross_entropy import cross_entropy
from cascadebert.training.teachers import read_teacher


def kd(
    logits: Float[Tensor, "exits b classes"],
    batch: Batch,
    alpha: float,
    temperature: float,
    reduction: Literal["batchmean", "mean"] = "batchmean",
) -> Float[Tensor, ""]:
    """Knowledge distillation (Hinton et al.): labels and a teacher's softened answers.

    (1 - alpha) CE + alpha T^2 KL(teacher at T || student at T). With alpha = 1 and T = 1 it is BERT-PD's soft
    cross-entropy, less the teacher's entropy, which is constant.

    Args:
        logits: of the student; the last exit counts.
        batch: with labels, and teacher_logits (b, classes).
        alpha: weight of the teacher's answers, in [0, 1].
        temperature: T.
        reduction: of KL. "batchmean" divides by the batch; "mean", as BERT-PKD's released code does, by batch times
            classes, and its alpha and beta make sense with that alone.
    """
    student = (logits[-1] / temperature).log_softmax(dim=-1)
    teacher = (batch["teacher_logits"] / temperature).log_softmax(dim=-1)
    total = F.kl_div(student, teacher, reduction="sum", log_target=True)
    divergence = total / (len(teacher) if reduction == "batchmean" else teacher.numel())
    return (1 - alpha) * cross_entropy(logits, batch) + alpha * temperature**2 * divergence


def training(given: Given) -> Training:
    """A member by knowledge distillation."""
    recipe = needed(given.recipe.kd)

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        return kd(logits, batch, recipe.alpha, recipe.temperature)

    return Training(given.build(), on_logits(loss), read_teacher(given.file("teacher"), given.task.id, ["logits"]))
