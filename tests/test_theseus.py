"""BERT-of-Theseus: what replaces what and how often, successors alone learn, and what is left is a plain member."""

import numpy as np
import pytest
import torch
from builders import changed, copied, roberta_without_pooler, train, without_key_biases
from safetensors.torch import load_file

from cascadebert.models.encoders import embedded
from cascadebert.models.members import build_member, load_trained, save_trained, trained
from cascadebert.models.theseus import Theseus
from cascadebert.training.loop import predict


@pytest.fixture
def tuned(weights, sentences, settings):
    """Function to a base fine-tuned for a moment, its embeddings frozen or not."""

    def make(freeze=True, classes=2):
        torch.manual_seed(0)
        member = build_member(weights, 4, classes, freeze)
        if classes == 2:
            train(member, sentences, settings())
        return member

    return make


@pytest.fixture
def base(tuned):
    """An untrained base of three classes."""
    return tuned(classes=3)


def theseus(member, layers=2, base_rate=0.5, full_at=0.5, steps=100, seed=0):
    """A model whose successors differ from what they were copied from, so that one can see which are used."""
    model = Theseus(member, layers, base_rate, full_at, steps, torch.Generator().manual_seed(seed))
    torch.manual_seed(7)
    with torch.no_grad():
        for tensor in model.successor.parameters():
            tensor.add_(0.1 * torch.randn_like(tensor))
    return model


def without_dropout(model):
    """The model in training mode, but nothing is dropped."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.train()


def through(layers, member, batch):
    """A member's logits if it had these layers, computed for all tokens."""
    states, mask = embedded(member.encoder, batch)
    for layer in layers:
        states = layer(states, mask)
    return member.classify(states[:, 0])


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_successors_start_as_copies_of_the_fine_tuned_first_layers(tuned, weights, layers):
    member = tuned()
    model = Theseus(member, layers, 0.5, 0.5, 10, torch.Generator())
    assert len(model.successor) == layers
    pretrained = load_file(weights)
    for i, layer in enumerate(model.successor):
        own = member.encoder.encoder.layer[i].state_dict()
        assert all(torch.equal(tensor, own[name]) for name, tensor in layer.state_dict().items())
        name = "output.dense.weight"
        assert not torch.equal(layer.state_dict()[name], pretrained[f"encoder.layer.{i}.{name}"])
    everything = [*model.predecessor.parameters(), *model.successor.parameters()]
    assert len({tensor.data_ptr() for tensor in everything}) == len(everything)
    assert len({id(layer) for layer in [*member.encoder.encoder.layer, *model.successor]}) == 4 + layers


@pytest.mark.parametrize("layers", [3, 5])
def test_layers_that_do_not_fall_into_modules_are_refused(base, layers):
    with pytest.raises(ValueError, match=f"4 layers do not fall into {layers} modules of one size"):
        Theseus(base, layers, 0.5, 0.5, 10, torch.Generator())


@pytest.mark.parametrize("freeze", [True, False])
def test_training_changes_successors_and_not_a_bit_of_the_predecessor(tuned, sentences, settings, freeze):
    model = Theseus(tuned(freeze), 2, 0.3, 0.5, 10, torch.Generator().manual_seed(0))
    before = copied(model)
    train(model, sentences, settings(keep="best", weight_decay=0.1, epochs=2))
    successors = {name for name in before if name.startswith("successor.")}
    assert set(trained(model)) == successors
    assert changed(model, before) - {"batches"} <= successors
    assert without_key_biases(successors - changed(model, before)) == set()


def test_rate_rises_in_a_line_and_stays_at_one(base, batch):
    model = theseus(base, base_rate=0.3, full_at=0.5, steps=14).train()
    rates = []
    for _ in range(9):
        rates.append(model.rate)
        model(batch)
    np.testing.assert_allclose(rates, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1], rtol=1e-12)
    assert max(rates) <= 1


def test_rate_reaches_one_at_the_share_of_the_steps_that_a_training_makes(tuned, sentences, settings):
    model = Theseus(tuned(), 2, 0.2, 0.8, 10, torch.Generator().manual_seed(0))
    rates, draw = [], model.draw
    model.draw = lambda: [rates.append(model.rate), draw()][1]
    train(model, sentences, settings(epochs=2, keep="best"))
    np.testing.assert_allclose(rates, [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1])  # 2 epochs of ceil(70 / 16)


@pytest.mark.parametrize("replaced", ["yy", "yn", "ny", "nn", "y", "n", "ynny"])
def test_each_module_is_its_layers_or_their_successor(base, batch, replaced):
    model, size = without_dropout(theseus(base, len(replaced))), 4 // len(replaced)
    model.draw = lambda: [drawn == "y" for drawn in replaced]
    old, new = list(model.predecessor.encoder.encoder.layer), list(model.successor)
    modules = [[new[i]] if drawn == "y" else old[size * i : size * (i + 1)] for i, drawn in enumerate(replaced)]
    logits = model(batch)
    assert logits.shape == (1, 4, 3)
    torch.testing.assert_close(logits[0], through(sum(modules, []), model.predecessor, batch), atol=1e-5, rtol=1e-5)
    others = [through(new, model.predecessor, batch), through(old, model.predecessor, batch)]
    assert sum(torch.allclose(logits[0], other, atol=1e-3) for other in others) == (len(set(replaced)) == 1)


@pytest.mark.parametrize("reached", [{0}, {1}, {0, 1}, set()])
def test_training_reaches_the_successors_that_took_part(tuned, sentences, settings, reached):
    model = theseus(tuned())
    model.draw = lambda: [i in reached for i in (0, 1)]
    before = copied(model)
    train(model, sentences, settings(weight_decay=0.1))
    expected = {f"successor.{i}.{name}" for i in reached for name, _ in model.successor[i].named_parameters()}
    assert without_key_biases((changed(model, before) - {"batches"}) ^ expected) == set()
    assert all(tensor.grad is None for tensor in model.predecessor.parameters())


def test_draws_are_independent_of_each_other_and_as_frequent_as_the_rate(base):
    model = theseus(base, layers=4, base_rate=0.3, full_at=1e9, steps=1)
    draws = np.array([model.draw() for _ in range(4000)])
    assert draws.shape == (4000, 4)
    np.testing.assert_allclose(draws.mean(axis=0), 0.3, atol=0.03)  # 4 standard errors
    correlation = np.corrcoef(draws, rowvar=False)[np.triu_indices(4, 1)]
    np.testing.assert_allclose(correlation, 0, atol=4 / np.sqrt(4000))
    serial = [np.corrcoef(draws[:-1, i], draws[1:, i])[0, 1] for i in range(4)]
    np.testing.assert_allclose(serial, 0, atol=4 / np.sqrt(4000))


def test_draws_are_one_a_batch_and_follow_their_own_generator(base, batch):
    def drawn(seed, noise):
        model, found = theseus(base, layers=4, seed=seed).train(), []
        draw = model.draw
        model.draw = lambda: found.append(draw()) or found[-1]
        for _ in range(20):
            torch.manual_seed(noise)
            model(batch)
        return found

    first = drawn(seed=1, noise=2)
    assert len(first) == 20
    assert first == drawn(seed=1, noise=3)
    assert first != drawn(seed=2, noise=2)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_at_rate_zero_the_model_is_its_predecessor_and_at_one_its_export(base, batch, rate):
    model = without_dropout(theseus(base, base_rate=rate))
    predecessor, export = model.predecessor(batch), model.export()(batch)
    torch.testing.assert_close(model(batch), export if rate else predecessor, atol=1e-6, rtol=1e-6)
    assert not torch.allclose(predecessor, export, atol=1e-3)


def test_evaluation_is_successors_alone_and_draws_nothing(base, batch):
    model = theseus(base, base_rate=0.0).eval()
    state = model.generator.get_state()
    assert model.exit_layers == [2]
    expected = through(model.successor, model.predecessor, batch)
    torch.testing.assert_close(model(batch)[0], expected, atol=1e-5, rtol=1e-5)
    assert torch.equal(model.generator.get_state(), state)
    assert model.batches == 0


def test_frozen_dropout_is_active_in_training(base, batch):
    model = theseus(base, base_rate=0.0, full_at=1e9)
    assert not torch.equal(model.train()(batch), model(batch))
    assert torch.equal(model.eval()(batch), model(batch))


@pytest.mark.parametrize("freeze", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_export_is_a_member_that_build_member_and_its_file_make(tuned, weights, sentences, tmp_path, layers, freeze):
    model = theseus(tuned(freeze), layers)
    exported = model.export()
    save_trained(exported, tmp_path / "model.safetensors")
    other = build_member(weights, layers, 2, freeze)
    shapes = {name: tensor.shape for name, tensor in trained(other).items()}
    assert {name: tensor.shape for name, tensor in trained(exported).items()} == shapes
    load_trained(other, tmp_path / "model.safetensors")
    assert exported.encoder.config.num_hidden_layers == len(exported.encoder.encoder.layer) == layers
    assert exported.exit_layers == [layers]
    rows = sentences.rows("report")
    expected = predict(model, sentences, rows)
    assert np.ptp(expected[0, :, 0]) > 1e-3
    for member in (exported, other):
        np.testing.assert_allclose(predict(member, sentences, rows), expected, atol=1e-6)
    np.testing.assert_array_equal(exported.exit_flops(sentences.lengths), other.exit_flops(sentences.lengths))


def test_export_leaves_the_model_as_it_is(base, batch):
    model = theseus(base).eval()
    before, names = model(batch), set(trained(model))
    exported = model.export()
    with torch.no_grad():
        for tensor in exported.parameters():
            tensor.zero_()
    assert torch.equal(model(batch), before)
    assert set(trained(model)) == names
    assert len(model.predecessor.encoder.encoder.layer) == model.predecessor.encoder.config.num_hidden_layers == 4


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_roberta_is_compressed_and_exported(sentences, settings, tmp_path, precision):
    roberta = roberta_without_pooler(tmp_path)
    model = Theseus(build_member(roberta, 4, 2, True), 2, 0.3, 0.5, 10, torch.Generator().manual_seed(0))
    rows = sentences.rows("train")
    history = train(model, sentences, settings(precision=precision, epochs=2))
    assert np.isfinite([epoch["loss"] for epoch in history]).all()
    save_trained(model.export(), tmp_path / "successor.safetensors")
    member = build_member(roberta, 2, 2, True)
    load_trained(member, tmp_path / "successor.safetensors")
    np.testing.assert_allclose(predict(member, sentences, rows), predict(model, sentences, rows), atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_training_goes_on_after_a_batch_that_replaces_nothing(tuned, sentences, settings, precision):
    model = Theseus(tuned(), 2, 0.0, 0.5, 9, torch.Generator().manual_seed(0))  # in the first batch the rate is 0
    before = copied(model)
    history = train(model, sentences, settings(precision=precision, batch_size=8))
    assert np.isfinite([epoch["loss"] for epoch in history]).all()
    assert without_key_biases(trained(model)) <= changed(model, before)
