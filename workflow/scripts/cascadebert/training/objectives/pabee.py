"""PABEE: the whole encoder and a classifier for each layer, trained jointly (section 4.2)."""

from cascadebert.models.pabee import weighted_loss
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits


def training(given: Given) -> Training:
    """The model of the recipe by its own loss."""
    return Training(given.build(), on_logits(weighted_loss))
