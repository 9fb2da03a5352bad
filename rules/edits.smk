# What a job made while code that it uses was another than when the run was planned is not kept: its record names the code
# of the plan, so that nobody would see it once the edit is taken back (git checkout of a branch, and back again).
import logging
import os
import shutil

import psutil
from snakemake.exceptions import WorkflowError

from cascadebert.code import edited

NUMBERED = {"job_info": "jobid", "job_finished": "job_id"}
"""What a line of Snakemake's log calls a job that starts, and one that has ended."""


class Edits(logging.Handler):
    """Follows in Snakemake's log which jobs are at work while their code is edited."""

    def __init__(self, jobs):
        """Follow jobs, by their ids."""
        super().__init__()
        self.jobs, self.began, self.doubtful = jobs, psutil.Process().create_time(), {}

    def emit(self, record):
        """Look at a job's code when it starts and when it has ended."""
        number = getattr(record, NUMBERED.get(getattr(record, "event", None), ""), None)
        if number in self.jobs and (files := edited(self.jobs[number].params.get("code", ""), self.began)):
            self.doubtful[number] = files[0]


def follow_edits():
    """Follow the jobs of this run."""
    if workflow.is_main_process:
        workflow.globals["_edits"] = Edits({job.jobid: job for job in workflow.dag.needrun_jobs() if job.output})
        logging.getLogger(logger.name).addHandler(workflow.globals["_edits"])


def remove_doubtful():
    """Remove what jobs made while their code was another than planned.

    Raises:
        WorkflowError: if there is any, with what was edited.
    """
    edits, removed = workflow.globals.get("_edits"), []
    for number, file in edits.doubtful.items() if edits else ():
        for made in filter(os.path.exists, edits.jobs[number].output):
            shutil.rmtree(made) if os.path.isdir(made) else os.unlink(made)
            removed.append((made, file.relative_to(ROOT)))
    if removed:
        raise WorkflowError(
            "{} is removed, with {} more: {} was edited while it was made, so that nobody can say by which code: give the"
            " same command again".format(removed[0][0], len(removed) - 1, removed[0][1])
        )
