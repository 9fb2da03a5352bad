"""What this machine computes fastest in."""

from pathlib import Path
from typing import Literal


def native_precision(cpuinfo: Path = Path("/proc/cpuinfo")) -> Literal["fp32", "bf16"]:
    """The faster precision of this CPU: bf16 where it multiplies that natively, else fp32.

    Args:
        cpuinfo: what Linux says of the processor; a system without it is taken to have neither AMX nor avx512_bf16.
    """
    text = cpuinfo.read_text(encoding="utf-8") if cpuinfo.is_file() else ""
    flags = {flag for line in text.splitlines() if line.startswith("flags") for flag in line.split()}
    return "bf16" if flags & {"amx_bf16", "avx512_bf16"} else "fp32"
