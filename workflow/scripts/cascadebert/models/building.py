"""The model that a recipe asks for."""

from importlib import import_module
from pathlib import Path

from cascadebert.models.members import MultiExit
from cascadebert.recipe import Recipe


def build_model(recipe: Recipe, weights: Path, n_classes: int, stage1: Path | None = None) -> MultiExit:
    """The model of a recipe, untrained but for its pre-trained checkpoint and its first stage.

    Args:
        recipe: says which function builds it.
        weights: model.safetensors of the checkpoint.
        n_classes: of the task.
        stage1: trained tensors of the run that it starts from, where the recipe names one.
    """
    module, _, function = recipe.model.rpartition(".")
    first = {"stage1": stage1} if recipe.stage1 else {}
    return getattr(import_module(f"cascadebert.{module}"), function)(
        weights=weights,
        layers=recipe.layers,
        n_classes=n_classes,
        freeze_embeddings=recipe.settings.freeze_embeddings,
        **first,
    )
