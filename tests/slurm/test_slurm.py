"""The smoke preset through `--profile slurm` on a real one-node SLURM, with all that goes wrong on a cluster.

Run by `make test-slurm`, which brings the SLURM up; pytest does not come here by itself.
"""

import contextlib
import itertools
import json
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psutil
import pytest
from smoke import ROOT, SMOKE, command, copy_of, said, snakemake, would_run

RESULTS = Path("results/smoke")
QUICK = ("--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "5")
ENDED = {"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY"}


def ran(*arguments):
    """Standard output of a command that must succeed."""
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Job:
    """A SLURM job as squeue tells of it, ended ones included."""

    id: str
    state: str
    run: str  # of Snakemake
    what: str  # rule and wildcards
    start: str  # ISO, or N/A
    end: str

    @property
    def rule(self):
        """Its rule."""
        return self.what.removeprefix("rule_").split("_wildcards_")[0]


def jobs(folder):
    """All jobs that any Snakemake submitted from a folder, in the order of their numbers."""
    listed = ran("squeue", "--noheader", "--states=all", "--format=%A|%T|%j|%k|%S|%e|%Z").splitlines()
    found = [line.split("|") for line in listed]
    return sorted((Job(*job) for *job, where in found if where == str(folder)), key=lambda job: int(job.id))


def active(folder):
    """Those that wait, run or end just now."""
    return [job for job in jobs(folder) if job.state not in ENDED]


def processes(folder):
    """Processes whose working directory a folder is, Snakemake and the programs that it runs: (process, command)."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(folder):
                found.append((process, process.cmdline()))
    return found


def programs(folder):
    """Those that write results, by the name of their script, or of the step of a training."""
    found = {}
    for process, called in processes(folder):
        for script in (script for script in called[1:2] if script.startswith("workflow/scripts/")):
            name = Path(script).stem
            recipe = json.loads(called[called.index("--recipe") + 1]) if name == "train" else {}
            found[recipe.get("step", name)] = process
    return found


def until(happened, seconds=300, step=0.2):
    """Wait for something that must happen; what it was."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := happened():
            return found
        time.sleep(step)
    raise AssertionError(f"{happened} did not come about in {seconds} s")


@dataclass
class Workflow:
    """Snakemake in a folder, started again and again with the same command."""

    folder: Path
    arguments: tuple[str, ...]
    log: Path = field(init=False)
    head: subprocess.Popen = field(init=False)

    def __post_init__(self):
        self.log = self.folder / "head.log"
        self.start()

    def start(self):
        """Give the command."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a head must not inherit that it is ignored
        call = [*command()[:3], "--profile", "slurm", *self.arguments, "--configfile", SMOKE, *QUICK]
        with self.log.open("a") as log:
            self.head = subprocess.Popen(call, cwd=self.folder, stdout=log, stderr=log, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        """Leave nothing at work, whatever a test found."""
        self.head.kill()
        self.head.wait()
        if left := active(self.folder):
            ran("scancel", *(job.id for job in left))
        for process, _ in processes(self.folder):  # without cgroups, SLURM loses an idle snakemake of a cancelled job
            with contextlib.suppress(psutil.Error):
                process.kill()

    def watch(self, events):
        """Let each event happen when a job of its rule is first seen at work; wait for the head's end."""
        events = dict(events)
        while self.head.poll() is None:
            for job in active(self.folder):
                if job.state == "RUNNING" and job.rule in events:
                    events.pop(job.rule)(job)
                    break
            time.sleep(0.3)
        assert self.head.returncode == 0, self.log.read_text()[-6000:]
        assert not events, f"no job was seen of {list(events)}"

    def state(self, job):
        """What has become of a job."""
        return next(found.state for found in jobs(self.folder) if found.id == job.id)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A copy of the repository in which the smoke preset runs without SLURM, at the same time: folder, process."""
    folder = copy_of(ROOT, tmp_path_factory.mktemp("local"))
    with (folder / "head.log").open("w") as log:
        yield folder, (running := subprocess.Popen(command(), cwd=folder, stdout=log, stderr=log))
    running.terminate()  # and let its jobs end
    running.wait()


@pytest.fixture(scope="module")
def clustered(local, tmp_path_factory):
    """The same through SLURM: the folder, and the jobs to which something happened."""
    folder = copy_of(ROOT, tmp_path_factory.mktemp("clustered"))
    shutil.copytree(ROOT / "slurm", folder / "slurm")
    workflow, happened = Workflow(folder, ("all",)), {}

    def cancel(job):
        happened["cancelled"] = job
        ran("scancel", job.id)

    def preempt(job):
        happened["preempted"] = job
        ran("sbatch", "--partition=urgent", "--cpus-per-task=2", "--output=/dev/null", "--wrap=sleep 1")
        until(lambda: workflow.state(job) == "PENDING")  # SLURM itself has put it back into the queue

    def fail_node(job):
        happened["lost"] = job
        ran("scontrol", "update", "node=localhost", "state=down", "reason=test")
        until(lambda: workflow.state(job) == "PENDING")
        ran("scontrol", "update", "node=localhost", "state=resume")

    def interrupt(job):
        happened["interrupted"] = job
        workflow.head.send_signal(signal.SIGINT)
        assert workflow.head.wait(timeout=300) != 0
        until(lambda: not active(folder), 60)
        workflow.start()

    def kill(job):
        workflow.head.send_signal(signal.SIGKILL)
        workflow.head.wait()
        happened["orphaned"] = job
        assert workflow.state(job) == "RUNNING", "a killed Snakemake leaves its jobs at work"
        workflow.start()

    events = {  # no head ends after the second, so that what SLURM puts back into the queue is not cancelled there
        "predict_fold": interrupt,
        "finetune_dar": kill,
        "finetune_dar_selected": cancel,
        "finetune_shuffled": preempt,
        "finetune_batch_mean": fail_node,
    }
    began = time.monotonic()
    with workflow:
        workflow.watch(events)
        print(f"\nthrough SLURM: {time.monotonic() - began:.0f} s, {len(jobs(folder))} jobs")
        yield folder, happened, workflow


def deterministic(folder):
    """Files that two runs must share: not logs, benchmarks, and what tells how long trainings and answers took.

    Nor what a job that was killed while it wrote has left under a temporary name.
    """
    results = folder / RESULTS
    found = {path.relative_to(results) for path in results.rglob("[!.]*") if path.is_file()}
    timed = {"logs", "benchmarks", "clock", "table8", "table9", "figure8"}
    shared = {path for path in found if not timed & {path.parts[0], path.stem}}
    return {path for path in shared if path.stem != "claims" or path.suffix == ".csv"}


def content(path):
    """Bytes of a file; of a training's record all but how long it took, of verdicts all but those on the clock."""
    if path.stem == "claims":
        claims = pd.read_csv(path, index_col="claim")
        of_all = claims.columns.str.endswith("_holm")  # those on the clock among them
        return claims.loc[~claims.index.str.startswith("clock-"), ~of_all].to_csv()
    if path.suffix == ".json" and "seconds" in (record := json.loads(path.read_text())):
        return {key: value for key, value in record.items() if key != "seconds"}
    return path.read_bytes()


def test_results_are_those_of_a_local_run(local, clustered):
    reference, running = local
    assert running.wait(timeout=1800) == 0, (reference / "head.log").read_text()[-6000:]
    folder, *_ = clustered
    files = deterministic(reference)
    assert len(files) > 600
    assert deterministic(folder) == files
    differ = [str(path) for path in files if content(folder / RESULTS / path) != content(reference / RESULTS / path)]
    assert not differ


def test_all_is_done_and_no_job_is_left(clustered):
    folder, *_ = clustered
    assert not active(folder)
    assert not programs(folder)
    assert would_run(folder) == {}
    assert "missing provenance" not in said(snakemake(folder, "--dry-run"))
    assert not list((folder / "results").rglob("*.resume"))


def test_what_happened_to_jobs(clustered):
    folder, happened, workflow = clustered
    found = {job.id: job for job in jobs(folder)}
    for name in ("cancelled", "interrupted", "orphaned"):
        assert found[happened[name].id].state == "CANCELLED", name
    for name in ("preempted", "lost"):
        again = found[happened[name].id]
        assert again.state == "COMPLETED", name
        assert again.start > happened[name].start, name
    assert "Cancelling SLURM jobs of a killed Snakemake" in workflow.log.read_text()


def test_nothing_ran_twice_at_the_same_output(clustered):
    folder, *_ = clustered
    same = defaultdict(list)
    for job in jobs(folder):
        if job.start != "N/A" and job.start < job.end:
            same[job.what].append(job)
    for what, found in same.items():
        assert [job.state for job in found].count("COMPLETED") <= 1, what
        for before, after in itertools.pairwise(sorted(found, key=lambda job: job.start)):
            assert before.end <= after.start, (before, after)


def test_short_jobs_are_not_submitted(clustered):
    folder, *_ = clustered
    rules = {job.rule for job in jobs(folder)}
    assert {"prepare_task", "encode_task", "pretrain_member", "predict_teacher", "extract_states"} < rules
    assert not any(rule.startswith(("table", "figure", "sweep", "stack", "adopt", "select")) for rule in rules)


def test_a_job_over_its_memory_or_its_time_is_given_more(local, clustered):
    folder, *_ = clustered
    reference, _ = local
    before = {job.id for job in jobs(folder)}
    targets = [RESULTS / f"models/reviews/{run}/seed1.safetensors" for run in ("pabee_base", "theseus_base")]
    workflow = Workflow(
        folder,
        (
            *map(str, targets),
            "--force",
            *("--set-resources", "train_pabee:mem_mb=350 * attempt", "train_theseus:runtime=1 * attempt"),
            "train_theseus:checkpoint_minutes=0",
        ),
    )

    with workflow:
        process = until(lambda: programs(folder).get("train_theseus"))
        until((folder / targets[1]).with_suffix(".resume").exists, step=0.001)
        process.suspend()  # it hangs once it has saved itself: its minute goes by
        workflow.watch({})
    states = defaultdict(list)
    for job in jobs(folder):
        if job.id not in before:
            states[job.rule].append(job.state)
    assert states["train_theseus"] == ["TIMEOUT", "COMPLETED"]
    assert states["train_pabee"][0] == "FAILED"
    assert states["train_pabee"][-1] == "COMPLETED"
    logs = (folder / ".snakemake/slurm_logs/rule_train_pabee").rglob("*.log")
    assert any("exceeded memory limit" in log.read_text() for log in logs)
    assert "going on after" in (folder / RESULTS / "logs/train/reviews/theseus_base/seed1.log").read_text()
    for target in targets:
        assert (folder / target).read_bytes() == (reference / target).read_bytes()
