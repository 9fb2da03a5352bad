"""What every job of a config is expected to take, asked of its recipe before anything is there (docs/cost.md)."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

from cascadebert.cluster.budget import (
    FORWARD,
    MB,
    START_SECONDS,
    THROUGH,
    TRAINED,
    Architecture,
    Job,
    Machine,
    data_mb,
    logits_mb,
    naming,
    passing,
    prediction_mb,
    seconds,
    split_rows,
    text_mb,
    training_mb,
)
from cascadebert.config.keys import Config
from cascadebert.config.sources import DataSource
from cascadebert.files import count_lines, read_json
from cascadebert.glue import GLUE
from cascadebert.layouts import PARTS, files_of
from cascadebert.metrics.costs import Shape
from cascadebert.recipe import Recipe
from cascadebert.recipes import pretraining

TEXTS_A_SECOND = 5_000
"""Rows that a job reads, normalises, divides or tokenises on one core."""

PREDICTED_TOGETHER = 64
"""Rows in a batch of a prediction (training.predict)."""

BERT_WORDS, ROBERTA_WORDS = 30_522, 50_265

COUNTED = (".csv", ".tsv", ".jsonl", ".json")
"""Endings of files of about a line for a row."""

PASSES = {"deebert": FORWARD, "fastbert": FORWARD, "theseus": THROUGH}
"""Over the layers in a training, by objective; all others train every layer."""


def counted(source: DataSource) -> dict[str, int]:
    """Rows of each split of a user's own files, a line for a row; of a file that is packed nothing is known."""
    splits = {str(split): name for split, name in (source.splits or {}).items()}
    files = files_of(Path(source.path), splits=splits) if source.path else {}
    lines = {split: count_lines(file) for split, file in files.items() if file.suffix in COUNTED}
    return {split: n for split, n in lines.items() if n > 1}


@dataclass(frozen=True, eq=False)
class Jobs:
    """Expected jobs of a config."""

    config: Config

    @functools.cached_property
    def machine(self) -> Machine:
        """What they run on."""
        keys = self.config.machine.model_dump(exclude={"device", "tflops", "unknown"})
        return Machine(tflops=getattr(self.config.machine.tflops, self.config.training.precision), **keys)

    def forget(self) -> None:
        """Forget what was read, or assumed, of tasks and checkpoints."""
        Jobs.rows.cache_clear()
        Jobs.checkpoint.cache_clear()

    def started(self, job: Job) -> Job:
        """A job that uses torch, with the time that it takes to load it; a fork finds it loaded."""
        return job if self.config.fork_jobs else replace(job, seconds=job.seconds + START_SECONDS)

    @functools.cache  # noqa: B019 (lives as long as the workflow)
    def rows(self, task: str) -> dict[str, int]:
        """Rows of each split: as prepared; else as counted, published or assumed, and as they will be carved."""
        facts = [Path(self.config.results, "tasks", task, f"{part}.json") for part in PARTS]
        if all(path.is_file() for path in facts):
            return {split: n for path in facts for split, n in read_json(path)["rows"].items()}
        entry = self.config.data[task]
        assumed = {"train": entry.source.toy or self.config.machine.unknown.rows}
        whole = GLUE[entry.glue].rows if entry.glue else assumed | counted(entry.source)
        return split_rows(whole, entry.rows.model_dump(exclude_none=True), self.config.selection)

    def answered(self, task: str, splits: tuple[str, ...]) -> int:
        """Rows of some splits."""
        return sum(self.rows(task).get(split, 0) for split in splits)

    def tokens(self, task: str) -> float | int:
        """Mean tokens of a row: GLUE's as counted, else as the config assumes."""
        glue = self.config.data[task].glue
        mean = GLUE[glue].tokens if glue else self.config.machine.unknown.tokens
        return min(mean, self.config.training.max_length)

    def classes(self, task: str) -> int:
        """Classes of a task: as declared, of the paper's task, else 2."""
        entry = self.config.data[task]
        return len(entry.labels or (GLUE[entry.glue].labels if entry.glue else "01"))

    @functools.cache  # noqa: B019 (lives as long as the workflow)
    def checkpoint(self, name: str) -> Architecture:
        """A checkpoint's widths: of its config.json where there is one, else as the config assumes."""
        source, assumed = self.config.weights[name].source, self.config.machine.unknown
        if other := source.distilled or source.like:
            return self.checkpoint(other)
        folders = [Path(self.config.results, "weights", name), *([Path(source.path)] if source.path else [])]
        for path in (folder / "config.json" for folder in folders):
            if path.is_file():
                said = read_json(path)  # BERT's defaults are left out
                shape = Shape(said.get("hidden_size", 768), said.get("intermediate_size", 3072))
                return Architecture(shape, said.get("num_hidden_layers", 12), said.get("vocab_size", BERT_WORDS))
        if source.random:
            width = source.hidden or assumed.hidden
            return Architecture(Shape(width, 4 * width), source.random, 1000)
        members = self.config.members
        layers = max((member.layers for member in members.values() if member.weights == name), default=12)
        roberta = name in {members[member].weights for member in self.config.roberta_cascade or []}
        shape = Shape(assumed.hidden, 4 * assumed.hidden)
        return Architecture(shape, layers, ROBERTA_WORDS if roberta else BERT_WORDS)

    def encoder(self, recipe: Recipe) -> Architecture:
        """All layers that run in a training."""
        layers = recipe.replacement.layers if recipe.replacement else recipe.layers
        whole = self.checkpoint(recipe.weights)
        return Architecture(whole.shape, layers, whole.vocabulary)

    def passes(self, recipe: Recipe) -> int:
        """Over each of them."""
        return PASSES.get(recipe.objective, TRAINED)

    def exits(self, recipe: Recipe) -> int:
        """Classifiers that answer."""
        return recipe.layers if recipe.objective in ("deebert", "pabee", "fastbert") else 1

    def kept_mb(self, recipe: Recipe) -> float:
        """Disk of what a training changes: the model, or poolers alone on a frozen one."""
        encoder = self.checkpoint(recipe.weights)
        if self.passes(recipe) == FORWARD:
            return recipe.layers * encoder.shape.hidden**2 * 4 / MB
        kept = Architecture(encoder.shape, recipe.layers, encoder.vocabulary)
        frozen = kept.embeddings if recipe.settings.freeze_embeddings else 0
        return (kept.parameters - frozen) * 4 / MB

    def predicted_mb(self, task: str, exits: int, splits: tuple[str, ...]) -> float:
        """Disk of logits on some splits."""
        return logits_mb(self.answered(task, splits), exits, self.classes(task))

    def states_mb(self, task: str, encoder: Architecture) -> float:
        """A teacher's float16 states of the training split, one for each layer of a student but the last."""
        return self.rows(task)["train"] * ((self.config.student_layers or 1) - 1) * encoder.shape.hidden * 2 / MB

    def training(self, task: str, recipe: Recipe, rows: float | None = None) -> Job:
        """A training, on all training rows or some, with what it answers on the selection split."""
        encoder, tokens, made = self.encoder(recipe), self.tokens(task), recipe.settings
        train, selection = self.rows(task)["train"] if rows is None else rows, self.rows(task)["selection"]
        scored = 1 + (made.epochs if made.keep == "best" else 0) if rows is None else 0  # a fold's is never looked at
        work = passing(encoder, made.epochs * train, tokens, made.batch_size, self.passes(recipe))
        work += passing(encoder, scored * selection, tokens, PREDICTED_TOGETHER)
        memory = training_mb(encoder, made.batch_size, self.config.training.max_length)
        memory += data_mb(self.answered(task, PARTS["training"]), tokens)
        if recipe.patience:
            both = self.answered(task, PARTS["training"])
            memory += self.states_mb(task, encoder) * (2 + both / train)  # as read, of all rows, and on the way
        disk = self.kept_mb(recipe) + self.predicted_mb(task, self.exits(recipe), ("selection",))
        return Job(seconds(work, self.machine), memory, disk)

    def fold(self, task: str, recipe: Recipe) -> Job:
        """A member trained on all folds but one; its prediction of that one is all that stays."""
        train = self.rows(task)["train"]
        held_out = train / self.config.difficulty.n_folds
        job = self.training(task, recipe, train - held_out)
        work = passing(self.encoder(recipe), held_out, self.tokens(task), PREDICTED_TOGETHER)
        spent = job.seconds + seconds(work, self.machine)
        return Job(spent, job.memory_mb, logits_mb(held_out, 1, self.classes(task)))

    def predicting(self, task: str, recipe: Recipe, splits: tuple[str, ...], times: int = 1) -> Job:
        """A model, or one of each seed, answers some splits."""
        whole = self.checkpoint(recipe.weights)
        encoder, rows = Architecture(whole.shape, recipe.layers, whole.vocabulary), self.answered(task, splits)
        work = passing(encoder, times * rows, self.tokens(task), PREDICTED_TOGETHER)
        memory = prediction_mb(encoder, PREDICTED_TOGETHER, self.config.training.max_length)
        memory += data_mb(rows, self.tokens(task))
        disk = times * self.predicted_mb(task, self.exits(recipe), splits)
        return Job(seconds(work, self.machine), memory + disk, disk)

    def teaching(self, task: str, recipe: Recipe) -> Job:
        """A base answers the training split."""
        job, states = self.predicting(task, recipe, ("train",)), self.states_mb(task, self.encoder(recipe))
        return Job(job.seconds, job.memory_mb + states, states)

    def states(self, task: str, recipes: list[Recipe]) -> Job:
        """Two models read the report split."""
        jobs = [self.predicting(task, recipe, ("report",)) for recipe in recipes]
        disk = self.rows(task)["report"] * self.encoder(recipes[0]).shape.hidden * 8 / MB
        return Job(sum(job.seconds for job in jobs), sum(job.memory_mb for job in jobs), disk)

    def distillation(self, name: str) -> Job:
        """A checkpoint distilled from another, which answers once a row or, masked, in each epoch with its words."""
        made, teacher = pretraining(self.config, name), self.checkpoint(name)
        student = Architecture(teacher.shape, len(made.layers), teacher.vocabulary)
        rows, tokens, length = made.rows, self.tokens(made.corpus), made.max_length
        epochs, batch_size = made.settings.epochs, made.settings.batch_size
        work = passing(student, epochs * rows, tokens, batch_size, TRAINED)
        memory = training_mb(student, batch_size, length) + prediction_mb(teacher, PREDICTED_TOGETHER, length)
        if masked := made.masked:
            share = 1 if masked.kl_tokens == "all" else 0.15
            work += passing(teacher, (masked.head_epochs + epochs) * rows, tokens, batch_size)
            work += naming(teacher, masked.head_epochs * rows * tokens * 0.15, TRAINED)
            work += naming(teacher, epochs * rows * tokens * share, FORWARD + TRAINED)
            logits = share * batch_size * length * teacher.vocabulary * 4 / MB
            memory += 8 * logits  # of both, their softmax, and the gradients of each
        else:
            work += passing(teacher, rows, tokens, PREDICTED_TOGETHER)
        memory += sum(text_mb(sum(self.rows(task).values()), self.tokens(task)) for task in made.held_out)
        return Job(seconds(work, self.machine), memory, student.parameters * 4 / MB)

    def importing(self, name: str) -> Job:
        """A checkpoint read, checked and written: some copies of it at once."""
        size = self.checkpoint(name).parameters * 4 / MB
        return Job(60.0, 4 * size, size)

    def text(self, tasks: list[str], bytes_a_row: int = 0) -> Job:
        """The text of some tasks, read one after another and written with some bytes a row beside its tokens."""
        rows = {task: sum(self.rows(task).values()) for task in tasks}
        memory = max(text_mb(rows[task], self.tokens(task)) for task in tasks)
        disk = sum(rows[task] * (bytes_a_row + 5 * self.tokens(task)) for task in tasks) / MB if bytes_a_row else 1
        return Job(sum(rows.values()) / TEXTS_A_SECOND, memory, disk)

    def baselines(self, task: str) -> Job:
        """Baselines of common sense: features of words and pairs of words, and several regressions on them."""
        text = self.text([task], 10)
        return Job(10 * text.seconds, 4 * text.memory_mb, text.disk_mb)

    def whole_mb(self, recipe: Recipe) -> float:
        """A model with all its tensors."""
        encoder = self.checkpoint(recipe.weights)
        return Architecture(encoder.shape, recipe.layers, encoder.vocabulary).parameters * 4 / MB

    def short(self, disk: float = 1, memory_mb: float = 0.0) -> Job:
        """Seconds, and little memory if not told otherwise."""
        return Job(5.0, memory_mb, disk)
