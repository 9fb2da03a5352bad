"""What a config costs before anything runs: jobs, device-hours, memory and disk of every stage."""

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import tyro
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings

from cascadebert.cluster.budget import START_SECONDS, difficulty_share
from cascadebert.files import write_csv, write_text

ALTERNATIVES = [(folds, seeds) for folds in (2, 4, 8) for seeds in (1, 2, 5)]
"""Values of difficulty.n_folds and numbers of difficulty.seeds that are set beside the config's own."""


class _Jobs(logging.Handler):
    """Notes each job that Snakemake announces."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.jobs: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note one job; other messages are passed over."""
        if getattr(record, "event", None) == "job_info" and record.rule_name != "all":
            asked = {name: record.resources.get(name, 0) for name in ("gpu", "mem_mb", "runtime", "seconds", "disk_mb")}
            self.jobs.append({"stage": record.rule_name, "task": record.wildcards.get("task", ""), **asked})


def planned(config: dict[str, Any], snakefile: Path) -> pd.DataFrame:
    """Every job of `all` as Snakemake itself plans it, nothing taken to be there: stage, task, and what it asks for.

    Args:
        config: settled, so that it names its results folder.
        snakefile: of the workflow.
    """
    jobs = _Jobs()
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder, "config.json")
        preset.write_text(json.dumps(config))
        with SnakemakeApi(OutputSettings(dryrun=True)) as api:
            workflow = api.workflow(
                ResourceSettings(cores=1), ConfigSettings(configfiles=[preset]), snakefile=snakefile
            )
            dag = workflow.dag(DAGSettings(targets={"all"}, forceall=True))
            logging.getLogger("snakemake.logging").addHandler(jobs)
            dag.execute_workflow(executor="dryrun")
    return pd.DataFrame(jobs.jobs)


def by_stage(jobs: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sums over jobs, and the largest memory and the longest time that one of them asks for, dearest first."""
    hours = jobs["seconds"] / 3600
    jobs = jobs.assign(device_hours=hours * (jobs["gpu"] > 0), cpu_hours=hours * (jobs["gpu"] == 0), jobs=1)
    sums = {
        "jobs": "sum",
        "device_hours": "sum",
        "cpu_hours": "sum",
        "mem_mb": "max",
        "runtime": "max",
        "disk_mb": "sum",
    }
    frame = jobs.groupby(keys, as_index=False, sort=True).agg(sums)
    return frame.sort_values(["device_hours", "cpu_hours"], ascending=False, kind="stable", ignore_index=True)


def page(frame: pd.DataFrame, total: pd.DataFrame, first: str) -> str:
    """A table for the reader: hours, GB, and the share of the device-hours."""
    both = pd.concat([frame, total.assign(**{first: "all"})], ignore_index=True)
    share = 100 * both["device_hours"] / max(total["device_hours"].iloc[0], 1e-9)
    columns = {
        first: both[first],
        "jobs": both["jobs"],
        "device-hours": both["device_hours"].map("{:.1f}".format),
        "%": share.map("{:.1f}".format),
        "CPU-hours": both["cpu_hours"].map("{:.1f}".format),
        "memory of a job (GB)": (both["mem_mb"] / 1000).map("{:.1f}".format),
        "time of a job (h)": (both["runtime"] / 60).map("{:.1f}".format),
        "disk (GB)": (both["disk_mb"] / 1000).map("{:.1f}".format),
    }
    return pd.DataFrame(columns).to_markdown(index=False, disable_numparse=True)


def trades(stages: pd.DataFrame, n_folds: int, n_seeds: int) -> pd.DataFrame:
    """Device-hours of the difficulty runs and of all, and the number of these runs, under other folds and seeds."""
    runs = stages[stages["stage"] == "predict_fold"]
    folds_hours, total, jobs = runs["device_hours"].sum(), stages["device_hours"].sum(), runs["jobs"].sum()
    rows = []
    for folds, seeds in sorted({*ALTERNATIVES, (n_folds, n_seeds)}):
        hours = folds_hours * difficulty_share(n_folds, n_seeds, folds, seeds)
        rows.append(
            {
                "n_folds": folds,
                "difficulty seeds": seeds,
                "runs": round(jobs * folds * seeds / (n_folds * n_seeds)),
                "device-hours of them": f"{hours:.1f}",
                "device-hours of all": f"{total - folds_hours + hours:.1f}",
                "": "this config" if (folds, seeds) == (n_folds, n_seeds) else "",
            }
        )
    return pd.DataFrame(rows)


def main(config: str, snakefile: Path, csv: Path) -> None:
    """Count the jobs and add up what they ask for.

    Args:
        config: all of it, defaults filled in, as JSON.
        snakefile: of the workflow.
        csv: a row for each stage and task: jobs, hours, memory, minutes, disk; the page goes beside it as .md.
    """
    asked = json.loads(config)
    jobs, machine, difficulty = planned(asked, snakefile), asked["machine"], asked["difficulty"]
    stages, total = by_stage(jobs, ["stage"]), by_stage(jobs.assign(stage="all"), ["stage"])
    tasks = by_stage(jobs.assign(task=jobs["task"].replace("", "no one task")), ["task"])
    other = trades(stages, difficulty["n_folds"], len(difficulty["seeds"]))
    precision = asked["training"]["precision"]
    start = "nothing, since jobs are forks" if asked["fork_jobs"] else f"{START_SECONDS:g} s a job"
    head = (
        f"Of `all`, before anything runs; a model, not a measurement (docs/cost.md). {machine['device']}:"
        f" {machine['tflops'][precision]:g} TFLOP/s at {precision}, of which {machine['utilisation']:.0%} are reached,"
        f" and {machine['launch_ms']:g} ms beside them for each layer's pass over a batch. Hours are of computing and"
        f" of loading torch ({start}): device-hours of what models take, CPU-hours of all else;"
        f" what a job asks for is {machine['slack']:g} times that and {machine['start_minutes']:g} minutes. Memory and"
        " time are the largest that one job of a stage asks for at its first attempt. Disk is what is left at the end."
    )
    dearest = (
        f"The dearest stages are {' and '.join(stages['stage'][:2])}. Difficulty labels take n_folds x seeds runs of"
        " a member; other values would give:"
    )
    write_csv(csv, by_stage(jobs, ["stage", "task"]))
    shown = other.to_markdown(index=False, disable_numparse=True)
    parts = [head, page(stages, total, "stage"), page(tasks, total, "task"), dearest, shown]
    write_text(csv.with_suffix(".md"), "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
