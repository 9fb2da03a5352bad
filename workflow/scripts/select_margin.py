"""The margin epsilon of one task: the one whose cascade does best on the selection split (section 4.1, Table 1)."""

import logging
from pathlib import Path

import numpy as np
import tyro

from cascadebert.files import write_json
from cascadebert.metrics.predictions import cascades_of, read_predictions
from cascadebert.metrics.sweeps import sweep


def main(
    answers: list[Path], base: list[Path], margins: list[float], speed_ups: list[float], metric: str, out: Path
) -> None:
    """Select a margin by the task's metric, averaged over model seeds and target speed-ups; ties go to the smaller.

    Args:
        answers: selection logits of the regularized members; margins outermost, then members, then seeds.
        base: selection logits of the base, one a seed.
        margins: the grid.
        speed_ups: targets.
        metric: of the task.
        out: JSON with margin, and scores of every margin by seed.
    """
    files = np.array(answers, dtype=object).reshape(len(margins), -1, len(base))  # (margins, members, seeds)
    last, scores = read_predictions(*base), {}
    for margin, members in zip(margins, files, strict=True):
        of_margin = []
        for whole in cascades_of([*(read_predictions(*paths) for paths in members), last]).values():
            points = sweep({"selection": whole}, "confidence", speed_ups, metric)
            scores_in_layers = [point["score"] for point in points if point["measure"] == "layers"]
            of_margin.append(float(np.mean(scores_in_layers)))
        scores[margin] = of_margin
    best = max(sorted(scores), key=lambda margin: np.mean(scores[margin]))
    logging.info("margin %s of %s", best, {margin: float(np.mean(of)) for margin, of in scores.items()})
    write_json(out, {"margin": best, "scores": {str(margin): of for margin, of in scores.items()}})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    tyro.cli(main, description=__doc__)
