"""How a task is read and divided: all of it is told, and what cannot be trained or scored is refused."""

import json
import logging

import pandas as pd
import pytest
from builders import jsonl

import prepare_task
from cascadebert.data.sources import read_source, unread
from cascadebert.layouts import Problem


def rows(n, prefix, labels="ab"):
    """Rows of n texts, labels in turn."""
    return [{"text": f"{prefix} text {i}", "label": labels[i % len(labels)]} for i in range(n)]


def prepare(folder, part="training", metric="accuracy", source=None, caps=None, n_folds=2, **entry):
    """The facts that are written of a folder's files."""
    definition = {"source": {"path": str(folder)} | (source or {}), "columns": ["text"], "label": "label", "seed": 0}
    prepare_task.main(
        part,
        json.dumps(definition | {"rows": caps or {}} | entry),
        metric,
        "train",
        n_folds,
        folder / "out/examples.jsonl",
        folder / "out/facts.json",
    )
    return json.loads((folder / "out/facts.json").read_text())


@pytest.mark.parametrize(
    ("column", "values", "warned"),
    [
        ("Split", ["train", "eval"], True),
        ("Usage", ["Training", "PublicTest"], True),
        ("is_train", [True, False], True),
        ("fold", [0, 1], False),
        ("set", ["train", "chess"], False),
        ("test", ["a long text", "another", "a third"], False),
    ],
)
def test_a_column_that_divides_is_warned_of_however_it_is_written(tmp_path, caplog, column, values, warned):
    table = pd.DataFrame(rows(60, "t")).assign(**{column: values * (60 // len(values))})
    table.to_csv(tmp_path / "all.csv", index=False)
    read_source({"source": {"path": str(tmp_path / "all.csv")}, "columns": ["text"], "label": "label"})
    assert (f"has a column {column} of" in caplog.text) == warned


@pytest.mark.parametrize("name", ["train.csv", "all.csv"])
def test_a_single_file_that_is_divided_already_is_warned_of(tmp_path, caplog, name):
    table = pd.DataFrame(rows(60, "t")).assign(split=["train"] * 40 + ["Dev"] * 10 + ["test"] * 10)
    table.to_csv(tmp_path / name, index=False)
    table.to_csv(tmp_path / "test.csv", index=False)
    source = {"path": str(tmp_path / name)}
    read_source({"source": source, "columns": ["text"], "label": "label"})
    assert f"{name} has a column split of Dev, test, train, and is divided anew" in caplog.text
    assert ("is read alone, without test.csv" in caplog.text) == (name == "train.csv")
    assert unread(source) == (["test.csv"] if name == "train.csv" else [])


def test_facts_say_what_became_of_every_file_and_row(tmp_path, caplog):
    train = [*rows(60, "t"), {"text": "t text 3", "label": "a"}, {"text": "x", "label": -1}, {"text": "y", "label": ""}]
    jsonl(tmp_path / "train.jsonl", train)
    jsonl(tmp_path / "dev.jsonl", [*rows(10, "r"), {"text": "t text 1", "label": "b"}])
    jsonl(tmp_path / "test.jsonl", rows(4, "e"))
    (tmp_path / "notes.csv").touch()
    caplog.set_level(logging.INFO)
    facts = prepare(tmp_path, caps={"train": 100, "selection": 6})
    assert facts["files"] == {"train": str(tmp_path / "train.jsonl"), "report": str(tmp_path / "dev.jsonl")}
    assert facts["unread"] == ["notes.csv", "out"] or facts["unread"] == ["notes.csv"]
    assert facts["found"] == {"train": 63, "report": 11}
    assert facts["asked"] == {"train": 100, "selection": 6}
    assert facts["dropped"]["train (unlabelled)"] == 2
    assert facts["dropped"]["train and selection (text in another split)"] == 1
    assert facts["rows"]["train"] + facts["dropped"]["train (text in another split)"] == 60 - 6
    assert {split: sum(classes.values()) for split, classes in facts["classes"].items()} == facts["rows"]
    assert facts["contradicting"] == 1
    for said in (
        "files: train is",
        "rows: train 5",
        "classes: {'train'",
        "not read: notes.csv",
        "were asked for and there",
    ):
        assert said in caplog.text
    caplog.clear()
    assert prepare(tmp_path, "test")["rows"] == {"test": 4}
    assert "the test split has labels, and is answered only" in caplog.text


def test_a_split_is_what_the_config_says_it_is(tmp_path):
    for name, n in (("train", 40), ("dev", 10), ("test", 12)):
        jsonl(tmp_path / f"{name}.jsonl", rows(n, name))
    told = {"splits": {"selection": "dev", "report": "test"}}
    assert prepare(tmp_path, source=told)["rows"] == {"train": 40, "selection": 10}
    assert prepare(tmp_path, "report", source=told)["rows"] == {"report": 12, "mismatched": 0}
    assert set(read_source({"source": {"path": str(tmp_path)} | told, "columns": ["text"], "label": "label"})) == {
        "train",
        "selection",
        "report",
    }


REFUSED = [  # training rows, validation rows, what is asked beside, what is said
    (rows(40, "t"), [*rows(8, "r"), {"text": "z", "label": "c"}], {}, r"the label c is in 1 rows \(report-8"),
    (rows(40, "t"), rows(1, "r"), {}, "the report split has one row: it needs two"),
    (rows(40, "t"), rows(6, "r"), {"caps": {"selection": 1}}, "the selection split has one row"),
    (rows(40, "t"), rows(6, "r", "a"), {"metric": "f1"}, "the report split has no row of b among its 6, and f1 counts"),
    (rows(40, "t", "abc"), rows(6, "r"), {"metric": "f1"}, "metric f1 needs two classes"),
    (rows(40, "t"), rows(6, "r", [-1]), {}, "validation.jsonl has no label in any row"),
    (rows(40, "t", [1, -1]), rows(6, "r", [1]), {}, "one class only .*where -1 is a class, declare it"),
    (rows(40, "t", range(40)), rows(6, "r", [1]), {}, "40 training rows have 40 different labels"),
    (rows(40, "t", [0.5, 1, 1.5]), rows(6, "r", [1]), {}, "regression is not supported"),
    (rows(40, "t", "aaaaaaaaab"), rows(6, "r"), {"n_folds": 9}, "difficulty.n_folds is 9"),
]


@pytest.mark.parametrize(("train", "validation", "asked", "says"), REFUSED)
def test_what_cannot_be_trained_or_scored_is_refused(tmp_path, train, validation, asked, says):
    jsonl(tmp_path / "train.jsonl", train)
    jsonl(tmp_path / "validation.jsonl", validation)
    with pytest.raises(Problem, match=says):
        prepare(tmp_path, **asked)


def test_a_class_whose_few_texts_all_went_to_other_splits_is_refused(tmp_path, caplog):
    few = [{"text": f"c {i % 5}", "label": "c"} for i in range(100)]
    jsonl(tmp_path / "train.jsonl", rows(100, "t", "ab") + few)
    with pytest.raises(Problem, match=r"no training row is of c once .* of split (selection|report) are: a text may"):
        prepare(tmp_path)
    jsonl(tmp_path / "train.jsonl", rows(100, "t", "ab") + [{"text": f"r {i % 8}", "label": "b"} for i in range(80)])
    prepare(tmp_path)
    assert "(text in another split): repeats make the splits smaller" in caplog.text


def test_minus_1_is_a_class_where_it_is_declared(tmp_path):
    jsonl(tmp_path / "train.jsonl", rows(40, "t", [1, -1]))
    assert set(prepare(tmp_path, labels=["-1", "1"])["classes"]["train"]) == {"-1", "1"}


@pytest.mark.parametrize(
    ("labels", "declared", "says"),
    [
        (["Good", "good"], {}, "the classes Good and good differ in their spelling alone"),
        (["good", "nan"], {}, "the class nan looks like a label that is missing"),
        (["a", "b"], {"labels": ["a", "b", "c"]}, "no training row is of the class c"),
    ],
)
def test_what_is_suspicious_is_one_warning(tmp_path, caplog, labels, declared, says):
    jsonl(tmp_path / "train.jsonl", rows(40, "t", labels))
    prepare(tmp_path, **declared)
    (found,) = [message for message in warnings(caplog) if "selection split" not in message]
    assert found.startswith(says)


def warnings(caplog):
    """What was warned of."""
    return [record.message for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize(("n", "warned"), [(100, ["the selection split has 8 rows, too few"]), (700, [])])
def test_a_selection_split_that_chooses_by_lot_is_told(tmp_path, caplog, n, warned):
    jsonl(tmp_path / "train.jsonl", rows(n, "t", ["good", "bad"]))
    prepare(tmp_path)
    assert [message[: len(warned[0])] for message in warnings(caplog)] == warned


@pytest.mark.parametrize(
    ("train", "validation", "entry", "says"),
    [
        (
            [{"text": f"t {i}", "label": "ab"[i > 9]} for i in range(40)],
            [{"text": f"T {i}", "label": "a"} for i in range(10)],
            {},
            "of a once",
        ),
        (rows(40, "t", "a"), rows(10, "r", "a"), {"labels": ["a", "b"]}, "no training row is of b once"),
        (
            [{"text": f"t {i}", "label": (-1, 0, 1)[i % 3]} for i in range(60)],
            rows(10, "r", "01"),
            {"labels": ["bad", "so so", "good"]},
            "no training row is of good .* 20 rows were dropped",
        ),
    ],
)
def test_a_class_that_training_lost_is_told(tmp_path, train, validation, entry, says):
    jsonl(tmp_path / "train.jsonl", train)
    jsonl(tmp_path / "validation.jsonl", validation)
    with pytest.raises(Problem, match=says):
        prepare(tmp_path, **entry)


def test_the_report_part_is_not_checked_for_a_selection_split_that_it_does_not_draw(tmp_path, caplog):
    labels = "".join("b" if i % 27 == 0 else "a" for i in range(160))
    jsonl(tmp_path / "train.jsonl", rows(160, "t", labels))
    caps = {"report": 40, "selection": 60}
    of_training = prepare(tmp_path, metric="f1", caps=caps, labels=["a", "b"])
    assert of_training["classes"]["selection"]["b"] >= 1
    caplog.clear()
    of_report = prepare(tmp_path, "report", "f1", caps={"report": 40}, labels=["a", "b"])
    assert of_report["rows"]["report"] == 40
    assert "selection" not in caplog.text


def test_what_f1_counts_is_told_where_nobody_said_it(tmp_path, caplog):
    jsonl(tmp_path / "train.jsonl", rows(100, "t"))
    prepare(tmp_path, metric="f1")
    assert "f1 counts b" in caplog.text
    caplog.clear()
    prepare(tmp_path, metric="f1", labels=["b", "a"])
    assert "f1 counts" not in caplog.text


def test_a_selection_split_of_one_class_is_told(tmp_path, caplog):
    jsonl(tmp_path / "train.jsonl", rows(100, "t"))
    jsonl(tmp_path / "validation.jsonl", rows(10, "r"))
    jsonl(tmp_path / "dev.jsonl", rows(60, "s", "a"))
    prepare(tmp_path, source={"splits": {"selection": "dev"}})
    assert "all 60 rows of the selection split are a" in caplog.text
