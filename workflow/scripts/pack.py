"""A trained system in a folder of its own, with all that one needs to ask it: members, thresholds, model card."""

from itertools import repeat
from pathlib import Path

import tyro

from cascadebert.data.encoding import texts_of
from cascadebert.exit_rules import Exits
from cascadebert.files import read_csv, read_examples, read_json
from cascadebert.inference.folder import Task
from cascadebert.inference.packing import System, Trained, pack
from cascadebert.metrics.predictions import read_predictions
from cascadebert.recipe import from_json


def main(
    names: list[str],
    recipes: list[str],
    weights: list[Path],
    tokenizers: list[Path],
    models: list[Path],
    facts: Path,
    examples: Path,
    selection: Path,
    sweep: Path,
    task: str,
    run: str,
    label: str,
    exits: Exits,
    metric: str,
    max_length: int,
    full_layers: int,
    speed_up: float,
    seed: int,
    code: str,
    out: Path,
    stage1: tuple[Path, ...] = (),
    columns: tuple[str, ...] = (),
) -> None:
    """Pack one seed of a system.

    Args:
        names: of the runs of its models, in ascending depth; like all that is listed, one entry a model.
        recipes: as JSON.
        weights: model.safetensors of the pre-trained checkpoints.
        tokenizers: tokenizer.json of their token ids.
        models: trained tensors.
        facts: of the task's training part.
        examples: text of the task's training part; says whether they are pairs.
        selection: predictions of the whole system on the selection split.
        sweep: its operating points.
        task: name.
        run: name.
        label: in tables.
        exits: how its instances leave.
        metric: of the task.
        max_length: tokens that are read of a text.
        full_layers: layers of the base, the numerator of every speed-up.
        speed_up: that is taken where nothing is asked for.
        seed: model seed.
        code: digest of the code.
        out: the folder.
        stage1: trained tensors of the first stage, for a system of one model that has one.
        columns: of the texts in the user's data.
    """
    said, points = read_json(facts), read_csv(sweep)
    rows = read_examples(examples)
    pairs, chosen_on = "text_pair" in rows.columns, rows[rows["split"] == "selection"]
    about = Task(task, said["names"], pairs, metric, list(columns))
    system = System(run, label, exits, about, max_length, full_layers, speed_up, seed, code, said["origin"])
    lists = (names, map(from_json, recipes), weights, tokenizers, models, stage1 or repeat(None, len(names)))
    parts = [Trained(*of_model) for of_model in zip(*lists, strict=True)]
    pack(out, system, parts, read_predictions(selection)[seed], texts_of(chosen_on), points[points["seed"] == seed])


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
