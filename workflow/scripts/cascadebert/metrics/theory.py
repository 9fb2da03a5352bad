"""What one more member in a cascade should gain (paper, Appendix C); a heuristic, to be compared with measured gains.

It assumes a member equally accurate on any subset, which is at odds with easy instances leaving first (erratum 26).

A cascade is described with the new member M* in it: layers, accuracies and exit counts of all members in ascending
depth, and `new`, the index of M*. Its neighbours are the paper's M_i and M_(i+1); members - 1 is the paper's n. Counts
are numbers of instances, not necessarily whole.
"""

import numpy as np
from jaxtyping import Float, Int, Real

Layers = Int[np.ndarray, " members"]  # L_k, M* included
Accuracies = Float[np.ndarray, " members"]  # a_k, M* included
Counts = Real[np.ndarray, " members"]  # how many instances leave after each member of the cascade with M*
CountsBefore = Real[np.ndarray, " members-1"]  # s_k, the same for the cascade without M*


def cumulative_layers(layers: Layers) -> Layers:
    """L^k, the layers that an instance has run when it leaves after M_k (Eq. 9).

    Example:
        >>> cumulative_layers(np.array([2, 6, 12]))
        array([ 2,  8, 20])
    """
    return np.cumsum(layers)


def performance_difference(accuracies: Accuracies, new: int, before: CountsBefore, after: Counts) -> float:
    """T of Eq. 8: accuracy of the cascade with M* less that of the cascade without, whatever their costs.

    Returns:
        A fraction; NaN without instances.
    """
    n = before.sum()
    gain = accuracies @ after - np.delete(accuracies, new) @ before
    return float(gain / n) if n else float("nan")


def condition_residuals(layers: Layers, new: int, before: CountsBefore, after: Counts) -> tuple[float, float]:
    """By how much the two conditions of Eq. 9 fail: instances, and layers, without M* less those with it.

    All exits behind M* pay for it here, as in Eq. 9 and unlike Eq. 11 (erratum 25).
    """
    cost_before = cumulative_layers(np.delete(layers, new)) @ before
    return float(before.sum() - after.sum()), float(cost_before - cumulative_layers(layers) @ after)


def counts_before(layers: Layers, new: int, after: Counts) -> Float[np.ndarray, " members-1"]:
    """The cascade without M* that runs as many layers as one with it and differs at M*'s neighbours only (Eq. 10, 12).

    Eq. 12 as printed holds only if M_(i+1) is the last member; here what later exits pay for M* is added (erratum 25).

    Returns:
        s_k of the cascade without M*; a negative s_i means that there is no such cascade.

    Raises:
        ValueError: when M* is not between two members in depth.

    Example:
        >>> counts_before(np.array([2, 6, 12]), 1, np.array([60, 30, 10]))  # both run 560 layers
        array([70., 30.])
    """
    _check(layers, new)
    moved = layers[new] / layers[new + 1] * after[new:].sum()
    before = np.delete(after, new).astype(np.float64)
    before[new - 1] += after[new] - moved
    before[new] += moved
    return before


def predicted_gain(layers: Layers, accuracies: Accuracies, new: int, after: Counts) -> float:
    """T of Eq. 13: the gain of M* at an equal number of layers, from the exit counts of the cascade with M*.

    Returns:
        A fraction; NaN without instances.

    Raises:
        ValueError: when M* is not the last but one, where Eq. 13 does not follow from Eq. 9 (erratum 25).

    Example:
        >>> predicted_gain(np.array([2, 6, 12]), np.array([0.5, 0.75, 0.75]), 1, np.array([40, 16, 8]))
        0.015625
    """
    _check(layers, new)
    if new != len(layers) - 2:
        raise ValueError(f"Eq. 13 needs M* last but one; got member {new + 1} of {len(layers)}")
    low, middle, high = accuracies[new - 1 :]
    gain = after[new] * (middle - low) - layers[new] / layers[new + 1] * after[new:].sum() * (high - low)
    return float(gain / after.sum()) if after.sum() else float("nan")


def gain_bounds(layers: Layers, accuracies: Accuracies, new: int, after: Counts) -> tuple[float, float, float, float]:
    """The four upper bounds of T that follow Eq. 13, in the paper's order; the last is that of the maximum.

    Each holds wherever M* stands: what later exits pay only lowers T (erratum 25). The second need not lie above
    the first, as it does in print: with a* = a_i the first is 0 and the second may be negative.

    Returns:
        Fractions; NaN without instances.

    Raises:
        ValueError: when M* is not between its neighbours in depth, or not in accuracy, which the bounds assume.
    """
    _check(layers, new)
    low, middle, high = accuracies[new - 1 : new + 2]
    if not low <= middle <= high:
        raise ValueError(f"the bounds need a_i <= a* <= a_(i+1); got {low}, {middle}, {high}")
    if not after.sum():
        return (float("nan"),) * 4
    share = after / after.sum()
    left = share[new] + share[new + 1]
    both = share[new - 1] + left  # (s_i + s_(i+1)) / N
    ratio = layers[new - 1] / layers[new + 1]
    largest_step = largest_accuracy_step(np.delete(accuracies, new))
    smallest_ratio = smallest_layer_ratio(np.delete(layers, new))
    return (
        float((middle - low) * (share[new] - layers[new] / layers[new + 1] * left)),
        float((high - low) * (share[new] - ratio * left)),
        float(both * (high - low) * (1 - ratio)),
        float(both * largest_step * (1 - smallest_ratio)),
    )


def largest_accuracy_step(accuracies: Accuracies) -> float:
    """Eq. 14, max a_(i+1) - a_i: non-increasing as members are inserted whose accuracy lies between the neighbours'."""
    return float(np.diff(accuracies).max())


def smallest_layer_ratio(layers: Layers) -> float:
    """Eq. 15, min L_i / L_(i+1): non-DEcreasing as members are inserted, and so the bound on T falls (erratum 26).

    The paper prints non-increasing, which would raise the bound and contradict its own conclusion.
    """
    return float((layers[:-1] / layers[1:]).min())


def _check(layers: Layers, new: int) -> None:
    """Raise ValueError unless depths ascend and `new` has a neighbour on either side."""
    if not 0 < new < len(layers) - 1 or (np.diff(layers) <= 0).any():
        raise ValueError(f"M* must stand between two members of ascending depth; got {new} of {layers.tolist()}")
