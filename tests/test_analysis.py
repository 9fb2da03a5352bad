"""Frames behind the figures, against numbers worked out by hand."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from page_builders import T_OF_2_SEEDS, by_margin

from cascadebert.metrics.predictions import check_aligned, logits_after
from cascadebert.pages.accuracy_by_layer import accuracy_by_layer, deebert_thresholds
from cascadebert.pages.instances import RULE, easy_instance, overlap, words
from cascadebert.pages.inversions import dis_by_layer
from cascadebert.pages.kinds import File
from cascadebert.pages.ratings import difficulty_by_rating
from cascadebert.pages.reliability import calibration_curves
from cascadebert.pages.states import separation
from cascadebert.pages.trade_off import trade_off
from cascadebert.systems import shown_in

FULL, NAN = 3, float("nan")

# --- Figure 1 ---------------------------------------------------------------------------------------------------------


def test_words_are_compared_in_lower_case_without_punctuation():
    assert words("The man -- IT'S the man's!") == {"the", "man", "it's", "man's"}
    assert overlap("A b c", "B, c; d") == pytest.approx(2 / 4)
    assert overlap("a a a", "A") == 1
    assert overlap("?", "!") == 0


def chosen(small, texts=None, pairs=None, off_ramp=(-1,) * 8, **changes):
    """Figure 1's frame for eight positive instances, all of them wrong at the off-ramp unless said otherwise."""
    label = [1] * 8
    deebert = by_margin([[9] * 8, off_ramp, [9] * 8], label)
    examples = pd.DataFrame({"id": deebert.id, "split": "report", "text": texts or ["one two"] * 8})
    if pairs:
        examples["text_pair"] = pairs
    decoy = examples.assign(split="train", text="never to be shown")
    arguments = {
        "deebert": deebert,
        "small": by_margin([small], label, [2]),
        "base": by_margin([[2] * 8], label, [FULL]),
        "examples": pd.concat([decoy, examples]),
        "layer": 2,
    }
    return easy_instance(**arguments | changes)


RISING = [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("given", "shown", "candidates"),
    [  # the sixth shares most words, two are surer: it is not among the surest quarter
        ({"small": RISING, "pairs": ["one three"] * 5 + ["one two"] + ["one three"] * 2}, "i7", 8),
        ({"small": RISING, "pairs": ["x"] * 6 + ["one two", "one three"]}, "i6", 8),  # overlap goes before confidence
        ({"small": [5] * 8, "texts": ["long enough"] * 5 + ["short"] * 3}, "i5", 8),  # then the shortest
        ({"small": [5] * 8}, "i0", 8),  # then the first
        ({"small": [9, -8, 7, 6, -9, -9, -9, -9], "off_ramp": [1, -1, 1, -1, -1, 1, 1, 1]}, "i3", 1),
    ],
)
def test_instance_is_wrong_at_the_off_ramp_right_in_the_member_and_chosen_by_the_rule(given, shown, candidates):
    frame = chosen(**given)
    assert (set(frame["id"]), set(frame["candidates"])) == ({shown}, {candidates})
    assert shown != "i6" or set(frame["overlap"]) == {1.0}


def test_bars_are_the_three_classifiers_probabilities():
    frame = chosen(small=[5] * 8, off_ramp=[-1] * 8)
    assert list(frame["model"].unique()) == ["DeeBERT, layer 2", "BERT-Complete-2L", "DeeBERT, layer 3 (the base)"]
    yes = frame[frame["class"] == "yes"]["probability"]
    assert yes.tolist() == pytest.approx([1 / (1 + math.exp(-margin)) for margin in (-1, 5, 2)])
    assert frame.groupby("model")["probability"].sum().tolist() == pytest.approx([1, 1, 1])
    assert (set(frame["gold"]), set(frame["text"]), set(frame["text_pair"])) == ({"yes"}, {"one two"}, {""})


def test_without_a_candidate_the_frame_says_so():
    assert chosen(small=[-1] * 8).to_dict("records") == [{"candidates": 0, "rule": RULE}]


def test_files_of_other_instances_are_refused():
    one, members = by_margin([[1, 1]], [0, 1]), by_margin([[1] * 7], LABEL, [1])
    check_aligned([one, dataclasses.replace(one)])
    for other in (dataclasses.replace(one, id=one.id[::-1]), by_margin([[1]], [0])):
        with pytest.raises(ValueError, match="different instances"):
            check_aligned([one, other])
    runs = {("movies", "deebert", 0, 1): by_margin(DEEBERT, LABEL)}
    runs["movies", "bert_complete", 1, 1] = dataclasses.replace(members, id=members.id[::-1])
    with pytest.raises(ValueError, match="different instances"):
        accuracy_by_layer(runs, {("movies", 1): 0.5}, 2)


def test_exit_is_found_by_its_layer():
    own = by_margin([[1, 1], [2, 2]], [0, 1], layers=[2, 14])
    assert logits_after(own, 14)[0].tolist() == [-1, 1]
    with pytest.raises(ValueError, match=r"layer 1, .* \[2, 14\]"):
        logits_after(own, 1)


# --- Figure 2 ---------------------------------------------------------------------------------------------------------

LABEL = [1, 1, 0, 1, 0, 1, 0]
DEEBERT = [[9, 9, 9, 0, 0, 0, 0], [1, 1, 1, 9, 9, 0, 0], [1, 1, 1, 1, 1, 1, 1]]
"""Sure at layer 1 of three instances, at layer 2 of two more; two go to the end."""


def emitted(min_subset=2, second_seed=False):
    """Figure 2's frame; the members' answers are right where their margin has the label's sign."""
    runs = {
        ("movies", "deebert", 0, 1): by_margin(DEEBERT, LABEL),
        ("movies", "bert_complete", 1, 1): by_margin([[1, 1, -1, -9, 9, -9, 9]], LABEL, [1]),
        ("movies", "bert_complete", 2, 1): by_margin([[1, 1, 1, 1, -1, 1, 1]], LABEL, [2]),
        ("movies", "bert_complete", 3, 1): by_margin([[1, 1, 1, 1, 1, 1, 1]], LABEL, [3]),
        ("movies", "bert_kl", 1, 1): by_margin([[-1, -1, -1, 1, 1, 1, 1]], LABEL, [1]),
    }
    if second_seed:
        runs |= {
            ("movies", "deebert", 0, 2): by_margin([[9, 9, 0, 0, 0, 0, 0], *DEEBERT[1:]], LABEL),
            ("movies", "bert_complete", 1, 2): by_margin([[1, -1, 1, 1, 1, 1, 1]], LABEL, [1]),
        }
    return accuracy_by_layer(runs, {("movies", 1): 0.5, ("movies", 2): 0.5}, min_subset)


def test_models_are_compared_on_what_deebert_emits_at_their_layer():
    frame = emitted().set_index(["layers", "system"])
    assert frame["n"].to_dict() == {
        (1, "deebert"): 3,
        (1, "bert_kl"): 3,
        (1, "bert_complete"): 3,
        (2, "deebert"): 2,
        (2, "bert_complete"): 2,
    }
    assert frame["mean"].tolist() == pytest.approx([2 / 3, 1 / 3, 1, 1 / 2, 1])
    assert frame["low"].isna().all()
    assert set(frame["n_seeds"]) == {1}


def test_small_subsets_are_left_out():
    assert set(emitted(min_subset=3)["layers"]) == {1}
    empty = emitted(min_subset=4)
    assert empty.empty
    assert list(empty.columns) == list(emitted().columns)


def test_seeds_are_averaged_with_their_t_interval_and_one_with_too_small_a_subset_is_left_out_alone():
    row = emitted(second_seed=True).set_index(["layers", "system"]).loc[(1, "bert_complete")]
    assert (row["n"], row["mean"], row["n_seeds"]) == (2.5, pytest.approx((1 + 1 / 2) / 2), 2)
    assert row["high"] - row["mean"] == pytest.approx(T_OF_2_SEEDS * 0.25)  # sd / sqrt(2)
    row = emitted(min_subset=3, second_seed=True).set_index(["layers", "system"]).loc[(1, "deebert")]
    assert (row["n"], row["n_seeds"]) == (3, 1)


def test_threshold_is_that_of_the_target_in_layers():
    rows = [
        (task, system, seed, measure, split, target, float(100 * seed + target + bonus))
        for task in ("movies", "pairs")
        for system, measure, split, bonus in (
            ("deebert", "layers", "report", 0),
            ("deebert", "flops", "report", 7),
            ("deebert", "layers", "selection", 8),
            ("pabee", "layers", "report", 9),
        )
        for seed in (1, 2)
        for target in (2.0, 3.0)
    ]
    sweeps = pd.DataFrame(rows, columns=["task", "system", "seed", "measure", "split", "target", "threshold"])
    found = deebert_thresholds(sweeps, 2.0)
    assert found == {("movies", 1): 102, ("movies", 2): 202, ("pairs", 1): 102, ("pairs", 2): 202}
    with pytest.raises(ValueError, match=r"2\.5x; there are \[2\.0, 3\.0\]"):
        deebert_thresholds(sweeps, 2.5)


# --- Figure 3 ---------------------------------------------------------------------------------------------------------


def test_dis_is_the_mean_over_the_seeds_where_it_is_defined(tmp_path):
    measured = {
        "deebert": [
            ("report", 1, 0.5),
            ("report", 1, 0.7),
            ("report", 2, NAN),
            ("report", 2, 0.9),
            ("mismatched", 1, 0.1),
        ],
        "bert_complete": [("report", 2, NAN), ("report", 2, NAN)],
    }
    files = [File("movies", model, tmp_path / f"{model}.csv") for model in measured]
    for file in files:
        pd.DataFrame(measured[file.of], columns=["split", "layers", "dis"]).to_csv(file.path, index=False)
    frame = dis_by_layer(files)
    keys = [("movies", "deebert", 1, 2), ("movies", "deebert", 2, 1), ("movies", "bert_complete", 2, 0)]
    assert [*frame[["column", "system", "layers", "n_seeds"]].itertuples(index=False, name=None)] == keys
    assert frame["dis"].tolist() == pytest.approx([0.6, 0.9, NAN], nan_ok=True)


# --- Figure 4 ---------------------------------------------------------------------------------------------------------


def states(n=40, classes=2, scale=1.0):
    """DeeBERT's states know nothing of the class; the member's are two far clusters in one of three features."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % classes
    noise = rng.normal(size=(2, n, 3))
    noise[1] *= 0.1
    noise[1] += 20 * label[:, None]
    answers = np.where(np.arange(n) < n // 4, 1 - label, label)
    return {
        "deebert": (noise[0] * [scale, 1, 1]).astype(np.float32),
        "member": (noise[1] * [scale, 1, 1]).astype(np.float32),
        "deebert_answers": answers,
        "member_answers": label,
        "label": label,
        "names": np.array(["no", "yes"]),
        "layer": np.array(2),
    }


def test_clusters_are_told_apart_and_noise_is_not():
    frame = separation(states(), perplexity=5.0, instances=100, seed=0)
    told = frame.groupby("model", sort=False)[["accuracy", "silhouette", "neighbours"]].first()
    assert list(told.index) == ["deebert", "member"]
    assert told["accuracy"].tolist() == [0.75, 1.0]
    assert told.loc["member", "neighbours"] == 1
    assert told.loc["member", "silhouette"] > 0.95
    assert told.loc["deebert", "neighbours"] < 0.8
    assert abs(told.loc["deebert", "silhouette"]) < 0.2
    assert set(frame["layers"]) == {2}


def test_neighbours_are_the_ten_nearest_others():
    given = states()
    scaled = given["deebert"].astype(float)
    scaled = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0)
    right = []
    for i, own in enumerate(scaled):
        nearest = np.argsort(np.where(np.arange(40) == i, np.inf, ((scaled - own) ** 2).sum(axis=1)))[:10]
        right.append(np.bincount(given["label"][nearest]).argmax() == given["label"][i])
    frame = separation(given, perplexity=5.0, instances=100, seed=0)
    assert frame["neighbours"].iloc[0] == np.mean(right)


def test_no_feature_counts_more_for_its_scale():
    plain, scaled = (separation(states(scale=scale), 5.0, 100, 0).iloc[0] for scale in (1.0, 1000.0))
    assert scaled["silhouette"] == pytest.approx(plain["silhouette"], abs=1e-5)


def test_both_panels_show_the_same_instances():
    frame = separation(states(), perplexity=5.0, instances=15, seed=3)
    assert len(frame) == 2 * 15
    of_deebert, of_member = (own["class"].tolist() for _, own in frame.groupby("model"))
    assert of_deebert == of_member
    pd.testing.assert_frame_equal(frame, separation(states(), perplexity=5.0, instances=15, seed=3))
    assert separation(states(), 5.0, 15, seed=4)["class"].tolist() != frame["class"].tolist()


def test_few_instances_of_one_class_are_drawn_without_a_silhouette():
    frame = separation(states(n=5, classes=1), perplexity=30.0, instances=100, seed=0)
    assert np.isfinite(frame[["x", "y"]].to_numpy()).all()
    assert frame["silhouette"].isna().all()
    assert set(frame["neighbours"]) == {1.0}


# --- Figure 5 ---------------------------------------------------------------------------------------------------------


def test_a_figure_shows_its_own_systems_over_seeds():
    rows = [
        ("movies", system, system, 2.0, seed, 2.0 + seed / 10, score)
        for system in ("cascadebert", "cascadebert_three", "cascadebert_tempered", "pabee")
        for seed, score in ((1, 0.7), (2, 0.9))
    ]
    points = pd.DataFrame(rows, columns=["column", "system", "run", "target", "seed", "speed_up", "score"])
    assert set(trade_off(points, shown_in("figure5_all"))["system"]) == {"cascadebert", "cascadebert_three", "pabee"}
    frame = trade_off(points, shown_in("figure5"))
    assert frame["system"].tolist() == ["cascadebert", "cascadebert_three"]
    row = frame.iloc[0]
    assert (row["speed_up"], row["mean"], row["n_seeds"]) == pytest.approx((2.15, 0.8, 2))
    assert row["high"] - row["mean"] == pytest.approx(T_OF_2_SEEDS * 0.1)


def test_runs_of_one_system_stay_apart():
    rows = [("movies", "bert_kl", f"base_first{k}", 2.0, 1, 6.0 / k, 0.1 * k) for k in (3, 2)]
    points = pd.DataFrame(rows, columns=["column", "system", "run", "target", "seed", "speed_up", "score"])
    assert trade_off(points, shown_in("figure5_all"))["mean"].tolist() == pytest.approx([0.3, 0.2])


# --- Figure 6 ---------------------------------------------------------------------------------------------------------


def test_seeds_are_pooled_in_bins_and_averaged_in_ece():
    def surely(probability, right):
        margin = math.log(probability / (1 - probability))
        return by_margin([[margin] * len(right)], [int(r) for r in right], [1])

    seeds = [surely(0.75, [True] * 4), surely(0.75, [False] * 4)]
    other = [surely(0.95, [True, False])]
    frame = calibration_curves({("movies", "with DAR"): seeds, ("movies", "without DAR"): other})
    held = frame[frame["n"] > 0].set_index("variant")
    assert held["n"].to_dict() == {"with DAR": 8, "without DAR": 2}
    assert held["accuracy"].to_dict() == {"with DAR": 0.5, "without DAR": 0.5}
    assert held["confidence"].tolist() == pytest.approx([0.75, 0.95])
    assert held["ece"].tolist() == pytest.approx([(0.25 + 0.75) / 2, 0.45])  # of the pool the first would be 0.25
    assert held["n_seeds"].tolist() == [2, 1]
    assert len(frame) == 2 * 10


# --- Figure 7 ---------------------------------------------------------------------------------------------------------


def rated(ratings, difficult):
    """Labels and examples of some training instances, and one of another split that must not count."""
    ids = [f"t{i}" for i in range(len(ratings))]
    labels = pd.DataFrame({"id": ids, "right": 2 - 2 * np.array(difficult, dtype=int), "difficult": difficult})
    examples = pd.DataFrame({"id": [*ids, "t0"], "split": ["train"] * len(ids) + ["report"]})
    return labels, examples.assign(rating=[*ratings, 99.0])


def test_bins_hold_equally_many_instances_by_absolute_rating():
    ratings = [float(r) * (-1) ** r for r in range(1, 17)]
    labels, examples = rated(ratings, [r <= 4 for r in range(1, 17)])
    frame = difficulty_by_rating(labels, examples.sample(frac=1, random_state=0))
    assert frame["n"].tolist() == [2] * 8
    assert frame["rating"].tolist() == [1.5, 3.5, 5.5, 7.5, 9.5, 11.5, 13.5, 15.5]
    assert frame["difficult"].tolist() == [1, 1, 0, 0, 0, 0, 0, 0]
    assert ((frame["low"] <= frame["difficult"]) & (frame["difficult"] <= frame["high"])).all()
    assert len(set(frame["rho"])) == 1
    assert 0 < frame["rho_low"].iloc[0] < frame["rho"].iloc[0] < frame["rho_high"].iloc[0] <= 1


def test_equal_ratings_stay_in_one_bin():
    frame = difficulty_by_rating(*rated([1.0] * 9 + [2.0] * 3, [True] * 9 + [False] * 3))
    assert frame["n"].tolist() == [9, 3]
    frame = difficulty_by_rating(*rated([1.0, -1.0, 1.0], [True, False, False]))
    assert frame[["rating", "n"]].to_numpy().tolist() == [[1, 3]]
    assert frame["difficult"].tolist() == pytest.approx([1 / 3])
    assert frame["rho"].isna().all()


def test_without_ratings_there_is_nothing_to_show():
    labels, examples = rated([1.0, 2.0], [True, False])
    assert difficulty_by_rating(labels, examples.drop(columns="rating")).empty
    assert difficulty_by_rating(labels, examples.assign(rating=None)).empty
    assert difficulty_by_rating(labels, examples[examples["split"] == "report"]).empty
