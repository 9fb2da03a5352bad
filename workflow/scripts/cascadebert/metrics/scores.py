"""Task metrics and the paper's average over columns (paper, Tables 1 and 2)."""

import numpy as np
from jaxtyping import Int

METRICS = ("accuracy", "f1")


def score(metric: str, labels: Int[np.ndarray, " n"], answers: Int[np.ndarray, " n"]) -> float:
    """Task metric as a fraction.

    Args:
        metric: "accuracy", or "f1" for the F1 of class 1 of a binary task (MRPC, QQP).
        labels: true classes.
        answers: given classes.

    Returns:
        The score in [0, 1]; NaN for an empty split, and for F1 on a split that has no instance of class 1.

    Raises:
        ValueError: for another metric.
    """
    from sklearn.metrics import accuracy_score, f1_score  # a second of start-up, which a prediction does without

    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}, got {metric!r}")
    if not labels.size:
        return float("nan")
    if metric == "accuracy":
        return float(accuracy_score(labels, answers))
    if not (labels == 1).any():
        return float("nan")
    return float(f1_score(labels, answers, pos_label=1, zero_division=0.0))
