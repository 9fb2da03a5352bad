# What each job asks of a cluster, by the model of cascadebert/cluster/budget.py (docs/cost.md). No params: it changes no result.
import math

from cascadebert.cluster.budget import (
    FORWARD,
    MB,
    THROUGH,
    TRAINED,
    Architecture,
    Job,
    Machine,
    Work,
    data_mb,
    logits_mb,
    minutes,
    naming,
    passing,
    prediction_mb,
    seconds,
    split_rows,
    text_mb,
    training_mb,
)
from cascadebert.metrics.costs import Shape

MACHINE = Machine(
    tflops=config["machine"]["tflops"][config["training"]["precision"]],
    **{key: value for key, value in config["machine"].items() if key not in ("device", "tflops", "unknown")},
)
LIGHT_MB = 1000
"""Of a process without torch: libraries, and what tables, figures and thresholds read."""

TEXTS_A_SECOND = 5_000
"""Rows that a rule reads, normalises, divides or tokenises on one core."""

PREDICTED_TOGETHER = 64
"""Rows in a batch of a prediction (training.predict)."""

# --- what is known before anything is there ----------------------------------------------------------------------------

UNKNOWN = config["machine"]["unknown"]
BERT_WORDS, ROBERTA_WORDS = 30_522, 50_265


@functools.cache
def rows_of(task):
    """Rows of each split: as prepared; else as published, or as the config assumes, and as they will be carved."""
    prepared = Path(config["results"], "tasks", task, "task.json")
    if prepared.is_file():
        return json.loads(prepared.read_text())["rows"]
    entry = config["data"][task]
    source = {"train": entry["source"].get("toy", UNKNOWN["rows"])}
    published = GLUE[entry["glue"]].rows if "glue" in entry else source
    return split_rows(published, entry["rows"], config["selection"])


def tokens_of(task):
    """Mean tokens of a row: GLUE's as counted, else as the config assumes."""
    glue = config["data"][task].get("glue")
    return min(GLUE[glue].tokens if glue else UNKNOWN["tokens"], config["training"]["max_length"])


def classes_of(task):
    """Classes of a task: as declared, of the paper's task, else 2."""
    entry = config["data"][task]
    return len(entry["labels"] if "labels" in entry else GLUE[entry["glue"]].labels if "glue" in entry else "01")


@functools.cache
def checkpoint_of(weights):
    """A checkpoint's widths: of its config.json where there is one, else as the config assumes."""
    source = config["weights"][weights]["source"]
    if "distilled" in source:
        return checkpoint_of(source["distilled"])
    for folder in (
        Path(config["results"], "weights", weights),
        *map(Path, [source["path"]] if "path" in source else []),
    ):
        if (folder / "config.json").is_file():
            read = json.loads((folder / "config.json").read_text())
            shape = Shape(
                read.get("hidden_size", 768), read.get("intermediate_size", 3072)
            )  # BERT's defaults are left out
            return Architecture(shape, read.get("num_hidden_layers", 12), read.get("vocab_size", BERT_WORDS))
    if "random" in source:
        return Architecture(Shape(source["hidden"], 4 * source["hidden"]), source["random"], 1000)
    members = config["members"]
    layers = max((own["layers"] for own in members.values() if own["weights"] == weights), default=12)
    roberta = weights in {members[name]["weights"] for name in config.get("roberta_cascade", [])}
    shape = Shape(UNKNOWN["hidden"], 4 * UNKNOWN["hidden"])
    return Architecture(shape, layers, ROBERTA_WORDS if roberta else BERT_WORDS)


def encoder_of(member, layers=None):
    """A member's encoder, or some layers of its checkpoint."""
    found = checkpoint_of(config["members"][member]["weights"])
    return Architecture(found.shape, int(layers or layers_of(member)), found.vocabulary)


# --- what a rule asks for ----------------------------------------------------------------------------------------------


def requests(job, process_mb=LIGHT_MB, **fixed):
    """Resources of a rule whose jobs are described by a function of the wildcards; another attempt asks for more.

    seconds and disk_mb limit nothing: results/cost.md adds them up.
    """
    known = {}

    def asked(wildcards):
        key = tuple(wildcards)
        if key not in known:
            known[key] = job(wildcards)
        return known[key]

    return {
        **fixed,
        "mem_mb": lambda wildcards, attempt: attempt * math.ceil(process_mb + asked(wildcards).memory_mb),
        "runtime": lambda wildcards, attempt: attempt * minutes(asked(wildcards).seconds, MACHINE),
        "disk_mb": lambda wildcards: math.ceil(asked(wildcards).disk_mb),
        "seconds": lambda wildcards: math.ceil(asked(wildcards).seconds),
    }


def on_device(job):
    """Resources of a rule that uses torch."""
    return requests(job, MACHINE.process_mb, gpu=1)


def short_job(disk=lambda wildcards: 1):
    """Resources of a rule that takes seconds and little memory; disk in MB, of the wildcards."""
    return requests(lambda wildcards: Job(5.0, 0.0, disk(wildcards)))


def reads_text(disk=lambda task: 1):
    """Resources of a rule that reads a task's text, or that of all tasks, one after another; disk in MB, of a task."""

    def job(wildcards):
        tasks = [wildcards.task] if "task" in wildcards.keys() else config["tasks"]
        rows = {task: sum(rows_of(task).values()) for task in tasks}
        memory = max(text_mb(rows[task], tokens_of(task)) for task in tasks)
        return Job(sum(rows.values()) / TEXTS_A_SECOND, memory, sum(map(disk, tasks)))

    return requests(job)


def kept_mb(encoder, passes):
    """Disk of what a training changes: the model; poolers on a frozen one; of a replaced one the students' layers."""
    if passes == FORWARD:
        return encoder.layers * encoder.shape.hidden**2 * 4 / MB
    layers = config["student_layers"] if passes == THROUGH else encoder.layers
    kept = Architecture(encoder.shape, layers, encoder.vocabulary)
    frozen = kept.embeddings if config["training"]["freeze_embeddings"] else 0
    return (kept.parameters - frozen) * 4 / MB


def predicted_mb(task, exits=1):
    """Disk of a run's predictions of all splits."""
    rows = sum(n for split, n in rows_of(task).items() if split != "train")
    return logits_mb(rows, exits, classes_of(task))


def training_job(task, encoder, recipe, passes=TRAINED, exits=1, taught=False):
    """A training on a task and its predictions of all splits.

    Args:
        task: name.
        encoder: all layers that run in training.
        recipe: holds the epochs.
        passes: over them.
        exits: whose logits are predicted.
        taught: whether it reads a teacher's states.
    """
    rows, tokens, shared = rows_of(task), tokens_of(task), config["training"]
    scored = recipe["epochs"] * rows["selection"] if shared["keep"] == "best" else 0
    answered = scored + sum(n for split, n in rows.items() if split != "train")
    work = passing(encoder, recipe["epochs"] * rows["train"], tokens, shared["batch_size"], passes)
    work += passing(encoder, answered, tokens, PREDICTED_TOGETHER)
    every = sum(rows.values())
    memory = training_mb(encoder, shared["batch_size"], shared["max_length"]) + data_mb(every, tokens)
    if taught:
        memory += states_mb(task, encoder) * (2 + every / rows["train"])  # as read, of all rows, and a copy on the way
    return Job(seconds(work, MACHINE), memory, kept_mb(encoder, passes) + predicted_mb(task, exits))


def trains(recipe, layers=None, passes=TRAINED, early_exit=False, taught=False):
    """Resources of a rule that trains a member's encoder, or some layers of it, and writes its predictions.

    Args:
        recipe: function of the wildcards to the section that holds the epochs.
        layers: function of the wildcards to the number of layers, where it is not the member's.
        passes: over the layers.
        early_exit: whether there is an exit after each layer.
        taught: whether a teacher's states are read.
    """

    def job(wildcards):
        encoder = encoder_of(wildcards.member, layers and layers(wildcards))
        exits = encoder.layers if early_exit else 1
        return training_job(wildcards.task, encoder, recipe(wildcards), passes, exits, taught)

    return {**saving(), **on_device(job)}


def own_recipe(wildcards):
    """The section of a member."""
    return config["members"][wildcards.member]


def student_layers(wildcards):
    """Depth of the static students."""
    return config["student_layers"]


def section(name):
    """A section of the config, in the form that `trains` takes."""
    return lambda wildcards: config[name]


# --- the rules that are like no other ----------------------------------------------------------------------------------


def fold_job(wildcards):
    """A member trained on all folds but one, never scored on the way; its prediction of that one is all that stays."""
    rows, tokens, shared = rows_of(wildcards.task), tokens_of(wildcards.task), config["training"]
    encoder, folds = encoder_of(wildcards.member), config["difficulty"]["n_folds"]
    epochs, held_out = own_recipe(wildcards)["epochs"], rows["train"] / folds
    work = passing(encoder, epochs * (rows["train"] - held_out), tokens, shared["batch_size"], TRAINED)
    work += passing(encoder, held_out, tokens, PREDICTED_TOGETHER)
    memory = training_mb(encoder, shared["batch_size"], shared["max_length"]) + data_mb(sum(rows.values()), tokens)
    return Job(seconds(work, MACHINE), memory, logits_mb(held_out, 1, classes_of(wildcards.task)))


def states_mb(task, encoder):
    """A teacher's float16 states of the training split, one for each layer of a student but the last."""
    return rows_of(task)["train"] * (config["student_layers"] - 1) * encoder.shape.hidden * 2 / MB


def teacher_job(wildcards):
    """A base answers the training split."""
    task, encoder = wildcards.task, encoder_of(wildcards.member)
    work = passing(encoder, rows_of(task)["train"], tokens_of(task), PREDICTED_TOGETHER)
    memory = prediction_mb(encoder, PREDICTED_TOGETHER, config["training"]["max_length"])
    memory += data_mb(sum(rows_of(task).values()), tokens_of(task)) + states_mb(task, encoder)
    return Job(seconds(work, MACHINE), memory, states_mb(task, encoder))


def states_job(wildcards):
    """The base and the small member read the report split."""
    task, base_encoder, member = wildcards.task, encoder_of(base()), encoder_of(small())
    work = Work()
    for encoder in (base_encoder, member):
        work += passing(encoder, rows_of(task)["report"], tokens_of(task), PREDICTED_TOGETHER)
    memory = 2 * prediction_mb(base_encoder, PREDICTED_TOGETHER, config["training"]["max_length"])
    memory += 2 * data_mb(sum(rows_of(task).values()), tokens_of(task))
    return Job(seconds(work, MACHINE), memory, rows_of(task)["report"] * base_encoder.shape.hidden * 8 / MB)


def distillation_job(wildcards):
    """A checkpoint distilled from another: the teacher answers once a row or, masked, in each epoch with its words."""
    source = distillation(wildcards)
    teacher = checkpoint_of(wildcards.weights)
    student = Architecture(teacher.shape, len(source["layers"]), teacher.vocabulary)
    rows, tokens, length = source["rows"], tokens_of(source["corpus"]), config["training"]["max_length"]
    work = passing(student, source["epochs"] * rows, tokens, source["batch_size"], TRAINED)
    memory = training_mb(student, source["batch_size"], length) + prediction_mb(teacher, PREDICTED_TOGETHER, length)
    asked = 0
    if masked := source.get("masked"):
        share = 1 if masked.get("kl_tokens", "all") == "all" else 0.15
        passes = masked["head_epochs"] + source["epochs"]
        work += passing(teacher, passes * rows, tokens, source["batch_size"])
        work += naming(teacher, masked["head_epochs"] * rows * tokens * 0.15, TRAINED)
        work += naming(teacher, source["epochs"] * rows * tokens * share, FORWARD + TRAINED)
        asked = share * source["batch_size"] * length
    else:
        work += passing(teacher, rows, tokens, PREDICTED_TOGETHER)
    memory += 8 * asked * teacher.vocabulary * 4 / MB  # logits of both, their softmax, and the gradients of each
    memory += sum(text_mb(sum(rows_of(name).values()), tokens_of(name)) for name in source["held_out"])
    return Job(seconds(work, MACHINE), memory, student.parameters * 4 / MB)


def checkpoint_job(wildcards):
    """A checkpoint read, checked and written: some copies of it at once."""
    size = checkpoint_of(wildcards.weights).parameters * 4 / MB
    return Job(60.0, 4 * size, size)


def encoded_mb(task):
    """Disk of a task's token ids."""
    return sum(rows_of(task).values()) * (60 + 5 * tokens_of(task)) / MB


def examples_mb(task):
    """Disk of a task's text."""
    return sum(rows_of(task).values()) * (100 + 5 * tokens_of(task)) / MB


def stacked_mb(wildcards):
    """Disk of a cascade's predictions."""
    return predicted_mb(wildcards.task, len(cascade_members(config, wildcards.cascade)))


def adopted_mb(wildcards):
    """Disk of a copied training."""
    return kept_mb(encoder_of(wildcards.member), TRAINED) + predicted_mb(wildcards.task)


def plan_version():
    """Digest of all that decides which jobs there are and what they ask for, beside the config."""
    library = [SCRIPTS / f"cascadebert/{name}.py" for name in ("layouts", "metrics/costs", "glue", "grid", "systems")]
    library += sorted((SCRIPTS / "cascadebert/config").glob("*.py"))
    files = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk")), *library]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
