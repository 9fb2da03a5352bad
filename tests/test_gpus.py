"""Jobs side by side on one machine take a GPU each."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cascadebert.training import gpus
from cascadebert.training import loop as training
from cascadebert.training.resume import TrainingState

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"
JOB = "import sys; from pathlib import Path; from cascadebert.training.gpus import claim; "
JOB += "print(claim(sys.argv[2:], Path(sys.argv[1])), flush=True); sys.stdin.read()"


@pytest.fixture
def job(tmp_path):
    """Start a process that takes one of some GPUs and keeps it until it is ended: (process, what it took)."""
    running = []

    def begin(*names):
        command = [sys.executable, "-c", JOB, str(tmp_path), *names]
        process = subprocess.Popen(command, cwd=SCRIPTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process, int(process.stdout.readline())

    yield begin
    for process in running:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_each_job_takes_a_gpu_of_its_own_and_a_killed_one_gives_it_back(job):
    _, taken = job("a", "b")
    assert taken == 0
    second, taken = job("a", "b")
    assert taken == 1
    assert job("b", "c")[1] == 1, "the device counts, not its place among those that a job sees"
    assert job("a", "b")[1] == 0, "all are taken: the first is shared"
    second.kill()
    second.wait()
    assert job("a", "b")[1] == 1


def test_a_training_computes_on_the_gpu_that_it_took(monkeypatch, tmp_path):
    chosen, held = [], []
    monkeypatch.setattr(gpus, "_HELD", held)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=f"gpu{index}"))
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path))
    assert training.start(1, 1) == torch.device("cuda")
    assert training.start(1, 1) == torch.device("cuda")
    assert chosen == [0, 1]
    for file in held:
        file.close()


def test_a_training_that_goes_on_takes_its_random_state_to_whatever_gpu_it_has_then(monkeypatch):
    model, kept, held = torch.nn.Linear(2, 2), torch.tensor([7], dtype=torch.uint8), []
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.ConstantLR(optimizer)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    state = TrainingState(model, optimizer, schedule, scaler, np.random.default_rng(0), [], torch.zeros(()))
    state.begin_epoch()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device="cuda": {"cuda": kept}[device])
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device="cuda": held.append((state, device)))
    state.unpack(state.pack())
    assert held == [(kept, "cuda")], "that of the device which the job has taken, by no index"
