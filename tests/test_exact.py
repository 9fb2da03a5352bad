"""A run at exactly the ratios that it is asked for, by hand on few instances."""

import numpy as np
import pytest
from page_builders import by_margin

from cascadebert.metrics.exact import CURVE, POINTS, Exact, exit_measures
from cascadebert.metrics.measures import measures

# A 1-6 cascade: by how much more the right class is favoured, at the first member and at the last.
FIRST, LAST = [4, 3, -2, 1, -0.5, 0.1], [1, 1, 1, 1, 1, -1]


def cascade(seeds=(1, 2)):
    """Predictions of the cascade, the same with each seed."""
    return dict.fromkeys(seeds, by_margin([FIRST, LAST], np.ones(6, dtype=int), [1, 7], 6))


def test_score_at_a_ratio_shares_the_last_instance_out():
    exact = Exact("a", cascade(), "confidence", "accuracy")
    assert exact.score(6.0).values.tolist() == pytest.approx([4 / 6] * 2)  # all leave at the first
    assert exact.score(3.0).values.tolist() == pytest.approx([3 / 6] * 2)  # one stays, the least sure, and is lost
    assert exact.score(2.0).values.tolist() == pytest.approx([4 / 6] * 2)  # two stay, the second is gained
    halfway = 6 / ((3 + 2) / 2)
    assert exact.score(halfway).values.tolist() == pytest.approx([3.5 / 6] * 2)
    with pytest.raises(LookupError):
        exact.score(6.5)
    assert exact.of_seeds([2]).score(3.0).seeds == (2,)


def test_share_of_mistakes_that_leave_early():
    exact = Exact("a", cascade(), "confidence", "accuracy")
    assert exact.leaving(6.0).values[0] == 1
    assert exact.leaving(3.0).values[0] == 1  # wrong are the third and the fifth; the sixth stays
    assert exact.leaving(2.0).values[0] == 0.5
    assert exact.leaving(2.0).influence["a"].mean() == pytest.approx(0)
    right = by_margin([np.abs(FIRST), LAST], np.ones(6, dtype=int), [1, 7], 6)
    assert np.isnan(Exact("a", {1: right}, "confidence", "accuracy").leaving(2.0).values).all()


def test_area_is_the_mean_score_over_log_speed_up():
    rng, n = np.random.default_rng(0), 300
    members = {seed: by_margin(rng.normal(1, 1, (2, n)), np.ones(n, dtype=int), [1, 7], 6) for seed in (1, 2)}
    exact = Exact("a", members, "confidence", "accuracy")
    area = exact.area()
    fine = np.geomspace(*CURVE, 20 * POINTS).tolist()
    curve = np.array([exact.score(target).values for target in fine])
    np.testing.assert_allclose(
        area.values, np.trapezoid(curve, np.log(fine), axis=0) / np.log(fine[-1] / fine[0]), atol=2e-3
    )
    assert area.influence["a"].shape == (2, n)
    level = Exact("a", {1: by_margin([[1] * 5, [1] * 5], np.ones(5, dtype=int), [1, 7], 6)}, "confidence", "accuracy")
    assert level.area().values == pytest.approx([1])
    slow = by_margin([FIRST, LAST], np.ones(6, dtype=int), [2, 8], 6)
    with pytest.raises(LookupError):
        Exact("a", {1: slow}, "confidence", "accuracy").area()


def test_measures_of_an_exit_are_those_that_are_printed():
    by_seed = cascade()
    expected = measures(by_seed[1])
    for exit_of in (0, 1):
        found = exit_measures("a", by_seed, exit_of)
        for name in ("accuracy", "dis", "ece"):
            assert found[name].values.tolist() == pytest.approx([expected[exit_of][name]] * 2, nan_ok=True)
