"""Dropout from few random bits, and attention with it: torch's own, but for which elements are dropped."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.models.dropout import Dropout, attend, dropped
from cascadebert.models.encoders import load_encoder


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_so_many_are_dropped_and_the_others_scaled(dtype, p):
    torch.manual_seed(0)
    found = dropped(torch.ones(999, 1001, dtype=dtype), p)
    assert set(found.unique().tolist()) == {0.0, torch.tensor(1 / (1 - p)).to(dtype).item()}
    assert (found == 0).float().mean().item() == pytest.approx(p, abs=0.002)  # 5 standard errors
    for axis in (0, 1):
        assert (found == 0).float().mean(axis).sub(p).abs().max() < 6 * (p * (1 - p) / 999) ** 0.5, "no row or column"


@given(st.integers(1, 40))
def test_neighbours_are_dropped_apart(apart):
    torch.manual_seed(apart)
    gone = (dropped(torch.ones(40_003), 0.5) == 0).float()
    assert torch.corrcoef(torch.stack([gone[apart:], gone[:-apart]]))[0, 1].abs() < 0.03  # 6 standard errors


def test_gradient_passes_where_nothing_was_dropped():
    states = torch.rand(7, 3).add(1).requires_grad_()
    found = dropped(states, 0.3)
    found.sum().backward()
    torch.testing.assert_close(found, states * states.grad)


def test_global_generator_decides_and_evaluation_drops_nothing():
    states, layer = torch.rand(50, 3), Dropout(0.5)
    torch.manual_seed(3)
    first = layer(states)
    torch.manual_seed(3)
    assert torch.equal(layer(states), first)
    assert not torch.equal(layer(states), first)
    assert layer.eval()(states) is states


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)])
def test_attention_is_torchs_where_no_weight_happens_to_be_dropped(dtype, tolerance):
    torch.manual_seed(0)
    query, key, value = (torch.randn(3, 2, length, 8, dtype=dtype) for length in (5, 9, 9))
    mask = (torch.arange(9) < torch.tensor([[9], [4], [1]]))[:, None, None]
    expected = F.scaled_dot_product_attention(query, key, value, mask)
    torch.testing.assert_close(attend(query, key, value, mask, 1e-9), expected, atol=tolerance, rtol=tolerance)
    assert torch.equal(attend(query, key, value, mask, 0.0), expected)
    assert not torch.allclose(attend(query, key, value, mask, 0.5), expected, atol=0.1)


def test_encoders_drop_this_way_and_give_the_same_states_in_evaluation(weights, batch):
    encoder = load_encoder(weights, 4)
    layers = [module for module in encoder.modules() if isinstance(module, torch.nn.Dropout)]
    assert len(layers) == 1 + 4 * 3
    assert {type(module) for module in layers} == {Dropout}
    given_to = {name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")}
    states = encoder.eval()(**given_to).last_hidden_state
    encoder.config._attn_implementation = "eager"
    expected = encoder(**given_to).last_hidden_state
    kept = batch["attention_mask"]
    torch.testing.assert_close(states[kept], expected[kept], atol=1e-5, rtol=1e-5)
    encoder.config._attn_implementation = "cheap_dropout"
    assert not torch.allclose(encoder.train()(**given_to).last_hidden_state[kept], expected[kept], atol=0.01)
