"""What is minimised: cross-entropy, difficulty-aware regularization (paper, section 3.2), distillation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cascadebert.models.members import Batch

Objective = Callable[[nn.Module, Batch], Tensor]
"""The model and a batch, to the loss."""


def on_logits(loss: Callable[[Tensor, Batch], Tensor]) -> Objective:
    """An objective that needs nothing but the logits of all exits, in float32 whatever the precision."""
    return lambda model, batch: loss(model(batch).float(), batch)


def cross_entropy(logits: Float[Tensor, "exits b classes"], batch: dict[str, Tensor]) -> Float[Tensor, ""]:
    """Mean cross-entropy of the last exit against the batch's labels."""
    return F.cross_entropy(logits[-1], batch["labels"])


def dar(
    logits: Float[Tensor, "exits b classes"],
    difficult: Bool[Tensor, " b"],
    margin: float,
    generator: torch.Generator,
    pairs: str = "sampled",
) -> Float[Tensor, ""]:
    """Difficulty-aware regularization: an easy instance should be more confident than a difficult one, by a margin.

    max(0, margin - (c_easy - c_difficult)), which is Eq. 5 with the sign of Eq. 6 reversed: as printed it would raise
    the confidence of difficult instances (erratum 5). Pairs of equal difficulty are left out: they would add a constant
    (erratum 6). Gradients reach both confidences.

    Args:
        logits: of a member; the last exit counts.
        difficult: d(x).
        margin: epsilon of Eq. 5.
        generator: draws the pairs.
        pairs: "sampled", one difficult partner drawn for each easy instance, with replacement, as the released code
            does; "all", the mean over every pair (erratum 7).

    Returns:
        The mean over pairs; zero when the batch has no easy or no difficult instance (erratum 9).
    """
    confidence = logits[-1].softmax(dim=-1).amax(dim=-1)  # (b,)
    easy, hard = confidence[~difficult], confidence[difficult]
    if not len(easy) or not len(hard):
        return logits.sum() * 0.0
    if pairs == "all":
        gaps = easy[:, None] - hard[None, :]
    else:
        partner = torch.randint(len(hard), (len(easy),), generator=generator).to(hard.device)
        gaps = easy - hard[partner]
    return (margin - gaps).clamp(min=0).mean()


def dar_batch_mean(
    logits: Float[Tensor, "exits b classes"], labels: Int[Tensor, " b"], margin: float
) -> Float[Tensor, ""]:
    """Control of DAR that needs no difficulty labels: COSEE's online signal calibration, on the last exit.

    max(0, margin - (mean c_easy - mean c_difficult)), where an instance is difficult if it is misclassified just now.

    Args:
        logits: of a member; the last exit counts.
        labels: class of each instance.
        margin: epsilon.

    Returns:
        One hinge a batch; zero when all of it is right or all of it wrong.
    """
    confidence = logits[-1].softmax(dim=-1).amax(dim=-1)  # (b,)
    difficult = logits[-1].argmax(dim=-1) != labels
    if difficult.all() or not difficult.any():
        return logits.sum() * 0.0
    return (margin - (confidence[~difficult].mean() - confidence[difficult].mean())).clamp(min=0)


@dataclass(frozen=True)
class Distillation:
    """What a student learns from a teacher's logits; alpha = 1 at temperature 1 is BERT-PD."""

    alpha: float  # weight of the teacher's answers; that of the labels is 1 - alpha
    temperature: float  # T, of both softmaxes


@dataclass(frozen=True)
class Patience:
    """What a BERT-PKD student learns from a teacher's logits and states."""

    alpha: float  # weight of the teacher's answers; that of the labels is 1 - alpha
    beta: float  # weight of its states
    temperature: float  # T, of both softmaxes
    normalize: bool  # bring each state to length 1 first


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
