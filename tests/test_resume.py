"""Killed trainings that are taken up again: the same bits as undisturbed ones, and never somebody else's state."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cascadebert.data.encoding import write_encoded
from cascadebert.models.members import build_member, trained
from cascadebert.models.theseus import Theseus
from cascadebert.recipe import Recipe, Regularization, to_json
from cascadebert.training.loop import fit, on_logits, start
from cascadebert.training.objectives.cross_entropy import cross_entropy
from cascadebert.training.objectives.dar import dar
from cascadebert.training.resume import ResumePoint, fingerprint

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"


class Killed(BaseException):
    """The end of a process, as a test can catch it."""


def member_with_dar(weights, data):
    """A member, an objective that draws pairs, and its generator."""
    draws = torch.Generator().manual_seed(5)
    difficult = torch.arange(len(data.label)) % 3 == 0

    def objective(logits, batch):
        return cross_entropy(logits, batch) + dar(logits, difficult[batch["row"]], 0.5, draws)

    return build_member(weights, 2, 2, freeze_embeddings=False), on_logits(objective), draws


def theseus(weights, data):
    """A model that draws modules and counts batches, an objective, and the generator."""
    draws = torch.Generator().manual_seed(5)
    model = Theseus(build_member(weights, 4, 2, freeze_embeddings=True), 2, 0.3, 0.7, 20, draws)
    return model, on_logits(cross_entropy), draws


def training(make, weights, data, settings, resume=None, end=None, seed=3):
    """Train from nothing or from what is left; killed in step `end`."""
    start(seed, threads=1)
    model, objective, draws = make(weights, data)
    steps = []

    def step(model, batch):
        steps.append(batch["row"])
        if len(steps) == end:
            raise Killed
        return objective(model, batch)

    rows, extras = data.rows("train"), {"row": np.arange(len(data.label))}
    history = fit(model, data, rows, step, settings, seed, "accuracy", extras, [draws], resume)
    return {name: tensor.clone() for name, tensor in trained(model).items()}, history, len(steps)


@pytest.mark.parametrize("make", [member_with_dar, theseus])
@pytest.mark.parametrize("end", [1, 2, 7, 9, 10, 11, 26])
def test_training_goes_on_to_the_same_bits(weights, sentences, settings, tmp_path, make, end):
    short = settings(epochs=3, batch_size=8, keep="best")  # 9 steps an epoch
    expected, told, steps = training(make, weights, sentences, short)
    assert steps == 27
    point = ResumePoint(tmp_path / "m.resume", 0.0, ("train",))
    with pytest.raises(Killed):
        training(make, weights, sentences, short, point, end)
    found, history, rest = training(make, weights, sentences, short, ResumePoint(point.path, 0.0, ("train",)))
    assert rest == 27 - (end - 1)
    assert history == told
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_writing_disturbs_nothing(weights, sentences, settings, tmp_path):
    short = settings(epochs=2, keep="best")
    expected, told, _ = training(member_with_dar, weights, sentences, short)
    found, history, _ = training(
        member_with_dar, weights, sentences, short, ResumePoint(tmp_path / "m.resume", 0.0, ("train",))
    )
    assert history == told
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_it_is_written_every_so_many_minutes(weights, sentences, settings, tmp_path):
    point = ResumePoint(tmp_path / "m.resume", 1000.0, ("train",))
    training(member_with_dar, weights, sentences, settings(), point)
    assert not point.path.exists()
    point.written -= 60 * 1000
    assert point.due()


# --- whose state it is


@pytest.fixture
def left(tmp_path):
    """What a killed training left."""
    ResumePoint(tmp_path / "m.resume", 0.0, ("train", "--lr", "0.1")).write({"epoch": 3})
    return tmp_path / "m.resume"


def test_state_is_read_by_the_same_training(left):
    assert ResumePoint(left, 5.0, ("train", "--lr", "0.1")).read() == {"epoch": 3}


def test_state_of_other_settings_is_ignored_with_a_warning(left, caplog):
    assert ResumePoint(left, 0.0, ("train", "--lr", "0.2")).read() is None
    assert "is of other settings, code or data" in caplog.text


@pytest.mark.parametrize("kept", [0, 1, 200, -1])
def test_truncated_state_is_ignored_with_a_warning(left, caplog, kept):
    left.write_bytes(left.read_bytes()[:kept])
    assert ResumePoint(left, 0.0, ("train", "--lr", "0.1")).read() is None
    assert "is damaged" in caplog.text


def test_no_state_is_no_warning(tmp_path, caplog):
    assert ResumePoint(tmp_path / "m.resume", 0.0, ("train",)).read() is None
    assert not caplog.text


def test_fingerprint_sees_arguments_and_the_content_of_files(tmp_path):
    data, configuration, tokenizer = (tmp_path / name for name in ("data", "config.json", "tokenizer.json"))
    data.write_text("a")
    configuration.write_text("{}")
    arguments = ["finetune.py", "--code", "1", "--encoded", str(data)]
    before = fingerprint(arguments)
    assert fingerprint([*arguments, "--checkpoint-minutes", "3", "--workers", "2"]) == before
    assert fingerprint(["finetune.py", "--code", "2", "--encoded", str(data)]) != before
    configuration.write_text("{ }")
    other = fingerprint(arguments)
    tokenizer.write_text("{}")
    another = fingerprint(arguments)
    data.write_text("b")
    assert len({before, other, another, fingerprint(arguments)}) == 4


# --- the program


@pytest.fixture
def program(weights, sentences, settings, tmp_path):
    """Function to the command of train.py, with DAR, that writes to a folder."""
    write_encoded(tmp_path / "task.arrow", sentences)
    ids = sentences.id[sentences.rows("train")]
    labels = pd.DataFrame({"id": ids, "right": 0, "difficult": np.arange(len(ids)) % 2 == 0})
    labels.to_csv(tmp_path / "labels.csv", index=False)

    made = settings(epochs=30, batch_size=4, warmup=0.1, keep="best")
    recipe = Recipe("m", "w", "w", 2, made, "dar", difficulty="labels", dar=Regularization(0.5, 0.3))

    def command(out):
        return [
            *[sys.executable, str(SCRIPTS / "train.py"), "--recipe", to_json(recipe)],
            *["--encoded", f"{tmp_path}/task.arrow", "--weights", str(weights), "--full-layers", "4"],
            *["--metric", "accuracy", "--seed", "1", "--threads", "1", "--code", "c", "--teacher", "--stage1"],
            *["--difficulty", f"{tmp_path}/labels.csv", "--checkpoint-minutes", "0"],
            *["--model", f"{out}/m.safetensors", "--record", f"{out}/m.json", "--answers", f"{out}/m.npz"],
        ]

    return command


KILLED = """
import os, runpy, signal, sys
event, name, left = sys.argv[1], sys.argv[2], int(sys.argv[3])


def look(happened, arguments):
    global left
    if happened == event and name in str(arguments):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)


sys.argv = sys.argv[4:]
sys.path[0] = os.path.dirname(sys.argv[0])
sys.addaudithook(look)
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""A program that dies before it does something to a file for the nth time. How much it computes is of no account."""

MOMENTS = [
    ("open", "labels.csv", 1),
    ("open", "/.m.resume", 1),
    ("os.rename", "/.m.resume", 2),
    ("os.remove", "/.m.resume", 20),
    ("open", "labels.csv", 1),
    ("os.chmod", "/.m.resume", 9),
    ("open", "/.m.resume", 30),
    ("os.rename", "/.m.safetensors", 1),
    ("os.rename", "/.m.npz", 1),
    ("os.remove", "/m.resume", 1),
]
"""Before the start, around a writing of the state, in a step, among the outputs."""


@pytest.mark.workflow  # minutes of starting and killing processes
def test_program_killed_ten_times_leaves_the_undisturbed_ones_bytes(program, tmp_path):
    calm, disturbed = tmp_path / "calm", tmp_path / "disturbed"
    subprocess.run(program(calm), check=True, capture_output=True)
    python, *arguments = program(disturbed)
    for event, name, times in MOMENTS:
        killed = [python, "-c", KILLED, event, name, str(times), *arguments]
        assert subprocess.run(killed, capture_output=True, check=False).returncode == -signal.SIGKILL
        for output in ("m.safetensors", "m.npz", "m.json"):  # which Snakemake removes before it runs a job again
            (disturbed / output).unlink(missing_ok=True)
    last = subprocess.run([python, *arguments], check=True, capture_output=True, text=True)
    assert "going on after" in last.stderr
    assert not (disturbed / "m.resume").exists()
    names = [path.name for path in sorted(calm.iterdir())]
    assert [path.name for path in sorted(disturbed.iterdir()) if not path.name.startswith(".")] == names
    for name in names:
        assert name == "m.json" or (disturbed / name).read_bytes() == (calm / name).read_bytes()
