"""BERT-of-Theseus: the fine-tuned base, its modules replaced ever more often by one layer each (Table 3)."""

from cascadebert.models.members import build_member, load_trained
from cascadebert.models.theseus import Theseus
from cascadebert.recipe import needed
from cascadebert.training.assembly import Given, Training
from cascadebert.training.loop import on_logits
from cascadebert.training.objectives.cross_entropy import cross_entropy


def training(given: Given) -> Training:
    """The successor by cross-entropy; what is kept is the successor as a member of its own."""
    modules, frozen = needed(given.recipe.replacement), given.recipe.settings.freeze_embeddings
    predecessor = build_member(given.weights, modules.layers, len(given.task.names), frozen)
    draws = given.draws("theseus")
    load_trained(predecessor, given.file("predecessor"))
    model = Theseus(predecessor, given.recipe.layers, modules.base_rate, modules.full_at, given.steps, draws)
    return Training(model, on_logits(cross_entropy), draws=[draws], kept=Theseus.export)
