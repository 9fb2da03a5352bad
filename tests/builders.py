"""What several files build and ask: predictions, encoded rows, data files, checkpoints, trainings, states by hand."""

import json
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import RobertaConfig, RobertaModel

from cascadebert.data.encoding import Encoded
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions
from cascadebert.models.checkpoints import read_checkpoint, write_checkpoint
from cascadebert.training.loop import fit, on_logits
from cascadebert.training.objectives.cross_entropy import cross_entropy

CPU = torch.device("cpu")


# --- predictions and rows


def predictions(logits, label=None, layers=None, full=6, ids=None, names=None, flops=None, full_flops=None):
    """Predictions of some logits; if not told otherwise, of unknown labels, a layer an exit, an operation a layer."""
    exits, n, classes = logits.shape
    layers = np.arange(1, exits + 1) if layers is None else np.array(layers)
    return Predictions(
        stack=ExitLogits(logits.astype(np.float32), layers, full),
        flops=np.repeat(layers[:, None].astype(float), n, axis=1) if flops is None else flops,
        full_flops=np.full(n, float(full)) if full_flops is None else full_flops,
        label=np.full(n, -1) if label is None else np.array(label, dtype=np.int64),
        id=np.array([f"i{i}" for i in range(n)] if ids is None else ids, dtype=str),
        names=np.array([*"abcdef"[:classes]] if names is None else names, dtype=str),
    )


def rows_of(lengths, label=None, split="train"):
    """Encoded rows of some lengths and two classes, no token twice."""
    n, total = len(lengths), sum(lengths)
    return Encoded(
        tokens=np.arange(100, 100 + total),
        types=np.arange(total) % 2,
        ends=np.cumsum(lengths),
        label=np.zeros(n, dtype=np.int64) if label is None else np.array(label),
        split=np.broadcast_to(np.array(split), n),
        id=np.arange(n).astype(str),
        names=np.array(["no", "yes"]),
        pad=0,
    )


# --- files of data


def jsonl(path, rows):
    """Write rows as JSON Lines, nothing escaped."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


WRITERS = {
    "jsonl": lambda frame, path: jsonl(path, frame.to_dict("records")),
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "parquet": lambda frame, path: frame.to_parquet(path),
}
"""Functions that write a frame, by the ending of the file."""


def zipped(path, files):
    """A zip of some contents, by their names in it."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


# --- checkpoints


def enlarged(folder, source):
    """model.safetensors of a source's checkpoint, its weights ten times as large, so that rows do differ."""
    config, tensors, tokenizer = read_checkpoint(source)
    large = {
        name: 10 * tensor if name.endswith("weight") and "LayerNorm" not in name else tensor
        for name, tensor in tensors.items()
    }
    write_checkpoint(folder, config, large, tokenizer)
    return folder / "model.safetensors"


def roberta_without_pooler(folder):
    """model.safetensors of an untrained RoBERTa with 4 layers of 16 and no pooler to be looked for."""
    config = RobertaConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, max_position_embeddings=40,
        type_vocab_size=1,
    )  # fmt: skip
    torch.manual_seed(0)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    save_file(RobertaModel(config, add_pooling_layer=False).state_dict(), folder / "model.safetensors")
    return folder / "model.safetensors"


# --- models


def train(model, data, settings, loss=cross_entropy, seed=1, **more):
    """The history of fitting a model to the training split."""
    return fit(model, data, data.rows("train"), on_logits(loss), settings, seed, **more)


def copied(model):
    """All tensors of a model, as they are now."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(model, before):
    """Names of the tensors that are not what they were, to the bit."""
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


def without_key_biases(names):
    """A shift of all keys cancels in the softmax, so that their biases' gradient is nothing but rounding."""
    return {name for name in names if not name.endswith("key.bias")}


def states_by_transformers(encoder, batch, **inputs):
    """Every token's state after each layer as transformers computes it, told what else it takes beside ids and mask."""
    mask = batch["attention_mask"].long()
    out = encoder(input_ids=batch["input_ids"], attention_mask=mask, output_hidden_states=True, **inputs)
    return list(out.hidden_states[1:])


def gradients(encoder, states):
    """Gradients in an encoder's parameters of states after its layers, weighed at random."""
    encoder.zero_grad()
    states = torch.stack(states)
    (states * torch.randn(states.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    return {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}


def through(dense, classifier, states):
    """Logits of a pooler's dense layer and a classifier."""
    return torch.tanh(states @ dense.weight.T + dense.bias) @ classifier.weight.T + classifier.bias
