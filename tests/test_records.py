"""Files between rules: whole or not at all, and read back as they were written."""

import json

import numpy as np
import pandas as pd
import pytest
from builders import predictions

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
from cascadebert.metrics.predictions import cascade_of, cascades_of, read_predictions, write_predictions

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


@pytest.mark.parametrize("old", [[], ["old"]])
def test_failure_leaves_the_old_file_or_none_and_no_temporary(tmp_path, old):
    path = tmp_path / "new/file.txt"
    for content in old:
        path.parent.mkdir()
        path.write_text(content)
    with pytest.raises(RuntimeError, match="halfway"), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("halfway")
    assert [left.read_text() for left in path.parent.iterdir()] == old


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


def test_text_is_utf_8_and_csv_unrounded_and_without_index(tmp_path):
    write_text(tmp_path / "x.md", "81.2±0.3 (3.01×)\n")
    assert (tmp_path / "x.md").read_bytes() == "81.2±0.3 (3.01×)\n".encode()
    write_csv(tmp_path / "x.csv", pd.DataFrame({"name": ["a,b"], "score": [1 / 3]}))
    assert (tmp_path / "x.csv").read_bytes() == f'name,score\n"a,b",{1 / 3!r}\n'.encode()


def test_examples_with_odd_characters_are_read_back(tmp_path):
    ids = [f"00{i}" for i in range(8)]
    columns = {"id": ids, "split": "train", "text": ODD, "text_pair": ODD[::-1], "label": ["1", ""] * 4}
    frame = pd.DataFrame(columns)
    write_examples(tmp_path / "e.jsonl", frame)
    pd.testing.assert_frame_equal(read_examples(tmp_path / "e.jsonl"), frame)
    assert len((tmp_path / "e.jsonl").read_bytes().splitlines()) == 8


def test_ratings_are_numbers_and_missing_where_unknown(tmp_path):
    write_examples(tmp_path / "e.jsonl", pd.DataFrame({"id": ["1", "2"], "text": ["a", "b"], "rating": [-1.25, None]}))
    assert read_examples(tmp_path / "e.jsonl")["rating"].to_numpy() == pytest.approx([-1.25, np.nan], nan_ok=True)


@pytest.mark.parametrize("n", [5, 0])
def test_predictions_of_all_seeds_are_read_back_in_float32(tmp_path, n):
    rng = np.random.default_rng(0)
    held = {
        "flops": np.cumsum(rng.random((2, n)), axis=0) * 1e10,
        "full_flops": rng.random(n) * 1e10,
        "label": np.array([0, 1, 2, -1, 0])[:n],
        "ids": [*"abcd", "test-100"][:n],
        "names": ["x", "y, z", "w"],
    }
    written = {seed: predictions(rng.normal(size=(2, n, 3)), layers=[2, 14], full=12, **held) for seed in (3, 1, 2)}
    first, second = tmp_path / "1.npz", tmp_path / "2.npz"
    write_predictions(first, {seed: written[seed] for seed in (3, 1)})
    write_predictions(second, {2: written[2]})
    found = read_predictions(first, second)
    assert list(found) == [3, 1, 2]
    for seed, read in found.items():
        np.testing.assert_array_equal(read.stack.logits, written[seed].stack.logits)
        assert read.stack.logits.dtype == np.float32
        assert (read.stack.layers.tolist(), read.stack.full_layers) == ([2, 14], 12)
        for name in ("flops", "full_flops", "label", "id", "names"):  # costs in float64, to the last operation
            np.testing.assert_array_equal(getattr(read, name), getattr(written[seed], name))
            assert getattr(read, name).dtype == getattr(written[seed], name).dtype
    write_predictions(tmp_path / "again.npz", {seed: written[seed] for seed in (3, 1)})
    assert (tmp_path / "again.npz").read_bytes() == first.read_bytes()


def test_versions_name_what_a_number_can_depend_on():
    assert {"python", "torch", "transformers", "numpy"} <= set(versions())
    json.dumps(versions(), allow_nan=False)


def member(layers, base, ids="abc"):
    """A member of one exit: its cost of each instance, and its own idea of what the base costs."""
    n, base = len(ids), np.array(base)
    logits, costs = np.full((1, n, 2), float(layers)), {"flops": base[None] * layers, "full_flops": 12 * base}
    return predictions(logits, np.arange(n) % 2, [layers], 12, [*ids], ["x", "y"], **costs)


def test_cascades_join_members_seed_by_seed():
    small, base = ({seed: member(layers + seed, [1.0, 2.0, 3.0]) for seed in (1, 2)} for layers in (2, 12))
    found = cascades_of([small, dict(reversed(base.items()))])
    layers = {seed: whole.stack.logits[:, 0, 0].tolist() for seed, whole in found.items()}
    assert layers == {1: [3, 13], 2: [4, 14]}


def test_cascade_costs_all_members_so_far_and_is_compared_with_its_base():
    whole = cascade_of([member(2, [1.0, 2.0, 3.0]), member(4, [1.0, 2.0, 3.0]), member(12, [10.0, 20.0, 30.0])])
    assert whole.stack.layers.tolist() == [2, 6, 18]
    assert whole.stack.logits[:, 0, 0].tolist() == [2, 4, 12]
    assert whole.flops.tolist() == [[2, 4, 6], [6, 12, 18], [126, 252, 378]]
    assert whole.full_flops.tolist() == [120, 240, 360]
    assert (whole.id.tolist(), whole.label.tolist(), whole.names.tolist()) == ([*"abc"], [0, 1, 0], ["x", "y"])


@pytest.mark.parametrize(
    ("ids", "says"), [("abd", "different instances"), ("acb", "different instances"), ("abcd", None)]
)
def test_members_that_predict_other_or_more_instances_make_no_cascade(ids, says):
    with pytest.raises(ValueError if says else (ValueError, TypeError), match=says):
        cascade_of([member(2, [1.0] * len(ids), ids), member(12, [1.0] * 3)])
