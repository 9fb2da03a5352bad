"""Operating points: thresholds come from the selection split, without its labels, and are applied elsewhere."""

import dataclasses

import builders
import numpy as np
import pandas as pd
import pytest
from page_builders import write_common_sense

import adopt_margin
import select_margin
import sweep_thresholds
from cascadebert.files import read_json, write_json
from cascadebert.metrics.exits import ExitLogits, answers, exits_at, speed_up, threshold_for
from cascadebert.metrics.predictions import read_predictions, write_predictions
from cascadebert.metrics.scores import score
from cascadebert.metrics.sweeps import operating_point, printed_points, sweep


def predictions(seed, n=60, exits=2):
    """Random logits and labels of one split; layers as in a 2-12 cascade or a six-layer model."""
    rng = np.random.default_rng(seed)
    layers, full = ([2, 14], 12) if exits == 2 else (None, exits)
    logits = rng.normal(scale=2, size=(exits, n, 2))
    flops = np.cumsum(rng.uniform(1, 9, (exits, n)), axis=0)  # another ratio than that of layers for each instance
    costs = {"flops": flops, "full_flops": 4 * flops[0]}
    return builders.predictions(logits, rng.integers(0, 2, n), layers, full, **costs)


@pytest.mark.parametrize(
    ("exits", "rule"), [(2, "confidence"), (6, "entropy"), (6, "uncertainty"), (6, "patience"), (6, "last")]
)
def test_threshold_of_the_selection_split_rules_all_splits(exits, rule):
    splits = {name: predictions(i, exits=exits) for i, name in enumerate(["selection", "report", "mismatched"])}
    rows = sweep(splits, rule, [2.0, 3.0], "f1")
    of = [("layers", t) for t in ([1.0] if rule == "last" else [2.0, 3.0])]
    of += [] if rule == "last" else [("flops", 2.0), ("flops", 3.0)]
    assert [(row["measure"], row["target"], row["split"]) for row in rows] == [(*key, s) for key in of for s in splits]
    for row in rows:
        chosen = splits["selection"]
        cost = (chosen.flops, chosen.full_flops) if row["measure"] == "flops" else None
        threshold = threshold_for(chosen.stack, rule, row["target"], cost)
        own = splits[row["split"]]
        exit_of = exits_at(own.stack, rule, threshold)
        executed = [own.flops[e, i] for i, e in enumerate(exit_of)]
        assert row["threshold"] == pytest.approx(threshold, nan_ok=True)
        assert row["speed_up"] == speed_up(own.stack, exit_of)
        assert row["speed_up_flops"] == pytest.approx(sum(own.full_flops) / sum(executed))
        assert row["flops"] == pytest.approx(sum(executed) / 60)
        assert row["score"] == score("f1", own.label, answers(own.stack, exit_of))
        assert row["n"] == 60


def test_what_counts_fewer_layers_than_it_executes_leaves_by_the_count_and_is_told_its_true_ratio():
    true, count = predictions(0), predictions(0)
    true = dataclasses.replace(true, stack=ExitLogits(true.stack.logits, np.array([12, 24]), 12))
    told = sweep({"selection": true}, "confidence", [3.0], "accuracy", [2, 14])[0]
    by_count = sweep({"selection": count}, "confidence", [3.0], "accuracy")[0]
    assert (told["threshold"], told["score"]) == (by_count["threshold"], by_count["score"])
    share = (exits_at(count.stack, "confidence", told["threshold"]) == 0).mean()
    assert told["speed_up"] == pytest.approx(12 / (12 * share + 24 * (1 - share)))
    assert told["target"] == 3
    assert told["speed_up"] < 1 < by_count["speed_up"]


def test_a_student_stands_at_its_own_ratio_whatever_is_asked():
    student = predictions(0, exits=1)
    student = dataclasses.replace(student, stack=ExitLogits(student.stack.logits, np.array([4]), 12))
    (row,) = sweep({"selection": student}, "last", [2.0, 3.5], "accuracy")
    assert (row["measure"], row["target"], row["speed_up"]) == ("layers", 3, 3)
    assert np.isnan(row["threshold"])


def test_wanted_ratio_of_operations_is_met_as_near_as_can_be_by_flops_and_missed_by_layers():
    splits = {"selection": predictions(0, n=400)}
    by_measure = {"layers": [], "flops": []}
    for row in sweep(splits, "confidence", [2.0, 2.5], "accuracy"):
        by_measure[row["measure"]].append(row["speed_up_flops"])
    assert by_measure["flops"] == pytest.approx([2, 2.5], abs=0.01)  # an instance of 400 is a step of about that
    assert min(np.abs(np.array(by_measure["layers"]) - [2, 2.5])) > 0.05


def test_labels_move_no_threshold():
    splits = {"selection": predictions(0), "report": predictions(1)}
    flipped = {name: dataclasses.replace(own, label=1 - own.label) for name, own in splits.items()}
    before, after = (sweep(given, "confidence", [2.0, 4.0], "accuracy") for given in (splits, flipped))
    assert [row["threshold"] for row in before] == [row["threshold"] for row in after]
    assert [row["score"] for row in before] == pytest.approx([1 - row["score"] for row in after])


def test_wanted_speed_up_is_reached_on_the_selection_split():
    rows = sweep({"selection": predictions(0)}, "confidence", [2.0, 3.0, 4.0], "accuracy")
    assert [row["speed_up"] for row in rows if row["measure"] == "layers"] == pytest.approx([2, 3, 4])
    assert [row["n"] for row in rows] == [60] * 6


def test_empty_split_has_no_score_and_no_speed_up():
    point = operating_point(predictions(0, n=0), "confidence", 0.7, "accuracy")
    assert point["n"] == 0
    assert np.isnan([point[name] for name in ("score", "speed_up", "speed_up_flops", "flops")]).all()


def write(path, task, splits, measures=("layers",)):
    """A file of sweep_thresholds.py with one target."""
    rows = [(split, n, measure) for split, n in splits.items() for measure in measures]
    same = {"task": task, "system": "pabee", "seed": 1, "metric": "f1", "target": 2.0, "score": 0.5}
    pd.DataFrame(rows, columns=["split", "n", "measure"]).assign(**same).to_csv(path, index=False)
    return path


def test_printed_points_are_the_filled_halves_in_the_order_of_tasks(tmp_path):
    filled = write(tmp_path / "a.csv", "sst2", {"selection": 5, "report": 9, "mismatched": 0})
    halves = write(tmp_path / "b.csv", "mnli", {"selection": 5, "report": 7, "mismatched": 8, "test": 3})
    points, columns = printed_points([filled, halves], ["mnli", "sst2"])
    assert columns == ["mnli", "mnli-mm", "sst2"]
    assert dict(zip(points["column"], points["n"], strict=True)) == {"sst2": 9, "mnli": 7, "mnli-mm": 8}
    empty = write(tmp_path / "c.csv", "rte", {"selection": 5, "report": 0, "mismatched": 0})
    half = write(tmp_path / "d.csv", "mnli", {"report": 7, "mismatched": 0})
    assert printed_points([empty, half], ["rte", "mnli"])[1] == ["mnli"]


def test_points_of_one_measure_are_printed_and_a_file_without_measures_whole(tmp_path):
    held = {"selection": 5, "report": 7, "mismatched": 8}
    files = [write(tmp_path / "a.csv", "mnli", held, ("layers", "flops"))]
    for measure in ("layers", "flops"):
        points, columns = printed_points(files, ["mnli"], measure)
        assert columns == ["mnli", "mnli-mm"]
        assert points[["measure", "n"]].to_numpy().tolist() == [[measure, 7], [measure, 8]]
    assert printed_points(files, ["mnli"])[0]["measure"].tolist() == ["layers"] * 2
    exits = pd.read_csv(files[0]).drop(columns=["measure", "target"])
    exits.to_csv(tmp_path / "b.csv", index=False)
    assert printed_points([tmp_path / "b.csv"], ["mnli"])[0]["n"].tolist() == [7, 7, 8, 8]


@pytest.mark.parametrize("task", ["NA", "nan", "null", "None", "true", "inf", "2016", "007"])
def test_a_task_has_its_name_whatever_a_table_reader_takes_it_for(tmp_path, task):
    write(tmp_path / "a.csv", task, {"report": 7})
    assert printed_points([tmp_path / "a.csv"], [task])[1] == [task]


def test_thresholds_are_read_back_to_the_last_digit(tmp_path):
    path, values = tmp_path / "a.csv", np.random.default_rng(0).random(500)
    pd.DataFrame({"task": "a", "split": "report", "n": 1, "threshold": values}).to_csv(path, index=False)
    assert printed_points([path], ["a"])[0]["threshold"].tolist() == values.tolist()


# --- the scripts


def test_script_writes_a_row_a_seed_measure_target_and_split(tmp_path):
    splits, held = ("selection", "report", "mismatched"), {}
    files = [tmp_path / f"{split}.npz" for split in splits]
    for i, (split, path) in enumerate(zip(splits, files, strict=True)):
        n = 0 if split == "mismatched" else 60
        write_predictions(path, {seed: predictions(10 * seed + i, n=n, exits=6) for seed in (1, 2)})
        held |= {(split, seed): own for seed, own in read_predictions(path).items()}
    names = {"task": "movies", "run": "deebert_base", "system": "deebert", "metric": "f1"}
    first = {split: held[split, 1] for split in splits}
    label = {split: held[split, 1].label for split in splits}
    beside = write_common_sense(tmp_path / "baselines.npz", first, tfidf=label)  # the labels of seed 1
    told = {"exits": "entropy", "targets": [2.0, 3.0], "out": tmp_path / "out.csv", "baselines": beside}
    sweep_thresholds.main(*files, **told, **names)
    found = pd.read_csv(tmp_path / "out.csv")
    columns = "task system run seed metric split measure target threshold speed_up speed_up_flops flops score n"
    columns += " majority tfidf alike apart"
    assert list(found) == columns.split()
    assert len(found) == 2 * 2 * 2 * 3
    for name, value in names.items():
        assert set(found[name]) == {value}
    for row in found.itertuples():
        own = held[row.split, row.seed]
        exit_of = exits_at(own.stack, "entropy", row.threshold)
        assert row.n == exit_of.size
        assert row.score == pytest.approx(score("f1", own.label, answers(own.stack, exit_of)), nan_ok=True, abs=0)
        assert row.speed_up == pytest.approx(speed_up(own.stack, exit_of), nan_ok=True)
    report = found[found["split"] == "report"]
    assert set(report["tfidf"]) == {1.0}
    assert set(report["majority"]) == {0.0}
    assert (report["apart"] > 0).all()
    assert report.groupby(["measure", "target"])["apart"].nunique().tolist() == [1] * 4


def member(layers, right, sure):
    """A member of a 1-6 cascade on four instances, the first two long: where it is right, and how sure it is."""
    label = np.array([0, 1, 0, 1])
    answers = np.where(right, label, 1 - label)
    logits = np.where(np.arange(2) == answers[:, None], np.array(sure, dtype=float)[:, None], 0.0)[None]
    width = np.array([9.0, 9.0, 1.0, 1.0])
    return builders.predictions(logits, label, [layers], flops=layers * width[None], full_flops=6 * width)


def small(right):
    """A member of one layer that is surer of each instance than of the one before: the last leave first."""
    return member(1, right, [1, 2, 3, 4])


def selected(folder, by_margin, margins, targets):
    """What select_margin.py writes of a small member at some margins, by seed; the base is always right."""
    paths = []
    for i, seeds in enumerate(by_margin):
        for seed, content in enumerate(seeds):
            paths.append(folder / f"{i}-{seed}.npz")
            write_predictions(paths[-1], {seed: content})
    bases = [folder / f"base{seed}.npz" for seed in range(len(by_margin[0]))]
    for seed, path in enumerate(bases):
        write_predictions(path, {seed: member(6, [True] * 4, [5, 5, 5, 5])})
    select_margin.main(paths, bases, margins, targets, "accuracy", folder / "margin.json")
    return read_json(folder / "margin.json")


def test_margin_is_the_one_whose_cascade_scores_best_over_seeds_and_targets(tmp_path):
    right = [[True, True, False, True], [False, True, True, True], [False] * 4]
    by_margin = [[small(first), small([True] * 4)] for first in right]  # at 1.5x (7, 7, 1, 1), at 6x all
    found = selected(tmp_path, by_margin, [0.1, 0.3, 0.7], [1.5, 6.0])
    by_hand = {"0.1": [0.75, 1.0], "0.3": [(1.0 + 0.75) / 2, 1.0], "0.7": [(0.5 + 0.0) / 2, 1.0]}
    assert found == {"margin": 0.3, "scores": by_hand}


def test_of_margins_that_score_alike_the_smallest_is_taken(tmp_path):
    same = [[small([True] * 4)]] * 3
    assert selected(tmp_path, same, [0.5, 0.1, 0.3], [2.0])["margin"] == 0.1


def test_margin_is_selected_by_layers_not_by_operations(tmp_path):
    # two of four leave at 1.5x by layers; by operations those are cheap, so that the long ones would have to leave
    by_margin = [[small([False, False, True, True])], [small([True, True, True, False])]]
    found = selected(tmp_path, by_margin, [0.1, 0.3], [1.5])
    assert found == {"margin": 0.1, "scores": {"0.1": [1.0], "0.3": [0.75]}}


@pytest.mark.parametrize(("margin", "place"), [(0.1, 0), (0.3, 1), (0.7, 2)])
def test_adopted_files_are_those_of_the_selected_margin(tmp_path, margin, place):
    write_json(tmp_path / "margin.json", {"margin": margin, "scores": {}})
    names = ["model.safetensors", "origin.json", "selection.npz", "report.npz"]
    candidates = [tmp_path / str(i) / name for i in range(3) for name in names]
    for path in candidates:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"{path.parent.name} {path.name}".encode())
    out = [tmp_path / "adopted" / name for name in names]
    adopt_margin.main(tmp_path / "margin.json", [0.1, 0.3, 0.7], candidates, out)
    assert [path.read_bytes().decode() for path in out] == [f"{place} {name}" for name in names]
    assert all(path.exists() for path in candidates)
