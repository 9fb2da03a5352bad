"""Intervals over seeds and instances: against the two-way layout's sums of squares, and how often they are right."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.metrics.calibration import ece
from cascadebert.metrics.crossed import (
    Components,
    Crossed,
    components,
    interval,
    interval_of,
    mean_of,
    relative,
    shared,
    weighted,
)
from cascadebert.metrics.difficulty import dis
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.influence import influenced_dis, influenced_ece, mixed_score
from cascadebert.metrics.ratios import ladder
from cascadebert.metrics.scores import score


def crossed(cells, column="a", seeds=None):
    """A mean of cells (seeds, n)."""
    cells = np.asarray(cells, dtype=float)
    values = cells.mean(axis=1)
    return Crossed(tuple(seeds or range(len(cells))), values, {column: cells - values[:, None]})


def scored(metric, label, answers, column):
    """A score of answers (seeds, n)."""
    values, influence = zip(*(mixed_score(metric, label, [(1.0, of)]) for of in answers), strict=True)
    return Crossed(tuple(range(len(values))), np.array(values), {column: np.array(influence)})


# --- arithmetic


def test_components_are_those_of_the_analysis_of_variance():
    rng = np.random.default_rng(0)
    seeds, n = 4, 30
    cells = rng.normal(size=(seeds, 1)) + rng.normal(size=n) + rng.normal(size=(seeds, n))
    grand, rows, columns = cells.mean(), cells.mean(axis=1, keepdims=True), cells.mean(axis=0)
    instances = seeds * ((columns - grand) ** 2).sum() / (n - 1)
    residual = ((cells - rows - columns + grand) ** 2).sum() / ((seeds - 1) * (n - 1))
    statistic = crossed(cells)
    alike, apart = components(statistic.influence)
    assert (alike, apart) == pytest.approx(((instances - residual) / (seeds * n), residual / n))
    assert components(statistic.influence | crossed(cells, "b").influence) == pytest.approx((2 * alike, 2 * apart))
    found = interval(statistic)  # the variance is the textbook's sum of three mean squares
    of_seeds = n * statistic.values.var(ddof=1)
    assert of_seeds > residual
    assert instances > residual
    variance = (of_seeds + instances - residual) / (seeds * n)
    freedom = variance**2 / ((of_seeds / (seeds * n)) ** 2 / (seeds - 1))
    expected = scipy.stats.t.interval(0.95, freedom, grand, np.sqrt(variance))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(abs(grand) / np.sqrt(variance), freedom))


def test_without_instances_it_is_the_t_interval_and_without_seeds_that_of_instances():
    values = np.array([0.1, 0.4, 0.3])
    expected = scipy.stats.t.interval(0.95, 2, values.mean(), scipy.stats.sem(values))
    assert interval_of(values, Components(0.0, 0.0))[1:3] == pytest.approx(expected)
    alone = interval_of(np.full(3, 0.3), Components(0.04, 0.0))
    assert (alone.low, alone.high) == pytest.approx((0.3 - 1.959964 * 0.2, 0.3 + 1.959964 * 0.2))


def test_seeds_that_agree_by_rounding_do_not_decide():
    right = np.zeros((3, 1500), dtype=bool)
    for seed in range(3):  # other instances change with each seed, as many of them
        right[seed, 40 * seed : 40 * seed + 4] = True
    found = interval(crossed(-1.0 * right))
    assert found.estimate == pytest.approx(-4 / 1500)
    assert found.low < found.estimate < found.high
    error = np.sqrt(components(crossed(1.0 * right).influence).apart / 3)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error, rel=1e-6)
    assert 1e-4 < found.p < 0.05


@pytest.mark.parametrize(("seeds", "least"), [(2, 0.86), (3, 0.915), (5, 0.93), (10, 0.93)])
@pytest.mark.parametrize(("own", "apart", "alike"), [(3, 1, 0), (0, 1, 0), (5, 1, 0.1), (1, 1, 1)])
def test_coverage_is_from_88_per_cent_with_two_seeds_from_93_with_three_and_from_94_with_more(
    seeds, least, own, apart, alike
):
    rng = np.random.default_rng(0)  # variances of a seed, of its luck with each instance, and of the instances alike
    values = rng.normal(0, np.sqrt(own + apart), (1500, seeds)) + rng.normal(0, np.sqrt(alike), (1500, 1))
    found = [interval_of(of, Components(alike, apart)) for of in values]
    assert least < np.mean([each.low <= 0 <= each.high for each in found]) < 0.98


def test_a_single_seed_has_no_interval_and_no_difference_has_one_at_0():
    one = interval(crossed(np.ones((1, 9))))
    assert one.estimate == 1
    assert np.isnan(one[1:]).all()
    assert interval(crossed(np.zeros((3, 9)))) == (0, 0, 0, 1, 0)


def test_it_reaches_0_by_its_lower_end_and_of_a_single_seed_by_its_estimate():
    assert not interval(crossed(np.ones((1, 9)))).reaches_zero
    assert interval(crossed(-np.ones((1, 9)))).reaches_zero
    assert interval(crossed(np.zeros((3, 9)))).reaches_zero
    assert not interval_of(np.array([0.5, 0.6, 0.7]), Components(0.001, 0.0)).reaches_zero
    assert interval_of(np.array([0.5, 0.6, 0.7]), Components(0.5, 0.0)).reaches_zero


def test_detectable_effect_is_shown_four_times_in_five():
    rng = np.random.default_rng(0)
    detectable = interval_of(np.array([0.01, -0.01]) * 0, Components(1.0, 0.0)).detectable
    low = rng.normal(detectable, 1, 20_000) - 1.959964
    assert (low > 0).mean() == pytest.approx(0.8, abs=0.012)


def test_sums_are_of_the_seeds_that_all_have_and_pair_instances():
    cells = np.random.default_rng(0).normal(size=(2, 3, 8))
    a, b = crossed(cells[0], seeds=[1, 2, 3]), crossed(cells[1], seeds=[2, 3, 4])
    difference = a - b
    by_hand = crossed(cells[0][1:] - cells[1][:2], seeds=[2, 3])
    assert difference.seeds == (2, 3)
    np.testing.assert_allclose(difference.values, by_hand.values)
    np.testing.assert_allclose(difference.influence["a"], by_hand.influence["a"])
    assert [part.seeds for part in shared([a, b])] == [(2, 3)] * 2
    other = crossed(cells[1], "b", [1, 2, 3])
    mean = mean_of([a, other])
    np.testing.assert_allclose(mean.values, (a.values + other.values) / 2)
    np.testing.assert_allclose(mean.influence["b"], other.influence["b"] / 2)
    assert weighted([1.0, 2.0], [a, a]).values == pytest.approx(3 * a.values)


def test_relative_gain_moves_with_its_parts():
    cells = np.random.default_rng(0).uniform(0.5, 1, size=(2, 3, 8))
    a, b, step = crossed(cells[0]), crossed(cells[1]), 1e-6
    gain = relative(a, b)
    np.testing.assert_allclose(gain.values, a.values / b.values - 1)
    moved = (a.values + step * a.influence["a"][:, 5]) / (b.values + step * b.influence["a"][:, 5]) - 1
    np.testing.assert_allclose(gain.influence["a"][:, 5], (moved - gain.values) / step, rtol=1e-3)
    over_nothing = relative(a, weighted([0.0], [b]))
    assert np.isnan(over_nothing.values).all() and np.isnan(interval(over_nothing)).all()


def test_what_is_not_learned_is_remembered():
    a = Crossed((1,), np.ones(1), {}, frozenset({"x"}))
    assert (a - Crossed((1,), np.ones(1), {}, frozenset({"y"}))).unlearned == {"x", "y"}


# --- influence

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(1, 20)), min_size=1, max_size=30)


@given(ROWS)
def test_values_are_those_of_scores_and_measures_and_influences_have_mean_0(rows):
    label, answers, sure = map(np.array, zip(*rows, strict=True))
    sure, right = sure / 20, label == answers
    for value, expected in (
        (mixed_score("accuracy", label, [(1.0, answers)]), score("accuracy", label, answers)),
        (mixed_score("f1", label, [(0.25, answers), (0.75, answers)]), score("f1", label, answers)),
        (influenced_dis(sure, ~right), dis(sure, ~right)),
        (influenced_ece(sure, right), ece(sure, right)),
    ):
        assert value[0] == pytest.approx(expected, nan_ok=True, abs=1e-12)
        assert np.isnan(value[0]) or value[1].mean() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["accuracy", "f1", "dis", "ece"])
def test_influence_is_what_one_more_copy_of_an_instance_adds(name):
    rng, n = np.random.default_rng(0), 400
    label, sure = rng.integers(0, 2, n), rng.uniform(0.5, 1, n)
    answers = np.where(rng.uniform(size=n) < sure - 0.2, label, 1 - label)

    def of(rows):
        if name in ("accuracy", "f1"):
            return mixed_score(name, label[rows], [(1.0, answers[rows])])
        measure = influenced_dis if name == "dis" else influenced_ece
        right = label[rows] == answers[rows]
        return measure(sure[rows], ~right if name == "dis" else right)

    value, influence = of(np.arange(n))
    added = [(n + 1) * (of(np.append(np.arange(n), i))[0] - value) for i in range(0, n, 40)]
    np.testing.assert_allclose(added, influence[::40], atol=0.02)


def test_f1_without_an_instance_of_class_1_is_undefined():
    assert np.isnan(mixed_score("f1", np.zeros(3, dtype=int), [(1.0, np.ones(3, dtype=int))])[0])
    assert np.isnan(mixed_score("accuracy", np.zeros(0, dtype=int), [(1.0, np.zeros(0, dtype=int))])[0])
    with pytest.raises(ValueError, match="metric must be"):
        mixed_score("mcc", np.zeros(3, dtype=int), [])


# --- coverage

POPULATION = 300, 30_000
"""Seeds and instances that replicates are drawn from, with replacement, so that the truth is known."""


def population(rng, seeds, gap=0.1):
    """Labels, and answers of two systems to every instance with every seed.

    An instance is hard for both, and harder for one of them; a seed has luck, and luck with each instance. With this,
    the difference has the components of a default run: 0.2 of instances, 0.25 of the rest.
    """
    label = rng.uniform(size=POPULATION[1]) < 0.6
    hard = rng.normal(0, 1.6, POPULATION[1]).astype(np.float32)
    answers = []
    for level in (1.5, 1.5 - gap):
        own = (level + hard + rng.normal(0, 0.5, POPULATION[1])).astype(np.float32)
        luck = rng.standard_normal(POPULATION, dtype=np.float32) * np.float32(0.6)
        right = own + luck + rng.normal(0, seeds, (POPULATION[0], 1)).astype(np.float32) > 0
        answers.append(np.where(right, label, ~label))
    return label.astype(np.int8), np.array(answers, dtype=np.int8)


ALIKE, APART = 0.01, 0.1
"""How far seeds lie apart, on the scale of an instance's luck: the first is nothing beside the instances."""


def covered(statistic, seeds, n, replicates=2000, population=POPULATION):
    """How often the interval holds the truth: a statistic of some seeds and instances of the population."""
    rng, hits = np.random.default_rng(1), 0
    truth = statistic(*map(np.arange, population)).values.mean()
    for _ in range(replicates):
        found = interval(statistic(rng.integers(population[0], size=seeds), rng.integers(population[1], size=n)))
        hits += found.low <= truth <= found.high
    return hits / replicates


@pytest.mark.parametrize(
    ("seeds", "n", "luck"), [(5, 1000, APART), (10, 1000, APART), (5, 6000, ALIKE), (10, 6000, ALIKE)]
)
def test_95_per_cent_of_intervals_of_a_paired_difference_hold_the_truth(seeds, n, luck):
    label, (a, b) = population(np.random.default_rng(0), luck)
    difference = (a == label).astype(np.int8) - (b == label)
    assert covered(lambda s, i: crossed(difference[s[:, None], i]), seeds, n) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("seeds", "n", "luck"), [(5, 1000, ALIKE), (10, 6000, APART)])
def test_the_same_of_f1_and_of_an_average_over_columns(seeds, n, luck):
    label, answers = population(np.random.default_rng(0), luck)

    def difference(s, i):
        columns = {"a": i[: len(i) // 2], "b": i[len(i) // 2 :]}
        metrics = zip(columns, ("f1", "accuracy"), strict=True)
        parts = {
            column: [scored(metric, label[columns[column]], of[s[:, None], columns[column]], column) for of in answers]
            for column, metric in metrics
        }
        return mean_of([a - b for a, b in parts.values()])

    assert covered(difference, seeds, n, replicates=600) == pytest.approx(0.95, abs=0.02)


def test_the_same_where_thresholds_are_set_on_the_split_itself():
    rng, (seeds, n) = np.random.default_rng(0), (60, 10_000)
    hard = rng.normal(1, 1.2, n).astype(np.float32)
    base, *members = (  # by how much the logit of the right class is larger
        hard + gain + luck * rng.standard_normal((seeds, n), dtype=np.float32) + rng.normal(0, APART, (seeds, 1))
        for gain, luck in ((0.6, 0.5), (0.0, 0.7), (-0.1, 0.9))
    )

    def at_3x(member, s, i):
        values, influence = [], []
        for seed in s:
            margins = np.stack([member[seed, i], base[seed, i]])
            stack = ExitLogits(np.stack([-margins / 2, margins / 2], axis=-1), np.array([1, 7]), 6)
            mixed = [(share, stack.classes[of, np.arange(len(i))]) for share, of in ladder(stack, "confidence").at(3.0)]
            value, of_instances = mixed_score("accuracy", np.ones(len(i), dtype=int), mixed)
            values, influence = [*values, value], [*influence, of_instances]
        return Crossed(tuple(range(len(s))), np.array(values), {"a": np.array(influence)})

    def difference(s, i):
        return at_3x(members[0], s, i) - at_3x(members[1], s, i)

    assert covered(difference, 5, 1000, 400, (seeds, n)) == pytest.approx(0.95, abs=0.02)
