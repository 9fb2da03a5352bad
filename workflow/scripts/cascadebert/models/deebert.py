"""DeeBERT: off-ramps on a fine-tuned, frozen backbone (docs/method.md)."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cascadebert.models.encoders import DROPOUT, Batch, Encoder, pool, pooler_of, pooling_of, sentence_states
from cascadebert.models.members import Member, MultiExit, build_member, load_trained, new_classifier, single_precision


class Highway(nn.Module):
    """An off-ramp: a pooler of its own on the sentence's state, dropout, linear classifier."""

    def __init__(self, pooler: nn.Module, classifier: nn.Linear) -> None:
        """Take a copy of the pre-trained pooler."""
        super().__init__()
        self.pooler = deepcopy(pooler)
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = classifier

    def forward(self, state: Float[Tensor, "b hidden"]) -> Float[Tensor, "b classes"]:
        """Logits from the sentence's state after a layer."""
        with single_precision(state):
            return self.classifier(self.dropout(self.pooler(state[:, None].float())))


class DeeBert(MultiExit):
    """Second stage: off-ramps after all layers but the last, on a fine-tuned member that stays as it is.

    The published code also builds an off-ramp after the last layer, never trains it and yet consults it at inference;
    here it does not exist: the last exit is the member's own classifier.
    """

    def __init__(self, member: Member, pooler: nn.Module) -> None:
        """Freeze the member and put an off-ramp after each of its layers but the last.

        Args:
            member: fine-tuned for the task (first stage: the base, as every other system uses it).
            pooler: the pre-trained pooler that each off-ramp starts from; RoBERTa's is untrained.
        """
        super().__init__()
        self.member = member.requires_grad_(False)
        config, n_classes = member.encoder.config, member.classifier.out_features
        self.highways = nn.ModuleList(
            Highway(pooler, new_classifier(config, n_classes)) for _ in range(config.num_hidden_layers - 1)
        )

    @property
    def encoder(self) -> Encoder:  # type: ignore[override] # it is the frozen model's, which is registered once
        """The frozen member's."""
        return self.member.encoder

    @classmethod
    def around(cls, encoder: Encoder, n_classes: int) -> "DeeBert":
        """An untrained DeeBERT."""
        return cls(Member(encoder, n_classes), pooler_of(encoder))

    def leave(
        self, exit: int, states: Float[Tensor, "b k hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> Float[Tensor, "b classes"]:
        """Logits of an off-ramp, or of the member's own classifier."""
        classify = self.highways[exit] if exit < len(self.highways) else self.member.classify
        return classify(pool(states, mask, pooling_of(self.encoder.config)))

    def classifier_flops(self, tokens: Int[np.ndarray, " n"]) -> float:
        """Of an off-ramp, as of the member's own classifier."""
        return self.member.classifier_flops(tokens)

    def forward(self, batch: Batch) -> Float[Tensor, "exits b classes"]:
        """Logits of every exit; in training the frozen member's dropout is active, as published."""
        with torch.no_grad():
            *lower, last = sentence_states(self.member.encoder, batch)
            final = self.member.classify(last)
        return torch.stack([highway(state) for highway, state in zip(self.highways, lower, strict=True)] + [final])


def off_ramp_loss(logits: Float[Tensor, "exits b classes"], batch: Batch) -> Float[Tensor, ""]:
    """Sum, unweighted, of the cross-entropies of all exits but the last (DeeBERT, second stage)."""
    return torch.stack([F.cross_entropy(exit_logits, batch["labels"]) for exit_logits in logits[:-1]]).sum()


def build_deebert(weights: Path, stage1: Path, layers: int, n_classes: int, freeze_embeddings: bool) -> DeeBert:
    """DeeBERT on a fine-tuned base.

    Args:
        weights: model.safetensors of the pre-trained checkpoint: the off-ramps' poolers, and what stage 1 left frozen.
        stage1: the base's trained tensors.
        layers: depth of the base.
        n_classes: of the task.
        freeze_embeddings: as in stage 1.
    """
    member = build_member(weights, layers, n_classes, freeze_embeddings)
    pooler = deepcopy(pooler_of(member.encoder))
    load_trained(member, stage1)
    return DeeBert(member, pooler)
