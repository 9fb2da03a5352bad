"""Reading data sets: each kind of source row for row, labels as ids or names, and what is said of a broken file."""

import io
import json
import tarfile

import numpy as np
import pandas as pd
import pytest
from builders import WRITERS, jsonl, zipped
from hypothesis import given
from hypothesis import strategies as st

from cascadebert.data.corpus import CORPUS
from cascadebert.data.sources import TOY_WORDS, labels_of, read_source, read_texts
from cascadebert.files import read_csv, write_csv
from cascadebert.glue import GLUE
from cascadebert.layouts import Problem

NAMES = ["negative", "positive"]


def definition(path, **changes):
    """A data set of one text column, read from a path."""
    return {"source": {"path": str(path)}, "columns": ["text"], "label": "label"} | changes


def labels_read(path, **changes):
    """Labels of the last split of a data set with the names above."""
    *_, last = read_source(definition(path, labels=NAMES) | changes).values()
    return last["label"].tolist()


ODD = ['said "so, so"', "tab\there", "naïve — ﬁlm", "two\u2028lines\x85here", " spaces ", "null", "NA", "1.50"]


# --- files


@pytest.mark.parametrize("ending", WRITERS)
def test_texts_are_read_as_they_are(tmp_path, ending):
    WRITERS[ending](pd.DataFrame({"text": ODD, "label": NAMES * 4}), tmp_path / f"d.{ending}")
    found = read_source(definition(tmp_path / f"d.{ending}"))
    assert list(found) == ["train"]
    assert found["train"]["text"].tolist() == ODD
    assert found["train"]["label"].tolist() == NAMES * 4
    assert found["train"]["id"].tolist() == [f"train-{i}" for i in range(8)]


def test_line_break_inside_a_csv_cell_is_part_of_the_text(tmp_path):
    (tmp_path / "d.csv").write_text('text,label\n"one\ntwo",a\nthree,b\n')
    assert read_source(definition(tmp_path / "d.csv"))["train"]["text"].tolist() == ["one\ntwo", "three"]


def test_folder_gives_a_frame_a_split(tmp_path):
    row = {"premise": "p", "hypothesis": "h", "label": 1}
    for stem in ("train", "validation_matched", "validation_mismatched"):
        jsonl(tmp_path / f"{stem}.jsonl", [row, row | {"label": 0}])
    jsonl(tmp_path / "test_matched.jsonl", [row | {"label": -1}])
    (tmp_path / "notes.txt").write_text("not data")
    found = read_source({"source": {"path": str(tmp_path)}, "glue": "mnli", "label": "label"})
    assert {split: len(rows) for split, rows in found.items()} == {"train": 2, "report": 2, "mismatched": 2, "test": 1}
    assert list(found["train"].columns) == ["id", "text", "text_pair", "label"]
    assert found["mismatched"]["id"].tolist() == ["mismatched-0", "mismatched-1"]
    assert found["report"]["label"].tolist() == ["neutral", "entailment"]
    assert found["test"]["label"].tolist() == [""]


def test_own_ids_of_glue_are_kept(tmp_path):
    jsonl(tmp_path / "d.jsonl", [{"sentence": "s", "label": 0, "idx": 7}, {"sentence": "t", "label": 1, "idx": 3}])
    found = read_source({"source": {"path": str(tmp_path / "d.jsonl")}, "glue": "sst2", "label": "label"})
    assert found["train"]["id"].tolist() == ["train-7", "train-3"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\u2028", "\x85", "\0", "\t \x1c"])
def test_ids_and_classes_are_read_on_one_line_and_come_back_from_a_table(tmp_path, end):
    jsonl(tmp_path / "d.jsonl", [{"text": i, "label": f"so{end}so", "idx": f"{i}{end}x"} for i in "ab"])
    found = read_source(definition(tmp_path / "d.jsonl"))["train"][["id", "label"]]
    assert found.to_dict("list") == {"id": ["train-a x", "train-b x"], "label": ["so so", "so so"]}
    write_csv(tmp_path / "folds.csv", found)
    assert read_csv(tmp_path / "folds.csv").equals(found)


def test_ids_that_are_one_on_one_line_are_numbered(tmp_path, caplog):
    jsonl(tmp_path / "d.jsonl", [{"text": "a", "label": "x", "idx": f"1{end}2"} for end in "\r\n"])
    assert read_source(definition(tmp_path / "d.jsonl"))["train"]["id"].tolist() == ["train-0", "train-1"]
    assert "does not tell its rows apart" in caplog.text


@pytest.mark.parametrize("task", GLUE)
def test_glue_tasks_are_read_by_their_own_columns(tmp_path, task):
    columns = GLUE[task].columns
    jsonl(tmp_path / "d.jsonl", [{**{c: f"{c} text" for c in columns}, "label": 1}])
    found = read_source({"source": {"path": str(tmp_path / "d.jsonl")}, "glue": task, "label": "label"})["train"]
    assert [found[ours][0] for ours in ("text", "text_pair")[: len(columns)]] == [f"{c} text" for c in columns]
    assert found["label"][0] == GLUE[task].labels[1]


# --- labels


@pytest.mark.parametrize("ending", WRITERS)
def test_integer_labels_are_ids_of_the_declared_names(tmp_path, ending):
    WRITERS[ending](pd.DataFrame({"text": [*"abc"], "label": [1, 0, 1]}), tmp_path / f"d.{ending}")
    assert labels_read(tmp_path / f"d.{ending}") == ["positive", "negative", "positive"]


def test_names_win_over_ids(tmp_path):
    jsonl(tmp_path / "d.jsonl", [{"text": "a", "label": "1"}, {"text": "b", "label": "0"}])
    assert labels_read(tmp_path / "d.jsonl", labels=["1", "0"]) == ["1", "0"]


@pytest.mark.parametrize(
    ("ending", "labels", "read"),
    [
        *(("jsonl", [missing, missing], ["", ""]) for missing in (-1, "", None, " ")),
        *((ending, [1, None], ["positive", ""]) for ending in ("jsonl", "parquet")),  # integers are still ids
    ],
)
def test_minus_1_and_nothing_are_unlabelled(tmp_path, ending, labels, read):
    jsonl(tmp_path / "train.jsonl", [{"text": "a", "label": "positive"}])
    frame = pd.DataFrame({"text": ["a", "b"], "label": labels}, dtype=object)
    WRITERS[ending](frame, tmp_path / f"test.{ending}")
    assert labels_read(tmp_path) == read


def test_test_split_needs_no_label_column(tmp_path):
    jsonl(tmp_path / "train.jsonl", [{"text": "a", "label": "positive"}])
    jsonl(tmp_path / "test.jsonl", [{"text": "a"}])
    assert read_source(definition(tmp_path))["test"]["label"].tolist() == [""]


@pytest.mark.parametrize(
    ("entry", "labels", "names"),
    [
        ({"labels": ["z", "a"]}, ["a", "z"], ["z", "a"]),
        ({"glue": "rte"}, ["not_entailment"], ["entailment", "not_entailment"]),
        ({}, ["pos", "neg", "", "pos"], ["neg", "pos"]),
        ({}, ["10", "9", "2"], ["2", "9", "10"]),
    ],
)
def test_class_names_are_declared_or_the_papers_or_found(entry, labels, names):
    assert labels_of(entry, pd.DataFrame({"label": labels})) == names


# --- what is wrong with a file


FINE = b'{"text": "a", "label": "x"}\n'


@pytest.mark.parametrize(
    ("ending", "content", "labels", "says"),
    [
        ("jsonl", b'{"body": "a", "label": "x"}\n', None, "has no column text: it has body, label."),
        ("csv", b"text,class\na,x\n", None, "has no column label: it has text, class."),
        ("csv", b"text,label\nna\xefve,x\n", None, "is not UTF-8 at byte 13: convert it first."),
        ("jsonl", FINE + b'{"text": "b\n', None, "line 2 is not JSON"),
        ("jsonl", FINE + b'\n{"text": [3], "label": "x"}\n', None, "row 1 has .3. in column text, which is no text"),
        ("jsonl", FINE + b'{"label": "x"}\n', None, "row 1 has no text in column text"),
        ("csv", b"text,label\na,yes\nb,maybe\n", ["yes", "no"], "row 1 has label maybe, which is not among"),
        ("csv", b"text,label\na,1\nb,2\n", ["yes", "no"], "row 1 has label 2, which is not among yes, no"),
        ("csv", b'text,label\na,x\nb,y,"z\n', None, "cannot be read"),
        ("csv", b"", None, "has no rows"),
        ("csv", b"text,label\n", None, "has no rows"),
        ("jsonl", FINE + b'{"text": "b", "label": "x", "label": "y"}\n', None, "says 'label' twice"),
        ("json", b'[{"text": "b", "label": "x", "label": "y"}]', None, "says 'label' twice"),
        ("jsonl", b"", None, "has no rows"),
        ("json", b"[]", None, "has no rows"),
        ("jsonl", b'"text"\n"label"\n', None, "row 0 is not an object"),
        ("csv", b"text,label\n ,x\n,y\n", None, "nothing but blanks in column text"),
        ("csv", b"text,label\na,x,more\n", None, "row 0 has 3 cells and the header has 2: put texts with a ','"),
        ("csv", b"text,label\na\n", None, "row 0 has 1 cells"),
        ("csv", b"text,text,label\na,b,x\n", None, "has several columns text"),
        ("csv", b'text,label\n"a"b,x\n', None, "double them there"),
        ("jsonl", b'{"text": "a", "label": ["x"]}\n', None, "row 0 has a label that is no single value"),
        ("csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", None, "pointer of Git LFS"),
        ("csv.gz", b"\x1f\x8bno gzip", None, "cannot be read"),
        ("xlsx", b"PK", None, "none of the endings .jsonl, .json, .csv, .tsv, .parquet"),
        ("parquet", b"no parquet", None, "cannot be read"),
    ],
)
def test_broken_file_is_a_problem_that_names_it(tmp_path, ending, content, labels, says):
    (tmp_path / f"d.{ending}").write_bytes(content)
    with pytest.raises(Problem, match=says) as caught:
        read_source(definition(tmp_path / f"d.{ending}", **({"labels": labels} if labels else {})))
    assert str(tmp_path / f"d.{ending}") in str(caught.value)


# --- the package

PARTS = {
    "movieReviewSnippets": b"1\t2.5\tA film.\n2\t-0.5\tIt\x85 drags, \xe9h?\n3\t0\tUndecided\n7_1\t-3.1\tbad\ta tab",
    "amazonReviewSnippets": b"1\t-1.25\tBroke at once.\r\n2\t3\tFine thing.\r\n",
    "tweets": b"1\t1\tnot asked for\n",
}
PACKAGE = {"package": "vaderSentiment", "pool": ["movieReviewSnippets"], "mismatched": "amazonReviewSnippets"}


def corpus_archive(folder, parts):
    """A source distribution in the shape of vaderSentiment's, as a zip."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as inner:
        for part, content in parts.items():
            entry = tarfile.TarInfo(f"hutto_ICWSM_2014/{part}_GroundTruth.txt")
            entry.size = len(content)
            inner.addfile(entry, io.BytesIO(content))
    files = {"vaderSentiment-0.5/setup.py": "", f"vaderSentiment-0.5/{CORPUS}": packed.getvalue()}
    return zipped(folder / "package.zip", files)


@pytest.fixture
def archive(tmp_path):
    """A source distribution in the shape of vaderSentiment's, as a zip."""
    return corpus_archive(tmp_path, PARTS)


def test_package_is_read_row_for_row(archive):
    found = read_source({"source": PACKAGE, "labels": ["minus", "plus"]}, archive)
    assert set(found) == {"train", "mismatched"}
    assert found["train"][["id", "rating", "text", "label"]].to_dict("split")["data"] == [
        ["movieReviewSnippets-1", 2.5, "A film.", "plus"],
        ["movieReviewSnippets-2", -0.5, "It\x85 drags, éh?", "minus"],
        ["movieReviewSnippets-3", 0.0, "Undecided", ""],
        ["movieReviewSnippets-7_1", -3.1, "bad\ta tab", "minus"],
    ]
    assert found["mismatched"]["text"].tolist() == ["Broke at once.", "Fine thing."]
    assert found["mismatched"]["label"].tolist() == ["minus", "plus"]


def test_package_without_the_corpus_is_a_problem(tmp_path):
    package = zipped(tmp_path / "package.zip", {"something/else.txt": ""})
    with pytest.raises(Problem, match="something"):
        read_source({"source": {"package": "something", "pool": ["tweets"]}}, package)


def test_pool_is_its_parts_one_after_another(archive):
    found = read_source({"source": {"package": "vaderSentiment", "pool": ["tweets", "movieReviewSnippets"]}}, archive)
    assert list(found) == ["train"]
    assert [name.split("-")[0] for name in found["train"]["id"]] == ["tweets"] + ["movieReviewSnippets"] * 4
    assert found["train"].index.is_unique
    assert found["train"]["label"].tolist() == ["positive", "positive", "negative", "", "negative"]


def rated_archive(folder, **parts):
    """The same with sentences of some ratings in each part."""
    lines = {
        part: [f"{i}\t{rating}\t{text}\n" for i, (rating, text) in enumerate(rows)] for part, rows in parts.items()
    }
    return corpus_archive(folder, {part: "".join(rows).encode("latin-1") for part, rows in lines.items()})


RATINGS = st.lists(st.integers(-8, 8).map(lambda half: half / 2), min_size=2, max_size=60)
PAIRS = {"package": "p", "pool": ["movieReviewSnippets"], "mismatched": "amazonReviewSnippets", "pairs": True}


@given(RATINGS, RATINGS)
def test_pairs_say_how_many_were_rated_above_neutral_and_how_near_to_it(tmp_path_factory, movies, others):
    rows = {"movieReviewSnippets": movies, "amazonReviewSnippets": others}
    texts = {part: [(rating, f"{part} {i}") for i, rating in enumerate(ratings)] for part, ratings in rows.items()}
    rating_of = {text: rating for part in texts.values() for rating, text in part}
    found = read_source({"source": PAIRS}, rated_archive(tmp_path_factory.mktemp("p"), **texts))
    met = [text for frame in found.values() for text in (*frame["text"], *frame["text_pair"])]
    assert len(set(met)) == len(met)  # each sentence in one pair of one split
    for frame, ratings in zip(found.values(), rows.values(), strict=True):
        n = min(sum(rating > 0 for rating in ratings), sum(rating < 0 for rating in ratings)) // 3
        assert sorted(frame["label"]) == ["mixed"] * n + ["negative"] * n + ["positive"] * n
    for row in pd.concat(found.values()).itertuples():
        ratings = rating_of[row.text], rating_of[row.text_pair]
        assert row.rating == min(map(abs, ratings)) > 0
        assert row.label == ["negative", "mixed", "positive"][sum(rating > 0 for rating in ratings)]


def test_either_sentence_of_a_mixed_pair_may_come_first(tmp_path):
    texts = [(rating, f"{rating} {i}") for i in range(30) for rating in (-1, 1)]
    archive = rated_archive(tmp_path, movieReviewSnippets=texts, tweets=texts[:1])
    found = read_source({"source": PAIRS | {"mismatched": "tweets"}}, archive)
    mixed = found["train"].query("label == 'mixed'")
    assert sorted(text.split()[0] for text in mixed["text"]) == ["-1"] * 5 + ["1"] * 5
    assert len(found["mismatched"]) == 0


def test_sentence_that_is_repeated_is_in_one_pair_and_in_one_half(tmp_path):
    texts = [(1, "Fine."), (2, " fine. "), (3, "Good."), (2, "Nice."), (-3, "Bad."), (-2, "Sad."), (-1, "Mad.")]
    others = [(1, "GOOD."), *((rating, f"{rating} {i}") for rating in (-2, 2) for i in range(3))]
    archive = rated_archive(tmp_path, movieReviewSnippets=texts, amazonReviewSnippets=others)
    found = read_source({"source": PAIRS, "labels": ["a", "b", "c"]}, archive)
    met = {split: {*frame["text"], *frame["text_pair"]} for split, frame in found.items()}
    assert met["train"] == {"Fine.", "Good.", "Nice.", "Bad.", "Sad.", "Mad."}
    assert "GOOD." not in met["mismatched"]
    assert set(found["train"]["label"]) == {"a", "b", "c"}


def test_texts_of_a_corpus_are_each_once_and_without_labels(archive):
    found = read_texts(json.dumps({"source": PACKAGE}), archive)
    assert list(found.columns) == ["id", "text"]
    assert len(found) == 6


def test_texts_of_a_folder_leave_the_test_split_and_repeats_out(tmp_path):
    jsonl(tmp_path / "train.jsonl", [{"text": text, "label": "x"} for text in ("a", "b", "a")])
    jsonl(tmp_path / "validation.jsonl", [{"text": text, "label": "x"} for text in ("b", "c")])
    jsonl(tmp_path / "test.jsonl", [{"text": "d"}])
    assert read_texts(json.dumps(definition(tmp_path)), None)["text"].tolist() == ["a", "b", "c"]


# --- toy data


def toy(rows, **source):
    """Toy data of so many rows."""
    return read_source({"source": {"toy": rows} | source, "labels": NAMES})


def test_toy_sentences_are_labelled_by_most_of_their_words_unless_not():
    found = toy(200)
    assert list(found) == ["train"]
    frame = found["train"]
    assert (len(frame), frame["id"].is_unique) == (200, True)
    assert list(frame) == ["id", "text", "label", "rating"]
    turned = 0
    for row in frame.itertuples():
        words = row.text.split()
        votes = {name: sum(word in TOY_WORDS[name] for word in words) for name in NAMES}
        majority = max(votes, key=votes.get)
        assert sum(votes.values()) == 3
        assert (row.label == majority) != (words[0] == "not")
        assert row.rating == (votes["positive"] - votes["negative"]) * (-1 if words[0] == "not" else 1)
        turned += words[0] == "not"
    assert turned / 200 == pytest.approx(1 / 8, abs=4 * np.sqrt(1 / 8 * 7 / 8 / 200))
    assert set(frame["rating"]) == {-3.0, -1.0, 1.0, 3.0}
    assert ((frame["rating"] > 0) == (frame["label"] == "positive")).all()


def test_toy_pairs_agree_oppose_or_are_mute():
    found = toy(80, pairs=True)
    assert {split: len(rows) for split, rows in found.items()} == {
        "train": 80,
        "report": 20,
        "mismatched": 20,
        "test": 10,
    }
    assert (found["test"]["label"] == "").all()
    for row in found["train"].itertuples():
        tones = [
            {name for name in NAMES if set(text.split()) & set(TOY_WORDS[name])} for text in (row.text, row.text_pair)
        ]
        meaning = "neutral" if not tones[1] else "entailment" if tones[0] == tones[1] else "contradiction"
        assert row.label == meaning
    assert set(found["train"]["label"]) == set(GLUE["mnli"].labels)


def test_toy_data_are_always_the_same():
    pd.testing.assert_frame_equal(toy(60)["train"], toy(60)["train"])
