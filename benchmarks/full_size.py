"""The paper's preset at its true sizes on whatever machine this is: does the whole chain run, in the memory asked for?

Every checkpoint has the size that config/paper.yaml names (12 layers of 768) and random weights; one task, MNLI, is cut
to tens of rows, trainings to a few steps. `all` runs from a loopback mirror of the hub, and each job's largest resident
set is set against the memory that its rule asks a cluster for:

    python tests/mirror.py FOLDER --build --rows 400 [--glue PATH]      # once, 3 GB
    python benchmarks/full_size.py run --hub FOLDER [--cores 2]

Prints, for each rule: jobs, the largest peak, what that job asked for, and the largest share of it; then whether any
job took more. Results stay in results/full_size; the same command goes on after a kill. To give Snakemake's commands
by hand, on a SLURM for instance, with HF_ENDPOINT naming a mirror and `--benchmark-extended` among the arguments:

    python benchmarks/full_size.py cut > FILE.yaml      # the preset, cut
    python benchmarks/full_size.py table RESULTS        # what the jobs of its results took
"""

import os
import subprocess
import sys
from ast import literal_eval
from pathlib import Path

import pandas as pd
import tyro
import yaml
from tyro.extras import subcommand_cli_from_dict

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from mirror import mirrored

ROOT = Path(__file__).parents[1]
ROWS = {"train": 48, "selection": 32, "report": 40, "mismatched": 40, "test": 40}


def cut() -> dict:
    """The paper's preset with its architectures and few of everything else."""
    preset = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    config = preset | {"tasks": ["mnli"], "seeds": [1], "fewer_seeds": {}, "curve": [5.5]}
    config["difficulty"] = {"n_folds": 2, "seeds": [1]}
    config["dar"] = preset["dar"] | {"margins": [0.1, 0.5]}
    config["training"] = preset["training"] | {
        "precision": "fp32"
    }  # half precision is slow on a CPU, and needs no more
    config["figures"] = {"min_subset": 5, "perplexity": 10}
    config["data"] = {name: entry | {"rows": ROWS} for name, entry in preset["data"].items()}
    short = {"epochs": 1}
    config["members"] = {name: entry | short for name, entry in preset["members"].items()}
    for name in ("bert_kl", "deebert", "pabee", "fastbert_teacher", "fastbert", "bert_pkd", "theseus", "bert_pd"):
        config[name] = preset[name] | short
    source = preset["weights"]["distilbert"]["source"] | {"rows": 96, "epochs": 1}
    config["weights"] = preset["weights"] | {"distilbert": {"source": source}}
    return config


def show() -> None:
    """Print the cut preset."""
    print(yaml.safe_dump(cut(), sort_keys=False))


def run(hub: Path, cores: int = os.cpu_count() or 1) -> None:
    """Run `all` and print the table.

    Args:
        hub: folder of the mirror's repositories.
        cores: of Snakemake.
    """
    results = ROOT / "results/full_size"
    results.mkdir(parents=True, exist_ok=True)
    config = results / "config.yaml"
    config.write_text(yaml.safe_dump(cut() | {"results": "results/full_size"}, sort_keys=False))
    call = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--benchmark-extended", "--keep-going", "all"]
    with mirrored(hub) as mirror:
        environment = os.environ | {"HF_ENDPOINT": mirror.endpoint, "HF_HOME": str(results / "hf")}
        subprocess.run([*call, "--configfile", str(config)], cwd=ROOT, env=environment, check=True)
    table(results)


def table(results: tyro.conf.Positional[Path]) -> None:
    """Print what jobs took.

    Args:
        results: folder of a run with --benchmark-extended.
    """
    files = [*(results / "benchmarks").rglob("*.tsv")]
    jobs = pd.concat([pd.read_csv(file, sep="\t") for file in files], ignore_index=True)
    asked = jobs["resources"].map(lambda text: literal_eval(text)["mem_mb"])
    peaks = pd.DataFrame({"rule": jobs["rule_name"], "peak": jobs["max_rss"] * 2**20 / 1e6, "asked": asked})
    peaks["share"] = peaks["peak"] / peaks["asked"]
    top = peaks.loc[peaks.groupby("rule")["peak"].idxmax()].set_index("rule")
    shown = pd.DataFrame(
        {
            "jobs": peaks.groupby("rule").size(),
            "largest peak (MB)": top["peak"].round().astype(int),
            "asked for by it (MB)": top["asked"],
            "largest share": peaks.groupby("rule")["share"].max().map("{:.0%}".format),
        }
    )
    print(shown.sort_values("largest peak (MB)", ascending=False).to_markdown())
    over = peaks[peaks["share"] > 1]
    print(f"\n{len(peaks)} jobs; above what they asked for: {', '.join(over['rule'].unique()) or 'none'}")


if __name__ == "__main__":
    subcommand_cli_from_dict({"run": run, "cut": show, "table": table}, description=__doc__)
