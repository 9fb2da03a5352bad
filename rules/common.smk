# Helpers shared by rules/: what a job depends on, and where things lie.
import ast
import functools
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
SCRIPTS = ROOT / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from cascadebert.layouts import Problem, checkpoint_files, files_of, names_in
from cascadebert.cluster.precision import native_precision
from cascadebert.config import plain, read
from cascadebert.glue import GLUE
from cascadebert.grid import (
    before,
    cascade_members,
    full_layers,
    in_glue,
    misplaced,
    missing,
    models,
    own_ratio,
    rated,
    runs,
    table2_ratios,
)
from cascadebert.systems import SPLITS, SYSTEMS, shown_in

# --- the config -------------------------------------------------------------------------------------------------------


def settle_config():
    """Fill in defaults; stop with one sentence if the config has a mistake.

    The results folder is named after a preset's file, so that presets stay apart.
    """
    last = Path((workflow.overwrite_configfiles or ["config/config.yaml"])[-1])
    default = last.resolve() == (ROOT / "config/config.yaml").resolve()
    config.setdefault("results", "results" if default else f"results/{last.stem}")
    try:
        settled = plain(read(config))
    except Problem as problem:
        raise WorkflowError(str(problem)) from None
    config.clear()
    config.update(settled)
    if sentence := misplaced(config):
        raise WorkflowError(sentence)
    if config["training"]["precision"] == "auto":  # settled once, so that every node of a cluster computes alike
        config["training"]["precision"] = os.environ.setdefault("CASCADEBERT_PRECISION", native_precision())


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


def saving():
    """How often a training saves itself, and who makes its batches: no params, since they change no result."""
    return {key: config["training"][key] for key in ("checkpoint_minutes", "loader_workers")}


def train(script, *flags):
    """Command of a training script: what all are given (runs.py), and its own flags."""
    return " ".join(
        [
            f"python workflow/scripts/{script}",
            "--encoded {input.encoded} --weights {input.weights} {params.model} {params.settings}",
            "--seed {wildcards.seed} --threads {threads} --code {params.code}",
            "--checkpoint-minutes {resources.checkpoint_minutes} --workers {resources.loader_workers}",
            *flags,
            "--model {output.model} --origin {output.origin} --predictions {output.predictions} > {log} 2>&1",
        ]
    )


def base():
    """Name of the cascade's largest member."""
    return config["cascade"][-1]


def small():
    """Name of the cascade's smallest member."""
    return config["cascade"][0]


def full():
    """Layers of the base, the numerator of every speed-up."""
    return full_layers(config)


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
    return f"--layers {layers} --full-layers {full()} --metric {metric(task)}"


def dar(margin):
    """Difficulty-aware regularization as flags; the margin is a number, or the file of the selected one."""
    return "--dar-weight {weight} --pairs {pairs} --margin {margin}".format(**config["dar"], margin=margin)


def recipe(name, section):
    """What a section of the config says beside epochs, learning rate and member, as flags."""
    return flags(name, {key: value for key, value in config[section].items() if key not in ("epochs", "lr", "member")})


def theseus_schedule(wildcards):
    """How modules are replaced, as flags."""
    schedule = config["theseus"]
    layers = layers_of(wildcards.member)
    return f"--predecessor-layers {layers} --base-rate {schedule['base_rate']} --full-at {schedule['full_at']}"


def roberta():
    """Name of the largest RoBERTa member."""
    return config["roberta_cascade"][-1]


def layers_of(member):
    """Depth of a member."""
    return config["members"][member]["layers"]


def static_ratio():
    """Speed-up of the static students (Tables 3 and 6)."""
    return full() / config["student_layers"]


def targets():
    """Every target speed-up that a table or a figure asks for."""
    asked = [*config["speed_ups"], *config["ablation_speed_ups"], *config["curve"], config["figures"]["speed_up"]]
    if "student_layers" in config:
        asked.append(static_ratio())
    return sorted({float(target) for target in asked})


def margins():
    """The grid of epsilon, as it stands in paths."""
    return [str(float(margin)) for margin in config["dar"]["margins"]]


# --- where things lie -------------------------------------------------------------------------------------------------


def weights_of(member):
    """Tensors of a member's pre-trained checkpoint."""
    return f"<results>/weights/{config['members'][member]['weights']}/model.safetensors"


def encoded_for(member):
    """A task's token ids under a member's tokenizer; a distilled checkpoint has that of its teacher."""
    weights = config["members"][member]["weights"]
    tokenizer = config["weights"][weights]["source"].get("distilled", weights)
    return f"<results>/tasks/{{task}}/{tokenizer}.arrow"


def predictions(run):
    """Logits of a run, a file for each split; {task} and {seed} are left open."""
    return [f"<results>/predictions/{{task}}/{run}/seed{{seed}}/{split}.npz" for split in SPLITS]


def archive_of(source, fetched):
    """The package's file, or what was fetched from the hub; nothing for a source of another kind."""
    if "package" in source:
        return {"archive": f"<results>/packages/{source['package']}.zip"}
    return {"archive": f"<results>/hub/{fetched}.zip"} if "hub" in source else {}


def from_hub(section):
    """Names of a section of the config whose source is the model hub."""
    return [name for name, entry in config[section].items() if "hub" in entry["source"]]


def hub_flags(source):
    """What to fetch from the hub, as flags."""
    return " ".join(f"--{key} {quote(source[key])}" for key in ("hub", "name", "revision") if key in source)


def data_files(name):
    """Local files that a data set is read from, or the archive that holds them."""
    source = config["data"][name]["source"]
    if archive := archive_of(source, f"data/{name}"):
        return archive
    return {"files": [str(file) for file in files_of(Path(source["path"])).values()]} if "path" in source else {}


def trained_files(run):
    """Trained tensors and record of a run; {task} and {seed} are left open."""
    return {
        "model": f"<results>/models/{{task}}/{run}/seed{{seed}}.safetensors",
        "origin": f"<results>/models/{{task}}/{run}/seed{{seed}}.json",
    }


def weights_files(wildcards):
    """The archive or the local files that a checkpoint is read from."""
    source = config["weights"][wildcards.weights]["source"]
    if "path" not in source:
        return archive_of(source, f"weights/{wildcards.weights}")
    names = checkpoint_files(names_in(Path(source["path"])), source["path"])
    return {"files": [f"{source['path']}/{name}" for name in names]}


def distillation(wildcards):
    """The config of a distilled checkpoint."""
    return config["weights"][wildcards.weights]["source"]


def pooling(wildcards):
    """How a checkpoint's sentences are read, as a flag; nothing where it is asked itself."""
    entry = config["weights"][wildcards.weights]
    return f"--pooling {entry['pooling']}" if "pooling" in entry else ""


def pretraining(wildcards):
    """What a distilled checkpoint is made of, as flags."""
    source = distillation(wildcards)
    settings = training(source, batch_size=source["batch_size"], warmup=0.05, freeze_embeddings=True, keep="last")
    return " ".join(
        [
            f"--layers {' '.join(map(str, source['layers']))} --max-rows {source['rows']}",
            f"--max-length {config['training']['max_length']} {settings}",
            *(f"--distil.{key.replace('_', '-')} {value}" for key, value in source.get("masked", {}).items()),
        ]
    )


# --- what tables and figures are made of --------------------------------------------------------------------------------


def runs_in(artefact):
    """Runs of the systems that stand in a table or figure."""
    return [run for run, system in runs(config).items() if system in shown_in(artefact)]


def of_tasks(pattern, **values):
    """A file for each task, and each of some other values."""
    return expand(pattern, task=config["tasks"], **values)


def seeds_of(task):
    """Model seeds of a task: all of them, or the first few."""
    return config["seeds"][: config["fewer_seeds"].get(task)]


def of_seeds(pattern, tasks=None, **values):
    """A file for each task, seed of it, and each of some other values."""
    return [
        file for task in tasks or config["tasks"] for file in expand(pattern, task=task, seed=seeds_of(task), **values)
    ]


def sweeps_of(*artefacts):
    """Operating points of the runs that stand in some tables and figures, or of all runs."""
    shown = [run for artefact in artefacts for run in runs_in(artefact)] if artefacts else runs(config)
    return of_tasks("<results>/sweeps/{task}/{run}.csv", run=list(dict.fromkeys(shown)))


def by_seed(split):
    """Predictions of one split, a file for each seed, of the wildcards' task and run."""
    return lambda wildcards: of_seeds(
        "<results>/predictions/{task}/{run}/seed{seed}/{split}.npz", [wildcards.task], run=wildcards.run, split=split
    )


def first_seed():
    """The seed whose instances Figures 1 and 4 show."""
    return config["seeds"][0]


def calibrated():
    """Runs of the small member in Table 5 and Figure 6, with what they are called there."""
    return {
        f"{small()}_dar": "with DAR",
        small(): "without DAR",
        f"{small()}_tempered": "temperature scaling",
        f"{small()}_batch_mean": "batch means",
        f"{small()}_shuffled": "shuffled labels",
    }


def layered():
    """Runs of Figures 2 and 3: run, model there, depth; DeeBERT has all depths."""
    members = [name for name in config.get("complete", []) if name != base()]
    return [
        (f"deebert_{base()}", "deebert", 0),
        *((f"{base()}_first{layers_of(name)}", "bert_kl", layers_of(name)) for name in members),
        *((name, "bert_complete", layers_of(name)) for name in members),
    ]


def predicted(runs_of_task, split="report"):
    """Predictions of some runs, all seeds: (task, run's name for the reader, ..., seed) and file."""
    return [
        ([task, *names, seed], f"<results>/predictions/{task}/{run}/seed{seed}/{split}.npz")
        for task in config["tasks"]
        for run, *names in runs_of_task
        for seed in seeds_of(task)
    ]


def predictions_of_figure2():
    """What Figure 2 is drawn from: (task, model, depth, seed) and file."""
    return predicted(layered())


def measures_of_figure3():
    """What Figure 3 is drawn from: (task, model, depth) and file."""
    return [
        ([task, model, layers], f"<results>/measures/{task}/{run}.csv")
        for task in config["tasks"]
        for run, model, layers in layered()
    ]


def predictions_of_figure6():
    """What Figure 6 is drawn from: (task, method, seed) and file."""
    return predicted(list(calibrated().items())[:3])


def predictions_of_table4():
    """Instances that Table 4 compares: (task, system, seed, split) and file."""
    systems = [(run, system) for run, system in runs(config).items() if system in shown_in("table4")]
    return [([*key, split], path) for split in ("report", "mismatched") for key, path in predicted(systems, split)]


def trainings():
    """Trainings behind Table 8: (run, role) and record."""
    found = []
    for run in runs_in("table8"):
        roles = {"model": models(config, run), "before": before(config, run)}
        for role, names in roles.items():
            paths = of_seeds("<results>/models/{task}/{name}/seed{seed}.json", name=names)
            found += [((run, role), path) for path in paths]
        labelled = [name.removesuffix("_dar") for name in roles["model"] if name.endswith("_dar")]
        folds = of_tasks(
            "<results>/difficulty/{task}/{member}/seed{seed}/fold{fold}.json",
            member=labelled,
            seed=config["difficulty"]["seeds"],
            fold=range(config["difficulty"]["n_folds"]),
        )
        found += [((run, "labels"), path) for path in folds]
    return found


def judged_models():
    """Runs that claims compare exit by exit, with what they are called there; one may have two names."""
    found = {}
    for run, name in [*calibrated().items(), *((run, model) for run, model, _ in layered())]:
        found.setdefault(run, []).append(name)
    return found


def claims_spec():
    """What the claims are about under this config."""
    depths = [layers_of(name) for name in config.get("complete", []) if name != base()]
    return table_spec(
        models=judged_models(),
        speed_ups=config["speed_ups"],
        high=config["ablation_speed_ups"],
        static=static_ratio() if "student_layers" in config else 3,
        depths=depths,
        left_out=left_out(),
    )


def server_scores():
    """What the GLUE server returned, by system and target of Table 2."""
    return [
        {"system": runs(config)[entry["run"]], "target": entry["speed_up"], "scores": entry["scores"]}
        for entry in config["server_scores"]
    ]


def submitted_at(run, text):
    """The target speed-up that stands in a submission's name, or an error that says which can."""
    own = own_ratio(config, run)
    known = {f"{target:g}": target for target in (targets() if own is None else [own])}
    if text not in known:
        raise WorkflowError(f"{run} cannot be submitted at {text}: take one of {', '.join(known)}.")
    return known[text]


def static_title():
    """What a reader must know of the static students."""
    source = (
        config["weights"][config["members"][config["distilbert"]["member"]]["weights"]]["source"]
        if "distilbert" in config
        else {}
    )
    title = f"Static distillation into {config['student_layers']} layers against the cascade at {static_ratio():g}×."
    if "distilled" in source:
        title += (
            f" DistilBERT is an approximation: distilled on {source['rows']} rows of the corpus {source['corpus']} in"
            f" {source['epochs']} epochs, not on books and an encyclopaedia, from a checkpoint whose masked-LM head was"
            " fitted on the same texts."
        )
    return f"{title} The paper's DistilBERT and BERT-PKD rows are those of TinyBERT's Table 1."


def can_be_made(artefact):
    """Nothing, or an error that says in one sentence which key of the config an artefact lacks."""
    if sentence := missing(config, artefact):
        raise WorkflowError(sentence)
    return []


TABLES = [*(f"table{n}" for n in range(1, 9)), "theory", "claims"]
FIGURES = [*(f"figure{n}" for n in range(1, 8)), "figure5_all"]


def artefacts():
    """Every table and figure that can be made under this config."""
    return [
        *(f"<results>/{name}.csv" for name in TABLES if not missing(config, name)),
        *(f"<results>/figures/{name}.pdf" for name in FIGURES if not missing(config, name)),
    ]


def left_out():
    """Why the other tables and figures are not made, a sentence each."""
    return [sentence for name in [*TABLES, *FIGURES] if (sentence := missing(config, name))]


def table_spec(**more):
    """What a table says of its columns and rows."""
    return settings(
        **{
            "tasks": config["tasks"],
            "glue": [config["data"][task].get("glue") for task in config["tasks"]],
            "full_layers": full(),
            "notes": table_notes(),
        }
        | more
    )


def table_notes():
    """What a reader must know of the choices and of the members."""
    notes = [precision_note()]
    if config["selection"] == "validation":
        notes.append(
            "Epoch, margin and thresholds were chosen on the report split itself, as in the paper: scores are optimistic."
        )
    return [*notes, *members_note()]


def precision_note():
    """What layers were computed in."""
    return f"Precision: {config['training']['precision']}."


def members_note():
    """What a reader must know of members that were not pre-trained from scratch."""
    notes = []
    for member in dict.fromkeys([*config["cascade"], *config.get("larger_cascade", []), *config.get("complete", [])]):
        source = config["weights"][config["members"][member]["weights"]]["source"]
        if "distilled" in source:
            layers = layers_of(member)
            notes.append(f"{member} ({layers} layer{'s' if layers > 1 else ''})")
    if not notes:
        return []
    return [
        f"The members {', '.join(notes)} were taken from the base and distilled from it on unlabelled text: they"
        " are complete in the sense that they were trained to represent a whole sentence, but they were not pre-trained"
        " from scratch as the paper's small BERTs were."
    ]
