# One Snakemake in a folder. Of a killed one the lock and the SLURM jobs are cleared before the next one starts, and what
# its jobs finished without it is recorded.
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from snakemake.exceptions import WorkflowError

RUN_ID = re.compile(r"([\w-]+_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Name of every SLURM job of one run of Snakemake: its UUID, after slurm-jobname-prefix."""


def release_stale_lock():
    """Remove the lock of a killed Snakemake, so that the same command can be given again.

    Every head process holds a flock as long as it lives; if it can be had alone, whoever left .snakemake/locks is dead.
    """
    if not workflow.is_main_process or workflow.dryrun:
        return
    folder = Path(".snakemake")
    folder.mkdir(exist_ok=True)
    head = open(folder / "head", "a+")
    workflow.globals["_head"] = head  # held until this process ends
    workflow.globals["_alone"] = _hold(head, fcntl.LOCK_EX)
    if not workflow.globals["_alone"]:
        _hold(head, fcntl.LOCK_SH)  # another Snakemake is at work here: its own lock will say so
        return
    shutil.rmtree(folder / "locks", ignore_errors=True)
    (folder / "locks").mkdir()


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
    if not (workflow.is_main_process and workflow.globals["_alone"]):
        return
    if shutil.which("squeue"):
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
    _record_finished()
    _hold(workflow.globals["_head"], fcntl.LOCK_SH)


def _record_finished():
    """Record what jobs finished when their Snakemake was dead, as it would have done: else no later edit reran them.

    Raises:
        WorkflowError: if config or code are no longer those that the jobs ran with.
    """
    here = hashlib.sha256(CONFIG.model_dump_json().encode())
    for path in sorted([ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk"), *SCRIPTS.rglob("*.py")]):
        here.update(path.read_bytes())
    head = workflow.globals["_head"]
    head.seek(0)
    started = json.loads(head.read() or "{}")  # what each preset was last started with
    finished = [
        job
        for job in workflow.dag.jobs
        if not workflow.dag.needrun(job)
        and job.output
        and all(map(os.path.exists, job.output))
        and not workflow.persistence.has_metadata(job)
    ]
    if finished and started.get(CONFIG.results, here.hexdigest()) != here.hexdigest():
        raise WorkflowError(
            f"{finished[0].output[0]} was finished after its Snakemake had been killed, and config or code were edited"
            " since: undo the edit and give the command once, then edit; or remove the file"
        )
    for job in finished:
        workflow.async_run(workflow.persistence.finished(job))
    head.truncate(0)
    json.dump(started | {CONFIG.results: here.hexdigest()}, head)
    head.flush()


def _hold(file, lock):
    """Take a lock if it can be had at once; whether it could."""
    try:
        fcntl.flock(file, lock | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


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
