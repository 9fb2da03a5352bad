# The config as the value that it is, and what rules ask of it.
import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from shlex import quote

from snakemake.cli import get_argument_parser
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
SCRIPTS = ROOT / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from cascadebert import catalogue, tuning
from cascadebert.cluster.precision import native_precision
from cascadebert.code import code_version
from cascadebert.config import read
from cascadebert.config.keys import Clock
from cascadebert.config.overlay import check_keys, folder_of, merged
from cascadebert.glue import GLUE
from cascadebert.grid import (
    cascade_members,
    counted,
    full_layers,
    in_glue,
    misplaced,
    fixed_ratio,
    label_of,
    models,
    runs,
    runs_in,
    seeds_of,
    table2_ratios,
)
from cascadebert.grid import targets as target_speed_ups
from cascadebert.layouts import PARTS, Problem, checkpoint_files, files_of, names_in
from cascadebert.places import FOLDERS, Places
from cascadebert.recipe import to_json
from cascadebert.recipes import at_margins, fold_recipe, pretraining, recipes
from cascadebert.systems import SYSTEMS


def refuse_targets_elsewhere(results):
    """One sentence for a target that lies in another config's results, where Snakemake would say that no rule makes it."""
    known, _ = get_argument_parser().parse_known_args(sys.argv[1:] if workflow.is_main_process else [])
    for target in map(os.path.relpath, sorted(filter(None, known.targets))):
        top, *below = Path(target).parts or [""]
        if top != "results" or not below:
            continue
        if results != "results" and not target.startswith(f"{results}/") and target != results:
            raise Problem(f"{target} is of another config: what this one makes lies in {results}")
        preset = f"config/{below[0]}.yaml"
        if results == "results" and below[0] not in FOLDERS and (ROOT / preset).exists():
            raise Problem(f"{target} is of another config: add --configfile {preset}")


def settled():
    """The config with defaults filled in; one sentence stops the run if it has a mistake.

    The results folder is named after a preset's file, so that presets stay apart.
    """
    files = workflow.overwrite_configfiles or ["config/config.yaml"]
    last = Path(files[-1])
    default = last.resolve() == (ROOT / "config/config.yaml").resolve()
    try:
        contents = {os.path.relpath(file): load_configfile(file) for file in files}
        for file in contents:
            check_keys(Path(file))
        config = merged(contents, workflow.config_settings.config)
        if "results" not in config:
            config["results"] = "results" if default else folder_of(last)
        whole = read(config)
        if whole.training.precision == "auto":  # settled once, so that every node of a cluster computes alike
            precision = os.environ.setdefault("CASCADEBERT_PRECISION", native_precision())
            whole = read({**config, "training": {**config["training"], "precision": precision}})
        refuse_targets_elsewhere(whole.results)
    except Problem as problem:
        raise WorkflowError(str(problem)) from None
    if sentence := misplaced(whole):
        raise WorkflowError(sentence)
    return whole


CONFIG = settled()
RECIPES = recipes(CONFIG) | tuning.tried(CONFIG)
RUNS = runs(CONFIG)
AT = Places("<results>")
SMALL, BASE = CONFIG.cascade[0], CONFIG.cascade[-1]
FULL_LAYERS = full_layers(CONFIG)
MARGINS = CONFIG.dar.margins


def one_of(names):
    """Wildcard constraint: exactly one of some names."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def metric(wildcards):
    """The task's metric: its own, or that of the paper's task."""
    data = CONFIG.data[wildcards.task]
    return data.metric or (GLUE[data.glue].metric if data.glue else "accuracy")


def of_seeds(place, task, run):
    """A file for each model seed of a run."""
    return [place(task, run, seed) for seed in seeds_of(CONFIG, task)]


def rows_and_checkpoint(task, recipe):
    """Token ids of a task's training rows, and the pre-trained checkpoint."""
    return {"encoded": AT.tokens(task, recipe.tokenizer, "training"), "weights": AT.weights(recipe.weights)}


def plain_json(section, **changes):
    """A section of the config as canonical JSON, so that Snakemake compares its values by name."""
    return json.dumps({**section.model_dump(exclude_none=True), **changes}, sort_keys=True)


def archive_of(source, fetched):
    """The package's file, or what was fetched from the hub; nothing for a source of another kind."""
    if source.package:
        return {"archive": f"<results>/packages/{source.package}.zip"}
    return {"archive": f"<results>/hub/{fetched}.zip"} if source.hub else {}


def data_files(name, part=None):
    """Local files that a data set, or a part of a task, is read from, or the archive that holds them."""
    source = CONFIG.data[name].source
    if archive := archive_of(source, f"data/{name}"):
        return archive
    files = files_of(Path(source.path), part, source.splits) if source.path else {}
    return {"files": [str(file) for file in files.values()]} if source.path else {}


def archive_flag(wildcards, input):
    """The archive that a source is read from, where it has one."""
    return f"--archive {input.archive}" if "archive" in input.keys() else ""


def hub_flags(section):
    """What to fetch from the hub for an entry of a section, as flags."""

    def flags(wildcards):
        source = section[wildcards[0]].source
        asked = {"hub": source.hub, "name": getattr(source, "name", None), "revision": source.revision}
        return " ".join(f"--{key} {quote(value)}" for key, value in asked.items() if value)

    return flags
