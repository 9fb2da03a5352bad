# What a killed Snakemake left: jobs that are still at work on this machine or in SLURM, and what killed jobs were writing.
# Where its jobs go on they would write the same files as the next run's, with the config that they were started with.
import contextlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import psutil
from snakemake.exceptions import WorkflowError

RUN_ID = re.compile(r"([\w-]+_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Name of every SLURM job of one run of Snakemake: its UUID, after slurm-jobname-prefix."""

HEAD = "CASCADEBERT_HEAD"
"""Variable that every job inherits: the folder of results, links resolved, that its Snakemake has for itself."""

TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}(\.part)?")
"""Names under which jobs write, as cascadebert.files has them from tempfile."""


def end_local_orphans():
    """End the jobs on this machine that a killed Snakemake left at work on these results, and what they were writing.

    Called by the one Snakemake that has these results; its own jobs get their mark here.
    """
    results = os.path.realpath(CONFIG.results)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # it has ended, or is another user's
            if process.environ().get(HEAD) == results:
                logger.info(f"Ending a job of a killed Snakemake: process {process.pid}")
                process.kill()
                while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    time.sleep(0.05)
    os.environ[HEAD] = results
    for folder in FOLDERS:  # in results/ other presets have theirs, where somebody may be at work
        for left in [left for left in Path(results, folder).rglob(".*") if TEMPORARY.fullmatch(left.name)]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def end_slurm_orphans(patience=300):
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
