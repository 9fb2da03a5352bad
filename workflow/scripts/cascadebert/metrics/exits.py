"""Where each instance leaves a model with exits, and what that costs (paper, section 3.1, Algorithm 1, section 4.1)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import entr, softmax

from cascadebert.exit_rules import Exits


@dataclass(frozen=True)
class ExitLogits:
    """All exits' answers to one split: everything later is arithmetic on it.

    A static model has one exit, DeeBERT and PABEE one a layer, a cascade one a member.

    Attributes:
        logits: in evaluation mode, float32 or better.
        layers: transformer layers executed when an instance leaves at each exit, earlier members' included:
            [1, 2, ..., 12] for DeeBERT, [2, 14] for a 2-12 cascade.
        full_layers: layers of the uncompressed model, the numerator of every speed-up.
    """

    logits: Float[np.ndarray, "exits n classes"]
    layers: Int[np.ndarray, " exits"]
    full_layers: int

    def __post_init__(self) -> None:
        """Check that there is one ascending cost for each exit.

        Raises:
            ValueError: when layers do not ascend or do not match the logits.
        """
        if len(self.layers) != len(self.logits) or (np.diff(self.layers) <= 0).any():
            raise ValueError(
                f"layers must ascend, one per exit; got {self.layers.tolist()} for {len(self.logits)} exits"
            )

    @cached_property
    def confidence(self) -> Float[np.ndarray, "exits n"]:
        """Of every exit; computed once, however many thresholds are tried."""
        return confidence(self.logits)

    @cached_property
    def entropy(self) -> Float[np.ndarray, "exits n"]:
        """Of every exit, in nats; computed once."""
        return entropy(self.logits)

    @cached_property
    def classes(self) -> Int[np.ndarray, "exits n"]:
        """The class that each exit gives each instance; computed once."""
        return self.logits.argmax(axis=-1)


def confidence(logits: Float[np.ndarray, "exits n classes"]) -> Float[np.ndarray, "exits n"]:
    """Confidence c(x) in [1/classes, 1]: the largest class probability (Eq. 4), in float64 so that ties are real."""
    return softmax(logits.astype(np.float64), axis=-1).max(axis=-1)


def entropy(logits: Float[np.ndarray, "exits n classes"]) -> Float[np.ndarray, "exits n"]:
    """Entropy of the class distribution in nats, in [0, ln classes]; 0, not NaN, where a probability underflows."""
    return entr(softmax(logits.astype(np.float64), axis=-1)).sum(axis=-1)


def first_above(certainty: Float[np.ndarray, "exits n"], tau: float) -> Int[np.ndarray, " n"]:
    """The first exit whose certainty exceeds tau, strictly; the last exit takes the rest (Algorithm 1, erratum 16).

    Args:
        certainty: confidence for a cascade, minus the entropy for DeeBERT (whose rule is H < S, so tau = -S).
        tau: the threshold, the same for all exits.

    Returns:
        Index of the exit of each instance.

    Example:
        >>> first_above(np.array([[0.9, 0.6], [0.5, 0.5]]), tau=0.6)
        array([0, 1])
    """
    above = certainty > tau
    above[-1] = True
    return above.argmax(axis=0)


def patient(logits: Float[np.ndarray, "exits n classes"], patience: int) -> Int[np.ndarray, " n"]:
    """PABEE's exit: the first at which `patience` successive exits have repeated their predecessor's answer.

    Args:
        logits: one exit a layer.
        patience: t >= 1; the earliest exit is the (t+1)-th, so the largest speed-up is exits/(t+1).

    Returns:
        Index of the exit of each instance; the last where patience is never reached.

    Example:
        >>> patient(np.array([[[2.0, 1.0]], [[2.0, 1.0]], [[0.0, 1.0]]]), patience=1)
        array([1])
    """
    answers = logits.argmax(axis=-1)  # (exits, n)
    streak = np.zeros_like(answers)
    for i in range(1, len(answers)):
        streak[i] = np.where(answers[i] == answers[i - 1], streak[i - 1] + 1, 0)
    reached = streak >= patience
    reached[-1] = True
    return reached.argmax(axis=0)


def speed_up(stack: ExitLogits, exit_of: Int[np.ndarray, " n"]) -> float:
    """Full layers over executed layers, pooled over the instances (section 4.1); NaN for an empty split.

    Example:
        >>> stack = ExitLogits(np.zeros((2, 3, 2)), np.array([2, 14]), full_layers=12)
        >>> speed_up(stack, np.array([0, 0, 1]))
        2.0
    """
    if not exit_of.size:
        return float("nan")
    return float(stack.full_layers * exit_of.size / stack.layers[exit_of].sum())


def answers(stack: ExitLogits, exit_of: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The class that each instance is given at its exit."""
    return stack.classes[exit_of, np.arange(exit_of.size)]


Targets = float | int | Float[np.ndarray, " targets"]
"""One wanted speed-up, or several, whose thresholds cost hardly more than one."""

Thresholds = np.floating | Float[np.ndarray, " targets"]
"""One for each target."""


def tau_for_speed_up(
    certainty: Float[np.ndarray, "exits n"], layers: Int[np.ndarray, " exits"], full_layers: int, target: Targets
) -> Thresholds:
    """The threshold whose speed-up on these instances is nearest to a target, without looking at a label.

    Two exits have a closed form: n_exit = N (C_2 - full/target) / (C_2 - C_1) instances must leave early, so tau is
    the (N - n_exit)-th smallest certainty; what ties with it stays, so that fewer leave then. With more exits the
    nearest step is searched.

    Args:
        certainty: of every exit; the last one's is not consulted.
        layers: cumulative layers of each exit.
        full_layers: layers of the uncompressed model.
        target: the wanted speed-up.

    Returns:
        tau, -inf when everything must leave at the first exit.

    Raises:
        ValueError: when there is no instance, or only one exit and so nothing to choose.

    Example:
        >>> c = np.array([[0.9, 0.8, 0.7], [0.0, 0.0, 0.0]])
        >>> float(tau_for_speed_up(c, np.array([2, 14]), 12, target=2.0))
        0.7
    """
    exits, n = certainty.shape
    if n == 0 or exits < 2:
        raise ValueError(f"a threshold needs instances and at least two exits; got {n} instances, {exits} exits")
    if exits == 2:
        n_exit = np.rint(n * (layers[1] - full_layers / np.asarray(target)) / (layers[1] - layers[0]))
        n_stay = n - np.clip(n_exit, 0, n).astype(int)
        return np.concatenate([[-np.inf], np.sort(certainty[0])])[n_stay]

    cost = np.broadcast_to(layers[:, None], certainty.shape)
    return tau_for_ratio(certainty, cost, np.full(n, full_layers), target)


def executed_at(
    certainty: Float[np.ndarray, "exits n"], cost: Shaped[np.ndarray, "exits n"]
) -> tuple[Float[np.ndarray, " taus"], Float[np.ndarray, " taus"]]:
    """The executed cost, summed over the instances, at every threshold that makes a difference.

    An instance stays after an exit as long as tau is not below its largest certainty so far, so that the executed cost
    is a sum of steps, one an instance and exit: sorted once, they give the cost at every threshold.

    Args:
        certainty: of every exit; the last one's is not consulted.
        cost: of an instance that leaves at each exit, ascending over exits; layers or operations.

    Returns:
        Thresholds, -inf the first, and the cost at each, both ascending.
    """
    stays_below = np.maximum.accumulate(certainty[:-1], axis=0).ravel()
    order = np.argsort(stays_below, kind="stable")
    executed = cost[0].sum() + np.concatenate([[0.0], np.cumsum(np.diff(cost, axis=0).ravel()[order])])
    taus = np.concatenate([[-np.inf], np.unique(certainty[:-1])])
    return taus, executed[np.searchsorted(stays_below[order], taus, side="right")]


def tau_for_ratio(
    certainty: Float[np.ndarray, "exits n"],
    cost: Shaped[np.ndarray, "exits n"],
    full: Shaped[np.ndarray, " n"],
    target: Targets,
) -> Thresholds:
    """The threshold at which full cost over executed cost, summed over the instances, is nearest to a target.

    Args:
        certainty: of every exit; the last one's is not consulted.
        cost: of an instance that leaves at each exit, ascending over exits; layers or operations.
        full: of the uncompressed model.
        target: the wanted ratio.

    Returns:
        tau, -inf when everything must leave at the first exit; of equally near ones the lower.
    """
    taus, executed = executed_at(certainty, cost)
    ratios = full.sum() / executed  # descending
    above = np.minimum(np.searchsorted(-ratios, -np.asarray(target)), len(taus) - 1)  # the first not above the target
    below = np.maximum(above - 1, 0)
    return taus[np.where(np.abs(ratios[below] - target) <= np.abs(ratios[above] - target), below, above)]


def certainty(stack: ExitLogits, exits: Exits) -> Float[np.ndarray, "exits n"]:
    """What a threshold rule compares: confidence, or the entropy with its sign turned, so that more is more certain.

    FastBERT's uncertainty is the entropy over its largest value, ln classes, so that it lies in [0, 1].
    """
    if exits == "confidence":
        return stack.confidence
    largest = np.log(stack.logits.shape[-1]) if exits == "uncertainty" else 1.0
    return -stack.entropy / largest


BELOW = ("entropy", "uncertainty")
"""Rules whose instances leave below their threshold, not above."""


def threshold_for(
    stack: ExitLogits,
    exits: Exits,
    target: Targets,
    flops: tuple[Float[np.ndarray, "exits n"], Float[np.ndarray, " n"]] | None = None,
) -> Thresholds:
    """The setting of an exit rule whose speed-up on these instances is nearest to a target; no label is looked at.

    Args:
        stack: of the split that the setting is chosen on.
        exits: the rule.
        target: the wanted speed-up.
        flops: operations at each exit, and of the base, for a speed-up in operations; in layers if not given.

    Returns:
        tau for "confidence", S for "entropy", the speed for "uncertainty", t for "patience"; NaN for "last", which has
        nothing to set.
    """
    if exits == "last":
        return np.full(np.shape(target), np.nan)[()]
    if exits == "patience":
        cost, full = flops or (np.broadcast_to(stack.layers[:, None], stack.logits.shape[:2]), stack.full_layers)
        instances, patiences = np.arange(stack.logits.shape[1]), np.arange(1.0, len(stack.layers))
        executed = np.array([cost[patient(stack.logits, int(t)), instances].mean() for t in patiences])
        distance = np.abs(np.mean(full) / executed - np.asarray(target)[..., None])
        return patiences[distance.argmin(axis=-1)]
    certain = certainty(stack, exits)
    if flops:
        tau = tau_for_ratio(certain, *flops, target)
    else:
        tau = tau_for_speed_up(certain, stack.layers, stack.full_layers, target)
    return -tau if exits in BELOW else tau


def exits_at(stack: ExitLogits, exits: Exits, threshold: float) -> Int[np.ndarray, " n"]:
    """Index of the exit of each instance under a rule and the setting that `threshold_for` returned."""
    if exits == "last":
        return np.full(stack.logits.shape[1], len(stack.layers) - 1)
    if exits == "patience":
        return patient(stack.logits, int(threshold))
    return first_above(certainty(stack, exits), -threshold if exits in BELOW else threshold)


def cascade(members: list[ExitLogits]) -> ExitLogits:
    """The cascade of some members (section 3.1): an instance that leaves at the i-th has run all members up to it.

    Args:
        members: in ascending depth, one exit each.

    Example:
        >>> small, big = (ExitLogits(np.zeros((1, 5, 2)), np.array([k]), 12) for k in (2, 12))
        >>> cascade([small, big]).layers
        array([ 2, 14])
    """
    return ExitLogits(
        np.concatenate([member.logits for member in members]),
        np.cumsum([member.layers[-1] for member in members]),
        members[-1].full_layers,
    )
