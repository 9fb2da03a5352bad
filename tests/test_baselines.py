"""Baselines of common sense: what each answers, from what it is fitted, and what is not above them."""

import numpy as np
import pandas as pd
import pytest
from page_builders import LEARNED

import fit_baselines
from cascadebert.files import write_examples, write_json
from cascadebert.metrics.baselines import STRENGTHS, Baselines, fit, majority, read_baselines, write_baselines
from cascadebert.metrics.scores import score
from cascadebert.pages.common_sense import paper_unlearned, unlearned

NAMES = ["bad", "good"]


def examples(n=60, pairs=False, seed=0):
    """Texts whose label is a word of theirs, or of a pair that of its second text alone, among words of chance."""
    rng, rows = np.random.default_rng(seed), []
    for split, size in (("train", 4 * n), ("selection", n), ("report", n), ("mismatched", 0)):
        for i in range(size):
            label = NAMES[int(rng.integers(2))]
            words = [f"w{k}" for k in rng.integers(0, 30, 4)]
            row = {"id": f"{split}-{i}", "split": split, "label": label}
            said = {"text": " ".join([*words, NAMES[int(rng.integers(2))] if pairs else label])}
            rows.append(row | said | ({"text_pair": " ".join([label, *words])} if pairs else {}))
    return pd.DataFrame(rows)


@pytest.mark.parametrize("pairs", [False, True])
def test_words_that_decide_are_found_in_the_text_where_they_do(pairs):
    by_split, strength = fit(examples(pairs=pairs), NAMES, "accuracy")
    assert strength in STRENGTHS
    assert set(by_split) == {"selection", "report"}
    assert by_split["report"].scores("accuracy")["tfidf"] > 0.95
    assert by_split["report"].scores("accuracy")["majority"] < 0.7
    assert by_split["report"].better("accuracy")[0] == by_split["report"].scores("accuracy")["tfidf"]


def test_nothing_of_the_report_split_is_fitted():
    data = examples()
    other = data.assign(label=data["label"].where(data["split"] != "report", "bad"))
    first, second = fit(data, NAMES, "f1")[0]["report"], fit(other, NAMES, "f1")[0]["report"]
    np.testing.assert_array_equal(first.answers["tfidf"], second.answers["tfidf"])


def test_c_is_the_one_that_the_selection_split_likes_best():
    noisy = examples(n=80)
    flip = np.random.default_rng(1).uniform(size=len(noisy)) < 0.3
    noisy["label"] = noisy["label"].where(~flip, noisy["label"].map({"bad": "good", "good": "bad"}))
    by_split, strength = fit(noisy, NAMES, "accuracy")
    reached = by_split["selection"].scores("accuracy")["tfidf"]
    for other in STRENGTHS:  # each alone
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("cascadebert.metrics.baselines.STRENGTHS", (other,))
            alone = fit(noisy, NAMES, "accuracy")[0]["selection"].scores("accuracy")["tfidf"]
        assert alone <= reached
        assert other != strength or alone == reached


@pytest.mark.parametrize(("metric", "of"), [("accuracy", 0), ("f1", 1)])
def test_one_class_for_all_is_the_most_frequent_or_for_f1_the_one_that_counts(metric, of):
    label = np.array([0, 0, 0, 1, 1])
    assert majority(metric, label) == of
    assert score(metric, label, np.full(5, of)) >= score(metric, label, np.full(5, 1 - of))


def test_script_writes_what_is_read_back_and_an_empty_half_is_empty(tmp_path):
    data = examples()
    parts = {"training": ["train", "selection"], "report": ["report", "mismatched"]}
    for part, splits in parts.items():
        write_examples(tmp_path / f"{part}.jsonl", data[data["split"].isin(splits)])
    write_json(tmp_path / "facts.json", {"names": NAMES, "metric": "f1", "rows": {}})
    fit_baselines.main(
        tmp_path / "training.jsonl", tmp_path / "report.jsonl", tmp_path / "facts.json", tmp_path / "b.npz"
    )
    found, strength = read_baselines(tmp_path / "b.npz")
    expected, chosen = fit(data, NAMES, "f1")
    assert strength == chosen
    assert found["mismatched"].id.size == 0
    for split in ("selection", "report"):
        assert found[split].id.tolist() == expected[split].id.tolist()
        assert found[split].scores("f1") == expected[split].scores("f1")
    write_baselines(tmp_path / "b.npz", found, strength)
    assert read_baselines(tmp_path / "b.npz")[0]["mismatched"].id.size == 0


def points(scores, **beside):
    """Operating points of one system, by column and seed."""
    rows = [
        {"column": column, "seed": seed, "score": score}
        for column, of in scores.items()
        for seed, score in enumerate(of)
    ]
    return pd.DataFrame(rows).assign(**LEARNED | beside)


@pytest.mark.parametrize(
    ("scores", "beside", "marked"),
    [
        ({"a": [0.70, 0.71, 0.72]}, {"tfidf": 0.5, "majority": 0.6}, False),
        ({"a": [0.70, 0.71, 0.72]}, {"tfidf": 0.5, "majority": 0.7}, True),  # 1 point above the better, within 2.5
        ({"a": [0.70, 0.71, 0.72]}, {"tfidf": 0.6, "alike": 0.06**2}, True),  # the instances tell it not
        ({"a": [0.70]}, {"tfidf": 0.6, "alike": np.nan, "apart": np.nan}, False),  # one seed: no interval
        ({"a": [0.60]}, {"tfidf": 0.6, "alike": np.nan, "apart": np.nan}, True),
        ({"a": [0.70, 0.71, 0.72], "b": [0.62, 0.61, 0.60]}, {"tfidf": 0.6}, False),  # their average
        ({"a": [0.60, 0.61, 0.62], "b": [0.62, 0.61, 0.60]}, {"tfidf": 0.61}, True),
    ],
)
def test_cell_is_marked_unless_its_interval_lies_above_the_better_baseline(scores, beside, marked):
    assert unlearned(points(scores, **beside)) == marked


def test_published_score_is_marked_unless_wilsons_interval_lies_above_the_majority():
    assert paper_unlearned(0.80, 0.799, 1725)
    assert paper_unlearned(0.81, 0.799, 1725)  # one and a half points either way
    assert not paper_unlearned(0.83, 0.799, 1725)
    assert not paper_unlearned(float("nan"), 0.799, 1725)


def test_better_baseline_is_that_of_the_split():
    label = np.array([0, 1, 1, 1])
    held = Baselines(np.array([*"abcd"]), label, {"majority": np.ones(4, int), "tfidf": np.array([0, 1, 0, 0])})
    value, influence = held.better("accuracy")
    assert value == 0.75
    np.testing.assert_allclose(influence, [-0.75, 0.25, 0.25, 0.25])
