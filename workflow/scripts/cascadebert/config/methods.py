"""Keys of members and of the methods that are compared: how long and how fast each is trained, and what it adds."""

from typing import Annotated

from pydantic import Field

from cascadebert.config.types import Epochs, Rates, Section, Seeds, Unique


class Schedule(Section):
    """How long and how fast something is trained."""

    epochs: Epochs
    """Passes over the training split; 10 in the paper, for all members."""
    lr: float = Field(gt=0, le=1)
    """Peak learning rate; 2.0e-5 in the paper."""


class Member(Schedule):
    """A complete model."""

    weights: str
    """Name under weights."""
    layers: int = Field(ge=1)
    """L_i of section 3.1; the first layers of the checkpoint, all of them for a complete member."""


class BertPkd(Schedule):
    """BERT-PKD."""

    alpha: float = Field(default=0.5, ge=0, le=1)
    """Weight of the teacher's answers; that of the labels is 1 - alpha."""
    beta: float = Field(default=100, ge=0)
    """Weight of the squared distance between states."""
    temperature: float = Field(default=5, gt=0)
    """Of the softmax over teacher's and student's logits."""
    normalize: bool = True
    """Bring each state to length 1 first."""


class Theseus(Schedule):
    """BERT-of-Theseus."""

    base_rate: float = Field(default=0.3, ge=0, le=1)
    """Share of modules that are replaced at the start."""
    full_at: float = Field(default=0.5, gt=0, le=1)
    """Share of the steps after which all modules are replaced; the rate rises linearly until then."""


class Origins(Section):
    """What makes FastBERT what it is, its classifiers or its training."""

    deebert_distilled: Schedule
    """DeeBERT's off-ramps, self-distilled as FastBERT's classifiers are."""
    fastbert_labelled: Schedule
    """FastBERT's classifiers, trained on labels as DeeBERT's off-ramps are."""
    cascade: Schedule
    """The cascade's members with FastBERT's classifier; the base's is fastbert_teacher."""


class RecipeGrid(Section):
    """What learning rates and epochs are chosen from."""

    epochs: Unique[Epochs] = Field(min_length=1)
    """Passes over the training split that are tried."""
    lr: Rates
    """Peak learning rates that are tried."""
    head_lr: Rates
    """Those of what trains nothing but classifiers on a frozen encoder; as many."""
    seeds: Seeds
    """Model seeds that a point is tried with, none of them among seeds."""
    tasks: Annotated[Unique[str], Field(min_length=1)] | None = None
    """Tasks that a point is tried on. Default - all."""


class Distilbert(Section):
    """DistilBERT."""

    member: str
    """Name under members."""


class BertPd(Schedule):
    """BERT-PD."""

    member: str
    """Name under members."""
    alpha: float = Field(default=1, ge=0, le=1)
    """Weight of the teacher's answers; that of the labels is 1 - alpha."""
    temperature: float = Field(default=1, gt=0)
    """Of the softmax over teacher's and student's logits."""


class Kd(Section):
    """Vanilla knowledge distillation."""

    alpha: float = Field(default=0.5, ge=0, le=1)
    """Weight of the teacher's answers; that of the labels is 1 - alpha."""
    temperature: float = Field(default=2, gt=0)
    """Of the softmax over teacher's and student's logits."""
