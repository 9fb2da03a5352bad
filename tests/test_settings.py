"""What a user asks of a packed system: the threshold for a speed-up, or for a share of the base's answers."""

import numpy as np
import pytest
from builders import predictions

from cascadebert.inference.settings import agreement_bound, for_agreement, for_speed_up, setting
from cascadebert.layouts import Problem


def stack_of(confidence, agrees, layers):
    """Exits of some confidences, each answering class 0 as the last exit does, or class 1."""
    margin = np.log(confidence / (1 - confidence))
    logits = np.where(agrees[..., None], [1.0, 0.0], [0.0, 1.0]) * margin[..., None]
    return predictions(logits, layers=layers, full=layers[-1] - sum(layers[:-1])).stack


@pytest.fixture
def dipping():
    """Three exits: 100 of 1,000 instances are answered wrongly by the second with confidence, rightly by the first."""
    confidence, agrees = np.full((3, 1000), 0.55), np.ones((3, 1000), dtype=bool)
    confidence[1, :100], agrees[1, :100] = 0.95, False
    confidence[0, :100], confidence[0, 100:] = 0.7, np.linspace(0.96, 0.99, 900)
    return stack_of(confidence, agrees, [1, 3, 9])


def test_the_first_setting_that_fails_ends_the_search(dipping):
    loose, chosen = setting(dipping, "confidence", 0.6), for_agreement(dipping, "confidence", 0.98)
    assert loose.at_least > 0.98 and setting(dipping, "confidence", 0.9).at_least < 0.98
    assert chosen.at_least >= 0.98 and chosen.threshold > 0.94 and chosen.speed_up < loose.speed_up


def test_a_level_is_kept_on_new_instances_nineteen_times_in_twenty():
    rng, kept, level = np.random.default_rng(0), [], 0.9
    for _ in range(300):
        draws = [rng.uniform(0.5, 1, 4200) for _ in range(2)]
        agrees = np.stack([rng.random(4200) < draws[0] ** 0.5, np.ones(4200, dtype=bool)])
        stack = stack_of(np.stack(draws) * 0.999, agrees, [1, 7])
        chosen_on, new = (
            predictions(stack.logits[:, part], layers=[1, 7]).stack for part in (slice(200), slice(200, None))
        )
        chosen = for_agreement(chosen_on, "confidence", level)
        kept.append(setting(new, "confidence", chosen.threshold).agreement >= level)
    assert np.mean(kept) > 0.92  # 0.95 but for chance


def test_what_cannot_be_shown_says_how_many_instances_would_do(dipping):
    with pytest.raises(Problem, match="with 1000 instances of the selection split, 2995 would be needed"):
        for_agreement(dipping, "confidence", 0.999)
    assert agreement_bound(2995, 2995) > 0.999 > agreement_bound(2994, 2994)


@pytest.mark.parametrize("target", [1.5, 2.0, 4.0])
def test_a_threshold_for_each_member_agrees_no_less_at_the_same_ratio(target):
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.5, 0.99, (3, 500))
    agrees = rng.random((3, 500)) < confidence ** np.array([[1.0], [3.0], [0.0]])  # the second member is the worse one
    stack = stack_of(confidence, agrees, [1, 3, 9])
    one, each = for_speed_up(stack, "confidence", target), for_speed_up(stack, "confidence", target, each=True)
    assert each.agreement > one.agreement
    assert abs(each.speed_up - target) <= max(abs(one.speed_up - target), 0.005 * target)
