"""The training loop: seeds, what is kept, the schedule, clipping, decay, precision; and the prediction loop."""

import random

import numpy as np
import pytest
import torch
from builders import CPU, changed, copied, rows_of, train
from torch import nn

from cascadebert.layouts import Problem
from cascadebert.models.deebert import DeeBert
from cascadebert.models.fastbert import FastBert, build_fastbert_teacher
from cascadebert.models.members import build_member, trained
from cascadebert.models.pabee import build_pabee
from cascadebert.training.finite import Watch
from cascadebert.training.loop import fit, mean_score, on_logits, predict, start, to_batch
from cascadebert.training.objectives.cross_entropy import cross_entropy
from cascadebert.training.streams import stream


class Scalar(nn.Module):
    """One trained number p and a frozen one: every row gets logits (0, p)."""

    exit_layers = (1,)

    def __init__(self, p=0.0):
        """Start from p."""
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p))
        self.frozen = nn.Parameter(torch.tensor(1.0), requires_grad=False)

    def forward(self, batch):
        """Logits of the one exit."""
        return torch.stack([torch.zeros(()), self.p]).expand(1, len(batch["input_ids"]), 2)


def task(labels, split="train"):
    """Rows of one token each."""
    return rows_of([1] * len(labels), labels, split)


def downhill(logits, batch):
    """A loss whose gradient in p is 1."""
    return logits[-1, 0, 1]


def trajectory(settings, p=0.0, scale=1.0, rows=20):
    """P before each step, and after the last."""
    model, seen = Scalar(p), []

    def objective(logits, batch):
        seen.append(logits[-1, 0, 1].item())
        return scale * logits[-1, 0, 1]

    train(model, task([0] * rows), settings, objective, seed=0)
    return np.array([*seen, model.p.item()])


# --- numbers that are none


@pytest.mark.parametrize("place", ["loss", "gradient"])
@pytest.mark.parametrize("workers", [0, 1])
def test_training_stops_at_the_step_whose_loss_or_gradient_is_not_finite(settings, place, workers):
    model, steps = Scalar(), []

    def objective(logits, batch):
        steps.append(model.p.item())
        p, bad = logits[-1, 0, 1], len(steps) == 3
        return p * float("nan") if bad and place == "loss" else (p - p.detach()).abs().sqrt() if bad else p

    with pytest.raises(Problem, match=r"at step 3 of 6 \(peak learning rate 0.01, precision fp32\): lower the lr"):
        train(model, task([0] * 32), settings(lr=0.01, epochs=3), objective, workers=workers)
    assert len(steps) == 3
    assert model.p.item() == steps[-1], "that step was not made"


def test_answers_that_are_not_finite_are_given_to_nobody(settings):
    data = task([0, 1, 0], "selection")
    with pytest.raises(Problem, match="3 of the 6 numbers that a model answers to 3 rows are not finite"):
        predict(Scalar(float("inf")), data, np.arange(3))


def test_a_gpu_is_asked_now_and_then_and_tells_the_first_step(settings):
    watch = Watch(settings(precision="fp16"), 100, CPU)
    watch.every = 50
    for step in range(1, 50):
        watch.see(step, torch.tensor(float("inf") if step in (7, 9) else 0.0))
    with pytest.raises(Problem, match="step 7 of 100 .*take precision bf16 or fp32"):
        watch.look()


# --- seeds


def training(weights, data, settings, seed):
    """Start, build, train: weights and history."""
    start(seed, threads=1)
    member = build_member(weights, 2, 2, freeze_embeddings=False)
    history = train(member, data, settings, seed=seed)
    return copied(member), history


def test_same_seed_gives_the_same_bits_and_another_seed_does_not(weights, sentences, settings):
    short = settings(keep="best")
    models, histories = zip(*(training(weights, sentences, short, seed) for seed in (1, 1, 2)), strict=True)
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    assert histories[0] == histories[1] != histories[2]
    assert not torch.equal(models[0]["classifier.weight"], models[2]["classifier.weight"])


def test_start_seeds_every_generator_and_takes_the_threads_it_is_given():
    def draws(seed, threads):
        start(seed, threads)
        assert torch.get_num_threads() == threads
        return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002 - it is seeded too

    assert draws(3, threads=2) == draws(3, threads=1)
    assert all(a != b for a, b in zip(draws(3, threads=1), draws(4, threads=1), strict=True))


def test_streams_of_two_purposes_do_not_move_each_other():
    order, pairs = stream(1, "order"), stream(1, "pairs")
    pairs.random(5)
    assert order.random() == stream(1, "order").random()
    assert len({stream(seed, purpose).random() for seed in (1, 2) for purpose in ("order", "pairs")}) == 4


def test_order_of_rows_follows_the_seed_alone(settings):
    def order(seed, disturbance):
        seen = []

        def objective(logits, batch):
            seen.extend(batch["row"].tolist())
            return logits.sum()

        torch.manual_seed(disturbance)
        short = settings(batch_size=4, epochs=2)
        train(Scalar(), task([0] * 40), short, objective, seed, extras={"row": np.arange(40)})
        return seen

    assert order(1, 0) == order(1, 1)
    assert order(1, 0) != order(2, 0)
    assert order(1, 0)[:40] != order(1, 0)[40:]
    assert sorted(order(1, 0)[40:]) == list(range(40))


# --- what is kept


def test_best_epoch_on_the_selection_split_is_restored(settings):
    # p falls from 0.18 by 0.1, 0.075, 0.05 and 0.025: "yes" is answered after the first two epochs
    data = task([1] * 4 + [1, 1, 1, 0] + [0] * 4, split=["train"] * 4 + ["selection"] * 4 + ["report"] * 4)
    model = Scalar(0.18)
    history = train(model, data, settings(epochs=4, lr=0.1, keep="best"), downhill, seed=0)
    assert [entry["selection"] for entry in history] == [0.75, 0.75, 0.25, 0.25]
    assert model.p.item() == pytest.approx(0.08, abs=1e-6)  # the earlier of two equal epochs
    assert mean_score(model, data, data.rows("selection"), "accuracy", "fp32") == 0.75


def test_best_epoch_of_a_member_has_the_best_score(weights, sentences, settings):
    start(1, threads=1)
    member = build_member(weights, 1, 2, freeze_embeddings=True)
    history = train(member, sentences, settings(epochs=6, lr=0.02, keep="best"))
    scores = [entry["selection"] for entry in history]
    assert len(set(scores)) > 1
    assert mean_score(member, sentences, sentences.rows("selection"), "accuracy", "fp32") == max(scores)


@pytest.mark.parametrize(("metric", "scores", "kept"), [("accuracy", [0.75, 0.25], -0.02), ("f1", [0.0, 0.4], 0.03)])
def test_best_is_by_the_tasks_metric(settings, metric, scores, kept):
    # p rises from -0.12 by 0.1 and 0.05: "yes" to all costs accuracy and gives F1
    data = task([1] * 4 + [1, 0, 0, 0], split=["train"] * 4 + ["selection"] * 4)
    model, short = Scalar(-0.12), settings(epochs=2, lr=0.1, keep="best")
    history = train(model, data, short, lambda *given: -downhill(*given), seed=0, metric=metric)
    assert [entry["selection"] for entry in history] == pytest.approx(scores)
    assert model.p.item() == pytest.approx(kept, abs=1e-6)


def test_last_epoch_is_kept_without_a_look_at_the_selection_split(settings):
    data = task([1] * 4 + [1, 1, 1, 0], split=["train"] * 4 + ["selection"] * 4)
    model = Scalar(0.18)
    history = train(model, data, settings(epochs=4, lr=0.1), downhill, seed=0)
    assert [set(entry) for entry in history] == [{"loss"}] * 4
    assert model.p.item() == pytest.approx(0.18 - 0.25, abs=1e-6)
    assert not model.training, "a model is left in evaluation mode"


# --- optimisation


@pytest.mark.parametrize("warmup", [0.0, 0.3])
def test_learning_rate_rises_in_the_warmup_and_falls_linearly_to_zero(settings, warmup):
    # With a constant gradient a step of Adam is the learning rate.
    steps = -np.diff(trajectory(settings(epochs=2, batch_size=4, lr=0.01, warmup=warmup)))
    rising = round(10 * warmup)
    expected = [t / rising if t < rising else (10 - t) / (10 - rising) for t in range(10)]
    np.testing.assert_allclose(steps, 0.01 * np.array(expected), atol=1e-6)


def test_gradient_is_clipped_to_the_norm(settings):
    # Adam's step is lr g / (g + 1e-8): a gradient clipped to 1e-10 hardly moves p.
    free = trajectory(settings(lr=0.01, clip_norm=1.0, batch_size=20), scale=100.0)
    bound = trajectory(settings(lr=0.01, clip_norm=1e-10, batch_size=20), scale=100.0)
    assert -np.diff(free) == pytest.approx([0.01], rel=1e-4)
    assert -np.diff(bound) == pytest.approx([0.01 * 1e-10 / (1e-10 + 1e-8)], rel=1e-2)


def test_clipping_looks_at_trained_tensors_alone(settings):
    model = Scalar()
    model.frozen.grad = torch.tensor(1e12)  # a norm over all tensors would clip p's gradient to nothing
    train(model, task([0] * 4), settings(lr=0.01), downhill, seed=0)
    assert model.p.item() == pytest.approx(-0.01, rel=1e-4)


def test_weight_decay_spares_biases_and_layer_norms(weights, sentences, settings):
    member = build_member(weights, 1, 2, freeze_embeddings=True)
    with torch.no_grad():
        for tensor in trained(member).values():
            tensor.add_(0.5)
    before = copied(member)
    one_step = settings(lr=0.01, weight_decay=0.5, batch_size=100)
    train(member, sentences, one_step, lambda logits, batch: 0 * logits.sum(), seed=0)
    for name, tensor in trained(member).items():
        spared = name.endswith("bias") or "LayerNorm" in name
        torch.testing.assert_close(tensor, before[name] * (1 if spared else 1 - 0.01 * 0.5), rtol=1e-6, atol=0)


def test_logged_loss_is_the_mean_over_rows_whatever_the_batches(settings):
    def objective(logits, batch):
        return batch["value"].mean() + 0 * logits.sum()

    values = np.arange(10, dtype=np.float32) ** 2
    history = train(Scalar(), task([0] * 10), settings(batch_size=4), objective, 0, extras={"value": values})
    assert history[0]["loss"] == pytest.approx(values.mean())


def test_extras_follow_their_rows(sentences, settings, weights):
    rows, seen = sentences.rows("train")[::2], []

    def objective(logits, batch):
        seen.extend(batch["row"].tolist())
        np.testing.assert_array_equal(batch["labels"].numpy(), sentences.label[batch["row"].numpy()])
        first = sentences.tokens[sentences.starts[batch["row"].numpy()] + 1]
        np.testing.assert_array_equal(batch["input_ids"][:, 1].numpy(), first)
        return logits.sum()

    extras = {"row": np.arange(len(sentences.label))}
    fit(Scalar(), sentences, rows, on_logits(objective), settings(batch_size=4), seed=0, extras=extras)
    assert sorted(seen) == rows.tolist()


# --- precision


@pytest.mark.parametrize("half", ["bf16", "fp16"])
def test_half_precision_trains_float32_parameters_close_to_fp32(weights, sentences, settings, half):
    found = {}
    for precision in ("fp32", half):
        kinds = set()

        def objective(logits, batch, kinds=kinds):
            kinds.add(logits.dtype)
            return cross_entropy(logits, batch)

        start(1, threads=1)
        member = build_member(weights, 2, 2, freeze_embeddings=False)
        history = train(member, sentences, settings(precision=precision, epochs=2), objective)
        assert kinds == {torch.float32}
        assert {tensor.dtype for tensor in member.parameters()} == {torch.float32}
        found[precision] = [entry["loss"] for entry in history]
    assert found[half] == pytest.approx(found["fp32"], abs=0.02)
    assert found[half] != found["fp32"]


def test_overflowing_gradients_in_fp16_make_no_step(weights, sentences, settings):
    def burst(model, batch):  # its gradient is finite in float32, and not after the scaling of float16
        return 1e10 * cross_entropy(model(batch).float(), batch)

    def change(precision):
        start(1, threads=1)
        member = build_member(weights, 1, 2, freeze_embeddings=True)
        before = copied(member)
        fit(member, sentences, sentences.rows("train"), burst, settings(precision=precision, batch_size=70), seed=1)
        return changed(member, before)

    assert change("bf16")
    assert not change("fp16")


@pytest.mark.parametrize("half", ["bf16", "fp16"])
def test_logits_in_half_precision_are_float32_and_close_to_fp32(weights, sentences, half):
    member = build_member(weights, 4, 2, freeze_embeddings=False)
    with torch.no_grad():
        member.classifier.weight.mul_(50)
    rows = sentences.rows("report")
    exact, rough = (predict(member, sentences, rows, precision) for precision in ("fp32", half))
    assert rough.dtype == np.float32
    assert np.abs(exact).max() > 0.5
    np.testing.assert_allclose(rough, exact, atol=0.15)
    assert (rough != exact).any()


BUILDERS = {
    "member": lambda weights: build_member(weights, 4, 2, freeze_embeddings=False),
    "pabee": lambda weights: build_pabee(weights, 4, 2, freeze_embeddings=False),
    "deebert": lambda weights: DeeBert(member := build_member(weights, 4, 2, False), member.encoder.pooler),
    "fastbert": lambda weights: FastBert(build_fastbert_teacher(weights, 4, 2, freeze_embeddings=False)),
}


@pytest.mark.parametrize("system", BUILDERS)
def test_confidences_in_bf16_are_not_rounded_to_its_eight_bits(weights, sentences, system):
    logits = predict(BUILDERS[system](weights), sentences, np.arange(len(sentences.label)), "bf16")
    rounded = torch.from_numpy(logits).bfloat16().float().numpy()
    assert ((logits != rounded).mean(axis=(1, 2)) > 0.9).all()  # each exit


# --- loading


def test_loader_workers_change_no_bit(weights, sentences, settings):
    def result(workers):
        start(1, threads=1)
        member = build_member(weights, 2, 2, freeze_embeddings=False)
        extras = {"row": np.arange(len(sentences.label))}
        history = train(member, sentences, settings(epochs=2), extras=extras, workers=workers)
        return history, [tensor.clone() for tensor in member.parameters()]

    (told, expected), (history, found) = result(0), result(2)
    assert history == told
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


# --- prediction


def test_prediction_follows_rows_whatever_their_order_and_batches(weights, sentences):
    torch.manual_seed(0)
    member = build_member(weights, 4, 2, freeze_embeddings=False).train()
    with torch.no_grad():
        member.classifier.weight.mul_(100)
    rows = sentences.rows("report")
    shuffled = np.random.default_rng(0).permutation(len(rows))
    straight = predict(member, sentences, rows)
    for size in (1, 3, 64):
        other = predict(member, sentences, rows[shuffled], batch_size=size)
        np.testing.assert_allclose(other, straight[:, shuffled], atol=1e-5)
    with torch.inference_mode():
        alone = [member(to_batch(sentences, np.array([row]), CPU))[0, 0].numpy() for row in rows]
    np.testing.assert_allclose(straight[0], alone, atol=1e-5)
    assert np.ptp(straight[0, :, 0]) > 1e-3  # rows do differ


def test_prediction_of_no_row_is_empty(sentences):
    assert predict(Scalar(), sentences, np.array([], dtype=np.int64)).shape == (1, 0, 2)


def test_mean_score_is_the_mean_over_exits():
    class TwoExits(Scalar):
        exit_layers = (1, 2)

        def forward(self, batch):
            one = super().forward(batch)
            return torch.cat([one, -one])

    data = task([1, 1, 1, 0], split="selection")
    assert mean_score(TwoExits(1.0), data, np.arange(4), "accuracy", "fp32") == pytest.approx((0.75 + 0.25) / 2)
    assert mean_score(TwoExits(1.0), data, np.arange(4), "f1", "fp32") == pytest.approx((6 / 7 + 0) / 2)


def test_batch_holds_the_rows_padded(sentences):
    rows = sentences.rows("train")[:5]
    batch = to_batch(sentences, rows, CPU, {"extra": np.arange(len(sentences.label)) * 10})
    assert batch["input_ids"].shape == (5, sentences.lengths[rows].max())
    assert batch["attention_mask"].sum(1).tolist() == sentences.lengths[rows].tolist()
    assert batch["labels"].tolist() == sentences.label[rows].tolist()
    assert batch["extra"].tolist() == (rows * 10).tolist()
