"""A small complete member without a pre-training corpus: task-agnostic distillation from the base's sentence vectors.

This stands in for the paper's pre-trained 2-layer BERT (Turc et al.) where no such checkpoint can be had. It is weaker
evidence than the paper's: the member has seen some ten thousand sentences of the default's own sources, not a corpus of
billions of words; and it is not a masked language model. It never sees a label, nor a text that is evaluated.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertModel

from cascadebert.encoding import Encoded
from cascadebert.members import Batch, cls_states, load_encoder
from cascadebert.training import device_of, to_batch


class SentenceEncoder(nn.Module):
    """An encoder whose only output is its pooled [CLS], for distillation."""

    def __init__(self, encoder: BertModel) -> None:
        """Wrap an encoder; its embeddings stay as they are, so that they fit every member."""
        super().__init__()
        self.encoder = encoder
        encoder.embeddings.requires_grad_(False)

    def forward(self, batch: Batch) -> Float[Tensor, "1 b hidden"]:
        """Pooled [CLS], in the place of a member's logits."""
        return self.encoder.pooler(cls_states(self.encoder, batch)[-1][:, None])[None]


def single_layer(weights: Path, layers: int, layer: int) -> BertModel:
    """An encoder of one layer: embeddings, pooler and the layer-th layer (from 1) of a checkpoint of some depth.

    Raises:
        ValueError: when the checkpoint has no such layer.
    """
    encoder = load_encoder(weights, layers)
    if not 1 <= layer <= layers:
        raise ValueError(f"{weights} has {layers} layers: layer {layer} is not one of them")
    encoder.encoder.layer = nn.ModuleList([encoder.encoder.layer[layer - 1]])
    encoder.config.num_hidden_layers = 1
    return encoder


@torch.inference_mode()
def sentence_vectors(teacher: BertModel, data: Encoded, batch_size: int = 64) -> Float[np.ndarray, "n hidden"]:
    """The teacher's last states, averaged over a row's tokens: what all-MiniLM-L6-v2 was trained to make meaningful."""
    teacher.eval()
    rows = np.arange(len(data.ends))
    vectors = np.zeros((len(rows), teacher.config.hidden_size), dtype=np.float32)
    for batch_rows in data.by_length(rows, batch_size):
        batch = to_batch(data, batch_rows, device_of(teacher))
        states = teacher(**{k: batch[k] for k in ("input_ids", "token_type_ids", "attention_mask")}).last_hidden_state
        mask = batch["attention_mask"][..., None].to(states.dtype)
        vectors[batch_rows] = ((states * mask).sum(1) / mask.sum(1)).float().cpu().numpy()
    return vectors


def distance(pooled: Float[Tensor, "1 b hidden"], batch: Batch) -> Float[Tensor, ""]:
    """One minus the cosine between the student's pooled [CLS] and the teacher's sentence vector, batch mean."""
    return 1 - F.cosine_similarity(pooled[-1], batch["target"], dim=-1).mean()
