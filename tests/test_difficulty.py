"""Difficulty labels and the inversion score against sklearn and brute force over pairs."""

import operator

import numpy as np
import pandas as pd
import pytest
from builders import predictions
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from cascadebert.layouts import Problem
from cascadebert.metrics.difficulty import assign_folds, difficult, difficulty_table, dis, read_difficult

INSTANCES = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({hard for _, hard in rows}) == 2
)


def arrays(rows):
    """Confidences and difficulties of drawn instances."""
    sure, hard = zip(*rows, strict=True)
    return np.array(sure) / 12, np.array(hard)


def equation_3(sure, hard, inverted):
    """Paper Eq. 1-3 pair by pair after an ascending sort, with the inequality between confidences left open."""
    order = np.argsort(sure, kind="stable")
    c, d = sure[order], hard[order]
    inversions = sum(d[i] > d[j] and inverted(c[i], c[j]) for i in range(len(c)) for j in range(i))
    return 1 - inversions / (hard.sum() * (~hard).sum())


@given(INSTANCES)
def test_dis_is_auroc_plus_half_the_ties_and_equation_3_with_its_inequality_reversed(rows):
    sure, hard = arrays(rows)
    ties = (sure[~hard][:, None] == sure[hard][None, :]).mean()
    assert dis(sure, hard) == pytest.approx(roc_auc_score(~hard, sure) + ties / 2, abs=1e-12)
    assert dis(sure, hard) == pytest.approx(equation_3(sure, hard, operator.gt), abs=1e-12)
    assert dis(np.exp(3 * sure), hard) == dis(sure, hard), "a monotone rescaling"


@given(INSTANCES)
def test_equation_1_as_printed_makes_dis_1_whatever_the_model(rows):
    sure, hard = arrays(rows)
    assert equation_3(sure, hard, operator.lt) == 1
    assert equation_3(np.array([0.5, 0.9]), np.array([False, True]), operator.gt) == 0  # the sum does count pairs


@pytest.mark.parametrize("hard", [[True, True], [False, False], []])
def test_dis_is_undefined_without_both_kinds(hard):
    assert np.isnan(dis(np.full(len(hard), 0.7), np.array(hard, dtype=bool)))


def test_dis_of_random_confidence_is_about_a_half():
    rng = np.random.default_rng(1)
    hard = np.repeat([True, False], 2000)
    standard_error = np.sqrt((2000 + 2000 + 1) / (12 * 2000 * 2000))
    assert dis(rng.random(4000), hard) == pytest.approx(0.5, abs=4 * standard_error)


def test_dis_of_a_perfect_ranking_is_1_and_of_its_reverse_0():
    sure, hard = np.array([0.1, 0.5, 0.9]), np.array([True, False, False])
    assert (dis(sure, hard), dis(sure[::-1], hard)) == (1, 0)


# --- folds


@given(st.lists(st.integers(0, 2), min_size=12, max_size=60), st.integers(2, 4), st.integers(0, 3))
def test_folds_keep_the_class_proportions(labels, n_folds, seed):
    labels = np.array([0, 1, 2] * 4 + labels)
    fold = assign_folds(labels, n_folds, seed)
    assert set(fold) == set(range(n_folds))
    for label in range(3):
        sizes = np.bincount(fold[labels == label], minlength=n_folds)
        assert sizes.max() - sizes.min() <= 1


def test_folds_depend_on_their_seed_alone():
    labels = np.arange(60) % 2
    np.random.seed(5)  # noqa: NPY002 - a disturbance
    first = assign_folds(labels, 4, seed=7)
    np.random.seed(6)  # noqa: NPY002 - a disturbance
    np.testing.assert_array_equal(first, assign_folds(labels, 4, seed=7))
    assert (first != assign_folds(labels, 4, seed=8)).any()


def test_more_folds_than_instances_of_a_class_is_a_problem():
    with pytest.raises(Problem, match="4 folds need 4 training instances of every class and the rarest has 3"):
        assign_folds(np.array([0] * 20 + [1] * 3), 4, seed=0)


# --- labels


def answered(ids, right):
    """One seed's predictions of one fold; right says where."""
    label = np.arange(len(ids)) % 2
    given_by = np.where(right, label, 1 - label)
    return predictions(np.where(np.arange(2) == given_by[:, None], 1.0, -1.0)[None], label, ids=[*ids])


def test_easy_is_right_with_every_seed():
    right = np.array([[True, True, False, False], [True, False, True, False]])
    assert difficult(right).tolist() == [False, True, True, True]


def test_difficulty_table_joins_folds_and_seeds_by_id():
    one = [answered("db", [True, False]), answered("ac", [True, True])]
    two = [answered("ab", [False, True]), answered("cd", [True, True])]
    columns = {"id": [*"abcd"], "right": [1, 1, 2, 2], "difficult": [True, True, False, False]}
    assert difficulty_table([one, two]).to_dict("list") == columns


def test_seeds_that_cover_different_instances_are_refused():
    with pytest.raises(ValueError, match="different instances"):
        difficulty_table([[answered("ab", [True, True])], [answered("ac", [True, True])]])


def test_difficult_instances_are_found_by_id(tmp_path):
    path = tmp_path / "difficulty.csv"
    table = pd.DataFrame({"id": ["01", "1", "2"], "right": [0, 2, 1], "difficult": [True, False, True]})
    table.to_csv(path, index=False)
    ids, trained = np.array(["2", "1", "01", "test-3"]), np.array([True, True, True, False])
    assert read_difficult(path, ids, trained).tolist() == [True, False, True, False]
    with pytest.raises(Problem, match=r"difficulty.csv lacks 1 training rows, test-3 for one"):
        read_difficult(path, ids, ~trained)
