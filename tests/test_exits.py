"""Exit rules, thresholds and speed-ups against the released logs, brute force, and cascades that really skip."""

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import assume, given
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


def two_exits(n, first=2, second=14):
    """Logits that do not matter, of a 2-12 cascade."""
    return ExitLogits(np.zeros((2, n, 2)), np.array([first, second]), 12)


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


# --- speed-up


@pytest.mark.parametrize(("early", "printed"), [(377, 4.1212), (349, 3.2126), (321, 2.6323), (284, 2.1250)])
def test_speed_up_of_the_released_mrpc_logs(early, printed):
    assert speed_up(two_exits(408), np.repeat([0, 1], [early, 408 - early])) == pytest.approx(printed, abs=5e-5)


@pytest.mark.parametrize(("early", "ratio"), [(0, 12 / 14), (24, 2), (30, 3), (33, 4), (36, 6)])
def test_speed_up_of_a_2_12_cascade_by_share_that_leaves_early(early, ratio):
    assert speed_up(two_exits(36), np.repeat([0, 1], [early, 36 - early])) == pytest.approx(ratio, abs=1e-12)


def test_speed_up_of_a_2_6_12_cascade_lies_between_6_and_0_6():
    whole = cascade([ExitLogits(np.zeros((1, 5, 2)), np.array([k]), 12) for k in (2, 6, 12)])
    assert whole.layers.tolist() == [2, 8, 20]
    assert speed_up(whole, np.full(5, 2)) == pytest.approx(0.6)
    assert speed_up(whole, np.zeros(5, dtype=int)) == 6


def test_speed_up_is_pooled_over_instances_not_a_mean_of_ratios():
    assert speed_up(two_exits(2), np.array([0, 1])) == pytest.approx(12 * 2 / 16)  # the mean of ratios would be 3.43


def test_speed_up_of_no_instance_is_undefined():
    assert np.isnan(speed_up(two_exits(0), np.array([], dtype=int)))


@pytest.mark.parametrize("layers", [[2, 2], [14, 2]])
def test_layers_must_ascend(layers):
    with pytest.raises(ValueError, match="ascend"):
        ExitLogits(np.zeros((2, 3, 2)), np.array(layers), 12)


@pytest.mark.parametrize("layers", [[2], [2, 4, 6]])
def test_every_exit_has_one_cost(layers):
    with pytest.raises((ValueError, TypeError)):  # the latter of jaxtyping, which looks first
        ExitLogits(np.zeros((2, 3, 2)), np.array(layers), 12)


# --- confidence and entropy


@given(stacks())
def test_confidence_is_the_largest_probability(stack):
    raised = np.exp(stack.logits)
    np.testing.assert_allclose(confidence(stack.logits), (raised / raised.sum(-1, keepdims=True)).max(-1), rtol=1e-12)


@given(stacks())
def test_entropy_is_scipys_in_nats(stack):
    expected = scipy.stats.entropy(np.exp(stack.logits), axis=-1)
    np.testing.assert_allclose(entropy(stack.logits), expected, atol=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_entropy_is_zero_not_nan_where_a_probability_underflows(kind):
    logits = np.array([[[200.0, 0.0], [-1000.0, 1000.0]]], dtype=kind)
    np.testing.assert_allclose(entropy(logits), [[0.0, 0.0]], atol=1e-12)


def test_confidence_of_float32_logits_is_not_rounded_to_one():
    assert confidence(np.array([[[20.0, 0.0]]], dtype=np.float32))[0, 0] < 1


# --- the threshold rule


@given(stacks(), st.floats(0, 1))
def test_first_above_is_algorithm_1(stack, tau):
    sure = confidence(stack.logits)
    expected = []
    for i in range(sure.shape[1]):
        exit_of = 0
        while exit_of < len(sure) - 1 and not sure[exit_of, i] > tau:
            exit_of += 1
        expected.append(exit_of)
    assert first_above(sure, tau).tolist() == expected


@given(stacks(), st.data())
def test_certainty_that_equals_tau_is_passed_on(stack, data):
    sure = confidence(stack.logits)
    i = data.draw(st.integers(0, sure.shape[1] - 1))
    tau = float(sure[0, i])
    assert first_above(sure, tau)[i] > 0
    assert first_above(sure, np.nextafter(tau, 0))[i] == 0


@given(stacks())
def test_lowest_tau_gives_the_first_exit_and_tau_1_the_last(stack):
    sure = confidence(stack.logits)
    assert (first_above(sure, -np.inf) == 0).all()
    assert (first_above(sure, 1.0) == len(sure) - 1).all()


@given(stacks(), st.floats(0, 1), st.floats(0, 1))
def test_raising_tau_never_speeds_up(stack, a, b):
    sure = confidence(stack.logits)
    low, high = (speed_up(stack, first_above(sure, tau)) for tau in sorted([a, b]))
    assert high <= low


@given(stacks(), st.floats(0.01, 1.2))
def test_uncertainty_rule_is_fastberts_normalised_entropy_below_the_speed(stack, speed):
    chaos = scipy.stats.entropy(np.exp(stack.logits), base=stack.logits.shape[-1], axis=-1)
    assume(abs(chaos - speed).min() > 1e-9)
    assert ((chaos >= 0) & (chaos < 1 + 1e-12)).all()
    exits, n = chaos.shape
    expected = [next((e for e in range(exits - 1) if chaos[e, i] < speed), exits - 1) for i in range(n)]
    assert exits_at(stack, "uncertainty", speed).tolist() == expected


@given(stacks(), st.floats(0.01, 1.2))
def test_entropy_rule_is_h_below_s_strictly(stack, s):
    chaos = entropy(stack.logits)
    expected = [
        next((e for e in range(len(chaos) - 1) if chaos[e, i] < s), len(chaos) - 1) for i in range(chaos.shape[1])
    ]
    assert exits_at(stack, "entropy", s).tolist() == expected


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


@given(stacks(), st.integers(1, 6))
def test_patience_t_never_leaves_before_layer_t_plus_1(stack, patience):
    last = len(stack.logits) - 1
    assert (patient(stack.logits, patience) >= min(patience, last)).all()


@given(stacks(), st.floats(0.5, 8))
def test_patience_for_a_target_is_the_nearest(stack, target):
    reached = [speed_up(stack, patient(stack.logits, t)) for t in range(1, len(stack.layers))]
    chosen = speed_up(stack, patient(stack.logits, int(threshold_for(stack, "patience", target))))
    assert abs(chosen - target) == min(abs(ratio - target) for ratio in reached)


# --- thresholds for a target


@given(st.lists(st.floats(0.5, 1), min_size=1, max_size=60, unique=True), st.floats(0.5, 8))
def test_two_exits_let_exactly_the_wanted_number_leave(values, target):
    sure = np.array([values, [0.0] * len(values)])
    tau = tau_for_speed_up(sure, np.array([2, 14]), 12, target)
    wanted = round(len(values) * (14 - 12 / target) / 12)
    assert (first_above(sure, tau) == 0).sum() == np.clip(wanted, 0, len(values))


def test_two_exits_reach_2_3_and_4_where_the_numbers_divide():
    sure = np.array([np.linspace(0.5, 1, 36), np.zeros(36)])
    for target in (2.0, 3.0, 4.0, 6.0):
        tau = tau_for_speed_up(sure, np.array([2, 14]), 12, target)
        assert speed_up(two_exits(36), first_above(sure, tau)) == pytest.approx(target)


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
    possible = [-np.inf, *sure.flatten()]
    nearest = min(abs(speed_up(stack, first_above(sure, tau)) - target) for tau in possible)
    tau = tau_for_speed_up(sure, stack.layers, stack.full_layers, target)
    assert abs(speed_up(stack, first_above(sure, tau)) - target) == pytest.approx(nearest, abs=1e-9)


@given(costly(), st.floats(0.1, 20))
def test_ratio_of_any_cost_gets_the_nearest_of_all_thresholds(drawn, target):
    stack, cost, full = drawn
    sure = confidence(stack.logits)
    reached = [ratio(cost, full, first_above(sure, tau)) for tau in (-np.inf, *sure.flatten())]
    tau = tau_for_ratio(sure, cost, full, target)
    nearest = min(abs(r - target) for r in reached)
    assert abs(ratio(cost, full, first_above(sure, tau)) - target) == pytest.approx(nearest, abs=1e-9)


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
    nearest = min(abs(r - target) for r in reached)
    assert abs(ratio(cost, full, exits_at(stack, rule, chosen)) - target) == pytest.approx(nearest, abs=1e-9)


@given(stacks(elements=FINE, least=3), st.sampled_from(["confidence", "entropy", "uncertainty", "patience"]))
def test_operations_in_proportion_to_layers_choose_as_layers_do(stack, rule):
    n = stack.logits.shape[1]
    cost = np.repeat(7.0 * stack.layers[:, None], n, axis=1), np.full(n, 7.0 * stack.full_layers)
    np.testing.assert_array_equal(
        exits_at(stack, rule, threshold_for(stack, rule, 2.0, cost)),
        exits_at(stack, rule, threshold_for(stack, rule, 2.0)),
    )


def test_operations_are_weighed_by_instance():
    sure = np.array([[0.9, 0.8, 0.7, 0.6], [0.0] * 4])
    cost = np.array([[1.0, 9.0, 1.0, 9.0], [10.0, 90.0, 10.0, 90.0]])  # two short and two long instances
    full = np.array([10.0, 90.0, 10.0, 90.0])
    assert tau_for_ratio(sure, cost, full, target=10.0) == -np.inf
    assert tau_for_ratio(sure, cost, full, target=2.0) == 0.6  # 200 / (1 + 9 + 1 + 90) = 1.98, not 200 / 110
    assert (
        tau_for_speed_up(sure, np.array([1, 10]), 10, target=2.0) == 0.7
    )  # 40 / (1 + 1 + 10 + 10) = 1.82, not 40 / 13


@pytest.mark.parametrize("shape", [(2, 0), (1, 5)])
def test_a_threshold_needs_instances_and_a_choice(shape):
    with pytest.raises(ValueError, match="threshold needs"):
        tau_for_speed_up(np.zeros(shape), np.arange(1, shape[0] + 1), 12, 2.0)


@given(stacks(elements=FINE), st.sampled_from(["entropy", "uncertainty", "confidence"]))
def test_threshold_for_is_applied_as_it_was_chosen(stack, rule):
    sure = certainty(stack, rule)
    tau = tau_for_speed_up(sure, stack.layers, stack.full_layers, 2.0)
    np.testing.assert_array_equal(exits_at(stack, rule, threshold_for(stack, rule, 2.0)), first_above(sure, tau))


@given(stacks())
def test_no_early_exit_means_the_last_exit(stack):
    assert np.isnan(threshold_for(stack, "last", 2.0))
    assert (exits_at(stack, "last", float("nan")) == len(stack.layers) - 1).all()


@given(stacks())
def test_threshold_of_the_patience_rule_is_a_whole_number_of_layers(stack):
    t = threshold_for(stack, "patience", 2.0)
    assert t in range(1, len(stack.layers))
    np.testing.assert_array_equal(exits_at(stack, "patience", t), patient(stack.logits, int(t)))


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
        one = to_batch(sentences, np.array([row]), torch.device("cpu"))
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


@given(stacks())
def test_certainty_of_entropy_ranks_the_sure_first(stack):
    np.testing.assert_array_equal(certainty(stack, "entropy"), -entropy(stack.logits))
    np.testing.assert_array_equal(certainty(stack, "confidence"), confidence(stack.logits))
    np.testing.assert_allclose(
        certainty(stack, "uncertainty"), -entropy(stack.logits) / np.log(stack.logits.shape[-1]), atol=1e-15
    )
