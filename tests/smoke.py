"""The smoke preset in copies of the repository: run it, ask what would run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SMOKE = "config/smoke.yaml"
TABLE = "results/smoke/table2.csv"
COPIED = ("Snakefile", "rules", "workflow", "config", "envs", "profiles")


def command(*arguments, config=SMOKE):
    """Snakemake of this interpreter on a preset; cores as on the machine."""
    return [sys.executable, "-m", "snakemake", "--cores", str(os.cpu_count()), *arguments, "--configfile", config]


def snakemake(folder, *arguments, config=SMOKE):
    """Run to the end; stdout and stderr together."""
    return subprocess.run(command(*arguments, config=config), cwd=folder, capture_output=True, text=True, check=False)


def said(done):
    """All that a run printed."""
    return done.stdout + done.stderr


def would_run(folder, *arguments, config=SMOKE):
    """Jobs by rule that a dry-run announces, without the target rule."""
    done = snakemake(folder, "--dry-run", *arguments, config=config)
    assert done.returncode == 0, said(done)
    if "Nothing to be done" in said(done):
        return {}
    table = said(done).split("Job stats:")[1].split("total")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M) if rule not in ("all", "total")}


def copy_of(repository, folder):
    """What a workflow needs, copied."""
    for name in COPIED:
        source = repository / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def replace(old, new):
    """An edit: one text for another, which must be there."""

    def change(text):
        assert old in text, f"{old!r} is not in the file"
        return text.replace(old, new)

    return change


def once(*rules):
    """One job of each of some rules."""
    return dict.fromkeys(rules, 1)


TABLES = once(*(f"table{n}" for n in range(1, 11)), "theory", "claims")
FIGURES = once(*(f"figure{n}" for n in range(1, 9)), "figure5_all")
