# One Snakemake on a folder of results, whichever clone it runs in. What the jobs of a killed one finished is recorded.
import fcntl
import functools
import hashlib
import json
import os
import shutil
from pathlib import Path
from uuid import uuid4

from snakemake.exceptions import WorkflowError

PROBLEM = "cascadebert.layouts.Problem: "
"""What stands before the sentence in a log."""

FULL = ("No space left on device", "Disk quota exceeded")
"""What is said of a full disk, by whatever library."""

NOTE = Path(CONFIG.results, ".head")
"""What the Snakemake that is at work on the results has for itself as long as it lives, and writes its note in."""

HERE = Path(".snakemake/everyone")
"""What all Snakemakes of this clone share; in it stands the name of the clone's records."""


def begin():
    """Take the results, and clear what a killed Snakemake left; only a run that makes files comes here, no dry run.

    A flock ends with its process, so none is ever stale: Snakemake's own locks are off (profiles/default).

    Raises:
        WorkflowError: if another Snakemake is at work on the results, if jobs of a killed one do not end, or if nothing
            can be written.
    """
    if not workflow.is_main_process:
        return
    try:
        for file in (NOTE, HERE):
            file.parent.mkdir(parents=True, exist_ok=True)
        note, everyone = open(NOTE, "a+"), open(HERE, "a+")
    except OSError as error:
        raise WorkflowError(f"nothing can be written to {Path.cwd()} ({error}): make files in a copy of it") from None
    workflow.globals["_held"] = note, everyone  # open until this process ends
    if not _alone(note):
        raise WorkflowError(f"another Snakemake is at work on {CONFIG.results}: wait until it ends, or stop it")
    if _alone(everyone):
        end_slurm_orphans()
        if not _records():
            everyone.write(str(uuid4()))
            everyone.flush()
    fcntl.flock(everyone, fcntl.LOCK_SH)
    end_local_orphans()
    if not workflow.touch:
        _record_finished()
    _note({str(file) for job in workflow.dag.needrun_jobs() for file in job.output} | _left_by_killed())


def end():
    """Note that no job goes on without its Snakemake."""
    if workflow.is_main_process:
        _note(set())


def tell_failures():
    """Say again in what sentence each failed job ended: above stand their logs, with tracebacks, among other lines.

    What they were to make stays noted: SLURM may end a cancelled job only when it has written it.
    """
    if not workflow.is_main_process:
        return
    for log in sorted({str(log) for job in workflow.scheduler.failed for log in job.log}):
        lines = Path(log).read_text(errors="replace").splitlines() if Path(log).exists() else []
        said = [line.partition(PROBLEM)[2] for line in lines if PROBLEM in line]
        if any(words in line for line in lines for words in FULL) or shutil.disk_usage(CONFIG.results).free < 2**20:
            said = [f"nothing more can be written to {CONFIG.results}: make room, then give the same command again"]
        for sentence in said[-1:]:
            logger.error(f"{sentence} ({log})")


def start_jobs_at_once():
    """Drop Snakemake's default limit of 100 job starts a second; one that is asked for on the command line is kept.

    Under a limit each look at the waiting jobs brings about another a second later, and so does each end of a job: after
    200 jobs Snakemake looks 200 times a second at every input of all that wait, and keeps a core or a file server busy.
    """
    limit = workflow.scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


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
    note = _noted()
    return set(note["files"]) if note.get("made_with") == _made_with() else set()


@functools.cache
def made_elsewhere():
    """Whether a Snakemake of another clone wrote to these results after those of this one, so that its records are old."""
    return _noted().get("records", _records()) != _records()


def _noted():
    """The note of whoever had these results last; empty if there is none, or if its writing was broken off."""
    try:
        return json.loads(NOTE.read_text())
    except (OSError, ValueError):
        return {}


def _records():
    """The name of this clone's records; empty if it has none yet."""
    return HERE.read_text() if HERE.exists() else ""


def _note(files):
    """Write down what jobs may make from now on, should this process be killed, and with what.

    Raises:
        WorkflowError: if it cannot be written.
    """
    note = workflow.globals["_held"][0]
    try:
        note.seek(0)
        note.truncate()
        note.write(json.dumps({"made_with": _made_with(), "records": _records(), "files": sorted(files)}))
        note.flush()
    except OSError as error:
        raise WorkflowError(f"nothing can be written to {NOTE} ({error}): make room there") from None


def _record_finished():
    """Record what jobs finished when their Snakemake was dead, as it would have done: else no later edit reran them."""
    for job in workflow.dag.jobs:
        made = job.output and not workflow.dag.needrun(job) and all(map(os.path.exists, job.output))
        if made and not workflow.persistence.has_metadata(job):
            workflow.async_run(workflow.persistence.finished(job))
