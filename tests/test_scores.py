"""Task metrics against sklearn, counts by hand, and their undefined cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score

from cascadebert.metrics.scores import METRICS, score

BINARY = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30)


def columns(rows):
    """Labels and answers of drawn rows."""
    return (np.array(column) for column in zip(*rows, strict=True))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_accuracy_is_the_share_of_right_answers(rows):
    labels, given_by = columns(rows)
    right = sum(a == b for a, b in rows)
    assert score("accuracy", labels, given_by) == pytest.approx(right / len(rows))


@given(BINARY)
def test_f1_is_that_of_class_1_and_undefined_where_there_is_none(rows):
    labels, given_by = columns(rows)
    hits = rows.count((1, 1))
    errors = rows.count((0, 1)) + rows.count((1, 0))
    expected = 2 * hits / (2 * hits + errors) if 1 in labels else np.nan
    assert score("f1", labels, given_by) == pytest.approx(expected, nan_ok=True)


@given(BINARY.filter(lambda rows: (1, 1) in rows))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(rows):
    labels, given_by = columns(rows)
    p, r = precision_score(labels, given_by), recall_score(labels, given_by)
    assert score("f1", labels, given_by) == pytest.approx(2 * p * r / (p + r))


def test_f1_of_the_other_class_is_another_number():
    labels, given_by = np.repeat([1, 1, 0, 0], [5, 2, 1, 2]), np.repeat([1, 0, 1, 0], [5, 2, 1, 2])
    assert score("f1", labels, given_by) == pytest.approx(10 / 13)
    assert score("f1", 1 - labels, 1 - given_by) == pytest.approx(4 / 7)


@pytest.mark.parametrize("metric", METRICS)
def test_score_of_an_empty_split_is_undefined(metric):
    empty = np.array([], dtype=np.int64)
    assert np.isnan(score(metric, empty, empty))


def test_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="metric must be one of"):
        score("mcc", np.array([1]), np.array([1]))
