"""FastBERT's second stage: the teacher, which stays as it is, teaches a student after each other layer (Table 7)."""

from cascadebert.models.fastbert import self_distillation_loss
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits


def training(given: Given) -> Training:
    """The model of the recipe by its own loss."""
    return Training(given.build(), on_logits(self_distillation_loss))
