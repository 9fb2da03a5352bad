"""Any table is read row for row and class for class, in every format and spelling, or refused in one sentence."""

import csv
import gzip
import io
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascadebert.data.labels import class_name, look_alike, ordered, warn_of
from cascadebert.data.sources import labels_of, read_source
from cascadebert.data.tables import read_table
from cascadebert.layouts import Problem

NAMES = ["bad", "good", "so so"]

SPELLINGS = {
    "name": lambda i: NAMES[i],
    "padded": lambda i: f" {NAMES[i]}\t".replace("\t", " "),
    "id": lambda i: i,
    "text of an id": str,
    "real id": float,
    "text of a real id": lambda i: f"{i}.0",
    "long id": lambda i: f"+0{i}",
}
"""Ways to write a class."""

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: text.strip()
)
PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(
    lambda text: text.strip()
)
ROWS = st.lists(st.tuples(TEXT, st.integers(0, 2)), min_size=2, max_size=8)


def separated(rows, separator, **how):
    """Rows as separated cells, each blank line of them no row."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, **how).writerows([["more", "text", "label"], *([0, *row] for row in rows)])
    return out.getvalue() + "\n"


def parquet(rows):
    """The same as a parquet file; its columns are of one type."""
    out = io.BytesIO()
    pd.DataFrame(rows, columns=["text", "label"]).to_parquet(out)
    return out.getvalue()


def objects(rows):
    """The same as objects."""
    return [{"text": text, "label": label} for text, label in rows]


FORMATS = {
    **{f"csv by {mark}": ("csv", lambda rows, mark=mark: separated(rows, mark)) for mark in ",;\t|"},
    "jsonl": ("jsonl", lambda rows: "\n".join(map(json.dumps, objects(rows)))),
    "array": ("json", lambda rows: json.dumps(objects(rows), ensure_ascii=False)),
    "columns": ("json", lambda rows: pd.DataFrame(rows, columns=["text", "label"], dtype=object).to_json()),
    "parquet": ("PARQUET", parquet),
}
"""Endings and writers."""


def read(folder, ending, content, **changes):
    """What is read of a file of some bytes: the training rows."""
    path = folder / f"d.{ending}"
    path.write_bytes(content)
    return read_source({"source": {"path": str(path)}, "columns": ["text"], "label": "label"} | changes)["train"]


@settings(max_examples=150)
@given(
    ROWS,
    st.sampled_from(list(FORMATS)),
    st.sampled_from(list(SPELLINGS)),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_rows_and_classes_are_the_same_however_they_are_written(
    tmp_path_factory, rows, form, spelling, encoding, zipped
):
    ending, writer = FORMATS[form]
    content = writer([(text, SPELLINGS[spelling](i)) for text, i in rows])
    content = content if isinstance(content, bytes) else content.encode(encoding)
    ending, content = (f"{ending}.GZ", gzip.compress(content)) if zipped else (ending, content)
    frame = read(tmp_path_factory.mktemp("table"), ending, content, labels=NAMES)
    assert frame["text"].tolist() == [text for text, _ in rows]
    assert frame["label"].tolist() == [NAMES[i] for _, i in rows]


@given(st.lists(st.tuples(PLAIN, st.integers(0, 1)), min_size=2, max_size=8))
def test_quotes_in_a_tsv_lose_no_row(tmp_path_factory, rows):
    content = "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)
    frame = read(tmp_path_factory.mktemp("table"), "tsv", content.encode(), labels=NAMES)
    assert len(frame) == len(rows)
    for text, (before, _) in zip(frame["text"], rows, strict=True):
        assert text in (before, before[1:-1].replace('""', '"'))  # a whole cell in quotes is what stands in them


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.lists(st.integers(), max_size=2),
    st.just(-1),
    st.just(""),
)


@given(st.lists(st.fixed_dictionaries({}, optional={"text": CELLS, "label": CELLS, "idx": CELLS}), max_size=6))
def test_any_cells_are_read_row_for_row_or_refused(tmp_path_factory, rows):
    content = "\n".join(map(json.dumps, rows))
    try:
        frame = read(tmp_path_factory.mktemp("table"), "jsonl", content.encode())
        names = labels_of({}, frame)
    except Problem as problem:
        assert "\n" not in str(problem)
        return
    assert len(frame) == len(rows)
    assert frame["id"].is_unique
    assert len(names) == len(set(frame["label"]) - {""})


@given(st.binary(max_size=60), st.sampled_from(["csv", "tsv", "json", "jsonl", "parquet", "csv.gz"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, ending):
    try:
        read(tmp_path_factory.mktemp("table"), ending, b"text,label\n" + content if ending == "csv" else content)
    except Problem as problem:
        assert "\n" not in str(problem)


@pytest.mark.parametrize(
    ("value", "declared", "name"),
    [
        *((missing, NAMES, "") for missing in (None, np.nan, pd.NA, "", " ", -1, "-1", -1.0, "-1.0", "-")),
        *((missing, [], "") for missing in (None, np.nan, "", -1, "-1.0")),
        *((one, ["0", "-1"], "-1") for one in (-1, "-1")),
        *((one, [], "1") for one in (1, 1.0, "1.0", "1.", np.int64(1), np.float32(1))),
        *((one, ["no", "yes"], "yes") for one in (True, "true", "TRUE", np.bool_(True), 1, "01", "1e0")),
        *((one, ["yes", "no"], "yes") for one in (True, "true")),
        *((one, ["y", "n"], "y") for one in (True, "true")),
        *((one, ["n", "p"], "p") for one in (True, "true", 1)),  # letters of other words
        ("TRUE", ["true", "false"], "true"),
        *((one, ["1", "0"], "1") for one in (1, 1.0, "1.0", "01", True)),  # numbers that are names are no ids
        *((one, ["-1", "1"], "-1") for one in (-1.0, "-1.0")),
        *((one, ["1", "2", "3"], "2") for one in (2.0, "2.0", Decimal("2"))),
        (-1, ["1", "2"], ""),
        ("e\u0301", ["\u00e9"], "\u00e9"),  # the same letters, composed
        ("\u00e9", ["e\u0301"], "e\u0301"),
        *((one, [], "pos") for one in ("pos\u200b", "\ufeffpos", "po\u00ads")),  # nobody sees the difference
        ("\ud83d!", [], "?!"),
        ("-", [], "-"),
        ("01", [], "01"),
    ],
)
def test_a_label_is_read_by_its_meaning(value, declared, name):
    assert class_name(value, declared, "row") == name


@pytest.mark.parametrize("value", [3, -2, "Good", 0.5, "nan", [0], {"a": 1}, b"good", float("inf")])
def test_what_is_no_class_is_refused(value):
    with pytest.raises(Problem, match="row 7"):
        class_name(value, NAMES, "row 7")


@pytest.mark.parametrize(("value", "declared"), [(0, ["1", "2", "3"]), ("2", ["1", "0"]), (False, ["true", "maybe"])])
def test_a_number_beside_numbers_is_no_id(value, declared):
    with pytest.raises(Problem, match="is not among"):
        class_name(value, declared, "row 7")


def test_an_endless_number_is_no_class_that_nobody_declared():
    with pytest.raises(Problem, match="no single value"):
        class_name(json.loads("1e400"), [], "row 7")


def test_real_numbers_are_no_classes():
    assert ordered(["10", "9", "-1", "9"]) == ["-1", "9", "10"]
    assert ordered(["0.5", "high"]) == ["0.5", "high"]
    with pytest.raises(Problem, match="real numbers .*regression is not supported"):
        ordered(["0.5", "2", "1.40"])


def test_classes_that_look_alike_are_found():
    assert look_alike(["Good", "good", "bad", "1", "01", "so so", "so_so", "+", "-", "a"]) == [
        ["Good", "good"],
        ["1", "01"],
        ["so so", "so_so"],
    ]
    assert look_alike(["a\u200db", "ab"]) == [["a\u200db", "ab"]]
    assert look_alike(['"pos"', "pos", "neg"]) == [['"pos"', "pos"]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32"])
def test_what_is_not_utf_8_is_told_though_it_can_be_read_so(tmp_path_factory, encoding):
    for ending in ("csv", "jsonl"):
        with pytest.raises(Problem, match="NUL characters"):
            read(tmp_path_factory.mktemp("table"), ending, 'text,label\na,b\n"{}"\n'.encode(encoding))


def test_values_in_values_a_thousand_deep_are_refused(tmp_path):
    with pytest.raises(Problem, match="values in values"):
        read(tmp_path, "jsonl", b"[" * 100_000)


def test_half_a_character_is_no_part_of_an_id(tmp_path):
    rows = [{"text": "a", "label": "x", "idx": "\ud83d"}, {"text": "b", "label": "y", "idx": "b"}]
    assert list(read(tmp_path, "jsonl", "\n".join(map(json.dumps, rows)).encode())["id"]) == ["train-?", "train-b"]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('text\n"line 0\nmore 0"\n"line 1\nmore 1"\n', ["line 0\nmore 0", "line 1\nmore 1"]),
        ('text\tlabel\nplain\tbad\n"two\nlines"\tgood\n', ["plain", "two\nlines"]),
        ('text\tlabel\n"He said\tbad\nand left"\tgood\n', ['"He said', 'and left"']),
        ('text\tpair\tlabel\n"I am fine.\tHe said: I am fine."\tbad\n', ['"I am fine.']),
    ],
)
def test_quotes_in_a_tsv_are_read_as_every_row_has_its_cells(tmp_path, content, texts):
    (tmp_path / "a.tsv").write_text(content)
    assert read_table(tmp_path / "a.tsv")["text"].tolist() == texts


def test_a_header_that_stands_again_is_told(tmp_path):
    part = "text,label\n" + "good,a\nbad,b\n"
    (tmp_path / "a.csv").write_text(part * 3)
    with pytest.raises(Problem, match=r"row 2 is the header once more"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("text\ntext\n")
    assert len(read_table(tmp_path / "b.csv")) == 1  # a text may be the word


def test_quotes_after_a_space_enclose_a_cell_where_the_header_has_such_spaces(tmp_path, caplog):
    (tmp_path / "a.csv").write_text('text, label\n"a, 3", "1"\nb, "0"\n')
    table = read_table(tmp_path / "a.csv")
    assert table.columns.tolist() == ["text", "label"] and table.to_numpy().tolist() == [["a, 3", "1"], ["b", "0"]]
    assert not caplog.text
    (tmp_path / "a.csv").write_text('text,label\na, "1"\n')
    assert read_table(tmp_path / "a.csv").to_numpy().tolist() == [["a", ' "1"']]
    assert "row 0 has a quote after a space, which is read as text" in caplog.text


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl"])
@pytest.mark.parametrize(("content", "kind"), [(b"PK\x03\x04\xff", "a zip archive"), (b"PAR1\x15", "Parquet")])
def test_a_file_of_another_kind_than_its_ending_says_is_told(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Problem, match=f"{name} is {kind}"):
        read_table(tmp_path / name)


def test_an_array_of_json_with_a_mistake_is_told_where_it_is(tmp_path):
    rows = ",\n".join('{"text": "a", "label": "x"}' for _ in range(60))
    (tmp_path / "a.json").write_text(f"[{rows},\n]")
    with pytest.raises(Problem, match=r"a.json is not JSON \(.*line 61 column 1.*\): mend its array there"):
        read_table(tmp_path / "a.json")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_of_json_may_end_as_lines_do_anywhere(tmp_path, end):
    (tmp_path / "a.jsonl").write_bytes(end.join(['{"text": "a"}', '{"text": "b"}', ""]).encode())
    assert read_table(tmp_path / "a.jsonl")["text"].tolist() == ["a", "b"]


def test_a_label_column_that_stands_twice_is_told_in_a_test_split_too(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\na,x\nb,y\n")
    (tmp_path / "test.csv").write_text("text,label,label\na,x,x\n")
    with pytest.raises(Problem, match=r"test.csv has several columns label"):
        read_source({"source": {"path": str(tmp_path)}, "columns": ["text"], "label": "label"})


@pytest.mark.parametrize("header", ["re\u0301sume\u0301", "\u200br\u00e9sum\u00e9"])
def test_a_column_that_looks_like_the_one_that_is_named_is_told(tmp_path, header):
    (tmp_path / "a.csv").write_text(f"{header},label\na,x\nb,y\n")
    definition = {"source": {"path": str(tmp_path / "a.csv")}, "columns": ["r\u00e9sum\u00e9"], "label": "label"}
    with pytest.raises(Problem, match=r"of which '.*\\u.*' looks like it: rename it"):
        read_source(definition)


def test_a_file_in_a_folder_that_may_not_be_listed_is_read(tmp_path, monkeypatch):
    (tmp_path / "train.csv").write_text("text,label\na,x\nb,y\n")
    monkeypatch.setattr(Path, "iterdir", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    definition = {"source": {"path": str(tmp_path / "train.csv")}, "columns": ["text"], "label": "label"}
    assert len(read_source(definition)["train"]) == 2


def test_a_lone_hyphen_is_suspected_to_be_a_missing_label_but_beside_a_plus(caplog):
    warn_of(["-", "a", "b"], pd.Series(["-", "a", "b"]))
    assert "the class - looks like a label that is missing" in caplog.text
    caplog.clear()
    warn_of(["+", "-"], pd.Series(["+", "-"]))
    assert not caplog.text


def test_separators_in_a_quoted_name_are_part_of_it(tmp_path):
    (tmp_path / "a.csv").write_text('"text, long, and so on";label\ngood;a\n')
    assert read_table(tmp_path / "a.csv").columns.tolist() == ["text, long, and so on", "label"]


def test_a_cell_of_whole_rows_is_warned_of(tmp_path, caplog):
    read(tmp_path, "csv", b'text,label\na,x\n"b,x\nc,y\nd",y\n')
    assert "row 1 has lines with cells of their own in one cell" in caplog.text
    caplog.clear()
    read(tmp_path, "csv", b'text,label\n"a\nb",x\n"c, d",y\n')
    assert not caplog.text
