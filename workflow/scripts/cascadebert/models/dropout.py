"""Dropout, and attention with it, as cheap on a CPU as they can be: a quarter of a training was the drawing of masks.

torch draws a random number of 32 bits for each element that may be dropped, 8 ns an element on a CPU. 16 bits of the
same generator do, four from one draw; the share that is dropped is p to within 2^-16. And torch computes attention with
dropout in float32, whatever the precision, which is left to half precision here but for the softmax.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

ATTENTION = "cheap_dropout"
"""Name of `attend` among transformers' implementations of attention."""


def dropped(states: Float[Tensor, "..."], p: float) -> Float[Tensor, "..."]:
    """Each number zero with probability p, else divided by 1 - p; from the global generator, as F.dropout."""
    if states.device.type != "cpu":
        return F.dropout(states, p)
    draws = torch.empty(-(-states.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = draws[: states.numel()].ge_(round(p * 2**16) - 2**15)  # 0 or 1
    return states * kept.to(states.dtype).div_(1 - p).view(states.shape)


class Dropout(nn.Dropout):
    """nn.Dropout with `dropped`."""

    def forward(self, states: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Drop in training alone."""
        return dropped(states, self.p) if self.training and self.p else states


def attend(
    query: Float[Tensor, "b heads q size"],
    key: Float[Tensor, "b heads l size"],
    value: Float[Tensor, "b heads l size"],
    mask: Bool[Tensor, "b 1 rows l"] | None,
    dropout: float,
) -> Float[Tensor, "b heads q size"]:
    """What F.scaled_dot_product_attention computes; where nothing is dropped, or on a GPU, by itself."""
    if not dropout or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, mask, dropout)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    if mask is not None:
        scores.masked_fill_(~mask, -torch.inf)
    return dropped(scores.softmax(-1, torch.float32).to(query.dtype), dropout) @ value


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """`attend` as a layer of transformers asks for it."""
    return attend(query, key, value, mask, options.get("dropout", 0.0)).transpose(1, 2), None


ALL_ATTENTION_FUNCTIONS.register(ATTENTION, _attend)
ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, sdpa_mask)


def cheapen(model: nn.Module) -> None:
    """Put `Dropout` in the place of every nn.Dropout."""
    for name, module in list(model.named_modules()):
        if type(module) is nn.Dropout:
            model.set_submodule(name, Dropout(module.p))
