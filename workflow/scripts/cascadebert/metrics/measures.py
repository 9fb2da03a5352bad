"""How good each exit of a model is on its own (paper, sections 2.2 and 5.2)."""

from typing import Any

from cascadebert.metrics.calibration import ece
from cascadebert.metrics.difficulty import dis
from cascadebert.metrics.exits import confidence
from cascadebert.metrics.predictions import Predictions
from cascadebert.metrics.scores import score


def measures(predictions: Predictions) -> list[dict[str, Any]]:
    """Accuracy, DIS and ECE of every exit on a split.

    Difficulty is the exit's own: an instance that it gets wrong is difficult for it (section 2.2). The accuracy is
    that of every task, whatever its metric (erratum 24).

    Returns:
        One row an exit: layers (executed when leaving there), accuracy, dis, ece (fractions), n. NaN for an empty
        split; dis is NaN, too, where the exit is always right or always wrong.
    """
    stack, rows = predictions.stack, []
    for layers, logits, sure in zip(stack.layers, stack.logits, confidence(stack.logits), strict=True):
        answers = logits.argmax(axis=-1)
        correct = answers == predictions.label
        rows.append(
            {
                "layers": int(layers),
                "accuracy": score("accuracy", predictions.label, answers),
                "dis": dis(sure, ~correct),
                "ece": ece(sure, correct),
                "n": correct.size,
            }
        )
    return rows
