"""FastBERT: classifiers that read all tokens; a teacher that stays as it is to the bit, students that learn from it."""

import numpy as np
import pytest
import torch
from builders import changed, copied, roberta_without_pooler, train, without_key_biases
from torch.utils.flop_counter import FlopCounterMode

from cascadebert.metrics.costs import Shape, attention_classifier_flops, layer_flops
from cascadebert.models.encoders import load_encoder, token_states
from cascadebert.models.fastbert import (
    AttentionClassifier,
    build_fastbert,
    build_fastbert_teacher,
    self_distillation_loss,
)
from cascadebert.models.members import load_trained, save_trained, trained
from cascadebert.training.loop import predict


@pytest.fixture
def stage1(weights, sentences, settings, tmp_path):
    """A teacher fine-tuned for a moment, and the file of its tensors."""
    torch.manual_seed(0)
    teacher = build_fastbert_teacher(weights, 4, 2, freeze_embeddings=True)
    train(teacher, sentences, settings())
    save_trained(teacher, tmp_path / "teacher.safetensors")
    return teacher, tmp_path / "teacher.safetensors"


@pytest.fixture
def model(stage1, weights):
    """That teacher with students that are still to learn."""
    return build_fastbert(weights, stage1[1], 4, 2, freeze_embeddings=True)


def as_published(classifier, states, mask):
    """Logits in evaluation mode, attention written out and computed for every token, as in the released code."""
    narrow = torch.tanh(classifier.narrow(states))
    query, key, value = (
        torch.stack(project(narrow).chunk(classifier.heads, dim=-1), dim=1)
        for project in (classifier.query, classifier.key, classifier.value)
    )
    scores = query @ key.mT / query.shape[-1] ** 0.5
    attention = (scores - 10000.0 * ~mask[:, None, None, :]).softmax(dim=-1)
    attended = classifier.out(torch.cat((attention @ value).unbind(dim=1), dim=-1))
    return classifier.classifier(torch.tanh(classifier.dense(attended[:, 0])))


@pytest.fixture
def states(weights, batch):
    """States of all tokens after a layer."""
    return token_states(load_encoder(weights, 1).eval(), batch)[0].detach()


@pytest.mark.parametrize(("size", "heads"), [(128, 2), (12, 3)])
def test_answers_are_those_of_attention_for_every_token(states, batch, size, heads):
    torch.manual_seed(0)
    classifier = AttentionClassifier(16, 3, size, heads).eval()
    expected = as_published(classifier, states, batch["attention_mask"])
    assert expected.std(dim=0).max() > 1e-3
    torch.testing.assert_close(classifier(states, batch["attention_mask"]), expected, atol=1e-6, rtol=1e-5)


def test_classifier_has_the_published_layers():
    shapes = {name: list(tensor.shape) for name, tensor in AttentionClassifier(768, 3).named_parameters()}
    square = ("query", "key", "value", "out", "dense")
    weights = {"narrow": [128, 768], **dict.fromkeys(square, [128, 128]), "classifier": [3, 128]}
    assert shapes == {f"{name}.weight": shape for name, shape in weights.items()} | {
        f"{name}.bias": shape[:1] for name, shape in weights.items()
    }
    assert AttentionClassifier(768, 3).heads == 2


def test_every_token_reaches_the_answer_and_no_padding_does(states, batch):
    classifier, mask = AttentionClassifier(16, 3).eval(), batch["attention_mask"]
    states.requires_grad_()
    classifier(states, mask).square().sum().backward()
    assert torch.equal(states.grad.abs().sum(dim=-1) > 0, mask)
    noise = torch.where(mask[..., None], states, 1e3)
    assert torch.equal(classifier(noise, mask), classifier(states, mask))


def test_padding_does_not_reach_an_exit(model, batch):
    model.eval()
    mask = batch["attention_mask"]
    others = batch | {"input_ids": torch.where(mask, batch["input_ids"], 7)}
    torch.testing.assert_close(model(others), model(batch), atol=1e-6, rtol=1e-6)
    longest = int(mask[0].sum())
    alone = {name: tensor[:1, :longest] if tensor.dim() > 1 else tensor[:1] for name, tensor in batch.items()}
    torch.testing.assert_close(model(alone), model(batch)[:, :1], atol=1e-5, rtol=1e-5)


def test_dropout_is_on_the_attention_alone(states, batch):
    classifier = AttentionClassifier(16, 3)
    mask = batch["attention_mask"]
    assert not torch.equal(classifier.train()(states, mask), classifier(states, mask))
    assert torch.equal(classifier.eval()(states, mask), classifier(states, mask))
    with torch.no_grad():
        classifier.value.weight.zero_()  # nothing is attended to, so that dropout has nothing to drop
        classifier.value.bias.zero_()
    assert torch.equal(classifier.train()(states, mask), classifier.eval()(states, mask))


@pytest.mark.parametrize("freeze", [True, False])
def test_first_stage_trains_all_but_what_is_frozen_and_has_no_pooler(weights, sentences, settings, freeze):
    torch.manual_seed(0)
    teacher = build_fastbert_teacher(weights, 4, 2, freeze)
    assert not any("pooler" in name for name in teacher.state_dict())
    before = copied(teacher)
    train(teacher, sentences, settings())
    frozen = {name for name in before if freeze and name.startswith("encoder.embeddings.")}
    assert without_key_biases(set(before) - changed(teacher, before)) == frozen
    assert set(trained(teacher)) == set(before) - frozen
    assert bool(frozen) == freeze


def test_teacher_reads_the_last_layer(weights, batch):
    teacher = build_fastbert_teacher(weights, 4, 3, freeze_embeddings=False).eval()
    last = token_states(teacher.encoder, batch)[-1]
    expected = as_published(teacher.classifier, last, batch["attention_mask"])
    assert teacher.exit_layers == [4]
    torch.testing.assert_close(teacher(batch), expected[None], atol=1e-6, rtol=1e-5)


def test_second_stage_changes_students_and_not_a_bit_of_the_teacher(stage1, model, sentences, settings):
    before = copied(model)
    short = settings(keep="best", weight_decay=0.1, epochs=2)
    history = train(model, sentences, short, self_distillation_loss)
    students = {name for name in before if name.startswith("students.")}
    assert students == set(trained(model))
    assert without_key_biases(changed(model, before) ^ students) == set()
    teacher = stage1[0].state_dict()
    assert {f"teacher.{name}" for name in teacher} == set(before) - students
    assert all(torch.equal(tensor, before[f"teacher.{name}"]) for name, tensor in teacher.items())
    assert history[1]["loss"] < history[0]["loss"]


def test_saved_students_and_teacher_make_the_same_model(stage1, model, weights, batch, tmp_path):
    save_trained(model.eval(), tmp_path / "model.safetensors")
    other = build_fastbert(weights, stage1[1], 4, 2, freeze_embeddings=True).eval()
    assert not torch.equal(other(batch), model(batch))
    load_trained(other, tmp_path / "model.safetensors")
    assert torch.equal(other(batch), model(batch))


def test_each_student_is_its_own_and_reads_its_own_layer(model, batch):
    assert model.eval().exit_layers == [1, 2, 3, 4]
    assert len(model.students) == 3
    everyone = [*model.students, model.teacher.classifier]
    assert len({tensor.data_ptr() for classifier in everyone for tensor in classifier.parameters()}) == 4 * 14
    logits, states = model(batch), token_states(model.teacher.encoder, batch)
    assert logits.shape == (4, 4, 2)
    for classifier, layer, answer in zip(everyone, states, logits, strict=True):
        expected = as_published(classifier, layer, batch["attention_mask"])
        torch.testing.assert_close(answer, expected, atol=1e-6, rtol=1e-5)


def test_teacher_stays_in_evaluation_mode_and_students_do_not(stage1, weights, batch):
    stage1[0].train()
    model = build_fastbert(weights, stage1[1], 4, 2, freeze_embeddings=True)
    for _ in range(2):
        assert not any(module.training for module in model.teacher.modules())
        assert all(module.training for module in model.students.modules())
        first, second = model(batch), model(batch)
        assert torch.equal(first[-1], second[-1])
        assert all(not torch.equal(*answers) for answers in zip(first[:-1], second[:-1], strict=True))
        model.eval().train()
    assert model.training
    assert not any(module.training for module in model.eval().modules())
    assert torch.equal(model(batch), model(batch))


def test_a_students_gradient_is_its_own_divergence(model, batch):
    self_distillation_loss(model.eval()(batch), batch).backward()
    with_gradient = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    students = {name for name, _ in model.named_parameters() if name.startswith("students.")}
    assert without_key_biases(with_gradient ^ students) == set()
    assert all(tensor.grad is None for tensor in model.teacher.parameters())
    together = [p.grad.clone() for p in model.students[1].parameters()]
    model.zero_grad()
    self_distillation_loss(model(batch)[[1, 3]], batch).backward()
    torch.testing.assert_close([p.grad for p in model.students[1].parameters()], together)
    assert all(p.grad is None or not p.grad.any() for i in (0, 2) for p in model.students[i].parameters())


def test_loss_is_the_divergence_from_the_teacher_summed_over_students():
    teacher = np.array([[0.9, 0.1], [0.5, 0.5]])
    students = np.array([[[0.6, 0.4], [0.5, 0.5]], [[0.2, 0.8], [0.3, 0.7]]])
    logits = torch.tensor(np.log(np.concatenate([students, teacher[None]])) + 5.0)  # a shift is no change
    first = 0.9 * np.log(0.9 / 0.6) + 0.1 * np.log(0.1 / 0.4)
    second = 0.9 * np.log(0.9 / 0.2) + 0.1 * np.log(0.1 / 0.8) + 0.5 * np.log(0.5 / 0.3) + 0.5 * np.log(0.5 / 0.7)
    found = self_distillation_loss(logits, {}).item()
    assert found == pytest.approx((first + second) / 2, rel=1e-9)
    reverse = (students * np.log(students / teacher)).sum() / 2
    assert abs(found - reverse) > 0.1


def test_loss_gives_the_teacher_no_gradient():
    torch.manual_seed(0)
    logits = torch.randn(4, 3, 2, requires_grad=True)
    self_distillation_loss(logits, {}).backward()
    assert not logits.grad[-1].any()
    expected = (logits[:-1].softmax(-1) - logits[-1].softmax(-1)).detach() / 3
    torch.testing.assert_close(logits.grad[:-1], expected)


def test_loss_is_finite_where_a_probability_underflows():
    logits = torch.tensor([[[200.0, 0.0]], [[0.0, 200.0]], [[200.0, 0.0]]])
    assert self_distillation_loss(logits, {}).item() == pytest.approx(200.0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_roberta_in_both_stages(sentences, settings, tmp_path, precision):
    roberta = roberta_without_pooler(tmp_path)
    teacher = build_fastbert_teacher(roberta, 4, 2, freeze_embeddings=True)
    assert not any("pooler" in name for name in teacher.state_dict())
    rows, short = sentences.rows("train"), settings(precision=precision)
    train(teacher, sentences, short)
    save_trained(teacher, tmp_path / "teacher.safetensors")
    model = build_fastbert(roberta, tmp_path / "teacher.safetensors", 4, 2, freeze_embeddings=True)
    history = train(model, sentences, short, self_distillation_loss)
    assert np.isfinite(history[0]["loss"])
    own, last = predict(teacher, sentences, rows, precision)[0], predict(model, sentences, rows, precision)[-1]
    np.testing.assert_allclose(last, own, atol=1e-6 if precision == "fp32" else 0.02)


def test_published_operations_of_a_classifier():
    tokens = np.array([128])
    attention_products, on_cls = 4 * 128 * 128 * 128, 2 * 128 * (128 + 2)
    flops = attention_classifier_flops(Shape(768, 3072), 128, 2, tokens).item()
    projection, attention = 25.1e6, 16.8e6  # FastBERT, Table 1
    assert flops - attention_products - on_cls == pytest.approx(projection + attention, abs=0.1e6)


@pytest.mark.parametrize(("hidden", "size", "n_classes", "length"), [(768, 128, 2, 128), (48, 16, 3, 7)])
def test_operations_are_those_that_are_counted_in_the_published_computation(hidden, size, n_classes, length):
    classifier = AttentionClassifier(hidden, n_classes, size).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        as_published(classifier, torch.zeros(1, length, hidden), torch.ones(1, length, dtype=torch.bool))
    found = classifier.flops(Shape(hidden, 4 * hidden), np.array([length, 2 * length]))
    assert found[0] == counter.get_total_flops()
    assert found[1] > 2 * found[0] - 4 * size * size - 4 * size * n_classes


def test_operations_at_each_exit(stage1, model):
    tokens = np.array([5, 9])
    layer, classifier = layer_flops(model.shape, tokens), attention_classifier_flops(model.shape, 128, 2, tokens)
    np.testing.assert_allclose(model.exit_flops(tokens), [i * (layer + classifier) for i in (1, 2, 3, 4)])
    np.testing.assert_allclose(stage1[0].exit_flops(tokens), [4 * layer + classifier])
