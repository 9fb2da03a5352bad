"""What a killed Snakemake left behind is cleared by the next one, and nothing of a living one is touched."""

import fcntl
import os
import re
import subprocess

import pytest
import yaml
from smoke import ROOT, SMOKE, command, copy_of, said, would_run

RUN = "3f0c8a52-9d7e-4b61-8a35-0c9de1f7a2b4"
TARGET = "results/smoke/tasks/reviews/training.json"


@pytest.fixture
def cluster(tmp_path):
    """A copy of the repository, a squeue that prints a file, a scancel that empties it: (folder, run, orders)."""
    folder = tmp_path / "here"
    folder.mkdir()
    copy_of(ROOT, folder)
    programs, queue, orders = tmp_path / "bin", tmp_path / "queue", tmp_path / "orders"
    programs.mkdir()
    for name, script in (("squeue", f"cat {queue}"), ("scancel", f'echo "$@" >> {orders}; : > {queue}')):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    orders.touch()

    def run(lines, *arguments):
        if lines is not None:
            queue.write_text("".join(f"{line}\n" for line in lines))
        environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
        call = command(TARGET, *arguments)
        return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    return folder, run, orders


def orphans(folder):
    """Two jobs of a killed Snakemake, and two that are none of its."""
    return [
        f"7|{RUN}|{folder}",
        f"12|prefix_{RUN}|{folder}",
        f"8|wrap|{folder}",
        f"9|{RUN}|{folder}/elsewhere",
    ]


def test_jobs_of_a_killed_snakemake_are_cancelled_and_no_others(cluster):
    folder, run, orders = cluster
    done = run(orphans(folder))
    assert done.returncode == 0, said(done)
    assert orders.read_text() == "12 7\n"
    assert (folder / TARGET).exists()


def test_a_dry_run_cancels_nothing(cluster):
    folder, run, orders = cluster
    assert run(orphans(folder), "--dry-run").returncode == 0
    assert not orders.read_text()


def test_jobs_of_a_living_snakemake_are_left_alone(cluster):
    folder, run, orders = cluster
    (folder / ".snakemake").mkdir()
    with (folder / ".snakemake/head").open("w") as head:
        fcntl.flock(head, fcntl.LOCK_SH)  # what a head holds while it is at work
        done = run(orphans(folder))
    assert done.returncode == 0, said(done)
    assert not orders.read_text()


def test_waiting_jobs_are_looked_at_when_a_job_ends_and_not_ever_more_often(cluster):
    _, run, _ = cluster
    slow = "results/smoke/weights/base/config.json"  # seconds, in which TARGET waits
    done = run([], slow, "--cores", "1", "--verbose", "--prioritize", slow)
    assert said(done).count("Ready jobs: ") == 2, "a look before each job"


def test_a_limit_of_job_starts_that_is_asked_for_is_kept(cluster):
    _, run, _ = cluster
    done = run([], "results/smoke/tasks/pairs/training.json", "--cores", "1", "--max-jobs-per-timespan", "1/2s")
    assert "Job rate limit reached" in said(done)


def test_a_local_run_needs_no_cluster_to_ask(cluster):
    _, run, _ = cluster
    assert run(None).returncode == 0, "squeue, which has no file to print, fails"


def test_what_a_dead_snakemakes_jobs_finished_is_recorded_unless_its_config_was_edited(cluster):
    folder, run, _ = cluster
    records, other = folder / ".snakemake/metadata", "results/smoke/tasks/pairs/training.json"
    assert run([]).returncode == 0
    for record in records.iterdir():
        record.unlink()  # as if the job had ended without its Snakemake
    config = folder / "config/smoke.yaml"
    text = config.read_text()
    config.write_text(text.replace("{toy: 480}", "{toy: 481}"))
    refused = run([], other)
    assert refused.returncode != 0
    assert f"{TARGET}l was finished after" in said(refused)
    config.write_text(text)
    assert run([], other).returncode == 0
    assert len(list(records.iterdir())) == 4
    config.write_text(text.replace("{toy: 480}", "{toy: 481}"))
    assert set(would_run(folder, TARGET, other)) == {"prepare_task"}, "an edit is seen again"


def test_every_line_of_the_cluster_profile_is_understood(tmp_path):
    """Those that wait for an edit, too."""
    folder = copy_of(ROOT, tmp_path)
    (folder / "slurm").mkdir()
    lines = (ROOT / "slurm/config.yaml").read_text().splitlines()
    opened = [re.sub(r"^( *)# ( *[\w-]+:)", r"\1\2", line) for line in lines[2:]]
    (folder / "slurm/config.yaml").write_text("\n".join(opened))
    call = [*command()[:3], "--profile", "slurm", "all", "--dry-run", "--configfile", SMOKE]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, said(done)[-3000:]
    assert yaml.safe_load("\n".join(opened))["set-resource-scopes"] == ["gpu=local"]
    assert "predict_fold" in said(done)
