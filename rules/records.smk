# What Snakemake's records of files are asked for: a file of which nothing says what it was made with is never taken for a
# new one, and where nothing can be written a plan can be had all the same.
import os
import tempfile
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.persistence import PersistenceBase


async def _incomplete(persistence, job, marked=PersistenceBase.incomplete):
    """Files of a job that are there but not to be relied on: to Snakemake's own, add those that it has no record of.

    Snakemake takes such files for what the present config makes: copied ones, and all of them once .snakemake is lost.

    Raises:
        WorkflowError: if there are any, and the command does not say what is to become of them.
    """
    files, dag = await marked(persistence, job), persistence.dag
    if workflow.executor_plugin is None or {job.rule} & dag.forcerules or dag.forcefiles.intersection(job.output):
        return files
    left = _left_by_killed()
    strange = [
        file
        for file in job.output
        if file not in left and os.path.exists(file) and (made_elsewhere() or not persistence.metadata(file))
    ]
    if strange and not workflow.touch and not set(strange) & set(files):
        raise WorkflowError(
            f"{strange[0]} is there, and nothing says which config and code it was made with (a copy, the work of another"
            " clone, or .snakemake was removed): remove it and what was copied with it, or say --forceall, to make it again; or --touch, once, to"
            " keep what is there as it is"
        )
    return files + strange


def plan_without_writing():
    """Where nothing can be written, as in a read-only clone, give Snakemake another place for its (empty) records.

    It makes the folder that holds them even for a dry run.
    """
    if os.path.exists(".snakemake") or os.access(".", os.W_OK):
        return
    opened, elsewhere = PersistenceBase.__init__, tempfile.TemporaryDirectory()
    PersistenceBase.__init__ = lambda records, **given: opened(records, **given | {"path": Path(elsewhere.name)})


if workflow.is_main_process:
    PersistenceBase.incomplete = _incomplete
    plan_without_writing()
