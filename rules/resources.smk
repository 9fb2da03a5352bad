# What each job asks of a cluster, by the model of cascadebert/cluster/jobs.py. No params: it changes no result.
import math

from cascadebert.cluster.budget import Job, minutes
from cascadebert.cluster.jobs import Jobs

JOBS = Jobs(CONFIG)
LIBRARIES_MB = 1000
"""Of a process without torch: libraries, and what tables, figures and thresholds read."""

EXPECTED = {}
"""Jobs that were described, by function and wildcards."""


def all_cores():
    """Threads of a job that takes a machine alone.

    A cluster's profile names no number of cores, and a job that asks for more than its nodes have waits for ever: there
    it is as many as here, eight at most.
    """
    try:
        return workflow.cores
    except WorkflowError:
        return min(8, os.cpu_count() or 8)


def requests(job, process_mb=LIBRARIES_MB, **fixed):
    """Resources of a rule whose jobs are described by a function of the wildcards; another attempt asks for more.

    seconds and disk_mb limit nothing: results/cost.md adds them up.
    """

    def expected(wildcards):
        key = (job, *wildcards)
        if key not in EXPECTED:
            EXPECTED[key] = job(wildcards)
        return EXPECTED[key]

    def mem_mb(wildcards, attempt):
        return attempt * math.ceil(process_mb + expected(wildcards).memory_mb)

    def runtime(wildcards, attempt):
        return attempt * minutes(expected(wildcards).seconds, JOBS.machine)

    def disk_mb(wildcards):
        return math.ceil(expected(wildcards).disk_mb)

    def seconds(wildcards):
        return math.ceil(expected(wildcards).seconds)

    return {**fixed, "mem_mb": mem_mb, "runtime": runtime, "disk_mb": disk_mb, "seconds": seconds}


def forget_assumptions():
    """Have jobs described anew: what was assumed of tasks and checkpoints is known once these are there."""
    EXPECTED.clear()
    JOBS.forget()


def of_run(job, name="run"):
    """A job of the wildcards' task and of a run's recipe."""
    return lambda wildcards: job(wildcards.task, RECIPES[wildcards[name]])


def of_weights(job):
    """A job of the wildcards' checkpoint."""
    return lambda wildcards: job(wildcards.weights)


def on_device(job):
    """Resources of a rule that uses torch."""
    return requests(lambda wildcards: JOBS.started(job(wildcards)), JOBS.machine.process_mb, gpu=1)


def trained(job):
    """Resources of a rule that trains; how often it saves itself, and who makes its batches, change no result."""
    shared = {key: getattr(CONFIG.training, key) for key in ("checkpoint_minutes", "loader_workers")}
    return {**shared, **on_device(job)}


def short_job(disk=lambda wildcards: 1):
    """Resources of a rule that takes seconds and little memory; disk in MB, of the wildcards."""
    return requests(lambda wildcards: JOBS.short(disk(wildcards)))


def reads_text(bytes_a_row=0):
    """Resources of a rule that reads a task's text, or that of all tasks; it writes some bytes a row."""
    return requests(
        lambda wildcards: JOBS.text([wildcards.task] if "task" in wildcards.keys() else CONFIG.tasks, bytes_a_row)
    )


def fitting_baselines(wildcards):
    """Resources of a task's baselines of common sense."""
    return JOBS.baselines(wildcards.task)


def extracting_states(wildcards):
    """Resources of Figure 4's representations."""
    return JOBS.states(wildcards.task, [RECIPES[f"deebert_{BASE}"], RECIPES[f"{SMALL}_dar"]])


def kept_mb(wildcards):
    """Size of a trained member."""
    return JOBS.kept_mb(RECIPES[wildcards.member])


def packing(wildcards):
    """Resources of a system that is packed: each of its models is in memory once, and written whole."""
    names = PACKED[wildcards.run]
    size = sum(JOBS.whole_mb(RECIPES[name]) for name in names)
    return JOBS.short(size, memory_mb=2 * size)


def clocking(wildcards):
    """Resources of systems that are timed: at most three models and the base are in memory at once."""
    sizes = [sum(JOBS.whole_mb(RECIPES[name]) for name in PACKED[run]) for run in CLOCKED]
    seconds = 0.01 * len(sizes) * len(CLOCK.batch_sizes) * (CLOCK.repeats + 1) * CLOCK.rows
    return dataclasses.replace(JOBS.short(memory_mb=3 * max(sizes)), seconds=seconds)


def proving(wildcards):
    """A proof of a packed system: it answers the report split in two precisions and four sizes of batch."""
    parts = [JOBS.predicting(wildcards.task, RECIPES[name], ("report",), 2 * 4) for name in PACKED[wildcards.run]]
    return Job(sum(job.seconds for job in parts), 2 * sum(job.memory_mb for job in parts), 1)
