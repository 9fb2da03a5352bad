"""Files between rules: whole or not at all, and read back as they were written."""

import json

import numpy as np
import pandas as pd
import pytest

from cascadebert.files import (
    atomic,
    read_examples,
    read_json,
    versions,
    write_csv,
    write_examples,
    write_json,
    write_text,
)
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions, cascade_of, read_predictions, write_predictions

ODD = [
    'a "quoted" one',
    "tab\there",
    "next\x85line",
    "line\u2028sep",
    "para\u2029graph",
    "back\\slash/",
    "\x0b\x1c\x1e",
    "",
]


def test_failure_leaves_neither_file_nor_temporary(tmp_path):
    with pytest.raises(RuntimeError, match="halfway"), atomic(tmp_path / "new/file.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError("halfway")
    assert not list((tmp_path / "new").iterdir())


def test_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="halfway"), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("halfway")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_takes_its_name_at_the_end_and_is_replaced_whole(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("a much longer old content")
    with atomic(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "a much longer old content"
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_json_keeps_order_and_every_digit(tmp_path):
    content = {"z": 0.1 + 0.2, "a": [1, "ﬁlm — ×"], "none": None}
    write_json(tmp_path / "x.json", content)
    assert read_json(tmp_path / "x.json") == content
    assert list(read_json(tmp_path / "x.json")) == ["z", "a", "none"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_refuses_undefined_numbers_and_leaves_no_file(tmp_path, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"score": value})
    assert not list(tmp_path.iterdir())


def test_text_is_utf_8(tmp_path):
    write_text(tmp_path / "x.md", "81.2±0.3 (3.01×)\n")
    assert (tmp_path / "x.md").read_bytes() == "81.2±0.3 (3.01×)\n".encode()


def test_csv_is_unrounded_and_without_index(tmp_path):
    write_csv(tmp_path / "x.csv", pd.DataFrame({"name": ["a,b"], "score": [1 / 3]}))
    assert (tmp_path / "x.csv").read_bytes() == f'name,score\n"a,b",{1 / 3!r}\n'.encode()


def test_examples_with_odd_characters_are_read_back(tmp_path):
    frame = pd.DataFrame(
        {
            "id": [f"00{i}" for i in range(8)],
            "split": "train",
            "text": ODD,
            "text_pair": ODD[::-1],
            "label": ["1", ""] * 4,
        }
    )
    write_examples(tmp_path / "e.jsonl", frame)
    pd.testing.assert_frame_equal(read_examples(tmp_path / "e.jsonl"), frame)
    assert len((tmp_path / "e.jsonl").read_bytes().splitlines()) == 8


def test_ratings_are_numbers_and_missing_where_unknown(tmp_path):
    write_examples(tmp_path / "e.jsonl", pd.DataFrame({"id": ["1", "2"], "text": ["a", "b"], "rating": [-1.25, None]}))
    assert read_examples(tmp_path / "e.jsonl")["rating"].to_numpy() == pytest.approx([-1.25, np.nan], nan_ok=True)


def test_predictions_are_read_back_in_float32(tmp_path):
    rng = np.random.default_rng(0)
    stack = ExitLogits(rng.normal(size=(2, 5, 3)).astype(np.float32), np.array([2, 14]), 12)
    flops, full = np.cumsum(rng.random((2, 5)), axis=0) * 1e10, rng.random(5) * 1e10
    label, ids, names = np.array([0, 1, 2, -1, 0]), np.array([*"abcd", "test-100"]), np.array(["x", "y, z", "w"])
    written = Predictions(stack, flops, full, label, ids, names)
    write_predictions(tmp_path / "p.npz", written)
    read = read_predictions(tmp_path / "p.npz")
    np.testing.assert_array_equal(read.stack.logits, stack.logits)
    assert read.stack.logits.dtype == np.float32
    assert (read.stack.layers.tolist(), read.stack.full_layers) == ([2, 14], 12)
    for name in ("flops", "full_flops", "label", "id", "names"):  # costs in float64, to the last operation
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_predictions_of_no_row_are_read_back(tmp_path):
    empty = Predictions(
        ExitLogits(np.zeros((1, 0, 2), np.float32), np.array([6]), 6),
        np.zeros((1, 0)),
        np.zeros(0),
        np.array([], dtype=np.int64),
        np.array([], dtype=str),
        np.array(["a", "b"]),
    )
    write_predictions(tmp_path / "p.npz", empty)
    read = read_predictions(tmp_path / "p.npz")
    assert read.stack.logits.shape == (1, 0, 2)
    assert (read.flops.shape, read.full_flops.shape) == ((1, 0), (0,))


def test_same_predictions_give_the_same_bytes(tmp_path):
    stack = ExitLogits(np.ones((1, 2, 2), np.float32), np.array([6]), 6)
    flops = np.ones((1, 2))
    content = Predictions(stack, flops, flops[0], np.array([0, 1]), np.array(["a", "b"]), np.array(["x", "y"]))
    for name in ("one", "two"):
        write_predictions(tmp_path / f"{name}.npz", content)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_versions_name_what_a_number_can_depend_on():
    assert {"python", "torch", "transformers", "numpy"} <= set(versions())
    json.dumps(versions(), allow_nan=False)


def member(layers, base, ids=("a", "b", "c")):
    """A member of one exit: its cost of each instance, and its own idea of what the base costs."""
    n, base = len(ids), np.array(base)
    stack = ExitLogits(np.full((1, n, 2), float(layers), np.float32), np.array([layers]), 12)
    return Predictions(stack, base[None] * layers, 12 * base, np.arange(n) % 2, np.array(ids), np.array(["x", "y"]))


def test_cascade_costs_all_members_so_far_and_is_compared_with_its_base():
    whole = cascade_of([member(2, [1.0, 2.0, 3.0]), member(4, [1.0, 2.0, 3.0]), member(12, [10.0, 20.0, 30.0])])
    assert whole.stack.layers.tolist() == [2, 6, 18]
    assert whole.stack.logits[:, 0, 0].tolist() == [2, 4, 12]
    assert whole.flops.tolist() == [[2, 4, 6], [6, 12, 18], [126, 252, 378]]
    assert whole.full_flops.tolist() == [120, 240, 360]
    assert (whole.id.tolist(), whole.label.tolist(), whole.names.tolist()) == ([*"abc"], [0, 1, 0], ["x", "y"])


@pytest.mark.parametrize("ids", ["abd", "acb"])
def test_members_that_predict_other_instances_make_no_cascade(ids):
    with pytest.raises(ValueError, match="different instances"):
        cascade_of([member(2, [1.0] * 3, tuple(ids)), member(12, [1.0] * 3)])


def test_members_that_predict_more_instances_make_no_cascade():
    with pytest.raises((ValueError, TypeError)):
        cascade_of([member(2, [1.0] * 4, tuple("abcd")), member(12, [1.0] * 3)])
