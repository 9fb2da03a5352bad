"""What DAR and its controls change, by hand on a hundred instances and a few seeds."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from page_builders import LEARNED, predictions

from cascadebert.metrics.crossed import components, interval_of
from cascadebert.metrics.predictions import write_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.pages.ablation import REFERENCE, ablation
from cascadebert.pages.chosen import score_of, with_answers
from cascadebert.pages.kinds import File
from cascadebert.pages.summaries import AVERAGE
from cascadebert.systems import SYSTEMS

RIGHT = {  # how many of 100, by column and seed, the reference has right, it alone, and the variant alone
    ("mnli", 1): (70, 0, 1),
    ("mnli", 2): (72, 1, 3),
    ("mnli", 3): (74, 0, 3),
    ("mnli-mm", 1): (60, 0, 1),
    ("mnli-mm", 2): (60, 6, 6),
    ("mnli-mm", 3): (60, 3, 2),
}
SCORES = {  # by system, column, seed
    (REFERENCE, "mnli"): [0.70, 0.72, 0.74],
    (REFERENCE, "mnli-mm"): [0.60, 0.60, 0.60],
    ("cascadebert", "mnli"): [0.71, 0.74, 0.77],
    ("cascadebert", "mnli-mm"): [0.61, 0.60, 0.59],
}
P_BY_HAND = {  # of a fair coin: twice the smaller tail
    ("mnli", 1): 1,
    ("mnli", 2): 2 * (1 + 4) / 16,
    ("mnli", 3): 2 * 1 / 8,
    ("mnli-mm", 1): 1,
    ("mnli-mm", 2): 1,
    ("mnli-mm", 3): 1,
}


def answers_of(system, column, seed):
    """Class 1 where the system is right, of 100 instances of class 1."""
    reference, lost, won = RIGHT[column, seed]
    right = np.arange(100) < reference
    if system != REFERENCE:
        right[:lost], right[reference : reference + won] = False, True
    return right.astype(int)


def points(seeds=(1, 2, 3), targets=(3.0,)):
    """Operating points with their answers, in no order."""
    rows = [
        {
            "system": system,
            "column": column,
            "metric": "accuracy",
            "seed": seed,
            "target": target,
            "score": scores[seed - 1],
            "speed_up": target + 0.01 * seed + (0.3 if column == "mnli-mm" else 0),
            "label": np.ones(100, dtype=int),
            "answers": answers_of(system, column, seed),
        }
        for (system, column), scores in SCORES.items()
        for seed in seeds
        for target in targets
    ]
    return pd.DataFrame(rows).assign(**LEARNED).sample(frac=1, random_state=0)


COLUMNS, SYSTEMS_SHOWN = ["mnli", "mnli-mm"], ["cascadebert", REFERENCE]


def table(of=None, targets=(3.0,)):
    """Rows by target, system and column."""
    frame = ablation(points(targets=targets) if of is None else of, COLUMNS, SYSTEMS_SHOWN, targets)
    return frame.set_index(["target_speed_up", "system", "task"])


def test_rows_are_the_variants_columns_and_their_average_at_each_target():
    frame = table(targets=(3.0, 4.0))
    assert list(frame.index) == [(t, s, c) for t in (3.0, 4.0) for s in SYSTEMS_SHOWN for c in [*COLUMNS, AVERAGE]]
    three, four = frame.loc[3.0], frame.loc[4.0]
    assert four["difference"].to_numpy() == pytest.approx(three["difference"].to_numpy(), abs=1e-12)
    assert (four["achieved_speed_up"] - three["achieved_speed_up"]).to_numpy() == pytest.approx(np.ones(6))


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
def test_differences_are_variant_minus_reference_paired_over_seeds_and_instances(column, differences):
    row = table().loc[3.0].loc[("cascadebert", column)]
    columns = COLUMNS if column == AVERAGE else [column]
    gaps = {  # (seeds, instances), each column's weighted as in the average
        of: np.array([answers_of("cascadebert", of, s) - answers_of(REFERENCE, of, s) for s in (1, 2, 3)])
        / len(columns)
        for of in columns
    }
    influence = {of: gap - gap.mean(axis=1, keepdims=True) for of, gap in gaps.items()}
    expected = interval_of(np.array(differences), components(influence))
    assert expected.low < np.mean(differences) < expected.high  # instances count even where seeds agree
    assert row[["difference", "low", "high"]].tolist() == pytest.approx(expected[:3], abs=1e-12)


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
    by_scipy = [scipy.stats.binomtest(RIGHT[column, s][2], sum(RIGHT[column, s][1:])).pvalue for s in (1, 2, 3)]
    assert found == pytest.approx(by_scipy)


def test_average_has_no_instances_to_test():
    assert table().loc[3.0].loc[("cascadebert", AVERAGE), "mcnemar"] == ""


def test_single_seed_has_a_difference_and_no_interval():
    row = table(points((2,))).loc[3.0].loc[("cascadebert", "mnli")]
    assert row["difference"] == pytest.approx(0.02)
    assert np.isnan(row[["sd", "low", "high"]].astype(float)).all()
    assert [float(p) for p in row["mcnemar"].split()] == [pytest.approx(P_BY_HAND["mnli", 2])]


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


def right(folder, of, system, threshold):
    """Which instances of one seed's predictions a system is right on at a threshold, by `with_answers`."""
    write_predictions(folder / "report.npz", {1: of})
    row = {"task": "mnli", "run": "a", "system": system, "split": "report", "seed": 1, "threshold": threshold}
    found = with_answers(pd.DataFrame([row]), [File("mnli", "a", folder / "report.npz")]).iloc[0]
    return (found["answers"] == found["label"]).tolist()


@pytest.mark.parametrize("tau", [0.0, 0.6, 0.8, 1.0])
def test_right_is_where_the_exit_gives_the_label(tmp_path, tau):
    assert right(tmp_path, cascade(0), "cascadebert", tau) == answered(cascade(0), tau)


def test_right_leaves_by_the_rule_of_its_system(tmp_path):
    own = cascade(1)
    assert SYSTEMS["deebert"].exits == "entropy"
    sure = np.exp(own.stack.logits[0]) / np.exp(own.stack.logits[0]).sum(-1, keepdims=True)
    leaves = scipy.stats.entropy(sure, axis=-1) < 0.5
    expected = np.where(leaves, own.stack.logits[0].argmax(-1), own.stack.logits[1].argmax(-1)) == own.label
    assert right(tmp_path, own, "deebert", 0.5) == expected.tolist()
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
            names = {"task": "mnli", "run": system, "system": system, "seed": seed, "metric": "accuracy"}
            rows += [names | row for row in sweep(splits, "confidence", [2.0, 4.0], "accuracy")]
    frame = pd.DataFrame(rows)
    frame = frame[(frame["split"] != "selection") & (frame["measure"] == "layers")]
    frame = frame[(frame["split"] == "report") | (frame["seed"] == 1)]
    found = with_answers(frame, files)
    assert len(found) == len(frame) == 12  # a split without points is not read
    for row in found.itertuples():
        assert np.mean(row.answers == row.label) == pytest.approx(row.score)  # what the table prints is of these
    assert len({tuple(row) for row in found["answers"]}) == len(found)
    column = found.assign(column=found["split"].map({"report": "mnli", "mismatched": "mnli-mm"}))
    own = column[(column["system"] == REFERENCE) & (column["target"] == 2.0)]
    assert score_of(own, ["mnli"]).seeds == (1, 2)
    assert score_of(own, ["mnli", "mnli-mm"]).seeds == (1,)
    mean = own[own["seed"] == 1]["score"].mean()
    assert score_of(own, ["mnli", "mnli-mm"]).values == pytest.approx([mean])
    empty = File("mnli", "cascadebert", tmp_path / "not_read.npz", "mismatched")
    assert len(with_answers(frame[frame["split"] == "report"], [*files, empty])) == 8
