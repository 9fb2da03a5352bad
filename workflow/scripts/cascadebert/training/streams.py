"""Random streams."""

import zlib

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A random stream of its own for each purpose, so that drawing from one moves no other."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])
