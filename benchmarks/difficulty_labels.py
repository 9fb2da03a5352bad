"""How much difficulty labels change with the number of folds K and of seeds, which multiply into their cost.

Trains the default's small member K times a seed for each K and labels its training split as the pipeline does; the
reference is the paper's own choice, K = 8 and five seeds. Reads what these targets make:

    snakemake --cores 2 results/tasks/movies/base/training.arrow results/weights/small/model.safetensors
    python benchmarks/difficulty_labels.py [results]

Prints, for each K and number of seeds: trainings and their cost (instances trained on, that of the reference being 1);
the share of instances that are difficult; how many labels differ from the reference's, and Cohen's kappa with it; and
kappa between labels of disjoint seeds, the agreement of two repetitions. Means over all choices among the five seeds.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import tyro
import yaml
from sklearn.metrics import cohen_kappa_score
from tqdm import tqdm
from tyro.conf import Positional

from cascadebert.cluster.precision import native_precision
from cascadebert.config import read
from cascadebert.data.encoding import read_encoded
from cascadebert.metrics.difficulty import assign_folds, difficult
from cascadebert.recipes import fold_recipe
from cascadebert.training.assembly import Given, training_of
from cascadebert.training.loop import fit, start
from cascadebert.training.runs import predictions_of

ROOT = Path(__file__).parents[1]
FOLDS, SEEDS = (2, 4, 8), (1, 2, 3, 4, 5)


def main(results: Positional[Path] = Path("results")) -> None:
    """Print the table."""
    preset = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    preset["training"]["precision"] = native_precision()
    config = read(preset | {"results": "results"})
    recipe = fold_recipe(config, "small")
    task = read_encoded(results / "tasks/movies/base/training.arrow")
    rows = task.rows("train")
    right = np.zeros((len(FOLDS), len(SEEDS), rows.size), dtype=bool)
    for (i, n_folds), (j, seed) in tqdm([(k, s) for k in enumerate(FOLDS) for s in enumerate(SEEDS)], disable=None):
        fold_of = assign_folds(task.label[rows], n_folds, config.difficulty.fold_seed)
        for fold in range(n_folds):
            device = start(seed, torch.get_num_threads())
            given = Given(recipe, task, results / "weights/small/model.safetensors", seed)
            training = training_of(given)
            model = training.model.to(device)
            fit(model, task, rows[fold_of != fold], training.objective, recipe.settings, seed)
            held_out = predictions_of(model, task, rows[fold_of == fold], recipe.layers, recipe.settings.precision)
            right[i, j, fold_of == fold] = held_out.stack.logits[-1].argmax(axis=-1) == held_out.label

    reference = difficult(right[-1])
    lines = []
    for i, n_folds in enumerate(FOLDS):
        for n in range(1, len(SEEDS) + 1):
            chosen = [difficult(right[i, list(some)]) for some in combinations(range(len(SEEDS)), n)]
            repeated = [
                cohen_kappa_score(difficult(right[i, list(one)]), difficult(right[i, list(other)]))
                for one, other in combinations(combinations(range(len(SEEDS)), n), 2)
                if not set(one) & set(other)
            ]
            lines.append(
                {
                    "K": n_folds,
                    "seeds": n,
                    "trainings": n_folds * n,
                    "cost": n * (n_folds - 1) / (len(SEEDS) * (FOLDS[-1] - 1)),
                    "difficult (%)": 100 * np.mean(chosen),
                    "differ (%)": 100 * np.mean([labels != reference for labels in chosen]),
                    "kappa": np.mean([cohen_kappa_score(labels, reference) for labels in chosen]),
                    "kappa, repeated": np.mean(repeated) if repeated else float("nan"),
                }
            )
    table = pd.DataFrame(lines).astype({"K": object, "seeds": object, "trainings": object})
    formats = ("d", "d", "d", ".2f", ".1f", ".1f", ".2f", ".2f")
    print(table.to_markdown(index=False, floatfmt=formats).replace(" nan ", "   - "))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
