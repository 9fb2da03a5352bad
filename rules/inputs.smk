# What the steps read.
import functools

from cascadebert.data.origins import sha256
from cascadebert.pages import kinds


@functools.cache
def digest(path):
    """Digest of a user's file: a file that replaces it may well be older than what was made of the first."""
    return sha256(Path(path))


def part_files(wildcards):
    """Files that a part of a task depends on."""
    return data_files(wildcards.task, wildcards.part)


def source_files(wildcards):
    """The archive or the local files that a checkpoint is read from."""
    source = CONFIG.weights[wildcards.weights].source
    if not source.path:
        return archive_of(source, f"weights/{wildcards.weights}")
    names = checkpoint_files(names_in(Path(source.path)), source.path)
    return {"files": [f"{source.path}/{name}" for name in names]}


def other_checkpoint(wildcards):
    """The checkpoint whose configuration and tokenizer an ONNX file has."""
    like = CONFIG.weights[wildcards.weights].source.like
    return [AT.weights(like)] if like else []


def corpus_files(wildcards):
    """The checkpoint that another is distilled from, the text, and the texts that must not be in it."""
    made = pretraining(CONFIG, wildcards.weights)
    held_out = [AT.examples(task, part) for task in made.held_out for part in ("training", "report")]
    return {**data_files(made.corpus, "report"), "weights": AT.weights(made.base), "held_out": held_out}


def fold_files(wildcards):
    """Training rows and checkpoint of a member."""
    return rows_and_checkpoint(wildcards.task, RECIPES[wildcards.member])


def training_files(wildcards):
    """Training rows, checkpoint, and what else the recipe stands on."""
    task, seed, recipe = wildcards.task, wildcards.seed, RECIPES[wildcards.run]
    labels = {
        "labels": AT.labels(task, recipe.member),
        "shuffled": AT.shuffled(task, recipe.member, seed),
    }
    replaced, selected = recipe.replacement, recipe.dar and recipe.dar.margin is None
    return rows_and_checkpoint(task, recipe) | {
        "stage1": [AT.model(task, recipe.stage1, seed)] if recipe.stage1 else [],
        "predecessor": [AT.model(task, replaced.predecessor, seed)] if replaced else [],
        "teacher": [AT.teacher(task, recipe.teacher, seed)] if recipe.teacher else [],
        "difficulty": [labels[recipe.difficulty]] if recipe.difficulty else [],
        "margin": [AT.margin(task)] if selected else [],
    }


def grid_records(wildcards):
    """Records of every training of the grid, or an error that says which key of the config it lacks."""
    if CONFIG.recipe_grid is None:
        raise WorkflowError(
            "recipes cannot be chosen, the config lacks recipe_grid: add it, as docs/config.md describes it."
        )
    return [AT.record(task, point.name, seed) for point, task, seed in tuning.trainings(CONFIG)]


def model_files(part, *answered):
    """What a run's predictions of a part of a task are made of, all seeds."""

    def files(wildcards):
        task, recipe = wildcards.task, RECIPES[wildcards.run]
        return {
            "encoded": AT.tokens(task, recipe.tokenizer, part),
            "weights": AT.weights(recipe.weights),
            "models": of_seeds(AT.model, task, wildcards.run),
            "stage1": of_seeds(AT.model, task, recipe.stage1) if recipe.stage1 else [],
            "answers": [file for place in answered for file in of_seeds(place, task, wildcards.run)],
        }

    return files


def teacher_files(wildcards):
    """Training rows and checkpoint of a teacher."""
    return rows_and_checkpoint(wildcards.task, RECIPES[wildcards.run])


def states_files(wildcards):
    """DeeBERT and the regularized small member of one seed, and the text that both read."""
    task, seed, pair = wildcards.task, wildcards.seed, (f"deebert_{BASE}", f"{SMALL}_dar")
    return {
        "encoded": [AT.tokens(task, RECIPES[run].tokenizer, "report") for run in pair],
        "weights": [AT.weights(RECIPES[run].weights) for run in pair],
        "models": [AT.model(task, run, seed) for run in pair],
        "stage1": AT.model(task, RECIPES[pair[0]].stage1, seed),
    }


def answers_at_margins(wildcards):
    """Answers to the selection split; margins outermost, then members, then seeds."""
    runs_of = [run for at_margin in zip(*DAR.values()) for run in at_margin]
    return [file for run in runs_of for file in of_seeds(AT.answers, wildcards.task, run)]


def files_at_margins(wildcards):
    """Weights, record and answers of a member; margins outermost."""
    task, seed, places = wildcards.task, wildcards.seed, (AT.model, AT.record, AT.answers)
    return [place(task, run, seed) for run in DAR[wildcards.member] for place in places]


def members_files(*splits):
    """Predictions of a cascade's members; members outermost, in ascending depth, then splits."""

    def files(wildcards):
        members = cascade_members(CONFIG, wildcards.run)
        return [AT.predictions(wildcards.task, member, split) for member in members for split in splits]

    return files


@functools.cache
def page(name):
    """A table or figure as a value, or an error that says in one sentence which key of the config it lacks."""
    try:
        return catalogue.page(CONFIG, name)
    except Problem as problem:
        raise WorkflowError(str(problem)) from None


def page_files(name):
    """Every file that a page reads."""
    return lambda wildcards: page(name).files


def submitted(wildcards):
    """What a submission is made of, or an error that says in one sentence which key of the config it lacks."""
    if sentence := catalogue.missing(CONFIG, "submissions"):
        raise WorkflowError(sentence)
    return {
        "predictions": [AT.predictions(task, wildcards.run, "test") for task in IN_GLUE],
        "sweeps": [AT.sweep(task, wildcards.run) for task in IN_GLUE],
    }


def packed_files(wildcards):
    """What a system of one seed is made of: its models, its answers to the selection split, its operating points."""
    task, run, seed, names = wildcards.task, wildcards.run, CONFIG.seeds[0], PACKED[wildcards.run]
    recipes_of = [RECIPES[name] for name in names]
    return {
        "models": [AT.model(task, name, seed) for name in names],
        "stage1": [AT.model(task, recipe.stage1, seed) for recipe in recipes_of if recipe.stage1],
        "weights": [AT.weights(recipe.weights) for recipe in recipes_of],
        "tokenizers": [AT.tokenizer(recipe.tokenizer) for recipe in recipes_of],
        "facts": AT.facts(task, "training"),
        "examples": AT.examples(task, "training"),
        "selection": AT.predictions(task, run, "selection"),
        "sweep": AT.sweep(task, run),
    }
