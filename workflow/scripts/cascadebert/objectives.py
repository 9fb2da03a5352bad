"""The objectives of a member: cross-entropy and difficulty-aware regularization (paper, section 3.2)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


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
