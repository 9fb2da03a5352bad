"""What share of a run's core-seconds is its jobs' start-up, with forks (`fork_jobs`) and with a process for each.

    python benchmarks/start_up.py results/evidence

Each step that the run's logs name is asked for its help, which imports what the step imports and computes nothing, once
as a fork of a process that has loaded the libraries and once as a process. Seconds of that times the logs of the step
are its start-up; the logs say how many core-seconds its jobs took in all. Snakemake's own time is in neither.
"""

import re
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from uuid import uuid4

import pandas as pd
import tyro
from tyro.conf import Positional

ROOT = Path(__file__).parents[1]
FORKS = str(ROOT / "workflow/forks.py")
USED = re.compile(r"([0-9.]+) core-seconds")
SCRIPTS = {"clock": "time_systems", "predict_test": "predict", "stack_test": "stack_cascade"}
"""Of steps that are not called as their script is."""


def core_seconds(*arguments: str) -> float:
    """What a command takes, with the fork that runs it where there is one."""
    before = getrusage(RUSAGE_CHILDREN)
    ended = subprocess.run([sys.executable, *arguments, "--help"], capture_output=True, text=True, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    fork = sum(map(float, USED.findall(ended.stderr)))  # a child of the process that serves, which lives on
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + fork


def main(results: Positional[Path]) -> None:
    """Print a line for each step, and the shares."""
    folder = results / "logs"
    found = [
        {"step": "page" if log.parent == folder else log.relative_to(folder).parts[0], "core-seconds": float(used)}
        for log in folder.rglob("*.log")
        for used in USED.findall(log.read_text(encoding="utf-8"))
    ]
    if not found:
        sys.exit(f"{folder}: no log says core-seconds; run with `fork_jobs: true`")
    steps = pd.DataFrame(found).groupby("step")["core-seconds"].agg(["size", "sum"])
    name = f"start-up-{uuid4()}"
    with subprocess.Popen([sys.executable, FORKS, "serve", name], stdin=-1, stdout=-1, text=True) as server:
        server.stdout.readline()
        for step in steps.index:
            script = str(ROOT / f"workflow/scripts/{SCRIPTS.get(step, step)}.py")
            core_seconds(FORKS, "ask", name, script)  # once to warm up
            steps.loc[step, ["fork", "process"]] = core_seconds(FORKS, "ask", name, script), core_seconds(script)
        server.stdin.close()
    named = steps.rename(columns={"size": "jobs", "sum": "core-seconds"})
    print(named.to_markdown(floatfmt=("", ".0f", ".0f", ".2f", ".2f")))
    total, fork, process = steps["sum"].sum(), *((steps["size"] * steps[each]).sum() for each in ("fork", "process"))
    print(f"\n{steps['size'].sum()} jobs, {total:.0f} core-seconds; start-up as forks {fork:.0f}, {fork / total:.1%}.")
    apart = total - fork + process
    print(f"As processes it would be {process:.0f} of {apart:.0f}, {process / apart:.1%}.")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
