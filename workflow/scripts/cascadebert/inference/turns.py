"""Systems timed in turns, so that what else the machine does meets all of them alike."""

from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np
import torch
from jaxtyping import Float


def alternating(
    runs: Mapping[str, Callable[[], object]], repeats: int, device: torch.device
) -> dict[str, Float[np.ndarray, " repeats"]]:
    """Seconds of each of some runs, which take turns, after one of each to warm up.

    Args:
        runs: what is timed, by name.
        repeats: of each.
        device: that they compute on; it has ended its work when the clock is read.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = perf_counter()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if turn:
                seconds[name].append(perf_counter() - start)
    return {name: np.array(of_run) for name, of_run in seconds.items()}
