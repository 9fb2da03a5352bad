# Helpers shared by rules/: what a job depends on, and where things lie.
import ast
import fcntl
import functools
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

ROOT = Path(workflow.basedir)
SCRIPTS = ROOT / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from cascadebert.configuration import Problem, check_references, check_schema, files_of
from cascadebert.glue import GLUE
from cascadebert.systems import SPLITS

# --- the config -------------------------------------------------------------------------------------------------------


def settle_config():
    """Fill in defaults; stop with one sentence if the config has a mistake.

    The results folder is named after a preset's file, so that presets stay apart.
    """
    last = Path((workflow.overwrite_configfiles or ["config/config.yaml"])[-1])
    default = last.resolve() == (ROOT / "config/config.yaml").resolve()
    config.setdefault("results", "results" if default else f"results/{last.stem}")
    try:
        check_schema(config, yaml.safe_load((ROOT / "config/schema.yaml").read_text()))
        validate(config, str(ROOT / "config/schema.yaml"))
        check_references(config)
    except Problem as problem:
        raise WorkflowError(str(problem)) from None


def release_stale_lock():
    """Remove the lock of a killed Snakemake, so that the same command can be given again.

    The head process holds a flock as long as it lives; if it can be had, whoever left .snakemake/locks is dead.
    """
    if not workflow.is_main_process or workflow.dryrun:
        return
    folder = Path(".snakemake")
    folder.mkdir(exist_ok=True)
    handle = open(folder / "head", "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return  # another Snakemake is at work here: its own lock will say so
    workflow.globals["_head"] = handle  # held until this process ends
    shutil.rmtree(folder / "locks", ignore_errors=True)
    (folder / "locks").mkdir()


def one_of(names):
    """Wildcard constraint: exactly one of some names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


# --- what a job's outcome depends on ----------------------------------------------------------------------------------


def settings(**values):
    """Config values as one canonical string, so that Snakemake compares every one of them by name."""
    return json.dumps(values, sort_keys=True)


def flags(name, values):
    """The same values as command-line flags of a script whose main takes a dataclass `name`."""
    return " ".join(f"--{name}.{key.replace('_', '-')} {value}" for key, value in sorted(values.items()))


@functools.cache
def code_version(script):
    """Digest of a script and of every module of ours that it reaches; comments and docstrings do not count."""
    digest, todo, seen = hashlib.sha256(), [SCRIPTS / script], set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo.extend(_parsed(path)[1])
    for path in sorted(seen):
        digest.update(f"{path.relative_to(SCRIPTS)}\0{_parsed(path)[0]}\0".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _parsed(path):
    """A Python file as (its code without docstrings, the files of ours that it imports)."""
    tree, imported = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            imported |= {
                node.module,
                *(f"{node.module}.{alias.name}" for alias in node.names),
            }
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body[0].value.value = ""
        elif isinstance(node, ast.ImportFrom):
            raise WorkflowError(f"{path}: write relative imports out in full, code_version does not follow them")
    paths = [SCRIPTS.joinpath(*name.split(".")) for name in imported]
    files = {file for path in paths for file in (path.with_suffix(".py"), path / "__init__.py")}
    return ast.dump(tree), sorted(file for file in files if file.is_file())


# --- the grid ---------------------------------------------------------------------------------------------------------

TRAINING = (
    "batch_size",
    "weight_decay",
    "warmup",
    "clip_norm",
    "precision",
    "freeze_embeddings",
    "keep",
)
"""Settings that all trainings share; training.max_length belongs to the token ids."""


def train(script, *flags):
    """Command of a training script: what all are given (runs.py), and its own flags."""
    return " ".join(
        [
            f"python workflow/scripts/{script}",
            "--encoded {input.encoded} --weights {input.weights} {params.model} {params.settings}",
            "--seed {wildcards.seed} --threads {threads} --code {params.code}",
            *flags,
            "--model {output.model} --origin {output.origin} --predictions {output.predictions} > {log} 2>&1",
        ]
    )


def full_layers():
    """Layers of the base, the numerator of every speed-up."""
    return config["members"][base()]["layers"]


def base():
    """Name of the cascade's largest member."""
    return config["cascade"][-1]


def depths():
    """The whole numbers k of layers for which BERT-kL has a target speed-up."""
    wanted = (full_layers() / target for target in config["speed_ups"])
    return [int(k) for k in wanted if k == int(k)]


def runs():
    """Every run that tables stand on, by the name of its folder, with its system."""
    return {
        base(): "bert_base",
        **{f"bert_{k}l": "bert_kl" for k in depths()},
        "deebert": "deebert",
        "pabee": "pabee",
        "cascadebert_without_dar": "cascadebert_without_dar",
        "cascadebert": "cascadebert",
    }


def metric(task):
    """The task's metric: its own, or that of the paper's task."""
    entry = config["data"][task]
    paper = GLUE[entry["glue"]].metric if "glue" in entry else "accuracy"
    return entry.get("metric", paper)


def training(own, **overrides):
    """Settings of one training as flags: the shared ones, and the epochs and learning rate of its own."""
    shared = {key: config["training"][key] for key in TRAINING}
    return flags("settings", {**shared, "epochs": own["epochs"], "lr": own["lr"], **overrides})


def model(task, layers):
    """What a model is, as flags."""
    return f"--layers {layers} --full-layers {full_layers()} --metric {metric(task)}"


def targets():
    """Every target speed-up that a table or a figure asks for."""
    return sorted({float(target) for target in config["speed_ups"] + config["curve"]})


def margins():
    """The grid of epsilon, as it stands in paths."""
    return [str(float(margin)) for margin in config["dar"]["margins"]]


# --- where things lie -------------------------------------------------------------------------------------------------


def weights_of(member):
    """Tensors of a member's pre-trained checkpoint."""
    return f"<results>/weights/{config['members'][member]['weights']}/model.safetensors"


def encoded_for(member):
    """A task's token ids under a member's tokenizer."""
    return f"<results>/tasks/{{task}}/{config['members'][member]['weights']}.npz"


def predictions(run):
    """Logits of a run, a file for each split; {task} and {seed} are left open."""
    return [f"<results>/predictions/{{task}}/{run}/seed{{seed}}/{split}.npz" for split in SPLITS]


def data_files(name):
    """Local files that a data set is read from, or the package's archive."""
    source = config["data"][name]["source"]
    if "package" in source:
        return {"archive": f"<results>/packages/{source['package']}.zip"}
    return {"files": [str(file) for file in files_of(Path(source["path"])).values()]} if "path" in source else {}


DISTILLED = [name for name, entry in config["weights"].items() if "distilled" in entry["source"]]


def weights_files(wildcards):
    """The archive or the local files that a checkpoint is read from."""
    source = config["weights"][wildcards.weights]["source"]
    if "package" in source:
        return {"archive": f"<results>/packages/{source['package']}.zip"}
    names = ("model.safetensors", "config.json", "tokenizer.json")
    return {"files": [f"{source['path']}/{name}" for name in names]} if "path" in source else {}


def distillation(wildcards):
    """The config of a distilled checkpoint."""
    return config["weights"][wildcards.weights]["source"]


# --- what tables and figures are made of --------------------------------------------------------------------------------


def all_sweeps():
    """Operating points of every task, run and seed."""
    return expand(
        "<results>/sweeps/{task}/{run}/seed{seed}.csv",
        task=config["tasks"],
        run=runs(),
        seed=config["seeds"],
    )


def table_spec():
    """What a table says of its columns and rows."""
    return settings(
        tasks=config["tasks"],
        glue=[config["data"][task].get("glue") for task in config["tasks"]],
        speed_ups=config["speed_ups"],
        full_layers=full_layers(),
        notes=table_notes(),
    )


def table_notes():
    """What a reader must know of the members."""
    return [
        f"The member {member} has {config['members'][member]['layers']} layer, taken from the base and distilled from it"
        " on unlabelled text: it is complete in the sense that its one layer was trained to"
        " represent a whole sentence, but it was not pre-trained from scratch as the paper's small BERT was."
        for member in config["cascade"]
        if "distilled" in config["weights"][config["members"][member]["weights"]]["source"]
    ]
