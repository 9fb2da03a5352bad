"""How long a sweep takes: 11 targets, in layers and in operations, of 12 exits on 40,000 rows of two classes.

python benchmarks/sweep.py
"""

import time

import numpy as np
import tyro

from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions
from cascadebert.metrics.scores import score
from cascadebert.metrics.sweeps import sweep


def main() -> None:
    """Print a line for each rule."""
    rng = np.random.default_rng(0)
    stack = ExitLogits(rng.normal(size=(12, 40_000, 2)).astype(np.float32), np.arange(1, 13), 12)
    flops = np.cumsum(rng.uniform(1, 2, (12, 40_000)), axis=0)
    split = Predictions(
        stack, flops, flops[-1], rng.integers(0, 2, 40_000), np.arange(40_000).astype(str), np.array(["a", "b"])
    )
    score("accuracy", split.label, split.label)  # loads scikit-learn, which is no part of a sweep
    for rule in ("entropy", "confidence", "patience"):
        began = time.perf_counter()
        sweep({"selection": split}, rule, list(np.linspace(1.25, 5.5, 11)), "accuracy")
        print(f"{rule}: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
