"""Complete members: a pre-trained encoder of its own depth with a classifier (paper, section 3.1)."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.roberta.configuration_roberta import RobertaConfig

from cascadebert.files import atomic
from cascadebert.metrics.costs import Shape, exit_flops, pooled_classifier_flops
from cascadebert.models.encoders import (
    DROPOUT,
    Batch,
    Encoder,
    load_encoder,
    pool,
    pooler_of,
    pooling_of,
    sentence_after,
    sentence_states,
)

X = TypeVar("X", bound="MultiExit")


class MultiExit(nn.Module):
    """An encoder with an exit after each of its layers, or after the last alone, and what leaving at each costs."""

    encoder: Encoder
    every_layer = True
    reads_tokens = False  # whether an exit is asked of the states of all tokens, not of the sentence's alone

    @classmethod
    def around(cls: type[X], encoder: Encoder, n_classes: int) -> X:
        """The model with untrained exits on an encoder, for trained tensors to be put into."""
        raise NotImplementedError

    @property
    def exit_layers(self) -> list[int]:
        """Layers executed at each exit."""
        depth = len(self.encoder.encoder.layer)
        return list(range(1, depth + 1)) if self.every_layer else [depth]

    @property
    def shape(self) -> Shape:
        """Widths of the encoder's layers."""
        return Shape(self.encoder.config.hidden_size, self.encoder.config.intermediate_size)

    def leave(
        self, exit: int, states: Float[Tensor, "b k hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> Float[Tensor, "b classes"]:
        """Logits of one exit, by its index, from the states after its layer: of all tokens, or of [CLS] alone."""
        raise NotImplementedError

    def pass_through(
        self, layers: range, states: Float[Tensor, "b l hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> tuple[Float[Tensor, "b k hidden"], Float[Tensor, "b classes"]]:
        """States after some layers in succession, and the logits of the exit after the last of them.

        After the encoder's last layer the states are of [CLS] alone where nothing else is read.
        """
        *before, last = (self.encoder.encoder.layer[index] for index in layers)
        for layer in before:
            states = layer(states, mask)
        pooling = pooling_of(self.encoder.config)
        if layers.stop == len(self.encoder.encoder.layer) and pooling == "cls" and not self.reads_tokens:
            states = sentence_after(last, states, mask, pooling)[:, None]
        else:
            states = last(states, mask)
        return states, self.leave(self.exit_layers.index(layers.stop), states, mask)

    def classifier_flops(self, tokens: Int[np.ndarray, " n"]) -> float | Float[np.ndarray, " n"]:
        """Operations of one exit's classifier, for instances of some tokens."""
        raise NotImplementedError

    def exit_flops(self, tokens: Int[np.ndarray, " n"]) -> Float[np.ndarray, "exits n"]:
        """Operations executed at each exit, for instances of some tokens: layers so far, classifiers on the way."""
        return exit_flops(self.shape, self.exit_layers, self.classifier_flops(tokens), tokens)


class Member(MultiExit):
    """Encoder, its pooler (dense + tanh on the sentence's state), dropout, linear classifier: one exit, at the end."""

    every_layer = False

    def __init__(self, encoder: Encoder, n_classes: int) -> None:
        """Put a new classifier on an encoder."""
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(DROPOUT)
        self.classifier = new_classifier(encoder.config, n_classes)

    @classmethod
    def around(cls, encoder: Encoder, n_classes: int) -> "Member":
        """An untrained member."""
        return cls(encoder, n_classes)

    def leave(
        self, exit: int, states: Float[Tensor, "b k hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> Float[Tensor, "b classes"]:
        """Logits of the only exit."""
        return self.classify(pool(states, mask, pooling_of(self.encoder.config)))

    def classifier_flops(self, tokens: Int[np.ndarray, " n"]) -> float:
        """Of the pooler and the linear classifier."""
        return pooled_classifier_flops(self.shape, self.classifier.out_features)

    def forward(self, batch: Batch) -> Float[Tensor, "1 b classes"]:
        """Logits of the only exit."""
        return self.classify(sentence_states(self.encoder, batch)[-1])[None]

    def classify(self, state: Float[Tensor, "b hidden"]) -> Float[Tensor, "b classes"]:
        """Logits from the sentence's state after the last layer."""
        with single_precision(state):
            return self.classifier(self.dropout(pooler_of(self.encoder)(state[:, None].float())))


def single_precision(states: Tensor) -> torch.autocast:
    """No autocast: classifiers compute in float32, so that confidences neither saturate nor tie (errata 2 and 31)."""
    return torch.autocast(states.device.type, enabled=False)


def new_classifier(config: BertConfig | RobertaConfig, n_classes: int) -> nn.Linear:
    """An untrained classifier, initialised as BERT's own layers are."""
    classifier = nn.Linear(config.hidden_size, n_classes)
    nn.init.normal_(classifier.weight, std=config.initializer_range)
    nn.init.zeros_(classifier.bias)
    return classifier


def build_member(weights: Path, layers: int, n_classes: int, freeze_embeddings: bool) -> Member:
    """A member ready for fine-tuning.

    Args:
        weights: model.safetensors of the pre-trained checkpoint.
        layers: depth of the member.
        n_classes: of the task.
        freeze_embeddings: keep the embeddings as pre-trained.
    """
    member = Member(load_encoder(weights, layers), n_classes)
    if freeze_embeddings:
        member.encoder.embeddings.requires_grad_(False)
    return member


def trained(model: nn.Module) -> dict[str, Tensor]:
    """The tensors that training may change, by name; the rest is where it came from."""
    return {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}


def save_trained(model: nn.Module, path: Path) -> None:
    """Write the trained tensors of a model."""
    with atomic(path) as temporary:
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in trained(model).items()}, temporary)


def load_trained(model: nn.Module, path: Path) -> None:
    """Put trained tensors into a model that was built and frozen as the trained one was.

    Raises:
        ValueError: when the file has other tensors than the model would train, or of other shapes.
    """
    parameters = trained(model)
    with safe_open(path, framework="pt") as file, torch.no_grad():
        if set(file.keys()) != set(parameters):
            odd = sorted(set(file.keys()) ^ set(parameters))
            raise ValueError(f"{path} was trained with other settings: {len(odd)} tensors differ, first {odd[0]}")
        for name, tensor in parameters.items():
            stored = file.get_tensor(name)
            if stored.shape != tensor.shape:
                raise ValueError(f"{path}: {name} is {list(stored.shape)}, the model's {list(tensor.shape)}")
            tensor.copy_(stored)
