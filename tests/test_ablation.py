"""What DAR and its controls change, by hand on a few instances and seeds."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from page_builders import LEARNED, T_OF_3_SEEDS, predictions

from cascadebert.metrics.predictions import write_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.pages.ablation import REFERENCE, ablation, answered_correctly, instances
from cascadebert.pages.kinds import File
from cascadebert.pages.summaries import AVERAGE
from cascadebert.systems import SYSTEMS

SCORES = {  # by system, column, seed
    (REFERENCE, "mnli"): [0.70, 0.72, 0.74],
    (REFERENCE, "mnli-mm"): [0.60, 0.60, 0.60],
    ("cascadebert", "mnli"): [0.71, 0.74, 0.77],
    ("cascadebert", "mnli-mm"): [0.61, 0.60, 0.59],
}
RIGHT = {  # twelve instances of one seed: how many only the variant has right, and how many only the reference
    ("mnli", 1): (5, 0),
    ("mnli", 2): (4, 1),
    ("mnli", 3): (0, 0),
    ("mnli-mm", 1): (1, 1),
    ("mnli-mm", 2): (0, 6),
    ("mnli-mm", 3): (2, 8),
}
P_BY_HAND = {  # of a fair coin: twice the smaller tail
    ("mnli", 1): 2 * 1 / 32,
    ("mnli", 2): 2 * 6 / 32,
    ("mnli", 3): 1,
    ("mnli-mm", 1): 1,
    ("mnli-mm", 2): 2 * 1 / 64,
    ("mnli-mm", 3): 2 * (1 + 10 + 45) / 1024,
}


def points(seeds=(1, 2, 3), targets=(3.0,)):
    """Operating points in no order; a second target, where there is one, is 0.1 lower throughout."""
    rows = [
        {
            "system": system,
            "column": column,
            "seed": seed,
            "target": target,
            "score": scores[seed - 1] - 0.1 * (target != 3),
            "speed_up": target + 0.01 * seed + (0.3 if column == "mnli-mm" else 0),
        }
        for (system, column), scores in SCORES.items()
        for seed in seeds
        for target in targets
    ]
    return pd.DataFrame(rows).assign(**LEARNED).sample(frac=1, random_state=0)


def correct(targets=(3.0,)):
    """Right answers of both systems, as RIGHT counts them."""
    found = {}
    for (column, seed), (variant, reference) in RIGHT.items():
        both = 12 - variant - reference
        for target in targets:
            found[column, "cascadebert", seed, target] = np.repeat([True, False, seed == 2], [variant, reference, both])
            found[column, REFERENCE, seed, target] = np.repeat([False, True, seed == 2], [variant, reference, both])
    return found


COLUMNS, SYSTEMS_SHOWN = ["mnli", "mnli-mm"], ["cascadebert", REFERENCE]


def table(of=None, targets=(3.0,)):
    """Rows by target, system and column."""
    frame = ablation(points(targets=targets) if of is None else of, COLUMNS, SYSTEMS_SHOWN, targets, correct(targets))
    return frame.set_index(["target_speed_up", "system", "task"])


def test_rows_are_the_variants_columns_and_their_average_at_each_target():
    frame = table(targets=(3.0, 4.0))
    assert list(frame.index) == [(t, s, c) for t in (3.0, 4.0) for s in SYSTEMS_SHOWN for c in [*COLUMNS, AVERAGE]]
    three, four = frame.loc[3.0], frame.loc[4.0]
    assert (three["mean"] - four["mean"]).to_numpy() == pytest.approx(np.full(6, 0.1))
    assert four["difference"].to_numpy() == pytest.approx(three["difference"].to_numpy(), abs=1e-12)


def test_means_and_ratios_are_over_seeds():
    found = table().loc[3.0]
    row = found.loc[("cascadebert", "mnli")]
    assert row["mean"] == pytest.approx(0.74)
    assert row["sd"] == pytest.approx(0.03)
    assert (row["n_seeds"], row["achieved_speed_up"]) == (3, pytest.approx(3.02))
    assert found.loc[("cascadebert", "mnli-mm"), "achieved_speed_up"] == pytest.approx(3.32)
    average = found.loc[("cascadebert", AVERAGE)]
    assert average["mean"] == pytest.approx((0.71 + 0.74 + 0.77 + 0.61 + 0.60 + 0.59) / 6)
    assert average["sd"] == pytest.approx(0.01)  # 0.66, 0.67, 0.68
    assert average["achieved_speed_up"] == pytest.approx(3.17)


@pytest.mark.parametrize(
    ("column", "differences"),
    [("mnli", [0.01, 0.02, 0.03]), ("mnli-mm", [0.01, 0.0, -0.01]), (AVERAGE, [0.01, 0.01, 0.01])],
)
def test_differences_are_paired_over_seeds_and_variant_minus_reference(column, differences):
    row = table().loc[3.0].loc[("cascadebert", column)]
    mean, sd = np.mean(differences), np.std(differences, ddof=1)
    reach = T_OF_3_SEEDS * sd / np.sqrt(3)
    assert [row["difference"], row["low"], row["high"]] == pytest.approx([mean, mean - reach, mean + reach], abs=1e-12)


def test_column_of_fewer_seeds_keeps_its_own_and_the_average_those_of_all():
    whole = points()
    found = table(whole[(whole["column"] != "mnli") | (whole["seed"] < 3)]).loc[3.0].loc["cascadebert"]
    assert found["n_seeds"].tolist() == [2, 3, 2]
    assert found["mean"].tolist() == pytest.approx([0.725, 0.60, (0.71 + 0.74 + 0.61 + 0.60) / 4])
    assert found["difference"].tolist() == pytest.approx([0.015, 0.0, 0.01], abs=1e-12)
    assert [len(p_values.split()) for p_values in found["mcnemar"]] == [2, 3, 0]


def test_reference_differs_from_itself_by_nothing():
    rows = table().loc[3.0].loc[REFERENCE]
    assert (rows[["difference", "low", "high"]] == 0).all(axis=None)
    assert (rows["mcnemar"] == "").all()


@pytest.mark.parametrize("column", ["mnli", "mnli-mm"])
def test_mcnemar_is_exact_for_each_seed_in_order(column):
    found = [float(p) for p in table().loc[3.0].loc[("cascadebert", column), "mcnemar"].split()]
    assert found == [pytest.approx(P_BY_HAND[column, seed], rel=1e-12) for seed in (1, 2, 3)]
    by_scipy = [
        scipy.stats.binomtest(RIGHT[column, s][0], sum(RIGHT[column, s])).pvalue if sum(RIGHT[column, s]) else 1
        for s in (1, 2, 3)
    ]
    assert found == pytest.approx(by_scipy)


def test_average_has_no_instances_to_test():
    assert table().loc[3.0].loc[("cascadebert", AVERAGE), "mcnemar"] == ""


def test_single_seed_has_a_difference_and_no_interval():
    row = table(points((2,))).loc[3.0].loc[("cascadebert", "mnli")]
    assert row["difference"] == pytest.approx(0.02)
    assert np.isnan(row[["sd", "low", "high"]].astype(float)).all()
    assert [float(p) for p in row["mcnemar"].split()] == [pytest.approx(2 * 6 / 32)]


# --- instances


def cascade(seed, split=0):
    """A cascade's predictions of a split of 40 instances; of none two confidences are alike."""
    label = np.random.default_rng(split).integers(0, 2, 40)
    return predictions(np.random.default_rng(seed).normal(size=(2, 40, 2)), label, [2, 14], full=12)


def answered(predictions, tau):
    """Where Algorithm 1, spelled out, gives the label."""
    found = []
    for i, own in enumerate(predictions.label):
        small = np.exp(predictions.stack.logits[0, i].astype(float))
        leaves = small.max() / small.sum() > tau
        found.append(int(np.argmax(predictions.stack.logits[0 if leaves else 1, i])) == own)
    return found


@pytest.mark.parametrize("tau", [0.0, 0.6, 0.8, 1.0])
def test_right_is_where_the_exit_gives_the_label(tau):
    assert answered_correctly(cascade(0), "cascadebert", tau).tolist() == answered(cascade(0), tau)


def test_right_leaves_by_the_rule_of_its_system():
    own = cascade(1)
    assert SYSTEMS["deebert"].exits == "entropy"
    sure = np.exp(own.stack.logits[0]) / np.exp(own.stack.logits[0]).sum(-1, keepdims=True)
    leaves = scipy.stats.entropy(sure, axis=-1) < 0.5
    expected = np.where(leaves, own.stack.logits[0].argmax(-1), own.stack.logits[1].argmax(-1)) == own.label
    assert answered_correctly(own, "deebert", 0.5).tolist() == expected.tolist()
    assert 0 < leaves.sum() < 40


def test_instances_are_read_at_each_threshold_of_their_own_seed_and_split(tmp_path):
    files, rows = [], []
    for system in SYSTEMS_SHOWN:
        held = {  # seed 2 has no mismatched half
            seed: {
                split: cascade(100 * seed + 10 * j + (system == REFERENCE), j)
                for j, split in enumerate(("selection", "report", "mismatched"))
            }
            for seed in (1, 2)
        }
        for split in ("report", "mismatched"):
            files.append(File("mnli", system, tmp_path / f"{system}_{split}.npz", split))
            seeds = (1, 2) if split == "report" else (1,)
            write_predictions(files[-1].path, {seed: held[seed][split] for seed in seeds})
        for seed, splits in held.items():
            names = {"task": "mnli", "system": system, "seed": seed}
            rows += [names | row for row in sweep(splits, "confidence", [2.0, 4.0], "accuracy")]
    frame = pd.DataFrame(rows)
    frame = frame[(frame["split"] != "selection") & (frame["measure"] == "layers")]
    frame = frame[(frame["split"] == "report") | (frame["seed"] == 1)]
    found = instances(frame, tuple(files))
    assert set(found) == {
        (column, system, seed, target)
        for column, seed in (("mnli", 1), ("mnli", 2), ("mnli-mm", 1))
        for system in SYSTEMS_SHOWN
        for target in (2.0, 4.0)
    }
    for row in frame.itertuples():
        own = found["mnli" if row.split == "report" else "mnli-mm", row.system, row.seed, row.target]
        assert own.mean() == pytest.approx(row.score)  # the score that the table prints is that of these instances
    assert len({tuple(own) for own in found.values()}) == len(found)
    empty = File("mnli", "cascadebert", tmp_path / "not_read.npz", "mismatched")
    assert instances(frame[frame["split"] == "report"], (empty,)) == {}  # a split without points is not opened
