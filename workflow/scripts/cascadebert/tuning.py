"""The one small grid that each system's learning rate and epochs are chosen from, on the selection split."""

from dataclasses import dataclass, replace
from itertools import product

from cascadebert.config.keys import Config
from cascadebert.recipe import Recipe, needed
from cascadebert.recipes import recipes

STEP = "train_grid_point"
"""Rule of rules/recipes.smk."""

SECTIONS = {
    "finetune": "members.{run}",
    "finetune_first_layers": "bert_kl",
    "train_deebert": "deebert",
    "train_deebert_distilled": "fastbert_origins.deebert_distilled",
    "train_pabee": "pabee",
    "train_fastbert_teacher": "fastbert_teacher",
    "train_fastbert": "fastbert",
    "train_fastbert_labelled": "fastbert_origins.fastbert_labelled",
    "finetune_attending": "fastbert_origins.cascade",
    "finetune_as_released": "as_released",
    "train_pkd": "bert_pkd",
    "train_theseus": "theseus",
    "finetune_pd": "bert_pd",
}
"""Key of the config that holds the epochs and the learning rate of a step's runs; other steps have their member's."""

HEADS = ("train_deebert", "train_deebert_distilled", "train_fastbert", "train_fastbert_labelled")
"""Steps that train nothing but classifiers on a frozen encoder."""


@dataclass(frozen=True)
class Point:
    """One run at one point of its grid.

    Attributes:
        section: key of the config that the chosen point is written to; its runs are trained alike.
        run: as the config has it.
        epochs: of this point.
        lr: of this point.
    """

    section: str
    run: str
    epochs: int
    lr: float

    @property
    def name(self) -> str:
        """A folder of results."""
        return f"{self.run}_{self.epochs}epochs_lr{self.lr:g}"


def points(config: Config) -> list[Point]:
    """Every run at every point of its grid; none without the key recipe_grid."""
    if not (grid := config.recipe_grid):
        return []
    return [
        Point(SECTIONS[recipe.step].format(run=run), run, epochs, lr)
        for run, recipe in recipes(config).items()
        if recipe.step in SECTIONS
        for epochs, lr in product(grid.epochs, grid.head_lr if recipe.step in HEADS else grid.lr)
    ]


def tried(config: Config) -> dict[str, Recipe]:
    """Recipes of all points, by name.

    Difficulty-aware regularization is left out, as it is where a member's own recipe is chosen; what stands on another
    run stands on that one as the config has it.
    """
    known, by_name = recipes(config), {}
    for point in points(config):
        recipe = known[point.run]
        if recipe.dar:
            recipe = replace(recipe, objective="cross_entropy", dar=None, difficulty=None)
        settings = replace(recipe.settings, epochs=point.epochs, lr=point.lr)
        by_name[point.name] = replace(recipe, settings=settings, step=STEP)
    return by_name


def trainings(config: Config) -> list[tuple[Point, str, int]]:
    """Every point with every task and seed that it is tried on."""
    grid = needed(config.recipe_grid)
    return list(product(points(config), grid.tasks or config.tasks, grid.seeds))
