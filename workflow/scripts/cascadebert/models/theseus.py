"""BERT-of-Theseus: a fine-tuned model whose modules are replaced by single layers, ever more often (docs/method.md)."""

from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cascadebert.models.encoders import Batch, Layer, embedded, pooling_of, sentence_after
from cascadebert.models.members import Member, trained


class Theseus(nn.Module):
    """A predecessor in modules of consecutive layers, and for each module the one successor layer that replaces it.

    Only successors are trained. They start as copies of the fine-tuned predecessor's first layers, as in the released
    code; the paper says the first layers of BERT-base. In evaluation mode there are successors alone. In training the
    frozen predecessor's dropout is active, as published.
    """

    def __init__(
        self,
        predecessor: Member,
        successor_layers: int,
        base_rate: float,
        full_at: float,
        steps: int,
        generator: torch.Generator,
    ) -> None:
        """Freeze the predecessor and copy its first layers.

        Args:
            predecessor: fine-tuned for the task.
            successor_layers: how many modules, and layers in the end.
            base_rate: b, the replacement rate of the first batch.
            full_at: share of the steps after which every module is replaced in every batch.
            steps: batches of the whole training.
            generator: draws what is replaced, on the CPU.

        Raises:
            ValueError: when the predecessor's layers do not fall into modules of one size.
        """
        super().__init__()
        layers = predecessor.encoder.encoder.layer
        if len(layers) % successor_layers:
            raise ValueError(f"{len(layers)} layers do not fall into {successor_layers} modules of one size")
        self.fine_tuned = set(trained(predecessor))
        self.predecessor = predecessor.requires_grad_(False)
        self.successor = deepcopy(layers[:successor_layers]).requires_grad_(True)
        self.base_rate = base_rate
        self.slope = (1 - base_rate) / (full_at * steps)
        self.generator = generator
        self.batches: Tensor
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    @property
    def exit_layers(self) -> list[int]:
        """Layers executed at each exit, in evaluation mode."""
        return [len(self.successor)]

    @property
    def rate(self) -> float:
        """Replacement rate of the next batch of training, min(1, k t + b), t being the batches so far."""
        return min(1.0, self.slope * self.batches.item() + self.base_rate)

    def draw(self) -> list[bool]:
        """For each module, whether its successor replaces it in the next batch: independent draws."""
        draws = torch.rand(len(self.successor), generator=self.generator) < self.rate
        self.batches.add_(1)
        return draws.tolist()

    def path(self) -> list[Layer]:
        """The layers that the next batch passes through."""
        if not self.training:
            return list(self.successor)
        layers, size = self.predecessor.encoder.encoder.layer, self.predecessor.exit_layers[0] // len(self.successor)
        return [
            layer
            for i, replaced in enumerate(self.draw())
            for layer in ([self.successor[i]] if replaced else layers[i * size : (i + 1) * size])
        ]

    def forward(self, batch: Batch) -> Float[Tensor, "1 b classes"]:
        """Logits of the only exit."""
        states, mask = embedded(self.predecessor.encoder, batch)
        *lower, last = self.path()
        for layer in lower:
            states = layer(states, mask)
        state = sentence_after(last, states, mask, pooling_of(self.predecessor.encoder.config))
        logits = self.predecessor.classify(state)[None]
        # A batch that meets no successor teaches nothing, and yet its loss must have a backward().
        return logits.requires_grad_() if self.training else logits

    def export(self) -> Member:
        """The successors as a plain member of their own depth, frozen where the predecessor was when it was tuned."""
        member = deepcopy(self.predecessor)
        member.encoder.encoder.layer = deepcopy(self.successor)
        member.encoder.config.num_hidden_layers = len(self.successor)
        for name, tensor in member.named_parameters():
            tensor.requires_grad_(name in self.fine_tuned)
        return member
