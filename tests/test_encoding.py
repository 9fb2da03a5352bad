"""Token ids: those of the tokenizer, in batches that hold every row once."""

import numpy as np
import pandas as pd
import pytest
from builders import rows_of
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from cascadebert.data.encoding import encode, read_encoded, write_encoded
from cascadebert.layouts import Problem

LENGTHS = st.lists(st.integers(2, 12), min_size=1, max_size=60)


@pytest.fixture
def examples():
    """Pairs of several lengths in three splits."""
    texts = [
        ("the film was good", "warm"),
        ("bad", "the actor was dull and the plot was weak and the joke was cold"),
        ("this story is a very very very very very very fine story", "sweet music"),
        ("quite clever", "xyz?"),
    ]
    return pd.DataFrame(texts, columns=["text", "text_pair"]).assign(
        id=["i", "j", "k", "l"], split=["train", "report", "train", "test"], label=["b", "a", "a", ""]
    )


@pytest.fixture
def tokenizer(weights):
    """tokenizer.json of the tiny checkpoint."""
    return weights.with_name("tokenizer.json")


@pytest.mark.parametrize("pairs", [True, False])
def test_ids_are_the_tokenizers_and_unpadding_gives_them_back(examples, tokenizer, pairs):
    given_rows = examples if pairs else examples.drop(columns="text_pair")
    data, tool = encode(given_rows, ["a", "b"], tokenizer, 64), Tokenizer.from_file(str(tokenizer))
    ids, types, mask = data.padded(np.arange(4))
    assert ids.shape == (4, data.lengths.max())
    assert not mask.all()
    for i, row in enumerate(given_rows.itertuples()):
        expected = tool.encode(row.text, row.text_pair) if pairs else tool.encode(row.text)
        assert ids[i][mask[i]].tolist() == expected.ids
        assert types[i][mask[i]].tolist() == expected.type_ids
        assert mask[i].sum() == data.lengths[i] == len(expected.ids)
    assert (ids[~mask] == tool.token_to_id("[PAD]")).all()
    assert (types[~mask] == 0).all()


def test_padding_is_to_the_longest_of_the_batch_after_the_tokens():
    data = rows_of([3, 5, 2])
    ids, types, mask = data.padded(np.array([2, 0]))
    assert ids.tolist() == [[108, 109, 0], [100, 101, 102]]
    assert types.tolist() == [[0, 1, 0], [0, 1, 0]]
    assert mask.tolist() == [[True, True, False], [True, True, True]]


@pytest.mark.parametrize(("row", "first", "second"), [(1, 1, 8), (2, 7, 2)])
def test_pairs_are_cut_longest_first(examples, tokenizer, row, first, second):
    data = encode(examples, ["a", "b"], tokenizer, 12)
    types = data.types[data.starts[row] : data.ends[row]]
    assert data.lengths.max() == 12
    assert (types == 0).sum() == 1 + first + 1  # [CLS], the text, [SEP]
    assert (types == 1).sum() == second + 1
    assert data.lengths[0] == 3 + 5  # short rows stay as they are


def test_single_texts_are_cut_at_their_end(examples, tokenizer):
    data = encode(examples.drop(columns="text_pair"), ["a", "b"], tokenizer, 8)
    tool = Tokenizer.from_file(str(tokenizer))
    row = data.tokens[data.starts[2] : data.ends[2]].tolist()
    assert row == [tool.token_to_id(t) for t in ["[CLS]", "this", "story", "is", "a", "very", "very", "[SEP]"]]


def test_labels_are_indices_and_minus_1_where_unknown_and_rows_of_a_split_are_found(examples, tokenizer):
    data = encode(examples, ["a", "b"], tokenizer, 16)
    assert data.label.tolist() == [1, 0, 0, -1]
    assert data.names.tolist() == ["a", "b"]
    assert data.id.tolist() == ["i", "j", "k", "l"]
    rows = {"train": [0, 2], "report": [1], "test": [3], "selection": []}
    assert {split: data.rows(split).tolist() for split in rows} == rows


@given(LENGTHS, st.integers(1, 7), st.integers(0, 3), st.data())
def test_every_row_is_once_in_an_epoch(lengths, batch_size, seed, data):
    rows = np.array(data.draw(st.permutations(range(len(lengths)))), dtype=np.int64)[: 1 + len(lengths) // 2]
    batches = list(rows_of(lengths).epoch(rows, batch_size, np.random.default_rng(seed)))
    assert sorted(np.concatenate(batches)) == sorted(rows)
    assert len(batches) == -(-len(rows) // batch_size)
    assert max(map(len, batches)) <= batch_size


def test_order_of_an_epoch_is_the_generators_alone():
    data, rng = rows_of([2 + i % 9 for i in range(80)]), np.random.default_rng(1)

    def order(rng):
        return np.concatenate(list(data.epoch(np.arange(80), 4, rng))).tolist()

    np.random.seed(1)  # noqa: NPY002 - a disturbance
    first = order(rng)
    assert order(rng) != first
    np.random.seed(2)  # noqa: NPY002 - a disturbance
    assert order(np.random.default_rng(1)) == first
    assert order(np.random.default_rng(2)) != first


def test_batches_of_an_epoch_hold_rows_of_similar_length_in_mixed_order():
    data = rows_of(list(range(2, 82)))
    spans = [data.lengths[batch] for batch in data.epoch(np.arange(80), 8, np.random.default_rng(0))]
    assert all(np.ptp(span) == 7 for span in spans)
    starts = [span.min() for span in spans]
    assert starts not in (sorted(starts), sorted(starts, reverse=True))


def test_rows_of_equal_length_meet_others_in_the_next_epoch():
    data, rng = rows_of([5] * 40), np.random.default_rng(0)
    first, second = ({frozenset(batch.tolist()) for batch in data.epoch(np.arange(40), 8, rng)} for _ in range(2))
    assert not first & second


@given(LENGTHS, st.integers(1, 7))
def test_by_length_is_sorted_and_whole(lengths, batch_size):
    data = rows_of(lengths)
    rows = np.arange(len(lengths))[::-1]
    batches = data.by_length(rows, batch_size)
    ordered = np.concatenate(batches)
    assert (np.diff(data.lengths[ordered]) >= 0).all()
    assert sorted(ordered) == sorted(rows)
    assert all(len(batch) == batch_size for batch in batches[:-1])


def test_written_task_is_read_back(examples, tokenizer, tmp_path):
    data = encode(examples, ["a", "b"], tokenizer, 16)
    write_encoded(tmp_path / "task.arrow", data)
    again = read_encoded(tmp_path / "task.arrow")
    for name, value in vars(data).items():
        np.testing.assert_array_equal(getattr(again, name), value)
        assert type(getattr(again, name)) is type(value)
    assert again.tokens.base is not None  # of the mapped file
    assert all(array.dtype == np.int64 for array in again.padded(np.arange(2))[:2])


def test_a_task_without_rows_is_written_and_read_back(examples, tokenizer, tmp_path):
    data = encode(examples.iloc[:0], ["a", "b"], tokenizer, 16)
    assert data.starts.size == data.lengths.size == 0
    write_encoded(tmp_path / "task.arrow", data)
    again = read_encoded(tmp_path / "task.arrow")
    assert again.rows("test").size == again.tokens.size == again.ends.size == 0
    assert again.names.tolist() == ["a", "b"]


def test_long_class_names_are_not_cut(examples, tokenizer):
    names = ["a", "a class whose name is long, with a comma"]
    data = encode(examples.assign(label=names * 2), names, tokenizer, 16)
    assert data.names.tolist() == names
    assert data.label.tolist() == [0, 1, 0, 1]


def test_text_of_ten_thousand_tokens_is_cut_and_said_to_be(weights, caplog):
    rows = {"id": ["long", "short"], "split": "train", "text": ["good " * 10_000, "good"], "label": ["a", "b"]}
    data = encode(pd.DataFrame(rows), ["a", "b"], weights.with_name("tokenizer.json"), 16)
    assert data.lengths.tolist() == [16, 3]
    assert "1 of 2 texts have more than 16 tokens and were cut" in caplog.text


def told_apart(tokenizer, *texts):
    """Encode texts of one split, cut at 8 tokens."""
    rows = {"id": [str(i) for i in range(len(texts))], "split": "train", "text": texts, "label": "a"}
    return encode(pd.DataFrame(rows), ["a"], tokenizer, 8, where="tasks/movies.jsonl")


@pytest.mark.parametrize(
    ("texts", "remedy"),
    [
        (("好电影真的好", "坏电影真的坏", "很长的电影很长的电影"), "take a checkpoint whose vocabulary covers"),
        (("好", "坏电影"), "take a checkpoint whose vocabulary covers"),
        (("good " * 9 + "warm", "good " * 9 + "cold"), "raise training.max_length"),
    ],
)
def test_a_split_whose_texts_are_all_one_to_the_tokenizer_is_refused(tokenizer, texts, remedy):
    says = f"all {len(texts)} texts of split train are one to the tokenizer, tasks/movies.jsonl read with {tokenizer}"
    with pytest.raises(Problem, match=f"{says}: {remedy}"):
        told_apart(tokenizer, *texts)
    told_apart(tokenizer, *texts[:1], *texts[:1])  # one text alone may be


def test_many_texts_that_are_unknown_or_become_equal_are_warned_of(tokenizer, caplog):
    known = [f"good film {i}" for i in range(18)]
    told_apart(tokenizer, *known, "好电影", "坏电影")
    assert not caplog.text
    told_apart(tokenizer, *known, "好电影", "坏电影", "新电影")
    assert "3 of 21 texts are mostly unknown to it: tasks/movies.jsonl read with" in caplog.text
    assert "are the same" not in caplog.text
    told_apart(tokenizer, *known, "好电影", "坏电影", "新电影", "大电影")
    assert "3 of 22 texts are the same to the tokenizer as others" in caplog.text
