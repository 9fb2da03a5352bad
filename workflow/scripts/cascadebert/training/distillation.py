"""A small complete member without a pre-training corpus: layers of the base, distilled from its sentence vectors.

This stands in for the paper's pre-trained 2-layer BERT (Turc et al.) where no such checkpoint can be had. It is weaker
evidence than the paper's: the member has seen some ten thousand sentences of the default's own sources, not a corpus of
billions of words; and it is not a masked language model. It never sees a label, nor a text that is evaluated.
"""

import json
import logging
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from cascadebert.data.encoding import Encoded, encode
from cascadebert.data.origins import origin_of_data
from cascadebert.data.sources import read_texts
from cascadebert.data.splits import sentences
from cascadebert.files import read_examples
from cascadebert.layouts import DATA_KEYS, Pooling, Problem, kind_of
from cascadebert.models.checkpoints import depth_of
from cascadebert.models.encoders import Batch, Encoder, load_encoder, placed, pooler_of, sentence_states
from cascadebert.recipe import Pretraining
from cascadebert.training.finite import check_finite
from cascadebert.training.loop import device_of, fit, on_logits, to_batch
from cascadebert.training.resume import ResumePoint

log = logging.getLogger(__name__)


def corpus_of(
    definition: str,
    archive: Path | None,
    held_out: list[Path],
    max_rows: int,
    tokenizer: Path,
    max_length: int,
    seed: int,
) -> Encoded:
    """Unlabelled text to pre-train on, no sentence of it evaluated, be it alone or in a pair.

    Args:
        definition: the config's entry under data whose text is used, as JSON.
        archive: the package's file, or what fetch_dataset.py made, where that data is of a package or of the hub.
        held_out: examples.jsonl of tasks whose selection, report and mismatched texts are left out.
        max_rows: texts that are drawn at most.
        tokenizer: the base's tokenizer.json.
        max_length: tokens a text may have.
        seed: of the draw.

    Returns:
        The texts as token ids; all rows are of the split train.

    Raises:
        Problem: when no text is left.
    """
    texts = read_texts(definition, archive)
    evaluated = [read_examples(path).query("split in ['selection', 'report', 'mismatched']") for path in held_out]
    seen: set[str] = set().union(*(sentences(frame).to_numpy().ravel() for frame in evaluated))
    texts = texts[~sentences(texts).isin(seen).any(axis=1)]
    texts = texts.sample(min(max_rows, len(texts)), random_state=np.random.default_rng(seed)).sort_index()
    source = json.loads(definition)["source"]
    where = source[kind_of(source, DATA_KEYS)]
    if texts.empty:
        raise Problem(f"the corpus {where} has no text that is not evaluated by held_out: give it others.")
    if len(texts) < max_rows:
        log.warning("the corpus %s has %d texts that are not evaluated, and rows is %d", where, len(texts), max_rows)
    log.info("%d texts", len(texts))
    origin = origin_of_data(source, archive)
    return encode(texts.assign(label="", split="train"), [], tokenizer, max_length, origin)


class SentenceEncoder(nn.Module):
    """An encoder whose only output is its pooled sentence state, for distillation."""

    def __init__(self, encoder: Encoder) -> None:
        """Wrap an encoder; its embeddings stay as they are, so that they fit every member."""
        super().__init__()
        self.encoder = encoder
        encoder.embeddings.requires_grad_(False)

    def forward(self, batch: Batch) -> Float[Tensor, "1 b hidden"]:
        """What the pooler makes of the sentence's state, as a member will read it; in the place of its logits."""
        return pooler_of(self.encoder)(sentence_states(self.encoder, batch)[-1][:, None])[None]


def some_layers(weights: Path, depth: int, layers: list[int], pooling: Pooling | None = None) -> Encoder:
    """An encoder of some layers of a checkpoint, with its embeddings and pooler.

    Args:
        weights: model.safetensors of the checkpoint.
        depth: how many layers it has.
        layers: those that are kept, from 1, ascending.
        pooling: how its sentences are read; None for what the checkpoint says.

    Raises:
        Problem: when the checkpoint lacks one of them, when they do not ascend, or when there are none.
    """
    if not layers or layers != sorted(set(layers) & set(range(1, depth + 1))):
        raise Problem(f"layers is {layers}, and {weights} has {depth}: give some of 1 to {depth}, ascending.")
    encoder = load_encoder(weights, depth)
    encoder.encoder.layer = nn.ModuleList(encoder.encoder.layer[layer - 1] for layer in layers)
    encoder.config.num_hidden_layers = len(layers)
    if pooling:
        encoder.config.pooling = pooling
    return encoder


@torch.inference_mode()
def sentence_vectors(teacher: Encoder, data: Encoded, batch_size: int = 64) -> Float[np.ndarray, "n hidden"]:
    """The teacher's last states, averaged over a row's tokens: what all-MiniLM-L6-v2 was trained to make meaningful."""
    teacher.eval()
    rows = np.arange(len(data.ends))
    vectors = np.zeros((len(rows), teacher.config.hidden_size), dtype=np.float32)
    for batch_rows in data.by_length(rows, batch_size):
        batch = to_batch(data, batch_rows, device_of(teacher))
        states = teacher(**{k: batch[k] for k in ("input_ids", "token_type_ids", "attention_mask")}).last_hidden_state
        mask = batch["attention_mask"][..., None].to(states.dtype)
        vectors[batch_rows] = ((states * mask).sum(1) / mask.sum(1)).float().cpu().numpy()
    check_finite(vectors, len(rows), "fp32")
    return vectors


def distance(pooled: Float[Tensor, "1 b hidden"], batch: Batch) -> Float[Tensor, ""]:
    """One minus the cosine between the student's pooled state and the teacher's sentence vector, batch mean."""
    return 1 - F.cosine_similarity(pooled[-1], batch["target"], dim=-1).mean()


def pretrain(
    recipe: Pretraining, weights: Path, data: Encoded, seed: int, device: torch.device, resume: ResumePoint
) -> Encoder:
    """Layers of a checkpoint whose sentence states are distilled from its sentence vectors."""
    depth = depth_of(weights)
    target = sentence_vectors(placed(load_encoder(weights, depth), device), data)
    student = SentenceEncoder(some_layers(weights, depth, recipe.layers, recipe.pooling)).to(device)
    rows, extras = data.rows("train"), {"target": target}
    fit(student, data, rows, on_logits(distance), recipe.settings, seed, extras=extras, resume=resume)
    return student.encoder
