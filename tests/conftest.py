"""Fixtures: a tiny random BERT on disk, tiny encoded tasks, settings of a short training, the finished smoke preset."""

import os
import shutil

import hypothesis
import numpy as np
import pandas as pd
import pytest
import torch
from builders import CPU, enlarged
from filelock import FileLock
from smoke import ROOT, copy_of, said, snakemake

from cascadebert.data.encoding import encode
from cascadebert.data.sources import read_source
from cascadebert.data.splits import carve
from cascadebert.recipe import Settings
from cascadebert.training.loop import to_batch

hypothesis.settings.register_profile("tests", database=None, deadline=None, derandomize=True, max_examples=60)
hypothesis.settings.load_profile("tests")

RUN_SNAKEMAKE = ("test_workflow.py", "test_reruns.py", "test_head.py", "test_hub.py")
"""Files whose tests are of the whole workflow, or of processes."""


def pytest_collection_modifyitems(items):
    """The file that makes the smoke preset first, that which asks for it last: one worker makes it, no core waits."""
    for item in items:
        if item.path.name in RUN_SNAKEMAKE or "smoke_run" in item.fixturenames:
            item.add_marker("workflow")
    items.sort(key=lambda item: {"test_workflow.py": 0, "test_reruns.py": 2}.get(item.path.name, 1))


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """The models are tiny: threads would only get in each other's way."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """model.safetensors of an untrained BERT with 4 layers of 16, config.json and tokenizer.json beside it.

    Weights are ten times as large as BERT's at the start: in so narrow a model all rows would look the same otherwise.
    """
    return enlarged(tmp_path_factory.mktemp("checkpoint"), {"random": 4, "hidden": 16})


@pytest.fixture(scope="session")
def sentences(weights):
    """A toy task of two classes, rows of many lengths."""
    names = ["negative", "positive"]
    frames = read_source({"source": {"toy": 130}, "labels": names})
    examples, _ = carve(frames, {"train": 70, "selection": 25, "report": 20}, seed=0)
    return encode(examples, names, weights.with_name("tokenizer.json"), 32)


@pytest.fixture(scope="session")
def pairs(weights):
    """A hand-made task of pairs, some cut, most padded."""
    texts = [
        ("the film was very good", "a good story"),
        ("bad", "this plot is dull and cold and grim and weak and the actor was awful"),
        ("a scene of the film with music and a joke and the plot and the actor", "warm"),
        ("quite clever", "rather sweet and bright"),
        ("xylophone!", "not"),
    ]
    examples = pd.DataFrame(texts, columns=["text", "text_pair"]).assign(
        id=[f"p{i}" for i in range(5)], split=["train"] * 4 + ["test"], label=["a", "b", "c", "a", ""]
    )
    return encode(examples, ["a", "b", "c"], weights.with_name("tokenizer.json"), 16)


@pytest.fixture
def batch(pairs):
    """All labelled pairs as one padded batch."""
    rows = to_batch(pairs, np.arange(4), CPU)
    assert not rows["attention_mask"].all()
    return rows


@pytest.fixture
def settings():
    """Function to the settings of a short training, some of them changed."""

    def make(**changes):
        short = {
            "epochs": 1,
            "lr": 1e-3,
            "batch_size": 16,
            "weight_decay": 0.0,
            "warmup": 0.0,
            "clip_norm": 1.0,
            "precision": "fp32",
            "freeze_embeddings": False,
            "keep": "last",
        }
        return Settings(**short | changes)

    return make


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory):
    """A copy of the repository in which the smoke preset has been run, by one worker for all; to be left as it is."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, outcome = shared / "smoke", shared / "smoke.txt"
    with FileLock(shared / "smoke.lock"):
        if not outcome.exists():
            folder.mkdir()
            done = snakemake(copy_of(ROOT, folder))
            outcome.write_text("" if done.returncode == 0 else said(done)[-6000:])
    assert not (wrong := outcome.read_text()), wrong
    return folder


@pytest.fixture(scope="module")
def finished(smoke_run, tmp_path_factory):
    """The finished smoke preset, to do with as one likes."""
    return shutil.copytree(smoke_run, tmp_path_factory.mktemp("finished") / "smoke", symlinks=True)


@pytest.fixture
def edited(finished):
    """Edit files of the finished copy through the returned function; they are put back afterwards."""
    before = {}

    def edit(name, change):
        path = finished / name
        before.setdefault(path, path.read_bytes())
        text = path.read_text()
        assert (changed := change(text)) != text, f"the edit of {name} changed nothing"
        path.write_text(changed)

    yield edit
    for path, content in before.items():
        path.write_bytes(content)
