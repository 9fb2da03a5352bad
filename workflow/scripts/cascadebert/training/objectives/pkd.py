"""BERT-PKD: the base's first layers, taught by the fine-tuned base's answers and states (section 4.2, Table 3)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cascadebert.models.encoders import Batch, sentence_states
from cascadebert.models.members import Member
from cascadebert.recipe import Patience, needed
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import Objective
from cascadebert.training.objectives.kd import kd
from cascadebert.training.teachers import read_teacher


def patience(
    student: Float[Tensor, "b layers hidden"], teacher: Float[Tensor, "b layers hidden"], normalize: bool
) -> Float[Tensor, ""]:
    """BERT-PKD's patience: mean squared difference between a student's states of the sentence and a teacher's.

    The mean is over batch, layers and hidden units, as in the released code; its paper prints the sum.

    Args:
        student: states after its layers 1..M-1.
        teacher: states after the layers that those are mapped to.
        normalize: bring each state to length 1 first.

    Returns:
        The mean; zero for a student of one layer, which has no state to compare.
    """
    if normalize:
        student, teacher = F.normalize(student, dim=-1), F.normalize(teacher, dim=-1)
    return F.mse_loss(student, teacher, reduction="sum") / max(teacher.numel(), 1)


def patient_objective(recipe: Patience) -> Objective:
    """BERT-PKD: labels, the teacher's answers and its states, for a member.

    (1 - alpha) CE + alpha T^2 KL + beta patience, each with the reduction of the released code, in float32 whatever the
    precision (the released code casts patience to half). The batch holds what `read_teacher` reads.
    """

    def objective(member: Member, batch: Batch) -> Tensor:
        states = sentence_states(member.encoder, batch)
        logits = member.classify(states[-1])[None].float()
        lower, taught = torch.stack(states, dim=1)[:, :-1].float(), batch["teacher_states"].float()
        if lower.shape != taught.shape:
            raise ValueError(f"the student has states {list(lower.shape)} to learn, the teacher {list(taught.shape)}")
        answers = kd(logits, batch, recipe.alpha, recipe.temperature, "mean")
        return answers + recipe.beta * patience(lower, taught, recipe.normalize)

    return objective


def training(given: Given) -> Training:
    """A student that starts from the pre-trained base's first layers."""
    extras = read_teacher(given.file("teacher"), given.task.id)
    return Training(given.build(), patient_objective(needed(given.recipe.patience)), extras)
