"""Scores and measures of one split with their influence functions: how much each instance adds to them.

The influence of an instance is the derivative of the statistic in the instance's weight, times n; it has mean 0. What a
mean of ones and zeros varies over instances, another statistic varies by it: DeLong's components for DIS, which is an
AUROC, a ratio's for F1, and for ECE that of bins on whose side of the diagonal there is no doubt.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from cascadebert.metrics.calibration import N_BINS, bin_of
from cascadebert.metrics.scores import METRICS

Influenced = tuple[float, Float[np.ndarray, " n"]]
"""A statistic, and its influence at each instance; NaN where it is undefined."""


def mixed_score(
    metric: str, label: Int[np.ndarray, " n"], answers: Sequence[tuple[float, Int[np.ndarray, " n"]]]
) -> Influenced:
    """The task's score of a mixture of answers, expected over the coin that decides between them.

    Args:
        metric: as of `scores.score`, whose value it is of a single answer; a ratio of counts either way.
        label: true classes.
        answers: with their shares, which sum to 1.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}, got {metric!r}")
    if metric == "accuracy":
        counted = sum(share * (of == label) for share, of in answers)
        whole = np.ones(label.size)
    else:  # F1: twice the true positives over the positives of both kinds
        positive, true = sum(share * (of == 1) for share, of in answers), label == 1
        counted, whole = 2 * true * positive, true + positive
        if not true.any():
            whole = np.full(label.size, np.nan)
    if not label.size:
        return float("nan"), np.zeros(0)
    score = counted.sum() / whole.sum()
    return float(score), (counted - score * whole) / whole.mean()


def influenced_dis(confidence: Float[np.ndarray, " n"], difficult: Bool[np.ndarray, " n"]) -> Influenced:
    """DIS, of `difficulty.dis`, with DeLong's components (1988): the share of the others that each pairs well with."""
    n, (easy, hard) = confidence.size, (confidence[~difficult], confidence[difficult])
    if not easy.size or not hard.size:
        return float("nan"), np.full(n, np.nan)
    of_easy = np.searchsorted(np.sort(hard), easy, side="right") / hard.size
    of_hard = 1 - np.searchsorted(np.sort(easy), hard, side="left") / easy.size
    value = of_easy.mean()
    influence = np.empty(n)
    influence[~difficult] = (of_easy - value) * n / easy.size
    influence[difficult] = (of_hard - value) * n / hard.size
    return float(value), influence


def influenced_ece(confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]) -> Influenced:
    """ECE, of `calibration.ece`: a sum of gaps, each instance's counted with the sign of its bin's."""
    if not confidence.size:
        return float("nan"), np.zeros(0)
    gap, bins = correct - confidence, bin_of(confidence)
    signed = gap * np.sign(np.bincount(bins, gap, N_BINS))[bins]
    return float(signed.mean()), signed - signed.mean()
