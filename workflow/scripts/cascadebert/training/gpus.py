"""Which GPU a job takes on a machine where several run side by side and nobody hands out devices."""

import fcntl
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

_HELD: list[TextIO] = []
"""Locks of this process; the system lets go of them when it ends, however it ends."""


def claim(gpus: Sequence[str], folder: Path | None = None) -> int:
    """Take the first GPU that no other job of this user on this machine has taken; keep it until this process ends.

    Under SLURM a job sees only the GPUs that it was given, so it takes what it has. Locks are of the device, not of its
    place in CUDA_VISIBLE_DEVICES, which differs between jobs.

    Args:
        gpus: a name of each visible GPU that all jobs on the machine know it by.
        folder: of the lock files; the system's for temporary files if None.

    Returns:
        Index of the GPU; 0 where all are taken, which jobs then share.
    """
    for index, name in enumerate(gpus):
        lock = Path(folder or tempfile.gettempdir()) / f"cascadebert-{os.getuid()}-{name}.lock"
        file = lock.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        _HELD.append(file)
        return index
    return 0
