# What a user is told while jobs run: how many, how long they take, and at the end what to open.
import atexit
import logging
import re
import time

from cascadebert.cluster.progress import Progress, narrowest, spoken

NOISE = re.compile(
    r"(Select jobs to|Execute \d+|Using shell|Rules claiming|Assuming unrestricted|Conda environments: i)"
)
"""How those lines of Snakemake's begin that say nothing to a user; its errors and warnings are never left out."""

if workflow.is_main_process:
    logger.addFilter(lambda record: record.levelno != logging.INFO or not NOISE.match(str(record.msg)))

SAY_EVERY = 30
"""Seconds."""


class Teller(logging.Handler):
    """Follows the jobs of one run in Snakemake's log, and says now and then what is left."""

    def __init__(self, progress):
        """Follow the jobs of a Progress."""
        super().__init__()
        self.progress, self.said = progress, time.monotonic()

    def emit(self, record):
        """Look at one line of the log."""
        event, now = getattr(record, "event", None), time.monotonic()
        if event == "job_finished":
            self.progress.end(record.job_id)
        elif event == "progress" and record.done < record.total and now > self.said + SAY_EVERY:
            self.said = now
            logger.info(f"{spoken(self.progress.left(now)).capitalize()} left")


def tell_progress():
    """Say how much is to be done and how long it takes, and follow it."""
    if not workflow.is_main_process:
        return
    seconds = {job.jobid: expected_seconds(job) for job in workflow.dag.needrun_jobs() if job.output}
    forget_assumptions()
    jobs = f"{len(seconds)} job{'s' if len(seconds) > 1 else ''}"
    again = "After a Ctrl-C the same command goes on."
    if workflow.executor_plugin.name != "local":
        logger.info(f"{jobs}, {sum(seconds.values()) / 3600:.1f} hours of computing by docs/cost.md's model. {again}")
        return
    limits = workflow.global_resources
    units = {"core": "_cores", "GPU": "gpu"}
    unit, most = narrowest({unit: limits[name].value for unit, name in units.items() if name in limits})
    progress = Progress(seconds, most, time.monotonic())
    took = spoken(progress.left(progress.begun))
    logger.info(f"{jobs}, {took} on {most} {unit}{'s' if most > 1 else ''} by docs/cost.md's model. {again}")
    logging.getLogger(logger.name).addHandler(Teller(progress))


def expected_seconds(job):
    """What the model expects of a job on one core; the job's own resources are left to be asked for when it starts."""
    asked = job.rule.expand_resources(job.wildcards_dict, job.input, 1, skip_evaluation={"tmpdir"})
    return float(asked.get("_cores", 1) * asked.get("seconds", 0))


def name_what_to_open():
    """Say, after Snakemake's last line, which of the files that were asked for are for a reader."""
    if not workflow.is_main_process:
        return
    asked = {str(file) for job in workflow.dag.targetjobs for file in job.output or job.input}
    pages = [catalogue.files_of(Places(CONFIG.results), name) for name in catalogue.PAGES]
    shown = [shown for first, shown, *_ in pages if first in asked]
    if len(shown) > 3:
        shown = [f"{CONFIG.results}: tables and verdicts are .html (and .md), figures are in figures/"]
    atexit.register(print, f"Open {', '.join(shown or sorted(asked)[:3])}", file=sys.stderr)
