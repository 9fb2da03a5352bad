"""Operating points: a threshold chosen on the selection split for a target speed-up, applied to the other splits."""

from typing import Any

from cascadebert.exits import answers, exits_at, speed_up, threshold_for
from cascadebert.records import Predictions
from cascadebert.scores import score
from cascadebert.systems import Exits


def operating_point(predictions: Predictions, exits: Exits, threshold: float, metric: str) -> dict[str, Any]:
    """One rule at one setting on one split.

    Returns:
        threshold; speed_up, the ratio achieved; score, a fraction; n, instances. NaN for an empty split.
    """
    exit_of = exits_at(predictions.stack, exits, threshold)
    return {
        "threshold": threshold,
        "speed_up": speed_up(predictions.stack, exit_of),
        "score": score(metric, predictions.label, answers(predictions.stack, exit_of)),
        "n": exit_of.size,
    }


def sweep(
    splits: dict[str, Predictions], exits: Exits, targets: list[float], metric: str
) -> list[dict[str, Any]]:
    """Operating points of one run at some target speed-ups on some splits.

    Args:
        splits: predictions by split, "selection" among them: each threshold is chosen there, without labels.
        exits: the system's rule.
        targets: wanted speed-ups.
        metric: of the task.

    Returns:
        One row a split and target, with those two and what `operating_point` returns.
    """
    rows = []
    for target in targets:
        threshold = threshold_for(splits["selection"].stack, exits, target)
        for split, predictions in splits.items():
            rows.append({"split": split, "target": target} | operating_point(predictions, exits, threshold, metric))
    return rows
