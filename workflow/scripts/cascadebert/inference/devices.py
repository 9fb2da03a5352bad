"""What a device can compute, and in which precision."""

import os

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


_computing: set[int] = set()
"""The process in which models have computed."""


def check_process() -> None:
    """Raise Problem in a fork of a process that has computed: its threads are not in the fork, which waits for them."""
    if _computing - {os.getpid()} and torch.get_num_threads() > 1:
        raise Problem(
            "this process was forked from one that has computed with torch, and would wait for its threads for ever:"
            " load the system in each process, started by spawn, or call torch.set_num_threads(1) before."
        )
    _computing.add(os.getpid())


def native_on(device: torch.device, trained_in: Precision) -> Precision:
    """The precision of training where a device computes it natively, else fp32."""
    if trained_in == "fp32" or device.type == "cpu":
        return trained_in if trained_in == native_precision() else "fp32"
    return trained_in if trained_in == "fp16" or torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
