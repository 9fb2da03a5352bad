"""Control of DAR: a margin between a batch's right and wrong answers, without difficulty labels (COSEE)."""

from jaxtyping import Float, Int
from torch import Tensor

from cascadebert.models.encoders import Batch
from cascadebert.recipe import needed
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits
from cascadebert.training.objectives.cross_entropy import cross_entropy


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


def training(given: Given) -> Training:
    """A member by cross-entropy plus the margin objective on mean confidences."""
    weight, epsilon = needed(given.recipe.dar).weight, given.margin()

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        return cross_entropy(logits, batch) + weight * dar_batch_mean(logits, batch["labels"], epsilon)

    return Training(given.build(), on_logits(loss))
