"""Difficulty-aware regularization (section 3.2), alone or with distillation (section 5.4)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cascadebert.metrics.difficulty import read_difficult
from cascadebert.models.encoders import Batch
from cascadebert.recipe import needed
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits
from cascadebert.training.objectives.cross_entropy import cross_entropy
from cascadebert.training.objectives.kd import kd
from cascadebert.training.teachers import read_teacher


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


def training(given: Given) -> Training:
    """A member by cross-entropy, or by a teacher's answers, plus the margin objective."""
    recipe, taught, epsilon, draws = needed(given.recipe.dar), given.recipe.kd, given.margin(), given.draws("dar")
    task = given.task
    extras = {"difficult": read_difficult(given.file("difficulty"), task.id, task.split == "train")}
    if taught:
        extras |= read_teacher(given.file("teacher"), task.id, ["logits"])

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        answers = kd(logits, batch, taught.alpha, taught.temperature) if taught else cross_entropy(logits, batch)
        return answers + recipe.weight * dar(logits, batch["difficult"], epsilon, draws, recipe.pairs)

    return Training(given.build(), on_logits(loss), extras, [draws])
