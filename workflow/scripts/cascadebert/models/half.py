"""Half precision: one meaning of it for training, evaluation and answering."""

import torch

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""What layers compute in, by the name of the precision; fp32 is not among them."""


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Layers in half precision where asked for; parameters, classifiers, losses and confidences stay float32."""
    return torch.autocast(device.type, dtype=HALF.get(precision, torch.bfloat16), enabled=precision in HALF)
