# One Snakemake on a preset. Of a killed one the SLURM jobs are cancelled before the next one starts, and what its jobs
# finished without it is recorded.
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote as as_name

from snakemake.exceptions import WorkflowError

RUN_ID = re.compile(r"([\w-]+_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Name of every SLURM job of one run of Snakemake: its UUID, after slurm-jobname-prefix."""

PROBLEM = "cascadebert.layouts.Problem: "
"""What stands before the sentence in a log."""

LOCKS = Path(".snakemake/heads")
"""A file for each preset, which its Snakemake has for itself as long as it lives, and one that all share."""


def begin():
    """Take the preset, and clear what a killed Snakemake left; only a run that makes files comes here, no dry run.

    A flock ends with its process, so none is ever stale: Snakemake's own locks are off (profiles/default).

    Raises:
        WorkflowError: if another Snakemake is at work on the preset, if jobs of a killed one do not end, or if nothing
            can be written.
    """
    if not workflow.is_main_process:
        return
    try:
        LOCKS.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkflowError(f"nothing can be written to {Path.cwd()} ({error}): make files in a copy of it") from None
    preset, everyone = (open(LOCKS / name, "a+") for name in (as_name(CONFIG.results, safe=""), "everyone"))
    workflow.globals["_held"] = preset, everyone  # open until this process ends
    if not _alone(preset):
        raise WorkflowError(f"another Snakemake is at work on {CONFIG.results}: wait until it ends, or stop it")
    if _alone(everyone):
        end_orphans()
    fcntl.flock(everyone, fcntl.LOCK_SH)
    if not workflow.touch:
        _record_finished()
    _note({str(file) for job in workflow.dag.needrun_jobs() for file in job.output} | _left_by_killed())


def end():
    """Note that no job goes on without its Snakemake, and say again in what sentence each failed job ended.

    Above stand their logs, with tracebacks, among the lines of other jobs.
    """
    if not workflow.is_main_process:
        return
    _note(set())
    for log in sorted({str(log) for job in workflow.scheduler.failed for log in job.log}):
        lines = Path(log).read_text(errors="replace").splitlines() if Path(log).exists() else []
        said = [line for line in lines if PROBLEM in line]
        if said:
            logger.error(f"{said[-1].partition(PROBLEM)[2]} ({log})")


def start_jobs_at_once():
    """Drop Snakemake's default limit of 100 job starts a second; one that is asked for on the command line is kept.

    Under a limit each look at the waiting jobs brings about another a second later, and so does each end of a job: after
    200 jobs Snakemake looks 200 times a second at every input of all that wait, and keeps a core or a file server busy.
    """
    limit = workflow.scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


def end_orphans(patience=300):
    """Cancel the SLURM jobs that a killed Snakemake left at work in this folder, and wait until they are gone.

    They would write the same files as the jobs that are submitted next. A training goes on from where it was cancelled.

    Args:
        patience: seconds within which they must be gone.

    Raises:
        WorkflowError: if they are not.
    """
    if not shutil.which("squeue"):
        return
    if orphans := _slurm_jobs():
        logger.info(f"Cancelling SLURM jobs of a killed Snakemake: {' '.join(orphans)}")
        subprocess.run(["scancel", *orphans], check=True)
    until = time.monotonic() + patience
    while orphans := _slurm_jobs():
        if time.monotonic() > until:
            raise WorkflowError(
                f"SLURM jobs of a killed Snakemake do not end ({' '.join(orphans)}): see squeue and scancel, then give"
                " the same command again"
            )
        time.sleep(1)


def _alone(file):
    """Take a file for this process if no other has it; whether it could."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise WorkflowError(
            f"two runs here could not be kept apart, since files cannot be locked ({error}): mount this folder with flock,"
            " or start one run at a time, with --no-hooks"
        ) from None
    return True


@functools.cache
def _made_with():
    """Digest of the config and of all code."""
    digest = hashlib.sha256(CONFIG.model_dump_json().encode())
    for path in sorted([ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk"), *SCRIPTS.rglob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _left_by_killed():
    """Files that a killed Snakemake was to make with this very config and code, so that its jobs may have made them."""
    note = LOCKS / as_name(CONFIG.results, safe="")
    try:
        held = json.loads(note.read_text())
    except (FileNotFoundError, ValueError):  # none, or one whose writing was broken off before anything was made
        return set()
    return set(held["files"]) if held["made_with"] == _made_with() else set()


def _note(files):
    """Write down what jobs may make from now on, should this process be killed, and with what.

    Raises:
        WorkflowError: if it cannot be written.
    """
    note = workflow.globals["_held"][0]
    try:
        note.seek(0)
        note.truncate()
        note.write(json.dumps({"made_with": _made_with(), "files": sorted(files)}))
        note.flush()
    except OSError as error:
        raise WorkflowError(f"nothing can be written to {Path.cwd() / LOCKS} ({error}): make room there") from None


def _record_finished():
    """Record what jobs finished when their Snakemake was dead, as it would have done: else no later edit reran them."""
    for job in workflow.dag.jobs:
        made = job.output and not workflow.dag.needrun(job) and all(map(os.path.exists, job.output))
        if made and not workflow.persistence.has_metadata(job):
            workflow.async_run(workflow.persistence.finished(job))


def _slurm_jobs():
    """Jobs of this user that wait or run and that a Snakemake submitted from this folder.

    Only a run on SLURM needs an answer: elsewhere squeue may be installed and have no cluster to ask.
    """
    listed = subprocess.run(
        ["squeue", "--noheader", "--user", str(os.getuid()), "--format", "%A|%j|%Z"],
        check=workflow.executor_plugin.name == "slurm",
        capture_output=True,
        text=True,
    )
    jobs = [line.split("|", 2) for line in listed.stdout.splitlines()]
    here = os.path.realpath(os.curdir)
    return sorted({job for job, name, folder in jobs if RUN_ID.fullmatch(name) and os.path.realpath(folder) == here})
