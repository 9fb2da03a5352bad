"""The engine skips: rows that left are computed no further, and all answers are those of the masked full compute."""

import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from builders import CPU, enlarged
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.inference.engine import Engine
from cascadebert.inference.leaving import Leaving
from cascadebert.inference.settings import exits_under
from cascadebert.metrics.exits import ExitLogits, certainty, exits_at
from cascadebert.models.deebert import DeeBert
from cascadebert.models.encoders import load_encoder
from cascadebert.models.fastbert import FastBert
from cascadebert.models.members import Member
from cascadebert.models.pabee import Pabee
from cascadebert.training.loop import predict

RULES = {
    "DeeBert": "entropy",
    "FastBert": "uncertainty",
    "Pabee": "patience",
    "Member": "last",
    "cascade": "confidence",
}


def large(model):
    """A model whose classifiers differ from row to row."""
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if "encoder." not in name:
                tensor.mul_(10)
    return model.eval()


@pytest.fixture(scope="module", params=["cls", "mean"])
def systems(request, weights, tmp_path_factory):
    """Models of every system by name, those of a cascade of three beside them, all read in one way."""
    folder = tmp_path_factory.mktemp("read")
    place = enlarged(folder, {"random": 4, "hidden": 16})
    if request.param == "mean":
        config = place.with_name("config.json")
        config.write_text(config.read_text().replace("{", '{"pooling": "mean",', 1))
    torch.manual_seed(1)
    one = {
        kind.__name__: [large(kind.around(load_encoder(place, 4), 2))] for kind in (DeeBert, FastBert, Pabee, Member)
    }
    return one | {"cascade": [large(Member(load_encoder(place, layers), 2)) for layers in (1, 2, 4)]}


def full(models, data, precision="fp32"):
    """Every exit's logits of every row, nothing skipped, as the tables rest on them."""
    rows = np.arange(len(data.ends))
    logits = np.concatenate([predict(model, data, rows, precision) for model in models])
    return ExitLogits(logits, np.cumsum(np.ones(len(logits), dtype=int)), len(logits))


def threshold_at(stack, rule, share):
    """A threshold between the certainties of the instances, so that rounding decides nothing."""
    if rule in ("last", "patience"):
        return 1.0 + round(share * (len(stack.layers) - 1))
    between = np.unique(certainty(stack, rule)[:-1])
    gaps = np.diff(between) > 1e-4
    tau = (between[:-1] + np.diff(between) / 2)[gaps]
    tau = float(tau[int(share * (len(tau) - 1))])
    return tau if rule == "confidence" else -tau


@pytest.mark.parametrize("system", RULES)
@pytest.mark.parametrize("batch_size", [1, 7, 32, 256])
def test_answers_are_those_of_the_masked_full_compute(systems, sentences, system, batch_size):
    models, rule = systems[system], RULES[system]
    stack, engine = full(models, sentences), Engine(models, rule, CPU, "fp32")
    used = set()
    for share in (0.1, 0.5, 0.9):
        threshold = threshold_at(stack, rule, share)
        expected = exits_at(stack, rule, threshold)
        left = engine.answer(lambda member: sentences, 2, threshold, batch_size)
        assert np.array_equal(left.exit, expected if rule != "last" else np.zeros(len(expected)))
        used |= set(expected)
        np.testing.assert_allclose(left.logits, stack.logits[expected, np.arange(len(expected))], rtol=1e-3, atol=1e-4)
    assert rule == "last" or len(used) > 1


@pytest.mark.parametrize("system", RULES)
def test_half_precision_is_that_of_evaluation(systems, sentences, system):
    models, rule = systems[system], RULES[system]
    stack = full(models, sentences, "bf16")
    threshold = threshold_at(stack, rule, 0.5)
    left = Engine([*models], rule, CPU, "bf16").answer(lambda member: sentences, 2, threshold, 7)
    reached = stack.logits[left.exit if rule != "last" else -1, np.arange(len(left.exit))]
    assert np.abs(left.logits - reached).mean() < 0.05 * np.abs(stack.logits).mean()
    assert np.mean(left.exit == (exits_at(stack, rule, threshold) if rule != "last" else 0)) > 0.9
    for model in models:
        model.float()


def test_a_row_that_has_left_is_computed_no_further(systems, sentences):
    models = systems["cascade"]
    stack, engine = full(models, sentences), Engine(models, "confidence", CPU, "fp32")
    threshold = threshold_at(stack, "confidence", 0.5)
    exit_of, seen = exits_at(stack, "confidence", threshold), [0, 0, 0]
    through = engine._through

    def counted(stage, part, tokens):
        seen[stage.member] += len(part.rows)
        sizes[stage.member].append(len(part.rows))
        return through(stage, part, tokens)

    sizes = [[], [], []]
    with mock.patch.object(engine, "_through", counted):
        engine.answer(lambda member: sentences, 2, threshold, 8)
    assert seen == [int((exit_of >= index).sum()) for index in range(3)]
    assert all(size == 8 for of_member in sizes for size in of_member[:-1])  # survivors fill whole batches


@given(st.data())
def test_leaving_exit_by_exit_is_leaving_at_once(data):
    rule = data.draw(st.sampled_from(["confidence", "entropy", "uncertainty", "patience"]))
    n_exits, n, classes = data.draw(st.integers(2, 5)), data.draw(st.integers(1, 9)), data.draw(st.integers(2, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    stack = ExitLogits(rng.normal(size=(n_exits, n, classes)) * 2, np.arange(1, n_exits + 1), n_exits)
    settings = [1.0] if rule == "patience" else np.abs(certainty(stack, rule)).ravel().tolist()  # ties decide strictly
    threshold = data.draw(st.sampled_from(settings))
    assert np.array_equal(exits_under(stack, rule, threshold), exits_at(stack, rule, threshold))
    assert np.array_equal(exits_under(stack, rule, [threshold] * (n_exits - 1)), exits_at(stack, rule, threshold))


def test_an_exit_more_or_less_than_thresholds_is_told():
    with pytest.raises(ValueError, match="2 thresholds are given for 4 exits: give one for all, or 3"):
        Leaving("confidence", [0.5, 0.6], 4, 10)


def test_the_benchmark_of_a_device_runs_at_tiny_size_without_the_pipelines_packages():
    script = Path(__file__).parents[1] / "benchmarks/device.py"
    absent = "import runpy, sys; sys.modules.update(dict.fromkeys(['pydantic', 'snakemake', 'tyro', 'datasets'])); "
    run = f"sys.argv = [{str(script)!r}, *sys.argv[1:]]; runpy.run_path(sys.argv[0], run_name='__main__')"
    asked = [sys.executable, "-c", absent + run, "--size", "tiny", "--repeats", "1", "--steps", "1"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("|") and "---" not in line]
    assert len([row for row in rows if "cascade" in row]) == len([row for row in rows if "DeeBERT" in row]) == 18
    assert any("of a large product" in row for row in rows)
