"""Downloads from a mirror of the hub on this machine: what arrives, what a fault is told as, what needs no network.

A process makes many downloads, since each environment needs one of its own.
"""

import json
import re
import shutil
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
import yaml
from mirror import Fault, build, commit_of, environment, glue_frames, mirrored, write_bert, write_glue
from smoke import ROOT, copy_of, said

from cascadebert.data.origins import sha256
from cascadebert.data.sources import read_source
from cascadebert.layouts import Problem
from cascadebert.models.checkpoints import read_checkpoint, write_checkpoint

FETCH = """
import json, sys
from pathlib import Path
from cascadebert.data import hub
from cascadebert.layouts import Problem

for call in json.load(sys.stdin):
    try:
        getattr(hub, call.pop("do"))(**call | {"out": Path(call["out"])})
        print("null")
    except Problem as problem:
        print(json.dumps(str(problem)))
"""


def python(*arguments, **options):
    """Run this interpreter to the end."""
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)


def fetched(calls, **env):
    """What each download ends in, all in one process: nothing, or the sentence that it is refused with."""
    done = python("-c", FETCH, input=json.dumps(calls), env=environment(**env))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def weights(out, repository="some/new", revision=None):
    """Download of a checkpoint."""
    what = {"do": "fetch_weights", "key": "weights.w.source.hub", "out": str(out)}
    return what | {"repository": repository, "revision": revision}


def dataset(out, repository="nyu-mll/glue", name="rte", revision=None):
    """Download of a data set."""
    return weights(out, repository, revision) | {"do": "fetch_dataset", "key": "data.d.source.hub", "name": name}


def origin(archive):
    """What an archive says of itself."""
    with zipfile.ZipFile(archive) as packed:
        return json.loads(packed.read("origin.json"))


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """A hub's worth of small repositories."""
    folder = tmp_path_factory.mktemp("hub")
    models, data = folder / "models", folder / "datasets"
    frames = glue_frames(rows=40)
    texts = frames["rte"]["train"]["sentence1"].tolist()
    write_bert(models / "some/old", 2, 16, 300, texts)
    for name in ("added_tokens.json", "special_tokens_map.json"):
        (models / "some/old" / name).write_text("{}")
    for name in ("new", "new@v1", "gated", "damaged", "cut", "flaky", "both"):
        depth = 1 if "@" in name else 2
        write_checkpoint(models / "some" / name, *read_checkpoint({"random": depth, "hidden": 16}))
    (models / "some/both/pytorch_model.bin").write_bytes(b"older")
    for name in ("some/bare", "some/sentences", "google-bert/bert-base-uncased"):
        shutil.copytree(models / "some/new", models / name)
    (models / "some/bare/config.json").unlink()
    shutil.copytree(models / "some/new", models / "some/parts")
    (models / "some/parts/model.safetensors").rename(models / "some/parts/model.safetensors.index.json")
    pools = {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}
    (models / "some/sentences/modules.json").write_text(json.dumps([pools]))
    (models / "some/sentences/1_Pooling").mkdir()
    (models / "some/sentences/1_Pooling/config.json").write_text('{"pooling_mode_mean_tokens": true}')
    write_glue(data / "nyu-mll/glue", frames)
    (data / "some/plain/cola").mkdir(parents=True)
    for part in range(2):
        rows = frames["sst2"]["train"].iloc[20 * part : 20 * part + 20]
        rows.to_csv(data / f"some/plain/cola/train-0000{part}-of-00002.csv", index=False)
    (data / "some/plain/cola/test.jsonl").write_text('{"sentence": "x", "label": -1}\n')
    (data / "some/trainless").mkdir()
    (data / "some/trainless/test.csv").write_text("sentence,label\nx,-1\n")
    return folder


def test_mirror_can_hold_all_that_a_preset_names(tmp_path):
    build(tmp_path, hidden=16, vocabulary=300, rows=40)
    named = 0
    for preset in sorted((ROOT / "config").glob("*.yaml")):
        config = yaml.safe_load(preset.read_text())
        sources = {name: entry["source"] for name, entry in config.get("weights", {}).items()}
        deepest = {}
        for member in config.get("members", {}).values():
            deepest[member["weights"]] = max(member["layers"], deepest.get(member["weights"], 0))
        for name, layers in deepest.items():
            if "hub" in sources[name]:
                checkpoint = read_checkpoint({"path": str(tmp_path / "models" / sources[name]["hub"])})
                assert checkpoint[0]["num_hidden_layers"] >= layers
                named += 1
        for entry in config.get("data", {}).values():
            if "hub" in entry.get("source", {}):
                assert list((tmp_path / "datasets" / entry["source"]["hub"] / entry["source"]["name"]).glob("train-*"))
                named += 1
    assert named >= 13, "seven checkpoints and six tasks of config/paper.yaml"


@pytest.fixture(scope="module")
def downloads(repositories, tmp_path_factory):
    """Many downloads, healthy and not, by name: the sentence that each is refused with, and its archive."""
    out = tmp_path_factory.mktemp("out")
    head = r"/some/flaky/resolve/.*/config.json"
    calls = {
        "new": weights("new"),
        "again": weights("again"),
        "old": weights("old", "some/old"),
        "both": weights("both", "some/both"),
        "sentences": weights("sentences", "some/sentences"),
        "moved": weights("moved", "bert-base-uncased"),
        "tag": weights("tag", revision="v1"),
        "commit": weights("commit", revision=commit_of(repositories / "models/some/new@v1")),
        "flaky": weights("flaky", "some/flaky"),
        "cut": weights("cut", "some/cut"),
        "damaged": weights("damaged", "some/damaged"),
        "healed": weights("healed", "some/damaged"),
        "gated": weights("gated", "some/gated"),
        "nowhere": weights("nowhere", "some/nowhere"),
        "revisionless": weights("revisionless", revision="v2"),
        "bare": weights("bare", "some/bare"),
        "parts": weights("parts", "some/parts"),
        "malformed": weights("malformed", "some/new/model"),
        "glue": dataset("glue"),
        "mnli": dataset("mnli", name="mnli"),
        "plain": dataset("plain", "some/plain", "cola"),
        "misnamed": dataset("misnamed", name="rtf"),
        "trainless": dataset("trainless", "some/trainless", None),
        "data nowhere": dataset("nowhere", "some/nowhere"),
    }
    for name, call in calls.items():
        call["out"] = str(out / f"{name}.zip")
    with mirrored(repositories) as mirror:
        mirror.faults = [
            Fault(head, 500, "HEAD", times=2),
            Fault(r"/lfs/.*/some/cut/.*", "truncated", times=1),
            Fault(r"/lfs/.*/some/damaged/.*", "corrupt", times=1),
            Fault(r"/some/gated/resolve/.*", "gated"),
        ]
        home = tmp_path_factory.mktemp("home")
        sentences = fetched(list(calls.values()), home=home, endpoint=mirror.endpoint)
    assert len(sentences) == len(calls)
    return {"mirror": mirror, "home": home, "out": out, "sentences": dict(zip(calls, sentences, strict=True))}


HEALTHY = "new again old both sentences moved tag commit flaky cut healed glue mnli plain"


@pytest.mark.parametrize("name", HEALTHY.split())
def test_download_ends_in_an_archive(downloads, name):
    assert downloads["sentences"][name] is None
    assert zipfile.ZipFile(downloads["out"] / f"{name}.zip").testzip() is None


@pytest.mark.parametrize(
    ("name", "key", "hint"),
    [
        ("damaged", "", "has been removed, so give the same command again"),
        ("gated", "weights.w.source.hub", "gated: accept its terms on its page at the hub, then `hf auth login`"),
        ("nowhere", "weights.w.source.hub", "names some/nowhere, which the hub does not have"),
        ("revisionless", "weights.w.source.revision", "is v2, which some/new does not have: give a branch"),
        ("bare", "weights.w.source.hub", "names some/bare, which has no config.json"),
        ("parts", "weights.w.source.hub", "names some/parts, which has its tensors in several files, as model.safet"),
        ("malformed", "weights.w.source.hub", "write it as owner/name"),
        ("misnamed", "data.d.source.name", "is rtf: nyu-mll/glue has mnli, mrpc, qnli, qqp, rte, sst2"),
        ("trainless", "data.d.source.hub", "names some/trainless, which has no split train"),
        ("data nowhere", "data.d.source.hub", "names some/nowhere, which the hub does not have"),
    ],
)
def test_fault_is_one_sentence_and_leaves_no_archive(downloads, name, key, hint):
    sentence = downloads["sentences"][name]
    assert hint in sentence
    assert not key or f"config key {key} " in sentence
    assert "\n" not in sentence
    assert not (downloads["out"] / f"{name}.zip").exists()


def test_archive_holds_the_files_of_the_commit_and_says_so(downloads, repositories):
    folder = repositories / "models/some/new"
    names = ("config.json", "model.safetensors", "tokenizer.json")
    expected = {"repository": "some/new", "revision": None, "commit": commit_of(folder)}
    expected["files"] = {name: sha256(folder / name) for name in names}
    assert origin(downloads["out"] / "new.zip") == expected
    with zipfile.ZipFile(downloads["out"] / "new.zip") as packed:
        assert packed.namelist() == ["origin.json", *names]
        assert all(packed.read(name) == (folder / name).read_bytes() for name in names)
    first, again = ((downloads["out"] / f"{name}.zip").read_bytes() for name in ("new", "again"))
    assert first == again


def test_revision_is_a_branch_a_tag_or_a_commit(downloads, repositories):
    commit = commit_of(repositories / "models/some/new@v1")
    tag, digits = (origin(downloads["out"] / f"{name}.zip") for name in ("tag", "commit"))
    assert [(found["commit"], found["revision"]) for found in (tag, digits)] == [(commit, "v1"), (commit, commit)]
    for name, depth in {"new": 2, "tag": 1}.items():
        config, *_ = read_checkpoint({"hub": "some/new"}, downloads["out"] / f"{name}.zip")
        assert config["num_hidden_layers"] == depth


def test_older_tensors_are_fetched_only_where_there_are_no_newer(downloads):
    files = ["added_tokens.json", "config.json", "pytorch_model.bin", "special_tokens_map.json", "vocab.txt"]
    assert list(origin(downloads["out"] / "old.zip")["files"]) == files
    assert "pytorch_model.bin" not in origin(downloads["out"] / "both.zip")["files"]
    got = [path for method, path in downloads["mirror"].requests if method == "GET" and "/lfs/" in path]
    assert not any(path.endswith("some/both/pytorch_model.bin") for path in got)
    assert sum(path.endswith("some/new/model.safetensors") for path in got) == 1, "the second time from the cache"


def test_what_a_sentence_encoder_declares_comes_along(downloads):
    archive = downloads["out"] / "sentences.zip"
    assert {"modules.json", "1_Pooling/config.json"} < set(origin(archive)["files"])
    assert read_checkpoint({"hub": "some/sentences"}, archive)[0]["pooling"] == "mean"
    assert "pooling" not in read_checkpoint({"hub": "some/new"}, downloads["out"] / "new.zip")[0]


def test_faults_were_met(downloads):
    heads = [path for method, path in downloads["mirror"].requests if method == "HEAD" and "some/flaky" in path]
    assert sum(path.endswith("config.json") for path in heads) == 3, "500 twice, then an answer"
    assert [fault.times for fault in downloads["mirror"].faults[:3]] == [0, 0, 0]


def test_digest_that_the_config_pins_is_checked(downloads, repositories):
    digest = sha256(repositories / "models/some/new/model.safetensors")
    archive = downloads["out"] / "new.zip"
    assert read_checkpoint({"hub": "some/new", "sha256": digest}, archive)
    with pytest.raises(Problem, match=f"model.safetensors of some/new has sha256 {digest}, not {'0' * 64}"):
        read_checkpoint({"hub": "some/new", "sha256": "0" * 64}, archive)


def test_data_set_is_read_by_split(downloads, repositories):
    frames = read_source({"source": {"hub": "x"}, "glue": "rte", "label": "label"}, downloads["out"] / "glue.zip")
    folder = repositories / "datasets/nyu-mll/glue/rte"
    theirs = {"train": "train", "report": "validation", "test": "test"}
    assert set(frames) == set(theirs)
    for split, name in theirs.items():
        rows = pd.read_parquet(folder / f"{name}-00000-of-00001.parquet")
        assert frames[split]["text"].tolist() == rows["sentence1"].tolist()
        names = ["entailment", "not_entailment", ""]  # -1, the last, is unlabelled
        assert frames[split]["label"].tolist() == [names[label] for label in rows["label"]]


def test_archive_keeps_every_split_of_the_hub(downloads):
    with zipfile.ZipFile(downloads["out"] / "mnli.zip") as packed:
        splits = {name.split("/")[0] for name in packed.namelist()} - {"origin.json"}
    halves = [f"{split}_{half}" for split in ("validation", "test") for half in ("matched", "mismatched")]
    assert splits == {"train", *halves}
    frames = read_source({"source": {"hub": "x"}, "glue": "mnli", "label": "label"}, downloads["out"] / "mnli.zip")
    assert {"train", "report", "mismatched", "test"} == set(frames)


def test_files_without_a_card_are_told_by_their_names_and_put_together(downloads):
    archive = downloads["out"] / "plain.zip"
    frames = read_source({"source": {"hub": "x"}, "glue": "sst2", "label": "label"}, archive)
    assert {split: len(frame) for split, frame in frames.items()} == {"train": 40, "test": 1}
    assert frames["train"]["text"].tolist() == glue_frames(rows=40)["sst2"]["train"]["sentence"].tolist()


def test_without_a_network_the_cache_is_enough_and_nothing_else_is(downloads, tmp_path):
    again = [weights(tmp_path / "new.zip"), weights(tmp_path / "old.zip", "some/old"), dataset(tmp_path / "glue.zip")]
    cold = [weights(tmp_path / "other.zip", "some/other"), weights(tmp_path / "bare.zip", "some/bare", "v3")]
    for offline in ({}, {"HF_HUB_OFFLINE": "1"}):
        for archive in tmp_path.iterdir():
            archive.unlink()
        *found, other, revision = fetched(
            again + cold, home=downloads["home"], endpoint=downloads["mirror"].endpoint, **offline
        )
        assert found == [None, None, None]
        for name in ("new", "old", "glue"):
            assert (tmp_path / f"{name}.zip").read_bytes() == (downloads["out"] / f"{name}.zip").read_bytes()
        for sentence, asked in ((other, "some/other at main"), (revision, "some/bare at v3")):
            assert f"config key weights.w.source.hub names {asked}" in sentence
            assert "\n" not in sentence
            hint = "HF_HUB_OFFLINE is set: unset it once" if offline else "give the same command again, where there is"
            assert hint in sentence
            assert offline or "refused" in sentence
    assert sorted(path.name for path in tmp_path.iterdir()) == ["glue.zip", "new.zip", "old.zip"]


CONFIG = {
    "tasks": ["rte"],
    "data": {"rte": {"source": {"hub": "nyu-mll/glue", "name": "rte"}, "glue": "rte", "rows": {"train": 24}}},
    "weights": {"small": {"source": {"hub": "some/old"}}, "base": {"source": {"random": 4, "hidden": 16}}},
    "members": {
        "small": {"weights": "small", "layers": 2, "epochs": 1, "lr": 1e-3},
        "base": {"weights": "base", "layers": 4, "epochs": 1, "lr": 1e-3},
    },
    "cascade": ["small", "base"],
    "seeds": [1],
    "training": {"max_length": 32},
} | dict.fromkeys(("bert_kl", "deebert", "pabee"), {"epochs": 1, "lr": 1e-3})
FETCHED = ["results/mini/hub/data/rte.zip", "results/mini/hub/weights/small.zip"]
TRAINED = "results/mini/models/rte/small/seed1.safetensors"


@pytest.fixture(scope="module")
def followed(repositories, tmp_path_factory):
    """A copy of the repository in which hub sources were fetched, then, without the mirror, trained on.

    Returns a function to what Snakemake prints of some targets, given edits of the config.
    """
    folder = copy_of(ROOT, tmp_path_factory.mktemp("followed"))
    home = tmp_path_factory.mktemp("home")

    def run(*targets, endpoint, revision=None):
        config = json.loads(json.dumps(CONFIG))
        if revision:
            config["data"]["rte"]["source"]["revision"] = revision
        (folder / "config/mini.yaml").write_text(yaml.safe_dump(config))
        arguments = ["--cores", "1", *targets, "--configfile", "config/mini.yaml"]
        return python("-m", "snakemake", *arguments, cwd=folder, env=environment(home, endpoint))

    with mirrored(repositories) as mirror:
        mirror.faults = [Fault("/api/datasets/.*", 500, times=1)]
        done = run(*FETCHED, endpoint=mirror.endpoint)
    assert done.returncode == 0, said(done)
    assert mirror.faults[0].times == 0, "the first attempt met the fault"
    done = run(TRAINED, endpoint=mirror.endpoint)
    assert done.returncode == 0, said(done)
    return folder, lambda *targets, **edits: run(*targets, endpoint=mirror.endpoint, **edits)


def test_record_of_a_training_says_which_commits_it_rests_on(followed, repositories):
    record = json.loads((followed[0] / TRAINED).with_suffix(".json").read_text())
    for key, name in {"data": "datasets/nyu-mll/glue", "weights": "models/some/old"}.items():
        folder = repositories / name
        assert record[key]["repository"] == folder.relative_to(folder.parents[1]).as_posix()
        assert record[key]["commit"] == commit_of(folder)
    assert record["weights"]["files"]["pytorch_model.bin"] == sha256(folder / "pytorch_model.bin")


def test_without_a_network_nothing_is_left_to_do_and_another_revision_is_fetched_and_what_is_made_of_it(followed):
    done = followed[1](TRAINED, *FETCHED)
    assert done.returncode == 0, said(done)
    assert "Nothing to be done" in said(done)
    done = followed[1](TRAINED, "--dry-run", revision="v1")
    jobs = re.findall(r"^(\w+) +\d+$", said(done).split("Job stats:")[1].split("total")[0], re.M)
    assert sorted(set(jobs) - {"total"}) == ["encode_task", "fetch_dataset", "finetune", "prepare_task"]


def test_fetch_that_fails_stops_the_workflow_with_its_sentence(followed):
    done = followed[1](FETCHED[0], revision="v1")
    assert done.returncode == 1
    assert "config key data.rte.source.hub names nyu-mll/glue at v1" in said(done)
    assert "Traceback" not in said(done)
