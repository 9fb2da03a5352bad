"""Operating points: thresholds come from the selection split, without its labels, and are applied elsewhere."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from cascadebert.exits import ExitLogits, answers, exits_at, speed_up, threshold_for
from cascadebert.records import Predictions
from cascadebert.scores import score
from cascadebert.sweeps import operating_point, printed_points, sweep


def predictions(seed, n=60, exits=2):
    """Random logits and labels of one split; layers as in a 2-12 cascade or a six-layer model."""
    rng = np.random.default_rng(seed)
    layers = np.array([2, 14]) if exits == 2 else np.arange(1, exits + 1)
    stack = ExitLogits(rng.normal(scale=2, size=(exits, n, 2)), layers, 12 if exits == 2 else exits)
    return Predictions(stack, rng.integers(0, 2, n), np.arange(n).astype(str), np.array(["no", "yes"]))


@pytest.mark.parametrize(("exits", "rule"), [(2, "confidence"), (6, "entropy"), (6, "patience"), (6, "last")])
def test_threshold_of_the_selection_split_rules_all_splits(exits, rule):
    splits = {name: predictions(i, exits=exits) for i, name in enumerate(["selection", "report", "mismatched"])}
    rows = sweep(splits, rule, [2.0, 3.0], "f1")
    assert [(row["split"], row["target"]) for row in rows] == [(s, t) for t in (2.0, 3.0) for s in splits]
    for row in rows:
        threshold = threshold_for(splits["selection"].stack, rule, row["target"])
        own = splits[row["split"]]
        exit_of = exits_at(own.stack, rule, threshold)
        assert row["threshold"] == pytest.approx(threshold, nan_ok=True)
        assert row["speed_up"] == speed_up(own.stack, exit_of)
        assert row["score"] == score("f1", own.label, answers(own.stack, exit_of))
        assert row["n"] == 60


def test_labels_move_no_threshold():
    splits = {"selection": predictions(0), "report": predictions(1)}
    flipped = {name: dataclasses.replace(own, label=1 - own.label) for name, own in splits.items()}
    before, after = (sweep(given, "confidence", [2.0, 4.0], "accuracy") for given in (splits, flipped))
    assert [row["threshold"] for row in before] == [row["threshold"] for row in after]
    assert [row["score"] for row in before] == pytest.approx([1 - row["score"] for row in after])


def test_wanted_speed_up_is_reached_on_the_selection_split():
    rows = sweep({"selection": predictions(0)}, "confidence", [2.0, 3.0, 4.0], "accuracy")
    assert [row["speed_up"] for row in rows] == pytest.approx([2, 3, 4])
    assert [row["n"] for row in rows] == [60] * 3


def test_empty_split_has_no_score_and_no_speed_up():
    point = operating_point(predictions(0, n=0), "confidence", 0.7, "accuracy")
    assert point["n"] == 0
    assert np.isnan([point["score"], point["speed_up"]]).all()


def write(path, task, splits):
    """A file of sweep_thresholds.py with one target."""
    rows = [
        {
            "task": task,
            "system": "pabee",
            "seed": 1,
            "metric": "f1",
            "split": split,
            "target": 2.0,
            "score": 0.5,
            "n": n,
        }
        for split, n in splits.items()
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_printed_points_are_the_filled_halves_in_the_order_of_tasks(tmp_path):
    files = [
        write(tmp_path / "a.csv", "sst2", {"selection": 5, "report": 9, "mismatched": 0}),
        write(tmp_path / "b.csv", "mnli", {"selection": 5, "report": 7, "mismatched": 8, "test": 3}),
    ]
    points, columns = printed_points(files, ["mnli", "sst2"])
    assert columns == ["mnli", "mnli-mm", "sst2"]
    assert dict(zip(points["column"], points["n"], strict=True)) == {"sst2": 9, "mnli": 7, "mnli-mm": 8}


def test_column_without_a_filled_split_is_left_out(tmp_path):
    files = [
        write(tmp_path / "a.csv", "sst2", {"selection": 5, "report": 0, "mismatched": 0}),
        write(tmp_path / "b.csv", "mnli", {"report": 7, "mismatched": 0}),
    ]
    assert printed_points(files, ["sst2", "mnli"])[1] == ["mnli"]
