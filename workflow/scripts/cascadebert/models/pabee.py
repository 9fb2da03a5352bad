"""PABEE: one shared pooler, a classifier for each layer, trained jointly (docs/method.md)."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cascadebert.metrics.costs import pooled_classifier_flops
from cascadebert.models.encoders import (
    DROPOUT,
    Batch,
    Encoder,
    load_encoder,
    pool,
    pooler_of,
    pooling_of,
    sentence_states,
)
from cascadebert.models.members import MultiExit, new_classifier, single_precision


class Pabee(MultiExit):
    """ONE pooler, the encoder's, applied after every layer, and a classifier for each layer."""

    def __init__(self, encoder: Encoder, n_classes: int) -> None:
        """Put a classifier after each layer of an encoder."""
        super().__init__()
        self.encoder, self.n_classes = encoder, n_classes
        self.dropout = nn.Dropout(DROPOUT)
        self.classifiers = nn.ModuleList(
            new_classifier(encoder.config, n_classes) for _ in range(encoder.config.num_hidden_layers)
        )

    @classmethod
    def around(cls, encoder: Encoder, n_classes: int) -> "Pabee":
        """An untrained PABEE."""
        return cls(encoder, n_classes)

    def leave(
        self, exit: int, states: Float[Tensor, "b k hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> Float[Tensor, "b classes"]:
        """Logits of one exit."""
        state = pool(states, mask, pooling_of(self.encoder.config)).float()
        with single_precision(state):
            return self.classifiers[exit](self.dropout(pooler_of(self.encoder)(state[:, None])))

    def classifier_flops(self, tokens: Int[np.ndarray, " n"]) -> float:
        """Of the pooler, asked anew after each layer, and a linear classifier."""
        return pooled_classifier_flops(self.shape, self.n_classes)

    def forward(self, batch: Batch) -> Float[Tensor, "exits b classes"]:
        """Logits of every exit."""
        states = torch.stack(sentence_states(self.encoder, batch)).float()  # (exits, b, hidden)
        with single_precision(states):
            pooled = self.dropout(pooler_of(self.encoder)(states.flatten(0, 1)[:, None])).unflatten(0, states.shape[:2])
            return torch.stack([classify(of_exit) for classify, of_exit in zip(self.classifiers, pooled, strict=True)])


def weighted_loss(logits: Float[Tensor, "exits b classes"], batch: Batch) -> Float[Tensor, ""]:
    """Mean of all exits' cross-entropies, the j-th exit weighing j."""
    weights = torch.arange(1, len(logits) + 1, dtype=logits.dtype, device=logits.device)
    losses = torch.stack([F.cross_entropy(exit_logits, batch["labels"]) for exit_logits in logits])
    return (weights * losses).sum() / weights.sum()


def build_pabee(weights: Path, layers: int, n_classes: int, freeze_embeddings: bool) -> Pabee:
    """PABEE on a pre-trained encoder; nothing but, if asked, the embeddings is frozen."""
    model = Pabee(load_encoder(weights, layers), n_classes)
    if freeze_embeddings:
        model.encoder.embeddings.requires_grad_(False)
    return model
