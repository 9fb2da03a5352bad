"""Control: a member's logits over one temperature, fitted on the selection split (method of Guo et al., 2017)."""

import dataclasses
import logging
from pathlib import Path

import tyro

from cascadebert.metrics.calibration import fit_temperature
from cascadebert.metrics.predictions import read_predictions, write_predictions
from cascadebert.systems import SPLITS


def main(predictions: list[Path], out: list[Path]) -> None:
    """Scale all splits by the temperature that suits the selection split.

    Args:
        predictions: of a member, one a split.
        out: where they go.
    """
    loaded = dict(zip(SPLITS, (read_predictions(path) for path in predictions), strict=True))
    temperature = fit_temperature(loaded["selection"].stack.logits[-1], loaded["selection"].label)
    logging.info("temperature %.4f", temperature)
    for whole, path in zip(loaded.values(), out, strict=True):
        stack = dataclasses.replace(whole.stack, logits=whole.stack.logits / temperature)
        write_predictions(path, dataclasses.replace(whole, stack=stack))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
