"""Whether a checkpoint is what its files say: tensors, configuration and tokenizer fit, and texts go through them."""

import logging
from typing import Any

import torch
from torch import Tensor

from cascadebert.files import told
from cascadebert.layouts import Problem, positions
from cascadebert.models.encoders import ENCODERS
from cascadebert.models.tokenizers import SENTENCES, tokenizer_of

log = logging.getLogger(__name__)

MOST = 0.9
"""Share of its embeddings that a whole vocabulary has word pieces for; some have a few to spare."""


def proved(
    config: dict[str, Any], tensors: dict[str, Tensor], tokenizer: bytes, where: str, max_length: int
) -> dict[str, Tensor]:
    """An encoder's tensors, once a short text and one of the greatest length have gone through them.

    A BERT that was saved without its pooler gets a new one, with a warning.

    Args:
        config: of the encoder.
        tensors: under its own names.
        tokenizer: a `tokenizer.json`.
        where: the checkpoint, for messages.
        max_length: tokens of the longest text, special ones included.

    Raises:
        Problem: for what does not fit.
    """
    limit = positions(config)
    if max_length > limit:
        raise Problem(
            f"{where} has positions for {limit} tokens and training.max_length is {max_length}: lower it, or take"
            " another checkpoint."
        )
    configuration, model = ENCODERS[config["model_type"]]
    if config.get("is_decoder"):
        raise Problem(f"{where} is a decoder by its config.json, and members read a text both ways: take an encoder.")
    with told(f"config.json of {where} makes no encoder"):
        encoder: Any = model(configuration.from_dict(config))
    needed = {name: tensor.shape for name, tensor in encoder.state_dict().items()}
    pooler = {name for name in needed if name.startswith("pooler.")}
    lacking = needed.keys() - tensors.keys()
    if lacking == pooler and config["model_type"] == "bert":
        log.warning("%s has no pooler, as checkpoints of masked language modelling have none: it gets a new one", where)
        torch.manual_seed(0)
        fresh = torch.randn(needed["pooler.dense.weight"]) * encoder.config.initializer_range
        tensors = tensors | {
            "pooler.dense.weight": fresh,
            "pooler.dense.bias": torch.zeros(needed["pooler.dense.bias"]),
        }
    elif lacking - pooler or (lacking and config["model_type"] == "bert"):
        raise Problem(_misfit(where, sorted(lacking)[0], "is not among its tensors", len(lacking)))
    if extra := sorted(tensors.keys() - needed.keys()):
        raise Problem(_misfit(where, extra[0], "has no place in it", len(extra)))
    if wrong := [name for name, tensor in tensors.items() if tensor.shape != needed[name]]:
        shapes = f"is {tuple(tensors[wrong[0]].shape)} and has to be {tuple(needed[wrong[0]])}"
        raise Problem(_misfit(where, wrong[0], shapes, len(wrong)))
    if broken := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise Problem(f"{where} has numbers in {broken[0]} that are not finite: get it anew.")
    encoder.load_state_dict(tensors, strict=False)
    _run(encoder.eval(), tokenizer, where, max_length)
    return tensors


def _misfit(where: str, name: str, what: str, count: int) -> str:
    """A sentence on tensors that are not those of the configuration."""
    more = f", nor do {count - 1} others fit" if count > 1 else ""
    return f"{where} does not fit its config.json: {name} {what}{more}; get both files of one checkpoint."


@torch.inference_mode()
def _run(encoder: Any, tokenizer: bytes, where: str, max_length: int) -> None:
    """Raise Problem if a short and a long text do not go through tokenizer and encoder."""
    tool = tokenizer_of(tokenizer, where)
    rows = tool.encode_batch(SENTENCES)
    if any(row.special_tokens_mask[:1] != [1] for row in rows):
        raise Problem(
            f"the tokenizer of {where} puts no [CLS] or <s> before a text, where classifiers read it: get a"
            " tokenizer.json with its post_processor."
        )
    pair = tool.encode(*SENTENCES[:2])
    if pair.special_tokens_mask[:1] != [1] or pair.ids[0] != rows[0].ids[0]:
        raise Problem(
            f"the tokenizer of {where} does not begin a pair of texts with {rows[0].tokens[0]}, as it does one text:"
            " get a tokenizer.json whose post_processor has a template for pairs."
        )
    if len({i for row in rows for i, special in zip(row.ids, row.special_tokens_mask, strict=True) if not special}) < 2:
        raise Problem(
            f"the tokenizer of {where} knows nothing of {len(rows)} sentences ({SENTENCES[0]!r} is"
            f" {' '.join(rows[0].tokens)}): get tokenizer and tensors of one checkpoint."
        )
    largest = max(tool.get_vocab(with_added_tokens=True).values())
    if largest >= encoder.config.vocab_size:
        raise Problem(
            f"the tokenizer of {where} has ids up to {largest}, and its embeddings are of {encoder.config.vocab_size}"
            " word pieces: get tokenizer and tensors of one checkpoint."
        )
    if tool.get_vocab_size() < MOST * encoder.config.vocab_size:
        log.warning(
            "the tokenizer of %s has %d word pieces and its embeddings are of %d: is its vocabulary whole?",
            *(where, tool.get_vocab_size(), encoder.config.vocab_size),
        )
    tool.enable_truncation(max_length)
    for text in (SENTENCES[0], " ".join(SENTENCES * max_length)):
        with told(f"config.json of {where} makes an encoder that reads no text"):
            ids = tool.encode(text).ids
            states = encoder(input_ids=torch.tensor([ids])).last_hidden_state
        if not states.isfinite().all():
            raise Problem(f"{where} answers a text of {len(ids)} tokens with numbers that are not finite: get it anew.")
