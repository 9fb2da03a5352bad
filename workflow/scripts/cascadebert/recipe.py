"""One training as a value: what is trained, from what, by whose answers and labels, how long and how fast."""

from typing import Literal, TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from cascadebert.layouts import Pooling

Precision = Literal["fp32", "bf16", "fp16"]

T = TypeVar("T")
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class Settings:
    """How a model is trained (paper, section 4.1; erratum 14 for what it leaves open)."""

    epochs: int
    lr: float
    batch_size: int
    weight_decay: float
    warmup: float  # share of the steps
    clip_norm: float
    precision: Precision
    freeze_embeddings: bool
    keep: Literal["best", "last"]  # the epoch that is kept


@dataclass(frozen=True, config=STRICT)
class Regularization:
    """Difficulty-aware regularization (section 3.2)."""

    weight: float  # lambda
    margin: float | None  # epsilon of Eq. 5; None for the one that is selected for the task
    pairs: Literal["sampled", "all"] = "sampled"  # erratum 7


@dataclass(frozen=True, config=STRICT)
class Distillation:
    """What a student learns from a teacher's logits; alpha = 1 at temperature 1 is BERT-PD."""

    alpha: float  # weight of the teacher's answers; that of the labels is 1 - alpha
    temperature: float  # T, of both softmaxes


@dataclass(frozen=True, config=STRICT)
class Patience:
    """What a BERT-PKD student learns from a teacher's logits and states."""

    alpha: float  # weight of the teacher's answers; that of the labels is 1 - alpha
    beta: float  # weight of its states
    temperature: float  # T, of both softmaxes
    normalize: bool  # bring each state to length 1 first


@dataclass(frozen=True, config=STRICT)
class Replacement:
    """How the modules of a BERT-of-Theseus are replaced."""

    predecessor: str  # run whose layers are replaced
    layers: int  # that it has
    base_rate: float  # b, the replacement rate of the first batch
    full_at: float  # share of the steps after which the successor is trained alone


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """One training.

    Attributes:
        member: whose checkpoint, token ids and difficulty labels it has; a name under members.
        weights: the pre-trained checkpoint.
        tokenizer: the checkpoint whose tokenizer its token ids are of.
        layers: of the model.
        settings: how it is trained.
        objective: what is minimised, a module of training/objectives.
        model: what is trained, the function that builds it by its place in this package.
        stage1: run on whose trained model it is built.
        teacher: run whose answers to the training split it learns.
        difficulty: which difficulty labels it is given.
        dar: the margin objective.
        kd: distillation.
        patience: distillation of states.
        replacement: of modules.
        step: rule of rules/training.smk that it belongs to.
    """

    member: str
    weights: str
    tokenizer: str
    layers: int
    settings: Settings
    objective: str = "cross_entropy"
    model: str = "models.members.build_member"
    stage1: str | None = None
    teacher: str | None = None
    difficulty: Literal["labels", "shuffled"] | None = None
    dar: Regularization | None = None
    kd: Distillation | None = None
    patience: Patience | None = None
    replacement: Replacement | None = None
    step: str = "train"

    @property
    def stands_on(self) -> list[str]:
        """Runs that must be trained before."""
        predecessor = self.replacement.predecessor if self.replacement else None
        return [run for run in (self.stage1, self.teacher, predecessor) if run]


@dataclass(frozen=True, config=STRICT)
class Masked:
    """DistilBERT's masked language modelling."""

    head_epochs: int  # passes over the corpus that the teacher's head is fitted for
    kl_tokens: Literal["all", "masked"] = "all"  # on which the vocabulary distributions are compared


@dataclass(frozen=True, config=STRICT)
class Pretraining:
    """A small complete member made of some layers of another checkpoint, without labels.

    Attributes:
        base: name of the checkpoint.
        layers: of it, from 1, ascending.
        corpus: name of the data set whose text is used, unlabelled.
        held_out: names of the data sets whose evaluated text is left out.
        rows: texts that are used at most.
        max_length: tokens in a text.
        settings: how it is trained.
        masked: DistilBERT's way; None for the distance between sentence vectors.
        pooling: how its sentences are read; None for the checkpoint's way.
    """

    base: str
    layers: list[int]
    corpus: str
    held_out: list[str]
    rows: int
    max_length: int
    settings: Settings
    masked: Masked | None = None
    pooling: Pooling | None = None


def needed(part: T | None) -> T:
    """A part of a recipe, or of a config, that what is asked for cannot do without.

    Raises:
        ValueError: when it is not there.
    """
    if part is None:
        raise ValueError("a part is missing that what is asked for needs")
    return part


def to_json(recipe: Recipe | Pretraining) -> str:
    """A recipe as one line of JSON, without what is left at its default."""
    return TypeAdapter(type(recipe)).dump_json(recipe, exclude_defaults=True).decode()


def from_json(text: str) -> Recipe:
    """A recipe as `to_json` wrote it, checked.

    Raises:
        pydantic.ValidationError: for a key that is unknown or missing, or a value of another type.
    """
    return TypeAdapter(Recipe).validate_json(text)


def pretraining_from_json(text: str) -> Pretraining:
    """The same of a pre-training."""
    return TypeAdapter(Pretraining).validate_json(text)
