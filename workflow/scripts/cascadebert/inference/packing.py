"""A trained system packed into a folder that is all one needs to ask it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from cascadebert.data.encoding import Text, TextEncoder
from cascadebert.exit_rules import Exits
from cascadebert.files import part_of, versions, write_text
from cascadebert.inference.cards import card
from cascadebert.inference.folder import (
    FORMAT,
    SELECTION,
    TOKENIZER,
    Agreement,
    Manifest,
    Member,
    Outcome,
    SpeedUp,
    Task,
    digest,
    write_manifest,
)
from cascadebert.inference.models import architecture_of, write_model
from cascadebert.inference.settings import LEVELS, fastest, for_agreement
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.intervals import wilson
from cascadebert.metrics.predictions import Predictions
from cascadebert.models.building import build_model
from cascadebert.models.encoders import origin_of, pooling_of
from cascadebert.models.members import load_trained
from cascadebert.recipe import Recipe


@dataclass(frozen=True)
class Trained:
    """One model of a system, as the pipeline keeps it.

    Attributes:
        name: of its run.
        recipe: what was trained.
        weights: model.safetensors of the pre-trained checkpoint, with config.json beside it.
        tokenizer: the tokenizer.json that its token ids are of.
        trained: its trained tensors.
        stage1: those of its first stage, where the recipe has one.
    """

    name: str
    recipe: Recipe
    weights: Path
    tokenizer: Path
    trained: Path
    stage1: Path | None = None


@dataclass(frozen=True)
class System:
    """What a packed system says of itself beside its models."""

    run: str
    label: str
    exits: Exits
    task: Task
    max_length: int
    full_layers: int
    speed_up: float  # that is taken where nothing is asked for, or the largest possible
    seed: int
    code: str  # digest
    data: Mapping[str, Any]  # where the text is from


def pack(
    folder: Path,
    system: System,
    parts: Sequence[Trained],
    selection: Predictions,
    texts: Sequence[Text],
    sweep: pd.DataFrame,
) -> None:
    """Write the folder, whole or not at all.

    Args:
        folder: that is made; what was there before goes.
        system: what it is.
        parts: its models, in ascending depth.
        selection: what the system answers to the selection split, on which thresholds are chosen.
        texts: of that split; their lengths in tokens are kept, so that the system can be timed without any text.
        sweep: its rows of the pipeline's sweep over target speed-ups, of one seed.
    """
    with part_of(folder) as made:
        members: list[Member] = []
        shared: dict[str, str] = {}  # folders of tokenizers, by digest
        for part in parts:
            model = build_model(part.recipe, part.weights, len(system.task.classes), part.stage1)
            load_trained(model, part.trained)
            place = f"members/{part.name}"
            write_model(made / place, model, part.tokenizer.read_bytes(), system.task.classes, system.max_length)
            tokenizer = shared.setdefault(digest(made / place / TOKENIZER), place)
            parameters, pooling = sum(tensor.numel() for tensor in model.parameters()), pooling_of(model.encoder.config)
            name = architecture_of(model)
            members.append(Member(part.name, place, name, part.recipe.layers, pooling, tokenizer, parameters))
        stack = selection.stack
        lengths = TextEncoder(parts[0].tokenizer, system.max_length)(texts)[0].lengths
        of_selection = {
            "logits": stack.logits.astype(np.float32),
            "layers": np.asarray(stack.layers),
            "lengths": lengths,
        }
        save_file(of_selection, made / SELECTION)
        for file in filter(Path.is_file, made.rglob("*")):  # what safetensors writes is for its owner alone
            file.chmod(0o644)
        manifest = Manifest(
            format=FORMAT,
            kind="cascade" if len(parts) > 1 else "early_exit",
            run=system.run,
            label=system.label,
            exits=system.exits,
            task=system.task,
            max_length=system.max_length,
            precision=parts[-1].recipe.settings.precision,
            full_layers=system.full_layers,
            members=members,
            default_speed_up=min(system.speed_up, fastest(stack, system.exits)),
            speed_ups=speed_ups_of(sweep, system.task.metric),
            agreements=[agreement_at(stack, system.exits, level) for level in LEVELS] if system.exits != "last" else [],
            origin={
                "seed": system.seed,
                "code": system.code,
                "versions": versions(),
                "data": dict(system.data),
                "weights": {part.name: origin_of(part.weights) for part in parts},
                "recipes": {part.name: asdict(part.recipe) for part in parts},
            },
        )
        write_manifest(made, manifest)
        write_text(made / "README.md", card(manifest))
        if folder.exists():
            folder.rename(made.with_name("before"))
        made.rename(folder)


def speed_ups_of(sweep: pd.DataFrame, metric: str) -> list[SpeedUp]:
    """Operating points in layers at each target, and what they gave on each split that has labels."""
    points = []
    for target, rows in sweep[sweep["measure"] == "layers"].groupby("target"):
        threshold = finite(float(rows["threshold"].iloc[0]))
        outcomes = [outcome(row, metric) for row in rows.to_dict("records") if row["n"]]
        points.append(SpeedUp(float(target), threshold, outcomes))
    return points


def outcome(row: Mapping[str, Any], metric: str) -> Outcome:
    """What a row of a sweep says."""
    score = None if np.isnan(row["score"]) else float(row["score"])
    low, high = (
        wilson(round(row["score"] * row["n"]), row["n"]) if metric == "accuracy" and score is not None else (None, None)
    )
    return Outcome(row["split"], float(row["speed_up"]), score, low, high, int(row["n"]))


def agreement_at(stack: ExitLogits, exits: Exits, level: float) -> Agreement:
    """The fastest setting that keeps a share of the base's answers, or why it cannot be shown."""
    try:
        chosen = for_agreement(stack, exits, level)
    except Problem as problem:
        return Agreement(level, unreachable=str(problem))
    return Agreement(level, finite(float(np.asarray(chosen.threshold))), chosen.speed_up, chosen.at_least)


def finite(threshold: float) -> float | None:
    """A threshold for JSON, which has no infinity: none where there is nothing to set, and a million for it."""
    return None if np.isnan(threshold) else float(np.clip(threshold, -1e6, 1e6))
