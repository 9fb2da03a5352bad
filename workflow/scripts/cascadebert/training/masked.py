"""DistilBERT in small: task-agnostic distillation of the base by masked-language modelling (section 4.2, Table 3).

The recipe is Sanh et al.'s (2019): some layers of a frozen teacher, trained on unlabelled text to give the teacher's
distribution over the vocabulary, the masked tokens, and the direction of the teacher's last states. What comes of it is
an approximation of DistilBERT, not DistilBERT:

- the corpus is the config's, some thousands of texts, not books and the whole of an encyclopaedia;
- the embedded base is a sentence encoder that has lost its masked-language head, so that a head is fitted to it first;
- token types and pooler are the base's own, where DistilBERT has neither: what is written is a plain checkpoint;
- every ordinary token is masked with the same probability, where the released code favours rare ones.

The row that Table 3 prints is no measure for it either: that is TinyBERT's run, of 4 layers (docs/method.md).
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertPredictionHeadTransform
from transformers.models.roberta.configuration_roberta import RobertaConfig

from cascadebert.data.encoding import Encoded
from cascadebert.models.checkpoints import depth_of
from cascadebert.models.encoders import Batch, Encoder, load_encoder, placed, pooler_of, token_states
from cascadebert.recipe import Pretraining, Settings, needed
from cascadebert.training.distillation import some_layers
from cascadebert.training.loop import device_of, fit
from cascadebert.training.resume import ResumePoint


@dataclass(frozen=True)
class Distil:
    """DistilBERT's loss, as its authors' code is documented to be run.

    Attributes:
        head_epochs: passes over the corpus that the teacher's head is fitted for; DistilBERT's teacher had its own.
        ce: weight of the divergence between the vocabulary distributions.
        mlm: weight of the cross-entropy on masked tokens.
        cos: weight of the cosine distance between last states.
        temperature: of both vocabulary distributions.
        masked: share of the tokens that are masked.
        kl_tokens: where the divergence is taken: on all tokens, or for a fraction of the cost on the masked ones.
    """

    head_epochs: int
    ce: float = 5.0
    mlm: float = 2.0
    cos: float = 1.0
    temperature: float = 2.0
    masked: float = 0.15
    kl_tokens: Literal["all", "masked"] = "all"


class Masks:
    """BERT's masks, drawn batch by batch from a stream of their own.

    Special tokens and padding are never chosen. Of the chosen tokens 80 % become the mask, 10 % another ordinary token
    and 10 % stay.
    """

    def __init__(self, tokenizer: Path, share: float, seed: int) -> None:
        """Learn from a tokenizer.json which tokens are special.

        Raises:
            ValueError: when none of them is a mask.
        """
        tool = Tokenizer.from_file(str(tokenizer))
        special = {i for i, token in tool.get_added_tokens_decoder().items() if token.special}
        masks = {tool.token_to_id("[MASK]"), tool.token_to_id("<mask>")} & special
        if not masks:
            raise ValueError(f"{tokenizer} has no special token [MASK] or <mask>: nothing can be masked with it")
        self.mask = torch.tensor(masks.pop())
        self.ordinary = torch.tensor(sorted(set(tool.get_vocab().values()) - special))
        self.share = share
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, batch: Batch) -> tuple[Batch, Bool[Tensor, "b l"]]:
        """A batch with some tokens replaced, and which were chosen."""
        ids, device = batch["input_ids"].cpu(), batch["input_ids"].device
        choice, fate = torch.rand(2, *ids.shape, generator=self.generator)
        others = self.ordinary[torch.randint(len(self.ordinary), ids.shape, generator=self.generator)]
        chosen = torch.isin(ids, self.ordinary) & batch["attention_mask"].cpu() & (choice < self.share)
        replaced = torch.where(fate < 0.8, self.mask, torch.where(fate < 0.9, others, ids))
        return batch | {"input_ids": torch.where(chosen, replaced, ids).to(device)}, chosen.to(device)


class MaskedHead(nn.Module):
    """Logits over the vocabulary from a token's state: dense, gelu, LayerNorm, then the word embeddings and a bias."""

    def __init__(self, config: BertConfig | RobertaConfig) -> None:
        """Initialise as BERT's own layers are."""
        super().__init__()
        self.transform = BertPredictionHeadTransform(config)
        nn.init.normal_(self.transform.dense.weight, std=config.initializer_range)
        nn.init.zeros_(self.transform.dense.bias)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(
        self, states: Float[Tensor, "n hidden"], words: Float[Tensor, "vocabulary hidden"]
    ) -> Float[Tensor, "n vocabulary"]:
        """Logits in float32, computed in the precision of the rest; the word embeddings decode, which are handed in."""
        return F.linear(self.transform(states), words, self.bias).float()


class MaskedModel(nn.Module):
    """An encoder and its masked-language head; embeddings and pooler stay as the checkpoint has them."""

    def __init__(self, encoder: Encoder, head: MaskedHead) -> None:
        """Put a head on an encoder."""
        super().__init__()
        self.encoder, self.head = encoder, head
        encoder.embeddings.requires_grad_(False)
        pooler_of(encoder).requires_grad_(False)

    def states(self, batch: Batch) -> Float[Tensor, "b l hidden"]:
        """The encoder's last states."""
        return token_states(self.encoder, batch)[-1]

    def logits(self, states: Float[Tensor, "n hidden"]) -> Float[Tensor, "n vocabulary"]:
        """What the head makes of some tokens' states: the dearest step by far, so only for the tokens that need it."""
        return self.head(states, self.encoder.embeddings.word_embeddings.weight)


def word_loss(logits: Float[Tensor, "n vocabulary"], words: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    """Mean cross-entropy of masked tokens; 0 where there are none."""
    return F.cross_entropy(logits, words, reduction="sum") / max(len(words), 1)


def divergence(
    student: Float[Tensor, "n vocabulary"], teacher: Float[Tensor, "n vocabulary"], temperature: float
) -> Float[Tensor, ""]:
    """T^2 KL(teacher || student) at temperature T, summed over the vocabulary, mean over tokens; 0 without tokens."""
    learned, told = (F.log_softmax(logits / temperature, dim=-1) for logits in (student, teacher))
    return temperature**2 * F.kl_div(learned, told, reduction="sum", log_target=True) / max(len(student), 1)


def head_loss(head: MaskedHead, batch: Batch, encoder: Encoder, masks: Masks) -> Float[Tensor, ""]:
    """Masked-language modelling on the states of an encoder that does not learn."""
    shown, chosen = masks(batch)
    with torch.no_grad():
        states = token_states(encoder, shown)[-1]
    return word_loss(head(states[chosen], encoder.embeddings.word_embeddings.weight), batch["input_ids"][chosen])


def distil_loss(
    student: MaskedModel, batch: Batch, teacher: MaskedModel, masks: Masks, distil: Distil
) -> Float[Tensor, ""]:
    """Divergence, masked-language modelling and distance of states, weighted; both models see the same masks."""
    shown, chosen = masks(batch)
    tokens = batch["attention_mask"]
    asked = tokens if distil.kl_tokens == "all" else chosen  # the tokens whose logits are needed
    with torch.no_grad():
        goal = teacher.states(shown)
        told = teacher.logits(goal[asked])
    states = student.states(shown)
    logits = student.logits(states[asked])
    ce = divergence(logits, told, distil.temperature)
    mlm = word_loss(logits[chosen[asked]], batch["input_ids"][chosen])
    cos = 1 - F.cosine_similarity(states[tokens].float(), goal[tokens].float(), dim=-1).mean()
    return distil.ce * ce + distil.mlm * mlm + distil.cos * cos


def teacher_of(
    encoder: Encoder, data: Encoded, masks: Masks, distil: Distil, settings: Settings, seed: int
) -> MaskedModel:
    """An encoder, frozen and in evaluation mode, with a head fitted to it; see `fit` for the arguments."""
    encoder.eval().requires_grad_(False)
    head = MaskedHead(encoder.config).to(device_of(encoder))
    objective = partial(head_loss, encoder=encoder, masks=masks)
    fit(head, data, data.rows("train"), objective, replace(settings, epochs=distil.head_epochs), seed)
    return MaskedModel(encoder, head).requires_grad_(False).eval()


def distilled(
    encoder: Encoder,
    teacher: MaskedModel,
    data: Encoded,
    masks: Masks,
    distil: Distil,
    settings: Settings,
    seed: int,
    resume: ResumePoint | None = None,
) -> Encoder:
    """An encoder taught by the three-part loss, together with a copy of its teacher's head that is left behind.

    See `fit` for the arguments. After a kill the teacher's head is fitted again, to the same bits, before the student
    goes on.
    """
    student = MaskedModel(encoder, deepcopy(teacher.head).requires_grad_(True))
    objective = partial(distil_loss, teacher=teacher, masks=masks, distil=distil)
    fit(student, data, data.rows("train"), objective, settings, seed, draws=[masks.generator], resume=resume)
    return student.encoder


def pretrain(
    recipe: Pretraining, weights: Path, data: Encoded, seed: int, device: torch.device, resume: ResumePoint
) -> Encoder:
    """Fit a head to a checkpoint, then distil both into some of its layers."""
    masked = needed(recipe.masked)
    distil = Distil(masked.head_epochs, kl_tokens=masked.kl_tokens)
    depth, masks = depth_of(weights), Masks(weights.with_name("tokenizer.json"), distil.masked, seed)
    teacher = teacher_of(placed(load_encoder(weights, depth), device), data, masks, distil, recipe.settings, seed)
    student = placed(some_layers(weights, depth, recipe.layers, recipe.pooling), device)
    return distilled(student, teacher, data, masks, distil, recipe.settings, seed, resume)
