"""Fine-tuning by cross-entropy (sections 3.1 and 4.2): members, BERT-kL, FastBERT's first stage."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from cascadebert.models.encoders import Batch
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits


def cross_entropy(logits: Float[Tensor, "exits b classes"], batch: Batch) -> Float[Tensor, ""]:
    """Mean cross-entropy of the last exit against the batch's labels."""
    return F.cross_entropy(logits[-1], batch["labels"])


def training(given: Given) -> Training:
    """The model of the recipe, whatever it is."""
    return Training(given.build(), on_logits(cross_entropy))
