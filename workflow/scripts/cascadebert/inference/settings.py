"""Thresholds for what a user asks: a speed-up, or how often the base's own answer must be kept."""

from dataclasses import dataclass
from itertools import product
from math import ceil, isfinite, log
from numbers import Real

import numpy as np
from jaxtyping import Int
from scipy.stats import beta

from cascadebert.exit_rules import Exits
from cascadebert.inference.leaving import Leaving, Threshold
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import BELOW, ExitLogits, certainty, exits_at, speed_up, tau_for_speed_up, threshold_for

CANDIDATES = 500
"""Settings that are tried, from strict to loose, for a level of agreement."""

ROUNDING = 1e-5
"""Relative; so much is a ratio off that is written with six digits, as cards and tables write it."""

GRID = 40
"""Combinations that are tried of the thresholds before the last one, where each exit has its own."""


@dataclass(frozen=True)
class Setting:
    """A threshold, or several, and what it gave on the instances it was chosen on.

    Attributes:
        threshold: of the exit rule; one for all exits, or one for each but the last.
        speed_up: full layers over executed layers.
        agreement: share of the instances that are answered as the last exit answers them.
        at_least: one-sided 95 % bound of it (Clopper and Pearson); valid for the level that a threshold was chosen for.
    """

    threshold: Threshold
    speed_up: float
    agreement: float
    at_least: float


def check_asked(speed_up: object, agreement: object, threshold: object, each: bool) -> None:
    """Raise Problem where two things are asked for at once, or one is no number."""
    asked = {"speed_up": speed_up, "agreement": agreement, "threshold": threshold}
    given = {name: value for name, value in asked.items() if value is not None}
    if len(given) > 1:
        raise Problem(f"{' and '.join(given)} are asked for at once: ask for one of them.")
    if each and speed_up is None and given:
        raise Problem("a threshold for each member goes with a speed-up alone: leave it out (--each).")
    for name, value in given.items():
        numbers = np.array(value, dtype=object)
        if numbers.ndim > (name == "threshold") or not all(isinstance(number, Real) for number in numbers.flat):
            raise Problem(f"{name} is {value!r}: give a number.")
        if any(number != number for number in numbers.flat):
            raise Problem(f"a {name} of {value} compares with nothing: give a number.")


def check_threshold(exits: Exits, threshold: Threshold) -> None:
    """Raise Problem for a threshold that a rule cannot have; an infinite one lets all instances leave, or none."""
    held = np.atleast_1d(np.asarray(threshold, dtype=float)).tolist()
    if exits == "last":
        raise Problem("a system without early exits has no threshold: leave it out (--threshold).")
    if exits == "patience" and not all(one.is_integer() and one >= 1 for one in held):
        raise Problem(f"a patience of {threshold} counts no layers: give a whole number of 1 or more (--threshold).")
    beyond = [one for one in held if isfinite(one) and abs(one - 0.5) > 0.5 + ROUNDING]
    if exits in ("confidence", "uncertainty") and beyond:
        raise Problem(f"a threshold of {threshold} is none of {exits}, which lies from 0 to 1 (--threshold).")


def exits_under(stack: ExitLogits, exits: Exits, threshold: Threshold) -> Int[np.ndarray, " n"]:
    """Index of the exit of each instance, also where each exit has a threshold of its own."""
    n_exits, n, _ = stack.logits.shape
    leaving, exit_of, staying = Leaving(exits, threshold, n_exits, n), np.zeros(n, dtype=int), np.arange(n)
    for index in range(n_exits):
        leaves = leaving(index, staying, stack.logits[index, staying])
        exit_of[staying[leaves]] = index
        staying = staying[~leaves]
    return exit_of


def setting(stack: ExitLogits, exits: Exits, threshold: Threshold) -> Setting:
    """What a threshold gives on some instances."""
    if isinstance(threshold, float | int):  # certainties are then computed once, however many thresholds are tried
        exit_of = exits_at(stack, exits, threshold)
    else:
        exit_of = exits_under(stack, exits, threshold)
    kept = stack.classes[exit_of, np.arange(exit_of.size)] == stack.classes[-1]
    bound = agreement_bound(int(kept.sum()), kept.size)
    return Setting(threshold, speed_up(stack, exit_of), float(kept.mean()), bound)


def fastest(stack: ExitLogits, exits: Exits) -> float:
    """The largest speed-up that a threshold can reach: every instance leaves at the first exit that can let it go."""
    first = min(2 if exits == "patience" else 1, len(stack.layers)) if exits != "last" else len(stack.layers)
    return stack.full_layers / float(stack.layers[first - 1])


def within_reach(stack: ExitLogits, exits: Exits, target: float) -> bool:
    """Whether a speed-up can be had: from 1 to `fastest`, or a static system's own."""
    largest = fastest(stack, exits)
    least = largest if exits == "last" else 1
    return least * (1 - ROUNDING) <= target <= largest * (1 + ROUNDING)


def for_speed_up(stack: ExitLogits, exits: Exits, target: float, each: bool = False) -> Setting:
    """The setting whose speed-up on some instances is nearest to a target; no label is looked at.

    Args:
        stack: of the selection split.
        exits: the rule.
        target: from 1 to `fastest`.
        each: a threshold for each exit but the last, where the rule compares certainties and there are three or more
            exits: of those that have the speed-up, the ones that keep the base's answer most often.

    Raises:
        Problem: for a target that cannot be had, or thresholds for each exit where there are no several.
    """
    if each and not (exits in ("confidence", *BELOW) and len(stack.layers) > 2):
        raise Problem("a threshold for each exit needs three exits that compare with one: leave it out (--each).")
    if not within_reach(stack, exits, target):
        largest = fastest(stack, exits)
        what = f"a speed-up from 1 to {largest:.4g}" if exits != "last" else f"its own, {largest:.4g}, alone"
        raise Problem(f"a speed-up of {target:g} cannot be had: this system takes {what}.")
    if each:
        return _each(stack, exits, target)
    return setting(stack, exits, float(threshold_for(stack, exits, target)))


def _each(stack: ExitLogits, exits: Exits, target: float) -> Setting:
    """A threshold for each exit: all but the last in a grid of quantiles, the last in closed form."""
    sign = -1.0 if exits in BELOW else 1.0
    certain, n = certainty(stack, exits), stack.logits.shape[1]
    steps = np.linspace(0, 1, max(2, round(GRID ** (1 / (len(certain) - 2)))))
    grids = [np.unique(np.quantile(row, steps, method="lower")) for row in certain[:-2]]
    best = setting(stack, exits, float(threshold_for(stack, exits, target)))
    within = max(abs(best.speed_up - target), 0.005 * target)
    for before in product(*grids):
        exit_of = exits_under(stack, exits, [*(sign * tau for tau in before), sign * np.inf])
        left = exit_of < len(before)
        executed, staying = stack.layers[exit_of[left]].sum(), ~left
        rest = n * stack.full_layers / target - executed  # layers that those who stay may execute
        if not staying.any() or rest <= 0:
            continue
        tau = tau_for_speed_up(
            certain[-2:, staying], stack.layers[-2:], stack.full_layers, stack.full_layers * staying.sum() / rest
        )
        tried = setting(stack, exits, [sign * float(value) for value in (*before, tau)])
        if abs(tried.speed_up - target) <= within and tried.agreement > best.agreement:
            best = tried
    return best


def agreement_bound(kept: int, n: int, alpha: float = 0.05) -> float:
    """One-sided lower bound of a proportion (Clopper and Pearson, 1934).

    Example:
        >>> round(agreement_bound(600, 600), 4)
        0.995
    """
    return float(beta.ppf(alpha, kept, n - kept + 1)) if kept else 0.0


def candidates(stack: ExitLogits, exits: Exits) -> list[float]:
    """Settings of a rule from strict to loose, chosen without a look at any answer."""
    if exits == "last":
        return []
    if exits == "patience":
        return [float(patience) for patience in range(len(stack.layers) - 1, 0, -1)]
    levels = np.unique(np.quantile(certainty(stack, exits)[:-1], np.linspace(1, 0, CANDIDATES), method="lower"))
    taus = [*levels[::-1].tolist(), -np.inf]
    return [-tau for tau in taus] if exits in BELOW else taus


def for_agreement(stack: ExitLogits, exits: Exits, level: float) -> Setting:
    """The fastest setting that keeps a share of the base's answers, with 95 % confidence.

    Settings are tested from strict to loose, and the first that fails ends the search: a fixed sequence, in which
    each test has the whole error probability of 5 % although several are made (Maurer, Hothorn and Lehmacher, 1995).

    Args:
        stack: of the selection split; its instances must not have been trained on.
        exits: the rule.
        level: share of instances that must be answered as the last exit answers them, above 0 and below 1.

    Raises:
        Problem: when not even agreement on every instance would show it with so few, or no setting passes.
    """
    n = stack.logits.shape[1]
    if not 0 < level < 1:
        raise Problem(f"an agreement of {level:g} cannot be shown: ask for a share above 0 and below 1, such as 0.98.")
    if exits == "last":
        raise Problem("a system without early exits has no agreement to choose: ask for nothing.")
    if agreement_bound(n, n) < level:
        needed = ceil(log(0.05) / log(level))
        raise Problem(
            f"an agreement of {level:g} cannot be shown with {n} instances of the selection split, {needed} would be"
            f" needed: ask for at most {np.floor(1e4 * agreement_bound(n, n)) / 1e4:g}, or enlarge rows.selection."
        )
    chosen = None
    for threshold in candidates(stack, exits):
        tried = setting(stack, exits, threshold)
        if tried.at_least < level:
            break
        chosen = tried
    if chosen is None:
        raise Problem(
            f"no setting of this system keeps {level:g} of the base's answers: ask for less, or for the base."
        )
    return chosen


LEVELS = (0.9, 0.95, 0.98, 0.99)
"""Levels of agreement that a packed system states."""
