"""What a job asks of a machine, from layers, rows and tokens: operations, seconds, memory, disk (docs/cost.md)."""

from dataclasses import dataclass

import numpy as np

from cascadebert.metrics.costs import Shape, member_flops

FORWARD, THROUGH, TRAINED = 1, 2, 3
"""Passes over a layer. FORWARD: frozen, nothing is trained below it. THROUGH: frozen, but gradients of its states are
taken on their way down. TRAINED: those of its weights as well; a backward pass costs two forward ones."""

TRAINED_BYTES = 28
"""Of a float32 parameter in a training: itself, gradient, two moments of AdamW, the best epoch's; and itself and the
best once more, in the state that a resumed training was read from."""

START_SECONDS = 6.0
"""Of a process, until it has imported torch and transformers (5.0 to 5.8 on one core of an Intel Xeon of 2.1 GHz)."""

MB = 1e6


@dataclass(frozen=True)
class Machine:
    """What jobs run on.

    Attributes:
        tflops: peak of the device in 10^12 operations a second, at the precision of the trainings.
        utilisation: share of it that large matrix products reach here.
        launch_ms: milliseconds of a pass of one layer over one batch that no arithmetic accounts for.
        start_minutes: of a job before its first and after its last batch.
        process_mb: memory of a process that has loaded its libraries and opened the device.
        slack: what is asked for over what is expected, of time.
    """

    tflops: float | int
    utilisation: float | int
    launch_ms: float | int
    start_minutes: float | int
    process_mb: float | int
    slack: float | int


@dataclass(frozen=True)
class Architecture:
    """An encoder.

    Attributes:
        shape: of its layers.
        layers: how many.
        vocabulary: word pieces.
    """

    shape: Shape
    layers: int
    vocabulary: int

    @property
    def embeddings(self) -> int:
        """Parameters of words, 512 positions, two segments and their LayerNorm."""
        return (self.vocabulary + 512 + 2 + 2) * self.shape.hidden

    @property
    def parameters(self) -> int:
        """Embeddings, layers and pooler.

        Example:
            >>> Architecture(Shape(768, 3072), 12, 30522).parameters  # bert-base-uncased
            109482240
        """
        h, wide = self.shape.hidden, self.shape.intermediate
        return self.embeddings + self.layers * (4 * h * h + 2 * h * wide + 9 * h + wide) + h * h + h


@dataclass(frozen=True)
class Work:
    """Arithmetic, and what comes with each batch.

    Attributes:
        flops: operations.
        launches: passes of one layer over one batch.
    """

    flops: float | int = 0.0
    launches: float | int = 0.0

    def __add__(self, other: "Work") -> "Work":
        """One after the other."""
        return Work(self.flops + other.flops, self.launches + other.launches)


@dataclass(frozen=True)
class Job:
    """What is expected of one job.

    Attributes:
        seconds: of computing.
        memory_mb: at its peak, beside the libraries.
        disk_mb: of what it leaves behind.
    """

    seconds: float
    memory_mb: float
    disk_mb: float


def passing(
    encoder: Architecture, rows: float | int, tokens: float | int, batch_size: int, passes: int = FORWARD
) -> Work:
    """Rows that go through an encoder with a classifier of two classes.

    All rows are taken to have the mean number of tokens and batches to hold no padding: rows of like length are batched
    together. Layers are counted whole, classifiers of exits but the last are left out (costs.py).

    Args:
        encoder: whose layers run.
        rows: how often a row is seen, epochs multiplied in.
        tokens: mean of a row.
        batch_size: rows in a batch.
        passes: FORWARD, THROUGH or TRAINED.
    """
    flops = rows * float(member_flops(encoder.shape, encoder.layers, 2, np.array([tokens]))[0])
    return Work(passes * flops, passes * encoder.layers * rows / batch_size)


def naming(encoder: Architecture, tokens: float | int, passes: int = FORWARD) -> Work:
    """Logits over the vocabulary for some tokens: two operations for each word and each of its state's numbers."""
    return Work(passes * tokens * 2.0 * encoder.shape.hidden * encoder.vocabulary)


def seconds(work: Work, machine: Machine) -> float:
    """Arithmetic at the machine's utilisation, and the launches, one after the other."""
    return work.flops / (machine.tflops * 1e12 * machine.utilisation) + work.launches * machine.launch_ms / 1e3


def minutes(expected: float | int, machine: Machine) -> int:
    """Time to ask for, for a job that is expected to compute for some seconds."""
    return int(np.ceil(machine.start_minutes + machine.slack * expected / 60))


def activations_mb(encoder: Architecture, batch_size: int, length: int) -> float:
    """What backward needs of a forward pass, float32.

    Of each token and layer 21 vectors: inputs of the projections, of both LayerNorms, of the feed-forward's two halves
    and its GELU, dropout masks, gradients under way; and the attention weights, three times a row of them a head of 64,
    where no fused kernel spares them, as on a CPU: 27 vectors at 128 tokens, where BERT-base was measured to take 27.
    """
    vectors = 21 + 3 * length / 64
    return encoder.layers * batch_size * length * vectors * encoder.shape.hidden * 4 / MB


def training_mb(encoder: Architecture, batch_size: int, length: int) -> float:
    """Memory of a training beside its libraries and data: parameters and all that goes with them, activations.

    Half precision is not deducted, frozen parts neither: a bound for every system's training on this encoder.
    """
    return encoder.parameters * TRAINED_BYTES / MB + activations_mb(encoder, batch_size, length)


def prediction_mb(encoder: Architecture, batch_size: int, length: int) -> float:
    """Memory of a prediction beside its libraries and data: the model, the file that it was read from, one layer."""
    one = Architecture(encoder.shape, 1, encoder.vocabulary)
    return encoder.parameters * 8 / MB + activations_mb(one, batch_size, length)


def data_mb(rows: float | int, tokens: float | int) -> float:
    """Memory of a task's token ids (mapped, 5 bytes a token) and of the names of its rows (400 bytes a row)."""
    return rows * (400 + 5 * tokens) / MB


def text_mb(rows: float | int, tokens: float | int) -> float:
    """Memory of a task's text: 1,000 bytes a row and 25 a token, all copies (measured: 1,700 a row of 31 tokens)."""
    return rows * (1000 + 25 * tokens) / MB


def logits_mb(rows: float | int, exits: int, classes: int) -> float:
    """Disk of predictions: float32 logits hardly shrink; operations, labels and names take 8 bytes a row and exit."""
    return rows * exits * (4 * classes + 8) / MB


def split_rows(published: dict[str, int], caps: dict[str, int], selection: str = "train") -> dict[str, int]:
    """Rows of each split that `splits.carve` makes, if no text is repeated.

    Args:
        published: rows of the source's splits; train at least.
        caps: how many of each split at most.
        selection: "train" or "validation", where the selection split is from.
    """
    pool = published["train"]
    if "report" in published:
        report = min(caps.get("report", published["report"]), published["report"])
    else:
        report = min(caps.get("report", max(1, pool // 5)), pool)
        pool -= report
    if selection == "validation":
        held = report
    else:
        held = min(caps.get("selection", max(1, pool // 10)), pool)
        pool -= held
    others = {name: published.get(name, 0) for name in ("mismatched", "test")}
    rows = {"train": pool, **others}
    return {name: min(n, caps.get(name, n)) for name, n in rows.items()} | {"selection": held, "report": report}


def difficulty_share(n_folds: int, seeds: int, new_folds: int, new_seeds: int) -> float:
    """Cost of the difficulty runs under other keys, over the present one.

    A seed trains on K - 1 of K folds, K times: K - 1 times the training split.
    """
    return new_seeds * (new_folds - 1) / (seeds * (n_folds - 1))
