"""FastBERT: a fine-tuned model whose last classifier teaches one after every other layer (docs/method.md)."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cascadebert.metrics.costs import Shape, attention_classifier_flops
from cascadebert.models.encoders import Batch, Encoder, load_encoder, token_states
from cascadebert.models.members import MultiExit, load_trained, single_precision

DROPOUT = 0.1
"""On the attention of a classifier, in training."""


class AttentionClassifier(nn.Module):
    """Narrows every token, lets them attend to each other, and classifies [CLS]; the teacher and all students alike.

    The attention has no residual connection and no LayerNorm. Only [CLS] is read out, so that it alone needs a query
    and an output: the logits are the same. PyTorch's own initialisation, as in the released code.
    """

    def __init__(self, hidden: int, n_classes: int, size: int = 128, heads: int = 2) -> None:
        """Initialise.

        Args:
            hidden: width of the encoder.
            n_classes: of the task.
            size: width of the classifier.
            heads: of its attention.
        """
        super().__init__()
        self.heads = heads
        self.narrow = nn.Linear(hidden, size)
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
        self.out = nn.Linear(size, size)
        self.dense = nn.Linear(size, size)
        self.classifier = nn.Linear(size, n_classes)

    def flops(self, shape: Shape, tokens: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Operations after a layer of some shape, for instances of some tokens."""
        return attention_classifier_flops(shape, self.dense.out_features, self.classifier.out_features, tokens)

    def forward(self, states: Float[Tensor, "b l hidden"], mask: Bool[Tensor, "b l"]) -> Float[Tensor, "b classes"]:
        """Logits from a layer's states of all tokens; mask is True where there is a token."""
        narrow = torch.tanh(self.narrow(states))  # (b, l, size)
        query, key, value = (
            project(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (b, heads, tokens, head size)
            for project, tokens in ((self.query, narrow[:, :1]), (self.key, narrow), (self.value, narrow))
        )
        dropout = DROPOUT if self.training else 0.0
        context = F.scaled_dot_product_attention(query, key, value, mask[:, None, None, :], dropout)
        cls = self.out(context.transpose(1, 2).flatten(1)).float()
        with single_precision(cls):
            return self.classifier(torch.tanh(self.dense(cls)))


class FastBertTeacher(MultiExit):
    """First stage: an encoder without its pooler, and one attention classifier, after the last layer."""

    every_layer = False
    reads_tokens = True

    def __init__(self, encoder: Encoder, n_classes: int) -> None:
        """Put a new classifier in the place of an encoder's pooler."""
        super().__init__()
        encoder.pooler = None
        self.encoder = encoder
        self.classifier = AttentionClassifier(encoder.config.hidden_size, n_classes)

    @classmethod
    def around(cls, encoder: Encoder, n_classes: int) -> "FastBertTeacher":
        """An untrained teacher."""
        return cls(encoder, n_classes)

    def leave(
        self, exit: int, states: Float[Tensor, "b l hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> Float[Tensor, "b classes"]:
        """Logits of the only exit."""
        return self.classifier(states, mask[:, 0, 0])

    def classifier_flops(self, tokens: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Of the attention classifier."""
        return self.classifier.flops(self.shape, tokens)

    def forward(self, batch: Batch) -> Float[Tensor, "1 b classes"]:
        """Logits of the only exit."""
        return self.classifier(token_states(self.encoder, batch)[-1], batch["attention_mask"])[None]


class FastBert(MultiExit):
    """Second stage: a student after each layer but the last, on a teacher that stays as it is.

    The published code leaves the frozen encoder's and teacher's dropout active while they teach; here they are always
    in evaluation mode, so that what students learn is what the last exit answers.
    """

    reads_tokens = True

    def __init__(self, teacher: FastBertTeacher) -> None:
        """Freeze the teacher and put a new student after each of its layers but the last."""
        super().__init__()
        self.teacher = teacher.requires_grad_(False).eval()
        hidden, n_classes = self.shape.hidden, teacher.classifier.classifier.out_features
        self.students = nn.ModuleList(
            AttentionClassifier(hidden, n_classes) for _ in range(teacher.encoder.config.num_hidden_layers - 1)
        )

    @classmethod
    def around(cls, encoder: Encoder, n_classes: int) -> "FastBert":
        """An untrained FastBERT."""
        return cls(FastBertTeacher(encoder, n_classes))

    @property
    def encoder(self) -> Encoder:  # type: ignore[override] # it is the frozen model's, which is registered once
        """The frozen teacher's."""
        return self.teacher.encoder

    def leave(
        self, exit: int, states: Float[Tensor, "b l hidden"], mask: Bool[Tensor, "b 1 1 l"]
    ) -> Float[Tensor, "b classes"]:
        """Logits of a student, or of the teacher."""
        if exit < len(self.students):
            return self.students[exit](states, mask[:, 0, 0])
        return self.teacher.leave(0, states, mask)

    def classifier_flops(self, tokens: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Of a student, as of the teacher."""
        return self.teacher.classifier_flops(tokens)

    def train(self, mode: bool = True) -> "FastBert":
        """Set the students' mode; the teacher stays in evaluation mode."""
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, batch: Batch) -> Float[Tensor, "exits b classes"]:
        """Logits of every exit; the last is the teacher's."""
        mask = batch["attention_mask"]
        with torch.no_grad():
            *lower, last = token_states(self.teacher.encoder, batch)
            final = self.teacher.classifier(last, mask)
        answers = [student(states, mask) for student, states in zip(self.students, lower, strict=True)]
        return torch.stack([*answers, final])


def self_distillation_loss(logits: Float[Tensor, "exits b classes"], batch: Batch) -> Float[Tensor, ""]:
    """Sum over the students of KL(teacher || student), batch mean, temperature 1; labels are not looked at.

    This is the direction of the released code. FastBERT's Eq. 5 prints the other, KL(student || teacher).
    """
    *students, teacher = logits.log_softmax(dim=-1)
    divergences = [F.kl_div(student, teacher.detach(), reduction="batchmean", log_target=True) for student in students]
    return torch.stack(divergences).sum()


def build_fastbert_teacher(weights: Path, layers: int, n_classes: int, freeze_embeddings: bool) -> FastBertTeacher:
    """FastBERT's first stage on a pre-trained encoder; nothing but, if asked, the embeddings is frozen."""
    teacher = FastBertTeacher(load_encoder(weights, layers), n_classes)
    if freeze_embeddings:
        teacher.encoder.embeddings.requires_grad_(False)
    return teacher


def build_fastbert(weights: Path, stage1: Path, layers: int, n_classes: int, freeze_embeddings: bool) -> FastBert:
    """FastBERT on a fine-tuned teacher.

    Args:
        weights: model.safetensors of the pre-trained checkpoint: what stage 1 left frozen.
        stage1: the teacher's trained tensors.
        layers: depth of the teacher.
        n_classes: of the task.
        freeze_embeddings: as in stage 1.
    """
    teacher = build_fastbert_teacher(weights, layers, n_classes, freeze_embeddings)
    load_trained(teacher, stage1)
    return FastBert(teacher)
