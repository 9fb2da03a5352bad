"""The scripts that train and predict, on a toy task, called as the rules call them: a recipe decides what they do."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

import predict
import predict_fold
import predict_teacher
import train
from cascadebert.data.encoding import write_encoded
from cascadebert.files import write_json
from cascadebert.metrics.predictions import read_predictions
from cascadebert.models.building import build_model
from cascadebert.models.members import build_member, load_trained
from cascadebert.recipe import (
    Distillation,
    Patience,
    Pretraining,
    Recipe,
    Regularization,
    Replacement,
    Settings,
    from_json,
    pretraining_from_json,
    to_json,
)
from cascadebert.training import loop
from cascadebert.training.runs import predictions_of

PKD = Patience(alpha=0.5, beta=100, temperature=5, normalize=True)
KD = Distillation(alpha=0.5, temperature=2)
DAR = Regularization(weight=0.5, margin=0.5)
EXIT_MODELS = {
    "deebert": {"objective": "deebert", "model": "models.deebert.build_deebert", "stage1": "base"},
    "pabee": {"objective": "pabee", "model": "models.pabee.build_pabee"},
    "fastbert": {"objective": "fastbert", "model": "models.fastbert.build_fastbert", "stage1": "teacher"},
}


@pytest.fixture
def recipe(settings):
    """Function to the recipe of a member of two layers, some of it changed."""

    def make(layers=2, **changes):
        return Recipe("m", "w", "w", layers, settings(freeze_embeddings=True), **changes)

    return make


@pytest.fixture
def trained(weights, sentences, tmp_path):
    """Function that trains by a recipe and returns the paths of what it leaves; token ids and labels are at hand."""
    write_encoded(tmp_path / "task.arrow", sentences)
    ids = sentences.id[sentences.rows("train")]
    labels = pd.DataFrame({"id": ids, "right": 1, "difficult": np.arange(len(ids)) % 3 == 0})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    write_json(tmp_path / "margin.json", {"margin": -1.0})
    count = iter(range(100))

    def run(recipe, seed=1, **files):
        name = tmp_path / f"run{next(count)}"
        left = {end: name / f"seed{seed}.{end}" for end in ("safetensors", "json", "npz")}
        given = {"difficulty": tmp_path / "labels.csv"} if recipe.difficulty else {}
        train.main(
            *(to_json(recipe), tmp_path / "task.arrow", weights, "accuracy", 4, seed, 1, "x", *left.values()),
            **{name: (path,) for name, path in (given | files).items()},
        )
        return left

    return run


@pytest.fixture
def base(trained, recipe):
    """A fine-tuned base of four layers."""
    return trained(recipe(4))


@pytest.fixture
def teacher(base, recipe, weights, tmp_path):
    """Its outputs, as predict_teacher.py writes them."""
    path = tmp_path / "teacher.npz"
    predict_teacher.main(to_json(recipe(4)), tmp_path / "task.arrow", weights, base["safetensors"], 2, 1, path)
    return path


def logits_of(left):
    """What a training answered to its selection split."""
    return read_predictions(left["npz"])[1].stack.logits


def test_recipe_is_read_by_the_type_that_wrote_it(recipe):
    whole = recipe(teacher="base", kd=KD, dar=replace(DAR, margin=None), difficulty="labels", step="finetune_kd_dar")
    assert from_json(to_json(whole)) == whole
    assert "patience" not in to_json(whole), "what is left at its default is not told"
    distilled = Pretraining("base", [1, 4], "texts", ["task"], 20, 32, whole.settings)
    assert pretraining_from_json(to_json(distilled)) == distilled


@pytest.mark.parametrize("change", [{"layer": 2}, {"layers": "two"}, {"settings": {"epochs": 1}}, {"difficulty": "x"}])
def test_recipe_with_a_mistake_is_refused(recipe, change):
    with pytest.raises(ValidationError):
        from_json(json.dumps(json.loads(to_json(recipe())) | change))


def test_record_says_how_it_was_trained(base, recipe, sentences):
    record = json.loads(base["json"].read_text())
    assert Settings(**record["settings"]) == recipe().settings
    assert (record["seed"], record["threads"], record["code"], record["pooling"]) == (1, 1, "x", "cls")
    assert record["rows"] == sentences.rows("train").size
    assert len(record["history"]) == 1
    assert record["parameters"] > 0 < record["seconds"]


def test_teacher_script_writes_the_fine_tuned_bases_outputs_on_the_training_split(teacher, base, weights, sentences):
    rows, found = sentences.rows("train"), np.load(teacher)
    assert list(found["ids"]) == list(sentences.id[rows])
    assert found["layers"].tolist() == [2]
    member = build_member(weights, 4, 2, freeze_embeddings=True)
    load_trained(member, base["safetensors"])
    np.testing.assert_allclose(found["logits"], loop.predict(member, sentences, rows)[0], atol=1e-6)


def test_recipes_of_one_depth_leave_models_that_differ_by_their_losses(trained, recipe, teacher, base):
    taught = {"teacher": teacher}
    left = [
        trained(recipe()),
        trained(recipe(objective="pkd", teacher="base", patience=PKD), **taught),
        trained(recipe(objective="pkd", teacher="base", patience=replace(PKD, beta=0)), **taught),
        trained(recipe(objective="kd", teacher="base", kd=KD), **taught),
        trained(recipe(objective="kd", teacher="base", kd=Distillation(1, 1)), **taught),
        trained(recipe(objective="dar", difficulty="labels", dar=DAR)),
        trained(recipe(objective="dar", difficulty="labels", dar=replace(DAR, pairs="all"))),
        trained(recipe(objective="dar", difficulty="labels", dar=DAR, teacher="base", kd=KD), **taught),
        trained(recipe(objective="batch_mean", dar=DAR)),
        trained(
            recipe(objective="theseus", replacement=Replacement("base", 4, 0.3, 0.5)), predecessor=base["safetensors"]
        ),
    ]
    logits = [logits_of(files) for files in left]
    for i, first in enumerate(logits):
        assert not any(np.allclose(first, other, atol=1e-6) for other in logits[:i]), i
    for files in left:
        names = load_file(files["safetensors"])
        assert {name.split(".")[3] for name in names if "encoder.layer" in name} == {"0", "1"}


def test_recipes_reduce_to_fine_tuning_where_their_weights_are_zero(trained, recipe, teacher):
    plain = logits_of(trained(recipe()))
    without = replace(DAR, weight=0)
    for reduced, files in (
        (recipe(objective="pkd", teacher="base", patience=Patience(0, 0, 5, False)), {"teacher": teacher}),
        (recipe(objective="kd", teacher="base", kd=Distillation(0, 2)), {"teacher": teacher}),
        (recipe(objective="dar", difficulty="labels", dar=without), {}),
        (recipe(objective="batch_mean", dar=without), {}),
    ):
        found = logits_of(trained(reduced, **files))
        np.testing.assert_allclose(found, plain, atol=1e-5, err_msg=reduced.objective)


@pytest.mark.parametrize("objective", ["dar", "batch_mean"])
def test_selected_margin_is_read_from_its_file(trained, recipe, objective, tmp_path):
    def logits(epsilon, **files):
        labels = "labels" if objective == "dar" else None
        dar = replace(DAR, margin=epsilon)
        return logits_of(trained(recipe(objective=objective, difficulty=labels, dar=dar), **files))

    met, unmet = logits(-1.0), logits(0.5)
    assert np.array_equal(logits(None, margin=tmp_path / "margin.json"), met)
    assert not np.allclose(met, unmet, atol=1e-6)


def test_patient_student_starts_from_the_pre_trained_first_layers(trained, recipe, teacher, base, weights):
    still = recipe(objective="pkd", teacher="base", patience=PKD)
    files = trained(replace(still, settings=replace(still.settings, lr=0.0)), teacher=teacher)
    student, pre_trained = load_file(files["safetensors"]), load_file(weights)
    fine_tuned = load_file(base["safetensors"])
    layers = [name for name in student if ".layer." in name]
    assert len(layers) == 2 * 16
    assert all(torch.equal(student[name], pre_trained[name.removeprefix("encoder.")]) for name in layers)
    assert not any(torch.equal(student[name], fine_tuned[name]) for name in layers if not name.endswith("key.bias"))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"objective": "kd", "teacher": "base", "kd": KD}, "teacher"),
        ({"objective": "dar", "difficulty": "labels", "dar": replace(DAR, margin=None)}, "margin"),
        (EXIT_MODELS["deebert"], "stage1"),
    ],
)
def test_file_that_a_recipe_wants_is_named(trained, recipe, changes, missing):
    with pytest.raises(ValueError, match=f"{changes['objective']}, wants a file: --{missing}"):
        trained(recipe(**changes))


# --- predictions


@pytest.fixture
def predicted(weights, tmp_path):
    """Function that predicts with the models of some trainings, one a seed."""

    def run(recipe, left, stage1=(), splits=("report", "selection")):
        out = [tmp_path / f"{split}.npz" for split in splits]
        models, answers = ([files[end] for files in left.values()] for end in ("safetensors", "npz"))
        rest = (1, list(splits), out, tuple(stage1), tuple(answers))
        predict.main(to_json(recipe), tmp_path / "task.arrow", weights, list(left), models, 4, *rest)
        return {path.stem: read_predictions(path) for path in out}

    return run


def same(one, other):
    """Whether two predictions are the same numbers."""
    pairs = [(one.stack.logits, other.stack.logits), (one.flops, other.flops), (one.full_flops, other.full_flops)]
    return all(np.array_equal(*pair) for pair in [*pairs, (one.id, other.id), (one.label, other.label)])


@pytest.mark.parametrize("name", [None, "theseus", *EXIT_MODELS])
def test_prediction_apart_is_what_the_training_itself_answers(
    trained, predicted, recipe, base, weights, sentences, name
):
    run, files = recipe(), {}
    if name == "theseus":
        run = recipe(objective="theseus", replacement=Replacement("base", 4, 0.3, 0.5))
        files = {"predecessor": base["safetensors"]}
    elif name:
        run = recipe(4, **EXIT_MODELS[name])
        first = trained(recipe(4, model="models.fastbert.build_fastbert_teacher")) if name == "fastbert" else base
        files = {"stage1": first["safetensors"]} if run.stage1 else {}
    left = {seed: trained(run, seed, **files) for seed in (1, 2)}
    found = predicted(run, left, [files["stage1"]] * 2 if "stage1" in files else [])
    assert all(list(by_seed) == [1, 2] for by_seed in found.values())
    assert not np.allclose(found["report"][1].stack.logits, found["report"][2].stack.logits)
    for seed in (1, 2):
        model = build_model(run, weights, 2, files.get("stage1"))
        load_trained(model, left[seed]["safetensors"])
        again = predictions_of(model, sentences, sentences.rows("selection"), 4, "fp32")
        assert same(found["selection"][seed], again), "the trained tensors are all that a prediction needs"


def test_prediction_of_a_split_without_rows_is_defined(trained, predicted, recipe):
    found = predicted(recipe(), {1: trained(recipe())}, splits=["mismatched"])["mismatched"]
    assert found[1].stack.logits.shape == (1, 0, 2)


def test_fold_is_answered_by_a_member_that_has_not_seen_it(recipe, weights, sentences, tmp_path):
    write_encoded(tmp_path / "task.arrow", sentences)
    ids = sentences.id[sentences.rows("train")]
    pd.DataFrame({"id": ids, "fold": np.arange(len(ids)) % 3}).to_csv(tmp_path / "folds.csv", index=False)
    held = []
    for fold in range(3):
        files = tmp_path / "task.arrow", weights, tmp_path / "folds.csv"
        predict_fold.main(to_json(recipe()), *files, fold, 7, 1, "x", tmp_path / "f.json", tmp_path / "f.npz")
        held.append(read_predictions(tmp_path / "f.npz")[7])
        assert json.loads((tmp_path / "f.json").read_text())["seconds"] > 0
    assert sorted(np.concatenate([of_fold.id for of_fold in held])) == sorted(ids)
    assert held[0].stack.full_layers == 2, "a fold is set against no base"
    assert [len(of_fold.id) for of_fold in held] == [24, 23, 23]
