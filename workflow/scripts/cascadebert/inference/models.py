"""Models in the form of their ecosystem, and back: a folder that transformers loads, as far as it has a class."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from cascadebert.files import read_json, write_json
from cascadebert.inference.folder import ENCODER, HEAD, TOKENIZER
from cascadebert.inference.folder import Member as Packed
from cascadebert.layouts import Problem
from cascadebert.models.checkpoints import read_as
from cascadebert.models.encoders import DROPOUT, RobertaPooler, pooling_of, untrained_encoder
from cascadebert.models.members import Member, MultiExit

SEQUENCE = {"bert": "BertForSequenceClassification", "roberta": "RobertaForSequenceClassification"}
"""transformers' class of a member that is read at [CLS], by model_type."""

SPECIAL = {
    "pad": ("<pad>", "[PAD]"),
    "unk": ("<unk>", "[UNK]"),
    "cls": ("<s>", "[CLS]"),
    "sep": ("</s>", "[SEP]"),
    "mask": ("<mask>", "[MASK]"),
}
"""Tokens of RoBERTa and BERT; where a vocabulary has both, BERT's."""

ROBERTA = {"pooler.dense.": "classifier.dense.", "classifier.": "classifier.out_proj."}
"""Our names of RoBERTa's classification head, and transformers' names of the same tensors."""


def architecture_of(model: MultiExit) -> str:
    """Module and class of a model, as a packed system names it."""
    return f"{type(model).__module__.removeprefix('cascadebert.models.')}.{type(model).__name__}"


def write_model(folder: Path, model: MultiExit, tokenizer: bytes, classes: list[str], max_length: int) -> None:
    """Write config.json, model.safetensors, tokenizer.json and, where the head has no class in transformers, it beside.

    `AutoModelForSequenceClassification` loads a member that is read at [CLS]; of every other model `AutoModel` loads
    the encoder.
    """
    encoder = model.encoder
    kind = encoder.config.model_type
    config = read_as(encoder.config.to_diff_dict(), pooling_of(encoder.config)) | {"model_type": kind}
    names = {"id2label": dict(enumerate(classes)), "label2id": {name: index for index, name in enumerate(classes)}}
    whole = isinstance(model, Member) and pooling_of(encoder.config) == "cls"
    config |= {"architectures": [SEQUENCE[kind] if whole else type(encoder).__name__], "dtype": "float32", **names}
    if whole:
        config |= {"classifier_dropout": DROPOUT, "problem_type": "single_label_classification"}
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config)
    (folder / TOKENIZER).write_bytes(tokenizer)
    special = _special_tokens(tokenizer)
    said = {"tokenizer_class": "TokenizersBackend", "model_max_length": max_length} | special
    write_json(folder / "tokenizer_config.json", said)
    inside, head = _divided(model)
    if whole:
        save_file(_for_transformers(inside, head, kind), folder / ENCODER, {"format": "pt"})
        return
    save_file(inside, folder / ENCODER, {"format": "pt"})
    save_file(head, folder / HEAD, {"format": "pt"})


def _special_tokens(tokenizer: bytes) -> dict[str, str]:
    """Which tokens of a tokenizer.json of BERT or RoBERTa have a meaning of their own, as transformers names them."""
    tool = Tokenizer.from_str(tokenizer.decode("utf-8"))
    there = {
        name: [token for token in tokens if tool.token_to_id(token) is not None] for name, tokens in SPECIAL.items()
    }
    return {f"{name}_token": tokens[-1] for name, tokens in there.items() if tokens}


def read_model(folder: Path, packed: Packed, classes: list[str]) -> MultiExit:
    """A model as `write_model` wrote it; nothing that lies in the folder is run, and torch's generator stays as it is.

    Raises:
        Problem: when the architecture is none of this package's, or its tensors are not those of the files.
    """
    said = read_json(folder / "config.json")
    with torch.random.fork_rng(devices=[]):  # numbers that are drawn here are no caller's
        encoder: Any = untrained_encoder(said)
        if said["model_type"] == "roberta":
            encoder.pooler = RobertaPooler(encoder.config)
        model = _class_of(packed.architecture, folder).around(encoder, len(classes)).float()  # whatever torch's default
    head_file = folder / HEAD
    tensors = load_file(folder / ENCODER)
    if head_file.is_file():
        tensors = {f"encoder.{name}": tensor for name, tensor in tensors.items()} | load_file(head_file)
    else:
        tensors = _from_transformers(tensors, said["model_type"])
    parameters = _by_plain_name(model)
    if odd := sorted(set(tensors) ^ set(parameters)):
        raise Problem(f"{folder} is no {packed.architecture}: {len(odd)} tensors differ, first {odd[0]}; pack it anew.")
    with torch.no_grad():
        for name, tensor in parameters.items():
            if tensors[name].shape != tensor.shape:
                raise Problem(
                    f"{folder}: {name} is {list(tensors[name].shape)}, not {list(tensor.shape)}; pack it anew."
                )
            tensor.copy_(tensors[name])
    return model


def _class_of(architecture: str, folder: Path) -> type[MultiExit]:
    """A class of this package's models, by module and name."""
    module, _, name = architecture.partition(".")
    try:
        if not re.fullmatch("[a-z_]+", module):
            raise ImportError
        model_class = getattr(import_module(f"cascadebert.models.{module}"), name)
        if not (isinstance(model_class, type) and issubclass(model_class, MultiExit)):
            raise AttributeError
    except (ImportError, AttributeError):
        raise Problem(f"{folder} is of the architecture {architecture}, which this version does not have.") from None
    return model_class


def _by_plain_name(model: MultiExit) -> dict[str, Tensor]:
    """All tensors of a model; those of its encoder as encoder.NAME, wherever it lies within."""
    tensors: dict[str, Tensor] = dict(model.state_dict(keep_vars=True))
    inside = {id(tensor): name for name, tensor in model.encoder.state_dict(keep_vars=True).items()}
    return {f"encoder.{inside[id(t)]}" if id(t) in inside else name: t for name, t in tensors.items()}


def _divided(model: MultiExit) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Tensors of a model's encoder under the encoder's names, and the others."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in _by_plain_name(model).items()}
    inside = {name.removeprefix("encoder."): t for name, t in plain.items() if name.startswith("encoder.")}
    return inside, {name: tensor for name, tensor in plain.items() if not name.startswith("encoder.")}


def _for_transformers(inside: dict[str, Tensor], head: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    """Tensors of a member under the names of transformers' classifier."""
    if kind == "bert":
        return {f"bert.{name}": tensor for name, tensor in inside.items()} | head
    ours = {name: tensor for name, tensor in (inside | head).items() if name.startswith(tuple(ROBERTA))}
    theirs = {
        f"{new}{name.removeprefix(old)}": tensor
        for name, tensor in ours.items()
        for old, new in ROBERTA.items()
        if name.startswith(old)
    }
    return {f"roberta.{name}": tensor for name, tensor in inside.items() if name not in ours} | theirs


def _from_transformers(tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    """The same tensors under our names."""
    ours: dict[str, Any] = {}
    for name, tensor in tensors.items():
        if kind == "roberta" and name.startswith("classifier."):
            old, new = next((old, new) for old, new in ROBERTA.items() if name.startswith(new))
            ours[f"{'encoder.' if old == 'pooler.dense.' else ''}{old}{name.removeprefix(new)}"] = tensor
        else:
            ours[name.replace(f"{kind}.", "encoder.", 1) if name.startswith(f"{kind}.") else name] = tensor
    return ours
