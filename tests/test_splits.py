"""Splits: no text in two of them, class proportions kept, published evaluation splits as they are."""

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cascadebert.data.splits import carve, draw_test, normalised
from cascadebert.layouts import Problem

EVALUATED = ("selection", "report", "mismatched")


COLUMNS = ["id", "text", "label"]


def frame(texts, labels="ab", prefix="t"):
    """Rows with labels in turn."""
    content = [(f"{prefix}-{i}", text, labels[i % len(labels)]) for i, text in enumerate(texts)]
    return pd.DataFrame(content, columns=COLUMNS)


def distinct(n, prefix="t", labels="ab"):
    """Rows of n texts."""
    return frame([f"{prefix} text {i}" for i in range(n)], labels, prefix)


def split_of(table, name):
    """One split's rows, as a source has them."""
    return table.loc[table["split"] == name, COLUMNS].reset_index(drop=True)


def sizes(table):
    """How many rows each split has."""
    return table["split"].value_counts().to_dict()


def texts_of(table, name):
    """One split's normalised texts."""
    return set(normalised(split_of(table, name)))


# --- what counts as the same text

SAME = ("A Fine  Film", " a fine film\t", "a\u00a0fine\u2003film", "a ﬁne film", "A FINE FILM\n", "ａ fine film")
OTHER = ("a fine film.", "afine film", "a fine film film", "")


@pytest.mark.parametrize("text", SAME + OTHER)
def test_form_case_and_space_do_not_count_and_everything_else_does(text):
    one, other = normalised(frame([text, "a fine film"]))
    assert (one == other) == (text in SAME)


def test_both_texts_of_a_pair_count():
    pairs = frame(["a b", "a", "A", "a"]).assign(text_pair=["c", "b c", "B  C", "b"])
    keys = normalised(pairs)
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3


def test_empty_frame_has_no_text():
    assert len(normalised(frame([]))) == 0


# --- carving

WORDS = st.lists(st.sampled_from(["film", "Film", "good", "GOOD", "bad", " bad"]), min_size=1, max_size=3).map(" ".join)
ROWS = st.lists(st.tuples(WORDS, st.sampled_from("ab")), min_size=30, max_size=80)


def drawn(rows, prefix):
    """A frame of drawn rows."""
    texts, labels = zip(*rows, strict=True)
    return frame(texts, labels, prefix)


def carved(source, rows, seed=0):
    """The carved table and counts; draws that cannot be had are not looked at."""
    try:
        return carve(source, rows, seed)
    except Problem:
        assume(False)


@settings(max_examples=50)
@given(ROWS, ROWS, st.sets(st.sampled_from(["report", "mismatched"])), st.integers(0, 3))
def test_no_evaluated_text_is_trained_on_whatever_is_published(rows, others, published, seed):
    others = {"report": drawn(others[6:12], "r"), "mismatched": drawn(others[:6], "m")}
    source = {"train": drawn(rows, "t")} | {name: others[name] for name in published}
    table, dropped = carved(source, {"selection": 3, "report": 6}, seed)
    for name in EVALUATED:
        assert not texts_of(table, "train") & texts_of(table, name)
    assert not texts_of(table, "selection") & (texts_of(table, "report") | texts_of(table, "mismatched"))
    if "report" not in published:
        assert not texts_of(table, "report") & texts_of(table, "mismatched")
    assert table["id"].is_unique
    assert len(table) + sum(dropped.values()) == sum(map(len, source.values()))


@pytest.mark.parametrize("published", [True, False])
def test_selection_on_validation_is_the_report_split_and_takes_nothing_from_training(published):
    source = {"train": distinct(60)} | ({"report": frame(["r one", "t text 1"], prefix="r")} if published else {})
    table, dropped = carve(source, {"selection": 4}, 0, "validation")
    pd.testing.assert_frame_equal(split_of(table, "selection"), split_of(table, "report"))
    assert len(split_of(table, "train")) == (59 if published else 48)
    assert not texts_of(table, "train") & texts_of(table, "report")
    assert dropped["train and selection"] == int(published)


def test_repeats_of_evaluated_texts_leave_and_are_counted():
    report = frame(["r one", "r two"], prefix="r")
    pool = pd.concat([distinct(40), frame(["R  one", "r two", "r two"], prefix="x")], ignore_index=True)
    mismatched = frame(["t text 3", "r one"], prefix="m")
    table, dropped = carve({"train": pool, "report": report, "mismatched": mismatched}, {"selection": 4}, seed=0)
    assert dropped == {"train and selection": 3, "train and selection (mismatched)": 1, "train": 0}
    assert len(split_of(table, "train")) == 40 - 1 - 4
    assert not table["id"].str.startswith("x").any()


def test_repeat_of_a_selection_text_leaves_the_training_split():
    pool = frame([f"text {i % 20}" for i in range(60)])  # each text three times
    table, dropped = carve({"train": pool, "report": distinct(4, "r")}, {"selection": 2}, seed=0)
    kept = texts_of(table, "selection")
    assert dropped["train"] == sum(text in kept for text in normalised(pool)) - 2
    assert len(split_of(table, "train")) == 60 - 2 - dropped["train"]


def test_a_sources_own_selection_split_is_taken_less_what_is_reported():
    report, own = distinct(10, "r"), frame(["s one", "s two", "t text 1", "r text 3"], prefix="s")
    source = {"train": distinct(40), "report": report, "selection": own}
    table, dropped = carve(source, {}, seed=0)
    assert split_of(table, "selection")["id"].tolist() == ["s-0", "s-1", "s-2"]
    assert len(split_of(table, "train")) == 39, "a text of the selection split is not trained on"
    assert {why: n for why, n in dropped.items() if n} == {"selection": 1, "train (selection)": 1}
    assert sizes(carve(source, {"selection": 2}, seed=0)[0])["selection"] == 2


def test_published_evaluation_splits_are_untouched():
    source = {
        "train": distinct(60),
        "report": frame(["same", "same", "t text 1", "other"], prefix="r"),
        "mismatched": frame(["same", "t text 2", "x"], prefix="m"),
        "test": frame(["same", "t text 3"], labels=[""], prefix="e"),
    }
    table, _ = carve(source, {}, seed=0)
    for name in ("report", "mismatched"):
        pd.testing.assert_frame_equal(split_of(table, name), source[name])
    pd.testing.assert_frame_equal(draw_test(source, {}, seed=0).drop(columns="split"), source["test"])


def test_a_text_of_the_published_report_split_is_not_trained_on_whether_it_is_drawn_or_not():
    source = {"train": distinct(60), "report": frame([f"t text {i}" for i in range(20)], prefix="r")}
    table, dropped = carve(source, {"report": 5}, seed=0)
    trained = table[table["split"].isin(["train", "selection"])]
    assert dropped["train and selection"] == 20
    assert set(trained["text"]).isdisjoint(source["report"]["text"])
    assert set(carve(source, {"report": 12}, seed=0)[0].query("split == 'train'")["id"]) == set(
        trained.query("split == 'train'")["id"]
    ), "a larger report split is another matter than training"


@pytest.mark.parametrize("n", [10, 20, 50])
def test_draws_keep_the_class_proportions(n):
    source = {"train": distinct(400, labels="aaab"), "report": distinct(200, "r", labels="aaab")}
    table, _ = carve(source, {"train": 2 * n, "selection": n, "report": n}, seed=0)
    for name, size in (("train", 2 * n), ("selection", n), ("report", n)):
        own = split_of(table, name)
        assert len(own) == size
        assert (own["label"] == "b").sum() == pytest.approx(size / 4, abs=1)


def test_any_number_of_rows_can_be_drawn():
    source = {"train": distinct(41, labels="ab"), "report": distinct(10, "r")}
    for n in (20, 30, 35, 36):  # of the 37 that the selection split leaves
        table, _ = carve(source, {"train": n, "selection": 4}, seed=0)
        assert len(split_of(table, "train")) == n


def test_split_follows_its_seed_alone():
    source = {"train": distinct(200)}
    first, again, other = (carve(source, {"train": 50}, seed)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    for name in ("train", "selection", "report"):
        assert set(split_of(first, name)["id"]) != set(split_of(other, name)["id"])


def test_how_many_are_trained_on_moves_no_evaluation_split():
    source = {"train": distinct(200)}
    tables = [carve(source, {"train": n}, seed=0)[0] for n in (30, 100)]
    for name in ("selection", "report"):
        assert len({tuple(split_of(table, name)["id"]) for table in tables}) == 1


def test_rows_stay_in_the_sources_order():
    table, _ = carve({"train": distinct(100)}, {"train": 30}, seed=0)
    for name in ("train", "selection", "report"):
        places = split_of(table, name)["id"].str.removeprefix("t-").astype(int)
        assert places.is_monotonic_increasing


def test_splits_that_a_source_lacks_are_a_fifth_and_a_tenth():
    table, _ = carve({"train": distinct(100)}, {}, seed=0)
    assert sizes(table) == {"report": 20, "selection": 8, "train": 72}


def test_wanting_more_than_there_is_gives_all():
    table, _ = carve({"train": distinct(40), "report": distinct(9, "r")}, {"train": 1000, "report": 1000}, seed=0)
    assert sizes(table) == {"train": 36, "report": 9, "selection": 4}


def test_a_class_of_one_does_not_stop_a_draw():
    source = {"train": pd.concat([distinct(30), frame(["odd"], "c", "x")], ignore_index=True)}
    table, _ = carve(source, {"report": 10, "selection": 5}, seed=0)
    assert sizes(table) == {"train": 16, "report": 10, "selection": 5}
    assert (table["label"] == "c").sum() == 1


@pytest.mark.parametrize(
    ("source", "rows", "says"),
    [
        ({"train": distinct(2)}, {}, "the train split is empty"),
        ({"train": distinct(40), "report": distinct(6, "r")}, {"selection": 40}, "the train split is empty"),
        ({"train": distinct(6, "r"), "report": distinct(6, "r")}, {}, "split is empty"),
    ],
)
def test_source_that_is_too_small_is_a_problem(source, rows, says):
    with pytest.raises(Problem, match=says):
        carve(source, rows, seed=0)
