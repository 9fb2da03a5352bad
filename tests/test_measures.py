"""Measures of exits against brute force and scikit-learn, and what a temperature can and cannot move."""

import dataclasses
import logging
import re

import numpy as np
import pandas as pd
import pytest
from builders import predictions
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

import measure_exits
import scale_temperature
from cascadebert.metrics.exits import confidence
from cascadebert.metrics.measures import measures
from cascadebert.metrics.predictions import cascade_of, read_predictions, write_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.systems import SPLITS


def drawn(seed, n=300, exits=3, classes=2, skill=1.0, scale=3.0):
    """Logits that know something of the label, over-confident by `scale`."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, n)
    logits = rng.normal(size=(exits, n, classes)) + skill * np.eye(classes)[label]
    return predictions(scale * logits, label)


# --- by brute force


@st.composite
def few(draw):
    """A few instances of two classes, labels and answers at will; coarse logits, so that confidences tie."""
    n = draw(st.integers(1, 12))
    values = draw(st.lists(st.sampled_from([-2.0, 0.0, 0.5, 3.0]), min_size=2 * n, max_size=2 * n))
    label = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    return predictions(np.array(values).reshape(1, n, 2), np.array(label))


def by_hand(logits, label):
    """Accuracy, DIS and ECE, instance by instance."""
    raised = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    probabilities = raised / raised.sum(1, keepdims=True)
    sure = probabilities.max(1)
    right = [int(np.argmax(row)) == int(own) for row, own in zip(logits, label, strict=True)]
    scored = list(zip(sure, right, strict=True))
    pairs = [(easy, hard) for easy, one in scored for hard, other in scored if one and not other]
    bins = [[each for each in scored if k / 10 < each[0] <= (k + 1) / 10] for k in range(10)]
    gap = sum(abs(sum(c - own for c, own in held)) for held in bins)
    dis = sum(not easy < hard for easy, hard in pairs) / len(pairs) if pairs else float("nan")
    return sum(right) / len(right), dis, gap / len(right)


@given(few())
def test_measures_are_those_counted_instance_by_instance(own):
    (row,) = measures(own)
    found = [row["accuracy"], row["dis"], row["ece"]]
    assert found == pytest.approx(list(by_hand(own.stack.logits[0], own.label)), abs=1e-9, nan_ok=True)
    assert (row["layers"], row["n"]) == (1, own.label.size)


@pytest.mark.parametrize("classes", [2, 3])
def test_each_exit_is_measured_by_its_own_answers(classes):
    own = drawn(0, exits=4, classes=classes)
    rows = measures(own)
    assert [row["layers"] for row in rows] == [1, 2, 3, 4]
    for row, logits in zip(rows, own.stack.logits, strict=True):
        answers, sure = logits.argmax(-1), confidence(logits[None])[0]
        assert row["accuracy"] == accuracy_score(own.label, answers)
        assert row["dis"] == pytest.approx(roc_auc_score(answers == own.label, sure))  # no ties here
        assert row["ece"] == pytest.approx(by_hand(logits, own.label)[2])
    assert len({row["accuracy"] for row in rows}) == 4


# --- undefined


def test_nothing_but_the_layers_executed_is_measured_of_no_instance():
    rows = measures(predictions(np.zeros((2, 0, 2)), layers=[2, 14]))
    assert [(row["layers"], row["n"]) for row in rows] == [(2, 0), (14, 0)]
    assert np.isnan([[row[name] for name in ("accuracy", "dis", "ece")] for row in rows]).all()


@pytest.mark.parametrize(("right", "accuracy"), [(True, 1.0), (False, 0.0)])
def test_dis_of_an_exit_that_is_always_right_or_always_wrong_is_undefined(right, accuracy):
    own = drawn(1, n=20, exits=1)
    answers = own.stack.logits[0].argmax(-1)
    (row,) = measures(dataclasses.replace(own, label=answers if right else 1 - answers))
    assert row["accuracy"] == accuracy
    assert np.isnan(row["dis"])
    assert 0 < row["ece"] < 1


def test_accuracy_is_measured_whatever_the_metric_of_the_task():
    label = np.array([0, 0, 0, 1])
    (row,) = measures(predictions(np.array([[[2.0, 0.0]] * 4]), label))  # all in the first class: F1 would be 0
    assert row["accuracy"] == 0.75


# --- the script


def test_script_writes_a_row_a_seed_split_and_exit(tmp_path):
    empty = predictions(np.zeros((3, 0, 2)))
    other = dataclasses.replace(drawn(2), label=drawn(1).label)
    content = {("report", 1): drawn(1), ("report", 2): other, ("mismatched", 1): empty, ("mismatched", 2): empty}
    files = [tmp_path / f"{split}.npz" for split in ("report", "mismatched")]
    for path in files:
        write_predictions(path, {seed: content[path.stem, seed] for seed in (1, 2)})
    measure_exits.main(*files, task="movies", run="deebert_base", out=tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert list(found) == ["task", "run", "seed", "split", "layers", "accuracy", "dis", "ece", "n"]
    assert len(found) == 2 * 2 * 3
    assert set(zip(found["task"], found["run"], strict=True)) == {("movies", "deebert_base")}
    for (split, seed), own in content.items():
        part = found[(found["split"] == split) & (found["seed"] == seed)]
        assert part["layers"].tolist() == [1, 2, 3]
        numbers = ["accuracy", "dis", "ece", "n"]
        expected = pd.DataFrame(measures(own))[numbers].to_numpy()
        assert part[numbers].to_numpy() == pytest.approx(expected, abs=1e-15, nan_ok=True)


# --- a temperature


def tempered(folder, by_split):
    """What scale_temperature.py makes of some splits."""
    paths = [folder / f"{split}.npz" for split in SPLITS]
    for path, own in zip(paths, by_split, strict=True):
        write_predictions(path, {1: own})
    out = [folder / "tempered" / path.name for path in paths]
    scale_temperature.main(paths[0], paths, out)
    return [read_predictions(path)[1] for path in out]


def four_splits(classes=2, **options):
    """A member's predictions of all splits; those of the last are unlabelled."""
    splits = [drawn(seed, exits=1, classes=classes, **options) for seed in range(4)]
    return [*splits[:3], dataclasses.replace(splits[3], label=np.full(300, -1))]


def test_temperature_moves_neither_dis_nor_accuracy_of_a_binary_task_but_the_ece(tmp_path):
    before = four_splits()
    for old, new in list(zip(before, tempered(tmp_path, before), strict=True))[:3]:
        (cold,), (warm,) = measures(old), measures(new)
        assert warm["accuracy"] == cold["accuracy"]
        assert warm["dis"] == cold["dis"]
        assert warm["ece"] < cold["ece"] / 2  # logits thrice too large are well mended
        assert cold["ece"] > 0.1


def test_temperature_is_that_of_the_selection_splits_labels_alone(tmp_path):
    before = four_splits()
    other = [before[0], *(dataclasses.replace(own, label=1 - own.label) for own in before[1:3]), before[3]]
    for one, two in zip(tempered(tmp_path / "a", before), tempered(tmp_path / "b", other), strict=True):
        np.testing.assert_array_equal(one.stack.logits, two.stack.logits)
    flipped = [dataclasses.replace(before[0], label=1 - before[0].label), *before[1:]]
    hot = tempered(tmp_path / "c", flipped)[1]
    assert np.abs(hot.stack.logits).max() < np.abs(tempered(tmp_path / "d", before)[1].stack.logits).max() / 3


def test_temperature_scales_all_logits_of_all_splits_alike_and_nothing_else(tmp_path):
    before = four_splits(classes=3)
    ratios = []
    for old, new in zip(before, tempered(tmp_path, before), strict=True):
        ratios.append(old.stack.logits / new.stack.logits)
        for name in ("flops", "full_flops", "label", "id", "names"):
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name))
        assert new.stack.logits.dtype == np.float32
        assert (new.stack.layers.tolist(), new.stack.full_layers) == (old.stack.layers.tolist(), 6)
    np.testing.assert_allclose(ratios, ratios[0][0, 0, 0], rtol=1e-5)
    assert 2 < ratios[0][0, 0, 0] < 5


def test_temperature_is_logged_and_moves_the_dis_of_three_classes(tmp_path, caplog):
    before = four_splits(classes=3)
    with caplog.at_level(logging.INFO):
        after = tempered(tmp_path, before)
    assert re.search("temperature {1: [23][.]", caplog.text)
    (cold,), (warm,) = measures(before[1]), measures(after[1])
    assert warm["accuracy"] == cold["accuracy"]
    assert warm["dis"] != cold["dis"]


def as_member(own, layers):
    """The same predictions of a member of some depth of a 2-12 cascade."""
    return predictions(own.stack.logits, own.label, [layers], full=12)


@pytest.mark.parametrize(("classes", "same"), [(2, True), (3, False)])
def test_cascade_with_a_tempered_small_member_has_the_same_points_in_a_binary_task_alone(tmp_path, classes, same):
    small = [as_member(own, 2) for own in four_splits(classes, skill=0.6)]
    logits = [own.stack.logits + 2 * np.eye(classes)[own.label][None] for own in small]
    base = [predictions(better, own.label, [12], full=12) for better, own in zip(logits, small, strict=True)]
    points = []
    for members in (small, tempered(tmp_path, small)):
        stacked = {split: cascade_of([m, b]) for split, m, b in zip(SPLITS[:3], members, base, strict=False)}
        points.append(pd.DataFrame(sweep(stacked, "confidence", [1.5, 2.0, 3.0, 4.0], "accuracy")))
    cold, warm = points
    assert cold["score"].nunique() > 5
    assert not np.isclose(cold["threshold"], warm["threshold"]).any()  # other thresholds ...
    assert (cold["score"] == warm["score"]).all() == same  # ... and the same points
    place = ["split", "measure", "target", "speed_up", "speed_up_flops", "n"]
    assert cold[place].equals(warm[place]) or not same
