"""Cross-entropy, difficulty-aware regularization, distillation: hand values, brute force, directions of gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.training.objectives.batch_mean import dar_batch_mean
from cascadebert.training.objectives.cross_entropy import cross_entropy
from cascadebert.training.objectives.dar import dar
from cascadebert.training.objectives.kd import kd
from cascadebert.training.objectives.pkd import patience

both_ways = pytest.mark.parametrize("pairs", ["sampled", "all"])


def generator(seed=0):
    """A generator for drawing pairs."""
    return torch.Generator().manual_seed(seed)


def assert_nothing_is_lost(loss, logits):
    """A loss of 0 that goes backward and leaves no gradient."""
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def drawn(seed, b=9, classes=2):
    """Logits that want a gradient, and difficulties of both kinds."""
    torch.manual_seed(seed)
    hard = torch.tensor([True, False] + [i % 3 == 0 for i in range(b - 2)])
    return (2 * torch.randn(1, b, classes)).requires_grad_(), hard


def confidences(logits):
    """c(x) of the last exit."""
    return torch.exp(logits[-1]).amax(-1) / torch.exp(logits[-1]).sum(-1)


def test_cross_entropy_is_the_last_exits():
    logits = torch.tensor([[[9.0, 0.0], [0.0, 9.0]], [[0.0, 1.0], [2.0, 0.0]]])
    expected = np.mean([np.log(1 + np.e), np.log(1 + np.exp(-2))])
    assert cross_entropy(logits, {"labels": torch.tensor([0, 0])}).item() == pytest.approx(expected, rel=1e-6)


@both_ways
def test_a_step_down_raises_easy_and_lowers_difficult_confidence(pairs):
    logits = torch.tensor([[[0.5, 0.0], [0.0, 0.8]]], requires_grad=True)
    hard = torch.tensor([False, True])
    dar(logits, hard, 0.5, generator(), pairs).backward()
    before, after = confidences(logits), confidences(logits - 0.1 * logits.grad)
    assert after[0] > before[0]
    assert after[1] < before[1]


@both_ways
@pytest.mark.parametrize("hard", [[False, True], [True, True], [False, False]])
def test_nothing_is_lost_where_the_margin_is_met_or_all_are_of_one_kind(pairs, hard):
    logits = torch.tensor([[[4.0, 0.0], [0.1, 0.0]]], requires_grad=True)
    assert_nothing_is_lost(dar(logits, torch.tensor(hard), 0.3, generator(), pairs), logits)


@given(st.integers(0, 1000), st.floats(0.05, 0.7), st.integers(2, 3))
def test_all_is_the_mean_over_every_pair_of_easy_and_difficult(seed, margin, classes):
    logits, hard = drawn(seed, classes=classes)
    c = confidences(logits).tolist()
    pairs = [(e, h) for e in range(len(c)) for h in range(len(c)) if hard[h] and not hard[e]]
    expected = np.mean([max(0, margin - (c[e] - c[h])) for e, h in pairs])
    assert dar(logits, hard, margin, generator(), "all").item() == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 1000), st.integers(0, 5))
def test_sampled_draws_one_difficult_partner_for_each_easy_instance(seed, pair_seed):
    logits, hard = drawn(seed)
    easy_c, hard_c = (confidences(logits)[which].tolist() for which in (~hard, hard))
    partners = torch.randint(len(hard_c), (len(easy_c),), generator=generator(pair_seed)).tolist()
    expected = np.mean([max(0, 0.4 - (c - hard_c[h])) for c, h in zip(easy_c, partners, strict=True)])
    assert dar(logits, hard, 0.4, generator(pair_seed)).item() == pytest.approx(expected, abs=1e-6)


def test_pairs_are_reproduced_by_the_generator_which_goes_on_and_by_nothing_else():
    logits, hard = drawn(3, b=30)
    torch.manual_seed(1)
    same = generator(1)
    first = dar(logits, hard, 0.5, same)
    assert dar(logits, hard, 0.5, same) != first
    torch.manual_seed(2)
    assert dar(logits, hard, 0.5, generator(1)) == first
    assert dar(logits, hard, 0.5, generator(2)) != first


@given(st.integers(0, 1000))
def test_equation_5_as_printed_would_pull_the_other_way(seed):
    logits, hard = drawn(seed)
    dar(logits, hard, 1.0, generator(), "all").backward()
    literal = logits.detach().clone().requires_grad_()
    c = confidences(literal)
    gaps = c[hard][:, None] - c[~hard][None, :]  # g = +1 where d_i > d_j
    (1.0 - gaps).clamp(min=0).mean().backward()
    torch.testing.assert_close(logits.grad, -literal.grad, atol=1e-6, rtol=1e-4)
    assert logits.grad.abs().max() > 1e-4


@given(st.integers(0, 1000))
def test_margins_of_a_half_and_more_differ_by_a_constant_for_two_classes(seed):
    logits, hard = drawn(seed)
    losses = [dar(logits, hard, margin, generator(), "all") for margin in (0.5, 0.7)]
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in losses]
    torch.testing.assert_close(*gradients, atol=1e-7, rtol=0)
    assert (losses[1] - losses[0]).item() == pytest.approx(0.2, abs=1e-6)


def test_smaller_margins_do_saturate_for_two_classes():
    logits, hard = drawn(0)
    gradients = [torch.autograd.grad(dar(logits, hard, m, generator(), "all"), logits)[0] for m in (0.1, 0.5)]
    assert not torch.allclose(*gradients)


RIGHT = torch.tensor([0, 0, 1, 0])
"""Labels of the logits below: the first and the third are answered right."""


@pytest.fixture
def mixed():
    """Logits of four instances whose confidences are 0.7, 0.8, 0.6, 0.9; a first exit that must not count."""
    probabilities = torch.tensor([[0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]])
    return torch.stack([-probabilities, probabilities.log()]).requires_grad_()


def test_batch_mean_hinges_the_difference_of_two_means(mixed):
    loss = dar_batch_mean(mixed, RIGHT, 0.3)
    assert loss.item() == pytest.approx(0.3 - ((0.7 + 0.6) / 2 - (0.8 + 0.9) / 2), rel=1e-6)


def test_batch_mean_steps_to_more_confident_right_and_less_confident_wrong_answers(mixed):
    dar_batch_mean(mixed, RIGHT, 0.3).backward()
    change = confidences(mixed - 0.1 * mixed.grad) - confidences(mixed)
    assert (change > 0).tolist() == [True, False, True, False]
    assert change.abs().min() > 1e-4
    assert not mixed.grad[0].any()


def test_batch_mean_loses_nothing_where_the_margin_is_met(mixed):
    # now the confident ones are right: they lead by 0.2
    assert_nothing_is_lost(dar_batch_mean(mixed, 1 - RIGHT, 0.1), mixed)
    assert dar_batch_mean(mixed, 1 - RIGHT, 0.25).item() == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("right", [True, False])
def test_batch_mean_of_one_kind_loses_nothing_and_still_goes_backward(mixed, right):
    answers = mixed[-1].argmax(dim=-1)
    assert_nothing_is_lost(dar_batch_mean(mixed, answers if right else 1 - answers, 0.5), mixed)


def taught(seed, b=5, classes=3):
    """Logits of a student that want a gradient, and a batch with labels and a teacher's logits that want one too."""
    torch.manual_seed(seed)
    logits = (2 * torch.randn(2, b, classes)).requires_grad_()
    teacher = (2 * torch.randn(b, classes)).requires_grad_()
    return logits, {"labels": torch.randint(classes, (b,)), "teacher_logits": teacher}


@pytest.mark.parametrize(("reduction", "divisor"), [("batchmean", 1), ("mean", 2)])
def test_hand_value_of_distillation(reduction, divisor):
    student, teacher = np.array([[0.5, 0.5], [0.8, 0.2]]), np.array([[0.9, 0.1], [0.25, 0.75]])
    batch = {"labels": torch.tensor([0, 1]), "teacher_logits": torch.log(torch.tensor(teacher))}
    labels = -(np.log(0.5) + np.log(0.2)) / 2
    answers = (teacher * np.log(teacher / student)).sum() / 2  # the batch holds two
    found = kd(torch.log(torch.tensor(student))[None], batch, 0.3, 1.0, reduction)
    assert found.item() == pytest.approx(0.7 * labels + 0.3 * answers / divisor, rel=1e-9)


@given(st.integers(0, 1000), st.floats(0.5, 20.0), st.floats(0.0, 1.0), st.sampled_from(["batchmean", "mean"]))
def test_distillation_softens_both_and_scales_by_the_squared_temperature(seed, temperature, alpha, reduction):
    logits, batch = taught(seed)
    student, teacher = (x.detach().double().numpy() / temperature for x in (logits[-1], batch["teacher_logits"]))
    p, q = (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) for z in (teacher, student))
    answers = (p * np.log(p / q)).sum() / (5 if reduction == "batchmean" else 15)
    expected = (1 - alpha) * cross_entropy(logits, batch).item() + alpha * temperature**2 * answers
    found = kd(logits, batch, alpha, temperature, reduction).item()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5 * (1 + temperature**2))


def test_distillation_alone_at_temperature_1_pulls_as_soft_cross_entropy_and_sees_no_label():
    logits, batch = taught(2)
    soft = -(batch["teacher_logits"].softmax(-1).detach() * logits[-1].log_softmax(-1)).sum(-1).mean()
    (expected,) = torch.autograd.grad(soft, logits)
    for labels in (batch["labels"], 2 - batch["labels"]):
        (found,) = torch.autograd.grad(kd(logits, batch | {"labels": labels}, 1.0, 1.0), logits)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    assert expected.abs().max() > 0.01


def drawn_states(seed=0):
    """States (2, 3, 4) of a student, which want a gradient, and of a teacher."""
    torch.manual_seed(seed)
    return torch.randn(2, 3, 4).requires_grad_(), 3 * torch.randn(2, 3, 4)


def test_patience_is_the_mean_over_batch_layers_and_hidden_units():
    student, teacher = torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]]), torch.tensor([[[0.0, 0.0]], [[3.0, 4.0]]])
    assert patience(student, teacher, normalize=False).item() == pytest.approx((1 + 4 + 9 + 16) / 4)
    student, teacher = drawn_states()
    expected = (student - teacher).square().sum().item() / (2 * 3 * 4)
    assert patience(student, teacher, normalize=False).item() == pytest.approx(expected, rel=1e-5)


def test_normalized_patience_compares_directions_state_by_state():
    student, teacher = torch.tensor([[[2.0, 0.0], [0.0, 5.0]]]), torch.tensor([[[0.0, 7.0], [0.0, 1.0]]])
    assert patience(student, teacher, normalize=True).item() == pytest.approx((1 + 1 + 0 + 0) / 4)
    student, teacher = drawn_states()
    expected = (2 - 2 * torch.cosine_similarity(student, teacher, dim=-1)).sum().item() / (2 * 3 * 4)
    assert patience(student, teacher, normalize=True).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("normalize", [True, False])
def test_patience_is_least_where_the_states_are_the_teachers(normalize):
    student, teacher = drawn_states()
    loss = patience(student, teacher, normalize)
    loss.backward()
    assert patience(student - 0.1 * student.grad, teacher, normalize) < loss
    assert patience(teacher.clone(), teacher, normalize).item() == 0


def test_patience_of_a_student_of_one_layer_is_zero_and_still_goes_backward():
    states = torch.zeros(2, 0, 4, requires_grad=True)
    loss = patience(states, torch.zeros(2, 0, 4), normalize=True)
    loss.backward()
    assert loss.item() == 0
