"""Control: a member's logits over one temperature, fitted on the selection split (method of Guo et al., 2017)."""

import dataclasses
import logging
from pathlib import Path

import tyro

from cascadebert.metrics.calibration import fit_temperature
from cascadebert.metrics.predictions import read_predictions, write_predictions


def main(selection: Path, predictions: list[Path], out: list[Path]) -> None:
    """Scale each seed's logits by the temperature that suits its selection split.

    Args:
        selection: of a member.
        predictions: of the member, one a split; the selection split among them.
        out: where they go.
    """
    temperatures = {
        seed: fit_temperature(held.stack.logits[-1], held.label) for seed, held in read_predictions(selection).items()
    }
    logging.info("temperature %s", {seed: round(value, 4) for seed, value in temperatures.items()})
    for path, target in zip(predictions, out, strict=True):
        scaled = {}
        for seed, whole in read_predictions(path).items():
            stack = dataclasses.replace(whole.stack, logits=whole.stack.logits / temperatures[seed])
            scaled[seed] = dataclasses.replace(whole, stack=stack)
        write_predictions(target, scaled)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
