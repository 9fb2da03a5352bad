"""DeeBERT's second stage: off-ramps on the fine-tuned base, which stays as it is (section 4.2)."""

from cascadebert.models.deebert import off_ramp_loss
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits


def training(given: Given) -> Training:
    """The model of the recipe by its own loss."""
    return Training(given.build(), on_logits(off_ramp_loss))
