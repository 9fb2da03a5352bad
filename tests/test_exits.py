"""Exit rules, thresholds and speed-ups against the released logs, brute force, and cascades that really skip."""

import numpy as np
import pytest
import scipy.stats
import torch
from builders import CPU
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cascadebert.metrics.exits import (
    ExitLogits,
    answers,
    cascade,
    certainty,
    confidence,
    entropy,
    exits_at,
    first_above,
    patient,
    speed_up,
    tau_for_ratio,
    tau_for_speed_up,
    threshold_for,
)
from cascadebert.models.members import build_member
from cascadebert.training.loop import predict, to_batch

COARSE = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 3.0])  # few values, so that ties happen
FINE = st.floats(-6, 6, width=32)


@st.composite
def stacks(draw, elements=COARSE | FINE, least=2, most=5):
    """Logits of a few exits with ascending costs."""
    shape = (draw(st.integers(least, most)), draw(st.integers(1, 12)), draw(st.integers(2, 3)))
    logits = draw(hnp.arrays(np.float64, shape, elements=elements))
    layers = np.cumsum(draw(st.lists(st.integers(1, 6), min_size=shape[0], max_size=shape[0])))
    return ExitLogits(logits, layers, full_layers=draw(st.sampled_from([6, 12])))


def two_exits(n):
    """Logits that do not matter, of a 2-12 cascade."""
    return ExitLogits(np.zeros((2, n, 2)), np.array([2, 14]), 12)


@st.composite
def costly(draw, elements=COARSE | FINE, least=2):
    """Exits' logits with what they cost each instance, and what the base would: ascending, no two instances alike."""
    stack = draw(stacks(elements, least))
    steps = draw(hnp.arrays(np.float64, stack.logits.shape[:2], elements=st.floats(0.5, 9)))
    full = draw(hnp.arrays(np.float64, stack.logits.shape[1:2], elements=st.floats(5, 40)))
    return stack, np.cumsum(steps, axis=0), full


def ratio(cost, full, exit_of):
    """Full over executed cost, added up instance by instance."""
    return sum(full) / sum(cost[e, i] for i, e in enumerate(exit_of))


def first_exits(leaves):
    """Where each instance leaves, by a table (exits, n) of where it would: at the first such exit, or the last."""
    exits, n = leaves.shape
    return [next((e for e in range(exits - 1) if leaves[e, i]), exits - 1) for i in range(n)]


def assert_nearest(found, reached, target):
    """No ratio that was to be had is nearer to the target."""
    assert abs(found - target) == pytest.approx(min(abs(each - target) for each in reached), abs=1e-9)


# --- speed-up

RELEASED = [(408, 377, 4.1212), (408, 349, 3.2126), (408, 321, 2.6323), (408, 284, 2.1250)]
"""Test rows of MRPC, how many left early, and the speed-up printed in the released logs."""


@pytest.mark.parametrize(
    ("n", "early", "printed"), [*RELEASED, (36, 0, 12 / 14), (36, 24, 2), (36, 30, 3), (36, 33, 4), (36, 36, 6)]
)
def test_speed_up_of_the_released_mrpc_logs_and_by_share_that_leaves_early(n, early, printed):
    found = speed_up(two_exits(n), np.repeat([0, 1], [early, n - early]))
    assert found == pytest.approx(printed, abs=5e-5 if n == 408 else 1e-12)


def test_speed_up_of_a_2_6_12_cascade_lies_between_6_and_0_6():
    whole = cascade([ExitLogits(np.zeros((1, 5, 2)), np.array([k]), 12) for k in (2, 6, 12)])
    assert whole.layers.tolist() == [2, 8, 20]
    assert speed_up(whole, np.full(5, 2)) == pytest.approx(0.6)
    assert speed_up(whole, np.zeros(5, dtype=int)) == 6


def test_speed_up_is_pooled_over_instances_not_a_mean_of_ratios():
    assert speed_up(two_exits(2), np.array([0, 1])) == pytest.approx(12 * 2 / 16)  # the mean of ratios would be 3.43


def test_speed_up_of_no_instance_is_undefined():
    assert np.isnan(speed_up(two_exits(0), np.array([], dtype=int)))


@pytest.mark.parametrize(("layers", "says"), [([2, 2], "ascend"), ([14, 2], "ascend"), ([2], None), ([2, 4, 6], None)])
def test_layers_must_ascend_and_be_one_an_exit(layers, says):
    with pytest.raises((ValueError, TypeError), match=says):  # the latter of jaxtyping, which looks first
        ExitLogits(np.zeros((2, 3, 2)), np.array(layers), 12)


# --- confidence and entropy


@given(stacks())
def test_confidence_is_the_largest_probability_and_entropy_scipys_in_nats(stack):
    raised = np.exp(stack.logits)
    np.testing.assert_allclose(confidence(stack.logits), (raised / raised.sum(-1, keepdims=True)).max(-1), rtol=1e-12)
    np.testing.assert_allclose(entropy(stack.logits), scipy.stats.entropy(raised, axis=-1), atol=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_entropy_is_zero_not_nan_where_a_probability_underflows(kind):
    logits = np.array([[[200.0, 0.0], [-1000.0, 1000.0]]], dtype=kind)
    np.testing.assert_allclose(entropy(logits), [[0.0, 0.0]], atol=1e-12)


def test_confidence_of_float32_logits_is_not_rounded_to_one():
    assert confidence(np.array([[[20.0, 0.0]]], dtype=np.float32))[0, 0] < 1


# --- the threshold rule


@given(stacks(), st.data())
def test_first_above_is_algorithm_1_and_what_equals_tau_is_passed_on(stack, data):
    sure = confidence(stack.logits)
    tau = data.draw(st.floats(0, 1) | st.sampled_from([-np.inf, 1.0, *sure.flatten().tolist()]))
    assert first_above(sure, tau).tolist() == first_exits(sure > tau)


@given(stacks(), st.floats(0.01, 1.2))
def test_rules_are_entropy_below_s_fastberts_normalised_entropy_below_the_speed_and_no_early_exit(stack, s):
    chaos = entropy(stack.logits)
    assert exits_at(stack, "entropy", s).tolist() == first_exits(chaos < s)
    np.testing.assert_array_equal(certainty(stack, "entropy"), -chaos)
    normalised = scipy.stats.entropy(np.exp(stack.logits), base=stack.logits.shape[-1], axis=-1)
    assert ((normalised >= 0) & (normalised < 1 + 1e-12)).all()
    np.testing.assert_allclose(certainty(stack, "uncertainty"), -normalised, atol=1e-12)
    np.testing.assert_array_equal(certainty(stack, "confidence"), confidence(stack.logits))
    if abs(normalised - s).min() > 1e-9:
        assert exits_at(stack, "uncertainty", s).tolist() == first_exits(normalised < s)
    assert np.isnan(threshold_for(stack, "last", 2.0))
    assert (exits_at(stack, "last", float("nan")) == len(stack.layers) - 1).all()


def test_entropy_that_equals_s_is_passed_on():
    stack = ExitLogits(np.zeros((2, 1, 2)), np.array([1, 2]), 2)
    s = float(entropy(stack.logits)[0, 0])
    assert exits_at(stack, "entropy", s).tolist() == [1]
    assert exits_at(stack, "entropy", np.nextafter(s, 1)).tolist() == [0]


@given(stacks())
def test_answers_are_those_of_each_instances_exit(stack):
    exit_of = first_above(certainty(stack, "confidence"), 0.6)
    expected = [int(np.argmax(stack.logits[e, i])) for i, e in enumerate(exit_of)]
    assert answers(stack, exit_of).tolist() == expected


# --- patience


@given(stacks(), st.integers(1, 6))
def test_patient_is_pabees_counter(stack, patience):
    given_by = stack.logits.argmax(-1)
    for i, exit_of in enumerate(patient(stack.logits, patience)):
        counter, expected = 0, len(given_by) - 1
        for layer in range(1, len(given_by)):
            counter = counter + 1 if given_by[layer, i] == given_by[layer - 1, i] else 0
            if counter == patience:
                expected = layer
                break
        assert exit_of == expected


@pytest.mark.parametrize(
    ("given_by", "patience", "exit_of"),
    [("AABBA", 2, 4), ("AABBB", 2, 4), ("ABBBA", 2, 3), ("AAAAA", 2, 2), ("ABABA", 1, 4), ("ABBAA", 1, 2)],
)
def test_a_change_of_answer_starts_the_count_anew(given_by, patience, exit_of):
    logits = np.array([[[1.0, 0.0] if answer == "A" else [0.0, 1.0]] for answer in given_by])
    assert patient(logits, patience).tolist() == [exit_of]


@given(stacks(), st.floats(0.5, 8))
def test_patience_for_a_target_is_the_nearest_and_a_whole_number_of_layers(stack, target):
    reached = [speed_up(stack, patient(stack.logits, t)) for t in range(1, len(stack.layers))]
    chosen = threshold_for(stack, "patience", target)
    assert chosen in range(1, len(stack.layers))
    np.testing.assert_array_equal(exits_at(stack, "patience", chosen), patient(stack.logits, int(chosen)))
    assert_nearest(speed_up(stack, patient(stack.logits, int(chosen))), reached, target)


# --- thresholds for a target


@given(st.lists(st.floats(0.5, 1), min_size=1, max_size=60, unique=True), st.floats(0.5, 8))
def test_two_exits_let_exactly_the_wanted_number_leave(values, target):
    sure = np.array([values, [0.0] * len(values)])
    tau = tau_for_speed_up(sure, np.array([2, 14]), 12, target)
    wanted = round(len(values) * (14 - 12 / target) / 12)
    assert (first_above(sure, tau) == 0).sum() == np.clip(wanted, 0, len(values))


@given(st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.9]), min_size=1, max_size=40), st.floats(0.5, 8))
def test_instances_tied_at_the_threshold_all_stay(values, target):
    sure = np.array([values, [0.0] * len(values)])
    tau = tau_for_speed_up(sure, np.array([2, 14]), 12, target)
    wanted = np.clip(round(len(values) * (14 - 12 / target) / 12), 0, len(values))
    left = (first_above(sure, tau) == 0).sum()
    assert left <= wanted
    assert left + values.count(tau) >= wanted  # none but the tied ones are missing


@given(stacks(least=3), st.floats(0.3, 10))
def test_more_exits_get_the_nearest_of_all_thresholds(stack, target):
    sure = confidence(stack.logits)
    reached = [speed_up(stack, first_above(sure, tau)) for tau in (-np.inf, *sure.flatten())]
    tau = tau_for_speed_up(sure, stack.layers, stack.full_layers, target)
    assert_nearest(speed_up(stack, first_above(sure, tau)), reached, target)


@given(costly(), st.floats(0.1, 20), st.sampled_from(["confidence", "entropy", "uncertainty", "patience"]))
def test_threshold_for_operations_is_the_nearest_in_operations(drawn, target, rule):
    stack, cost, full = drawn
    if rule == "patience":
        possible = map(float, range(1, len(stack.layers)))
    else:
        possible = certainty(stack, rule).flatten()
        possible = [*possible, -np.inf] if rule == "confidence" else [*-possible, np.inf]
    reached = [ratio(cost, full, exits_at(stack, rule, setting)) for setting in possible]
    chosen = threshold_for(stack, rule, target, (cost, full))
    assert_nearest(ratio(cost, full, exits_at(stack, rule, chosen)), reached, target)


@given(stacks(elements=FINE, least=3), st.sampled_from(["confidence", "entropy", "uncertainty", "patience"]))
def test_operations_in_proportion_to_layers_choose_as_layers_do(stack, rule):
    n = stack.logits.shape[1]
    cost = np.repeat(7.0 * stack.layers[:, None], n, axis=1), np.full(n, 7.0 * stack.full_layers)
    by_cost, by_layers = (exits_at(stack, rule, threshold_for(stack, rule, 2.0, of)) for of in (cost, None))
    np.testing.assert_array_equal(by_cost, by_layers)


def test_operations_are_weighed_by_instance():
    sure = np.array([[0.9, 0.8, 0.7, 0.6], [0.0] * 4])
    cost = np.array([[1.0, 9.0, 1.0, 9.0], [10.0, 90.0, 10.0, 90.0]])  # two short and two long instances
    full = np.array([10.0, 90.0, 10.0, 90.0])
    assert tau_for_ratio(sure, cost, full, target=10.0) == -np.inf
    assert tau_for_ratio(sure, cost, full, target=2.0) == 0.6  # 200 / (1 + 9 + 1 + 90) = 1.98, not 200 / 110
    # by layers 40 / (1 + 1 + 10 + 10) = 1.82, not 40 / 13
    assert tau_for_speed_up(sure, np.array([1, 10]), 10, target=2.0) == 0.7


@pytest.mark.parametrize("shape", [(2, 0), (1, 5)])
def test_a_threshold_needs_instances_and_a_choice(shape):
    with pytest.raises(ValueError, match="threshold needs"):
        tau_for_speed_up(np.zeros(shape), np.arange(1, shape[0] + 1), 12, 2.0)


@given(stacks(elements=FINE), st.sampled_from(["entropy", "uncertainty", "confidence"]))
def test_threshold_for_is_applied_as_it_was_chosen(stack, rule):
    sure = certainty(stack, rule)
    tau = tau_for_speed_up(sure, stack.layers, stack.full_layers, 2.0)
    np.testing.assert_array_equal(exits_at(stack, rule, threshold_for(stack, rule, 2.0)), first_above(sure, tau))


# --- cascades


def test_cascade_has_an_exit_a_member_and_the_bases_layers():
    rng = np.random.default_rng(0)
    members = [ExitLogits(rng.normal(size=(1, 4, 2)), np.array([k]), 12) for k in (2, 4, 12)]
    whole = cascade(members)
    assert (whole.layers.tolist(), whole.full_layers) == ([2, 6, 18], 12)
    np.testing.assert_array_equal(whole.logits, [member.logits[0] for member in members])


def test_cascade_that_really_skips_answers_as_the_masked_full_compute(weights, sentences):
    torch.manual_seed(0)
    small, base = (build_member(weights, k, 2, freeze_embeddings=False).eval() for k in (1, 4))
    rows = sentences.rows("train")
    with torch.no_grad():
        for member in (small, base):  # both classes, clearly: an untrained classifier answers the same to everything
            member.classifier.weight.mul_(50)
            member.classifier.bias.sub_(torch.from_numpy(predict(member, sentences, rows)[0].mean(0)))
    whole = cascade([ExitLogits(predict(m, sentences, rows), np.array(m.exit_layers), 4) for m in (small, base)])
    first = np.sort(confidence(whole.logits)[0])
    tau = float(first[29:31].mean())  # between two instances: a batch of one is not bit-equal to a larger one
    masked = first_above(confidence(whole.logits), tau)

    executed, given_by_running = 0, []
    for row in rows:
        one = to_batch(sentences, np.array([row]), CPU)
        for member in (small, base):
            with torch.inference_mode():
                logits = member(one)[-1].softmax(-1)
            executed += member.exit_layers[-1]
            if logits.max() > tau:
                break
        given_by_running.append(int(logits.argmax()))

    assert 0 < masked.sum() < len(rows)
    assert answers(whole, masked).tolist() == given_by_running
    assert speed_up(whole, masked) == pytest.approx(4 * len(rows) / executed)
    assert set(given_by_running) == {0, 1}
