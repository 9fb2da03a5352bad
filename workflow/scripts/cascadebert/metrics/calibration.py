"""How far confidence is from accuracy, and temperature scaling as the control (paper, Appendix B)."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

N_BINS = 10
HOTTEST = 20.0


def bin_of(confidence: Float[np.ndarray, " n"], n_bins: int = N_BINS) -> Int[np.ndarray, " n"]:
    """Index of each confidence's bin, of those of `reliability`."""
    return np.maximum(np.searchsorted(np.arange(n_bins + 1) / n_bins, confidence, side="left") - 1, 0)


def reliability(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"], n_bins: int = N_BINS
) -> pd.DataFrame:
    """Confidence and accuracy in bins of equal width on [0, 1], each (low, high], the first closed (erratum 23).

    Args:
        confidence: c(x) in [0, 1], the maximum class probability.
        correct: where the model is right.
        n_bins: k of Appendix B.

    Returns:
        One row a bin: low, high, n, confidence and accuracy; the last two are means, NaN in an empty bin.

    Raises:
        ValueError: when a confidence lies outside [0, 1].

    Example:
        >>> reliability(np.array([0.4, 0.5, 0.75]), np.array([True, False, True]), n_bins=2)
           low  high  n  confidence  accuracy
        0  0.0   0.5  2        0.45       0.5
        1  0.5   1.0  1        0.75       1.0
    """
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(f"confidence must lie in [0, 1]; got {confidence.min()} to {confidence.max()}")
    edges, bins = np.arange(n_bins + 1) / n_bins, bin_of(confidence, n_bins)
    n = np.bincount(bins, minlength=n_bins)
    divisor = np.where(n, n, np.nan)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n,
            "confidence": np.bincount(bins, confidence, n_bins) / divisor,
            "accuracy": np.bincount(bins, correct, n_bins) / divisor,
        }
    )


def ece(confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"], n_bins: int = N_BINS) -> float:
    """Expected calibration error (Eq. 7): mean gap between accuracy and confidence over bins, weighted by their size.

    Args:
        confidence: c(x) in [0, 1], the maximum class probability.
        correct: where the model is right.
        n_bins: k of Appendix B.

    Returns:
        A fraction, lower is better (Table 5 prints per cent); NaN without instances. Empty bins count 0.

    Example:
        >>> ece(np.array([0.75, 0.75]), np.array([True, False]))
        0.25
    """
    if not confidence.size:
        return float("nan")
    bins = reliability(confidence, correct, n_bins)
    gap = (bins["accuracy"] - bins["confidence"]).abs().fillna(0)
    return float((bins["n"] * gap).sum() / confidence.size)


def fit_temperature(logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]) -> float:
    """The temperature T in [1/20, 20] that minimises the negative log likelihood of softmax(logits / T).

    In a binary task confidence is a rising function of |z_1 - z_0|, and so is its value at any T: temperature cannot
    change the ranking of confidences, hence neither DIS nor the curve of accuracy against speed-up. It can change
    the ECE. What difficulty-aware regularisation gains in ECE is therefore to be compared with this. With three
    classes or more the ranking can change.

    Args:
        logits: of one exit, on instances that are not reported.
        labels: true classes.

    Returns:
        T, at a bound where the likelihood has no maximum inside (all answers right, say); 1 without instances.

    Example:
        >>> logits = np.array([[9.0, 0.0]] * 4)  # sure, and right three times in four: T = 9 / ln 3
        >>> round(fit_temperature(logits, np.array([0, 0, 0, 1])), 3)
        8.192
    """
    if not labels.size:
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        return -log_softmax(scaled, axis=-1)[np.arange(labels.size), labels].mean()

    bound = np.log(HOTTEST)
    return float(np.exp(minimize_scalar(loss, bounds=(-bound, bound), method="bounded").x))
