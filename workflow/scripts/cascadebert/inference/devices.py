"""What a device can compute, and in which precision."""

import torch

from cascadebert.cluster.precision import native_precision
from cascadebert.layouts import Problem
from cascadebert.recipe import Precision


def device_of(name: str | torch.device) -> torch.device:
    """A device that can be computed on.

    Raises:
        Problem: when it cannot.
    """
    try:
        held = torch.zeros(1, device=name)
        held.item()  # which the device meta cannot do
        return held.device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise Problem(f"nothing can be computed on the device {name} ({reason}): take cpu, or none.") from None


def native_on(device: torch.device, trained_in: Precision) -> Precision:
    """The precision of training where a device computes it natively, else fp32."""
    if trained_in == "fp32" or device.type == "cpu":
        return trained_in if trained_in == native_precision() else "fp32"
    return trained_in if trained_in == "fp16" or torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
