"""Pre-trained encoders, cut to some depth, and how their sentences are read (paper, section 3.1)."""

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Bool, Float
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertLayer, BertModel
from transformers.models.roberta.configuration_roberta import RobertaConfig
from transformers.models.roberta.modeling_roberta import RobertaLayer, RobertaModel

from cascadebert.files import read_json
from cascadebert.layouts import Pooling, Problem
from cascadebert.models.dropout import ATTENTION, attend, cheapen

DROPOUT = 0.1
"""Before the classifier, as in the released code of CascadeBERT, DeeBERT and PABEE."""

Batch = dict[str, Tensor]
"""input_ids, token_type_ids, attention_mask, each (b, length); labels (b,); whatever else an objective asked for."""

M = TypeVar("M", bound=nn.Module)
Encoder = BertModel | RobertaModel
Layer = BertLayer | RobertaLayer

ENCODERS = {"bert": (BertConfig, BertModel), "roberta": (RobertaConfig, RobertaModel)}
"""By model_type of a checkpoint's config.json; checkpoints that are older than that key are BERT."""


class RobertaPooler(nn.Module):
    """Dropout, dense and tanh on the first token, <s>: RoBERTa's classification head but for its linear classifier.

    RoBERTa was pre-trained without a sentence objective, so nothing of it comes from the checkpoint.
    """

    def __init__(self, config: RobertaConfig) -> None:
        """Initialise as RoBERTa's own layers are."""
        super().__init__()
        self.dropout = nn.Dropout(DROPOUT)
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        nn.init.normal_(self.dense.weight, std=config.initializer_range)
        nn.init.zeros_(self.dense.bias)

    def forward(self, states: Float[Tensor, "b l hidden"]) -> Float[Tensor, "b hidden"]:
        """Pooled first token."""
        return torch.tanh(self.dense(self.dropout(states[:, 0])))


def load_encoder(weights: Path, layers: int) -> Encoder:
    """A pre-trained encoder with its own configuration, cut to its first layers; a pooler that it lacks is new.

    The released code instantiates every member with the base's depth; here a member has the layers it is asked to
    have and no others (docs/method.md).

    Args:
        weights: model.safetensors of a checkpoint, with its config.json beside it.
        layers: how many of the first transformer layers to keep.

    Raises:
        ValueError: when the checkpoint has fewer layers, or lacks a tensor other than the pooler's, or adds one.
    """
    said = read_json(weights.with_name("config.json"))
    kind, depth = said.get("model_type", "bert"), said["num_hidden_layers"]
    if not 1 <= layers <= depth:
        raise Problem(f"{weights} has {depth} layers, a member of {layers} cannot be made of it: lower its layers.")
    encoder: Any = untrained_encoder(said | {"num_hidden_layers": layers})
    kept = {name: tensor for name, tensor in load_file(weights).items() if _layer_of(name) < layers}
    if kind == "roberta":
        kept = {name: tensor for name, tensor in kept.items() if not name.startswith("pooler.")}
    pooler = encoder.pooler
    if without_pooler := not any(name.startswith("pooler.") for name in kept):
        encoder.pooler = None
    try:
        encoder.load_state_dict(kept, strict=True)
    except RuntimeError as error:
        raise ValueError(f"{weights} does not fit its config.json: {error}") from error
    if without_pooler:
        encoder.pooler = RobertaPooler(encoder.config) if kind == "roberta" else pooler
    return encoder


def untrained_encoder(said: dict[str, Any]) -> Encoder:
    """An encoder of a checkpoint's configuration, with the attention that takes our masks; RoBERTa's with a pooler."""
    configuration, model = ENCODERS[said.get("model_type", "bert")]
    config = configuration.from_dict(said)
    config._attn_implementation = ATTENTION
    encoder: Any = model(config)
    cheapen(encoder)
    return encoder


def pooler_of(encoder: Encoder) -> nn.Module:
    """The encoder's own pooler.

    Raises:
        ValueError: when it has none.
    """
    if encoder.pooler is None:
        raise ValueError("the encoder has no pooler")
    return encoder.pooler


def placed(model: M, device: torch.device) -> M:
    """A model on a device."""
    nn.Module.to(model, device)
    return model


def _layer_of(name: str) -> int:
    """Index of the transformer layer a tensor belongs to, -1 outside the layers."""
    match = re.match(r"encoder\.layer\.(\d+)\.", name)
    return int(match.group(1)) if match else -1


def embedded(encoder: Encoder, batch: Batch) -> tuple[Float[Tensor, "b l hidden"], Bool[Tensor, "b 1 1 l"]]:
    """Embeddings of a batch, and its mask in the form that layers take."""
    types = batch["token_type_ids"].clamp(max=encoder.config.type_vocab_size - 1)  # RoBERTa has one type
    states = encoder.embeddings(input_ids=batch["input_ids"], token_type_ids=types)
    return states, batch["attention_mask"].bool()[:, None, None, :]


def pooling_of(config: BertConfig | RobertaConfig) -> Pooling:
    """How a checkpoint's sentences are read, as its config.json says: [CLS] where it says nothing."""
    return getattr(config, "pooling", "cls")


def sentence_states(encoder: Encoder, batch: Batch) -> list[Float[Tensor, "b hidden"]]:
    """State of the sentence after each layer: what members, off-ramps, students and teachers read.

    It is the state of [CLS] (<s>), as in the paper, or the mean of all tokens' states, as the checkpoint was trained to
    be read. Where [CLS] alone is read, the last layer is computed for [CLS] alone: it attends to all tokens, but no
    other token's answer is ever used. For a one-layer member that is most of the work.
    """
    states, mask = embedded(encoder, batch)
    *lower, last = encoder.encoder.layer
    pooling = pooling_of(encoder.config)
    sentences = []
    for layer in lower:
        states = layer(states, mask)
        sentences.append(pool(states, mask, pooling))
    return [*sentences, sentence_after(last, states, mask, pooling)]


def pool(
    states: Float[Tensor, "b k hidden"], mask: Bool[Tensor, "b 1 1 l"], pooling: Pooling
) -> Float[Tensor, "b hidden"]:
    """One state of each sentence: that of [CLS], or the mean of its tokens' in float32; padding does not count.

    For [CLS] states of it alone (k = 1) will do.
    """
    if pooling == "cls":
        return states[:, 0]
    tokens = mask[:, 0, 0, :, None]  # (b, l, 1)
    return (states.float() * tokens).sum(1) / tokens.sum(1)


def token_states(encoder: Encoder, batch: Batch) -> list[Float[Tensor, "b l hidden"]]:
    """State of every token after each layer."""
    states, mask = embedded(encoder, batch)
    of_layers = []
    for layer in encoder.encoder.layer:
        states = layer(states, mask)
        of_layers.append(states)
    return of_layers


def sentence_after(
    layer: Layer, states: Float[Tensor, "b l hidden"], mask: Bool[Tensor, "b 1 1 l"], pooling: Pooling
) -> Float[Tensor, "b hidden"]:
    """What `pool` makes of `layer(states, mask)`; of [CLS] alone, without other tokens' queries and feed-forward."""
    if pooling != "cls":
        return pool(layer(states, mask), mask, pooling)
    attention = layer.attention.self
    heads = (attention.num_attention_heads, attention.attention_head_size)
    query, key, value = (
        project(tokens).unflatten(-1, heads).transpose(1, 2)  # (b, heads, tokens, head size)
        for project, tokens in (
            (attention.query, states[:, :1]),
            (attention.key, states),
            (attention.value, states),
        )
    )
    dropout = attention.dropout.p if attention.training else 0.0
    context = attend(query, key, value, mask, dropout).transpose(1, 2).flatten(2)
    return layer.feed_forward_chunk(layer.attention.output(context, states[:, :1]))[:, 0]


def origin_of(weights: Path) -> dict[str, Any]:
    """Where a checkpoint is from, as its file says; empty where it does not."""
    with safe_open(weights, framework="pt") as file:
        return json.loads((file.metadata() or {}).get("origin", "{}"))
