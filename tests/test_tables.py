"""Tables: the paper's own numbers, means and averages by hand, the printed layout, and every script on small files."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import score_table
import table1
import table4
import table5
import table7
import table8
import theory_table
from cascadebert.files import write_json
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions, cascade_of, write_predictions
from cascadebert.pages.tables import (
    AVERAGE,
    Entry,
    best,
    cell,
    entries,
    facts_of,
    intervals_over,
    layout,
    means_over,
    paper_names,
    seeds_by,
    sentences,
    summarised,
    to_latex,
    to_markdown,
    with_interval,
    with_paper,
    with_server,
)
from cascadebert.systems import SYSTEMS, shown_in

PAPER = Path(__file__).parents[1] / "config/paper/table2.csv"
COLUMNS = ["mnli", "mnli-mm", "mrpc", "qnli", "qqp", "rte", "sst2"]
NAN = float("nan")


# --- the paper's numbers


def printed():
    """The paper's Table 2."""
    return pd.read_csv(PAPER)


@pytest.mark.parametrize(
    ("system", "target", "task", "score", "ratio"),
    [
        ("bert_base", 1, "mnli-mm", 83.4, 1.00),
        ("bert_kl", 4, "rte", 55.2, 4.00),
        ("deebert", 4, "mnli", 55.8, 4.01),
        ("deebert", 2, "qqp", 70.4, 2.13),
        ("pabee", 3, "rte", 60.5, 2.38),
        ("pabee", 4, "mnli-mm", 63.0, 4.30),
        ("cascadebert", 2, "sst2", 91.7, 2.08),
        ("cascadebert", 3, "qqp", 71.0, 3.02),
        ("cascadebert", 4, "AVG", 78.3, NAN),
    ],
)
def test_cells_of_the_papers_table_2(system, target, task, score, ratio):
    found = printed().query("system == @system and target == @target and task == @task")
    assert found[["score", "speed_up"]].to_numpy() == pytest.approx(np.array([[score, ratio]]), nan_ok=True)


def test_papers_table_2_is_whole():
    frame = printed()
    rows = [("bert_base", 1)] + [(s, t) for t in (2, 3, 4) for s in ("bert_kl", "deebert", "pabee", "cascadebert")]
    assert list(zip(frame["system"], frame["target"], frame["task"], strict=True)) == [
        (*row, task) for row in rows for task in [*COLUMNS, "AVG"]
    ]
    missing = frame[frame["score"].isna()]
    assert {tuple(row) for row in missing[["system", "target", "task"]].to_numpy()} == {
        ("pabee", 4, "qnli"),
        ("pabee", 4, "sst2"),
        ("pabee", 4, "AVG"),
    }


def test_our_average_of_the_papers_columns_is_the_papers_average():
    frame = printed()
    cells = frame[(frame["task"] != "AVG") & frame["score"].notna()]
    points = cells.assign(column=cells["task"], score=cells["score"] / 100, seed=1, metric="accuracy")
    rows = [
        Entry(system, float(target), f"{system} {target}")
        for system, target in frame.groupby(["system", "target"]).groups
    ]
    tidy, _ = summarised(points, rows, COLUMNS)
    ours = tidy[tidy["task"] == AVERAGE].set_index(["system", "target_speed_up"])["mean"]
    papers = frame[frame["task"] == "AVG"].set_index(["system", "target"])["score"]
    assert len(ours) == len(papers) == 13
    for key, value in papers.items():
        assert round(100 * ours[key], 1) == pytest.approx(value, nan_ok=True), key


# --- summaries

SEEDED = {
    ("bert_base", 1.0, "sst2"): [0.90, 0.94],
    ("bert_base", 1.0, "mnli"): [0.80, 0.82],
    ("bert_base", 1.0, "mnli-mm"): [0.70, 0.71],
    ("deebert", 2.0, "sst2"): [0.80, 0.81],
    ("deebert", 2.0, "mnli"): [0.60, 0.61],
    ("deebert", 2.0, "mnli-mm"): [0.50, 0.52],
    ("cascadebert", 2.0, "sst2"): [0.85, 0.86],
    ("cascadebert", 2.0, "mnli"): [0.60, 0.62],
    ("cascadebert", 2.0, "mnli-mm"): [0.61, 0.62],
}
ROWS = [
    Entry("bert_base", 1.0, "BERT-base"),
    Entry("bert_kl", 2.0, "BERT-3L"),
    Entry("deebert", 2.0, "2× DeeBERT"),
    Entry("cascadebert", 2.0, "2× CascadeBERT"),
]
ORDER = ["sst2", "mnli", "mnli-mm"]


@pytest.fixture
def points():
    """Two seeds, a task of one half and a task of two; BERT-kL has no such ratio. Rows in no order."""
    rows = [
        {
            "system": system,
            "target": target,
            "column": column,
            "metric": "f1" if column == "sst2" else "accuracy",
            "seed": seed,
            "score": score,
            "speed_up": target + (0.02 if seed == 2 and target > 1 else 0),
        }
        for (system, target, column), scores in SEEDED.items()
        for seed, score in ((2, scores[1]), (1, scores[0]))
    ]
    return pd.DataFrame(rows)


def test_means_and_spreads_are_over_seeds(points):
    tidy, by_seed = summarised(points, ROWS, ORDER)
    assert len(tidy) == 4 * 4
    found = tidy.set_index(["system", "task"])
    row = found.loc["bert_base", "sst2"]
    assert row["mean"] == pytest.approx(0.92)
    assert row["sd"] == pytest.approx(0.04 / np.sqrt(2))
    assert (row["n_seeds"], row["metric"], row["method"]) == (2, "f1", "BERT-base")
    assert found.loc["deebert", "mnli"]["achieved_speed_up"] == pytest.approx(2.01)
    assert by_seed["cascadebert", 2.0, "mnli"].tolist() == [0.60, 0.62]


def test_average_counts_both_halves_and_spreads_over_seeds(points):
    tidy, by_seed = summarised(points, ROWS, ORDER)
    row = tidy.set_index(["system", "task"]).loc["deebert", AVERAGE]
    by_hand = [(0.80 + 0.60 + 0.50) / 3, (0.81 + 0.61 + 0.52) / 3]
    assert by_seed["deebert", 2.0, AVERAGE] == pytest.approx(by_hand)
    assert row["mean"] == pytest.approx(np.mean(by_hand))
    assert row["sd"] == pytest.approx(np.std(by_hand, ddof=1))
    assert np.isnan(row["achieved_speed_up"])


def test_average_is_of_the_seeds_that_every_column_has(points):
    tidy, by_seed = summarised(points[(points["column"] != "sst2") | (points["seed"] == 2)], ROWS, ORDER)
    assert by_seed["deebert", 2.0, AVERAGE] == pytest.approx([(0.81 + 0.61 + 0.52) / 3])
    found = tidy.set_index(["system", "task"])["n_seeds"]
    assert found["deebert"].to_dict() == {"sst2": 1, "mnli": 2, "mnli-mm": 2, AVERAGE: 1}


def test_average_is_missing_where_a_column_is(points):
    lacking = points[~((points["system"] == "deebert") & (points["column"] == "mnli-mm"))]
    found = summarised(lacking, ROWS, ORDER)[0].set_index(["system", "task"])["mean"]
    assert np.isnan(found["deebert", AVERAGE])
    assert not np.isnan(found["cascadebert", AVERAGE])


def test_ratio_that_a_system_lacks_is_missing(points):
    found = summarised(points, ROWS, ORDER)[0].set_index(["system", "task"]).loc["bert_kl"]
    assert found["mean"].isna().all()
    assert (found["n_seeds"] == 0).all()


def test_rows_are_in_the_papers_order():
    found = [entry.label for entry in entries(shown_in("table2"), [2.0, 4.0], full_layers=12)]
    assert found == [
        "BERT-base",
        "BERT-6L",
        "2× DeeBERT",
        "2× PABEE",
        "2× CascadeBERT",
        "BERT-3L",
        "4× DeeBERT",
        "4× PABEE",
        "4× CascadeBERT",
    ]


@pytest.mark.parametrize(
    ("number", "labels"),
    [
        (3, ["DistilBERT", "BERT-PKD", "BERT-of-Theseus", "BERT-PD", "CascadeBERT"]),
        (6, ["RoBERTa-base", "RoBERTa-4L", "DeeBERT", "PABEE", "CascadeRoBERTa", "CascadeRoBERTa + vanilla KD"]),
    ],
)
def test_rows_at_one_ratio_do_not_repeat_it(number, labels):
    rows = entries(shown_in(f"table{number}"), [3.0], full_layers=12)
    assert [row.label for row in rows] == labels
    assert [row.target for row in rows] == [1.0 if "base" in label else 3.0 for label in labels]


@pytest.mark.parametrize(("number", "targets"), [(2, [2, 3, 4]), (3, [3]), (6, [3]), (7, [3, 4])])
def test_rows_of_a_table_are_those_that_the_paper_prints(number, targets):
    frame = pd.read_csv(PAPER.with_name(f"table{number}.csv"))
    papers = list(dict.fromkeys(zip(frame["system"], frame["target"].astype(float), strict=True)))
    ours = entries(shown_in(f"table{number}"), [float(target) for target in targets], full_layers=12)
    assert [(row.system, row.target) for row in ours] == papers


def test_depth_that_is_not_whole_is_told():
    labels = [entry.label for entry in entries(["bert_kl"], [2.0, 4.0], full_layers=6)]
    assert labels == ["BERT-3L", "BERT-1.5L"]


# --- the paper's columns


@pytest.mark.parametrize(
    ("tasks", "glue", "names"),
    [
        (["a", "b"], ["mnli", "sst2"], {"a": "mnli", "a-mm": "mnli-mm", "b": "sst2", "b-mm": "sst2-mm"}),
        (["a", "b"], ["mnli", None], {"a": "mnli", "a-mm": "mnli-mm"}),
        (["a", "b"], [None, "sst2"], {"b": "sst2", "b-mm": "sst2-mm"}),
        (["a"], [None], {}),
        (["a", "b"], ["sst2", "sst2"], {"a": "sst2", "a-mm": "sst2-mm", "b": "sst2", "b-mm": "sst2-mm"}),
    ],
)
def test_columns_are_the_papers_where_the_task_is(tasks, glue, names):
    assert paper_names(tasks, glue) == names | {AVERAGE: AVERAGE}


def test_average_with_one_of_the_papers_tasks_twice_is_not_the_papers():
    columns = ["mnli", "mnli-mm", "qnli", "qqp", "sst2", "again"]
    names = paper_names(["mnli", "qnli", "qqp", "sst2", "again"], ["mnli", "qnli", "qqp", "sst2", "sst2"])
    found = with_paper(five(columns), pd.read_csv(PAPER.with_name("table3.csv")), names).set_index("task")["paper"]
    assert np.isnan(found[AVERAGE])
    assert found["again"] == pytest.approx(0.909)


def five(columns):
    """A tidy frame of CascadeBERT at 3x in some columns and their average."""
    rows = [{"system": "cascadebert", "target_speed_up": 3.0, "task": task} for task in [*columns, AVERAGE]]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("number", "columns", "average"),
    [
        (3, ["mnli", "mnli-mm", "qnli", "qqp", "sst2"], 0.822),
        (3, ["sst2", "qqp", "qnli", "mnli", "mnli-mm"], 0.822),
        (3, ["mnli", "qnli", "qqp", "sst2"], NAN),  # one half of MNLI
        (3, ["sst2"], NAN),
        (2, ["mnli", "mnli-mm", "qnli", "qqp", "sst2"], NAN),  # Table 2 has MRPC and RTE, too
        (2, COLUMNS, 0.798),
        (3, COLUMNS, NAN),
    ],
)
def test_papers_average_stands_beside_the_average_of_the_same_columns_alone(number, columns, average):
    tasks = [column for column in columns if not column.endswith("-mm")]
    frame = pd.read_csv(PAPER.with_name(f"table{number}.csv"))
    found = with_paper(five(columns), frame, paper_names(tasks, tasks)).set_index("task")["paper"]
    assert found[AVERAGE] == pytest.approx(average, nan_ok=True)
    assert found["sst2"] == pytest.approx(0.909)


def test_papers_scores_stand_beside_the_papers_tasks_alone(points):
    tidy = with_paper(summarised(points, ROWS, ORDER)[0], printed(), {"mnli": "mnli", "mnli-mm": "mnli-mm"})
    found = tidy.set_index(["system", "task"])["paper"]
    assert found["cascadebert", "mnli"] == pytest.approx(0.830)
    assert found["deebert", "mnli-mm"] == pytest.approx(0.731)
    assert found["bert_base", "mnli"] == pytest.approx(0.846)
    assert found.loc[:, "sst2"].isna().all()  # here sst2 is not the paper's


# --- bold


def test_bold_is_the_best_and_what_is_not_told_apart_from_it(points):
    tidy, by_seed = summarised(points, ROWS, ORDER)
    assert best(tidy, by_seed) == {
        ("cascadebert", 2.0, "sst2"),
        ("cascadebert", 2.0, "mnli"),
        ("deebert", 2.0, "mnli"),  # lower by 0 with one seed, by 0.01 with the other
        ("cascadebert", 2.0, "mnli-mm"),
        ("cascadebert", 2.0, AVERAGE),
    }


def test_one_seed_has_one_best(points):
    one = points[points["seed"] == 1]
    bold = best(*summarised(one, ROWS, ORDER))
    assert {key for key in bold if key[2] in ("sst2", "mnli-mm")} == {
        ("cascadebert", 2.0, "sst2"),
        ("cascadebert", 2.0, "mnli-mm"),
    }


# --- cells and layout


def row(mean, sd=NAN, ratio=NAN):
    """What a cell is made of."""
    return SimpleNamespace(mean=mean, sd=sd, achieved_speed_up=ratio)


@pytest.mark.parametrize(
    ("of", "decimals", "text"),
    [
        (row(0.8123, 0.0031, 3.0082), 1, "81.2±0.3 (3.01×)"),
        (row(0.8123, NAN, 3.0082), 1, "81.2 (3.01×)"),
        (row(0.8123, 0.0031), 1, "81.2±0.3"),
        (row(0.81236, 0.00314, 2.0), 2, "81.24±0.31 (2.00×)"),
        (row(1.0, 0.0, 1.0), 0, "100±0 (1.00×)"),
        (row(NAN, NAN, NAN), 1, "-"),
    ],
)
def test_cell_holds_per_cent_spread_and_ratio(of, decimals, text):
    assert cell(of, decimals) == text


@pytest.mark.parametrize(
    ("of", "decimals", "text"),
    [
        ((0.0031, -0.0012, 0.0074), 1, "0.3 [-0.1, 0.7]"),
        ((-0.12345, -0.2, -0.05), 2, "-12.35 [-20.00, -5.00]"),
        ((0.25, NAN, NAN), 1, "25.0"),
        ((NAN, NAN, NAN), 1, "-"),
        ((NAN, 0.1, 0.2), 1, "-"),
        ((-0.0002, -0.0004, 0.0001), 1, "0.0 [0.0, 0.0]"),  # no negative zero
    ],
)
def test_fraction_and_its_interval_are_in_per_cent(of, decimals, text):
    assert with_interval(*of, decimals) == text


FACTS = {
    "sst2": {"metric": "f1", "rows": {"train": 100, "report": 20, "mismatched": 0}},
    "mnli": {"metric": "accuracy", "rows": {"train": 300, "report": 40, "mismatched": 50}},
}


def test_caption_tells_the_size_of_every_split():
    assert facts_of(FACTS, ORDER) == [
        "sst2 (f1, 100 training instances): 20 instances;"
        " mnli (accuracy, 300 training instances): 40 instances and 50 of its mismatched half.",
        "No mismatched half: sst2.",
    ]
    assert facts_of({"mnli": FACTS["mnli"]}, ["mnli", "mnli-mm"])[1] == ""


def test_caption_tells_the_number_of_seeds():
    assert means_over({"rte": 3, AVERAGE: 3}) == "Mean ± standard deviation (ddof 1) over 3 model seeds."
    assert means_over({"rte": 1}) == "One model seed."
    assert intervals_over({"rte": 3}) == "with 95 % t intervals over 3 model seeds"
    assert "seeds" not in intervals_over({"rte": 1})
    fewer = {"rte": 5, "qqp": 3, "mnli": 3, "sst2": 4, AVERAGE: 3}
    assert intervals_over(fewer).endswith(" over 5 model seeds (3 for qqp, mnli, AVG; 4 for sst2)")


def test_columns_of_fewer_seeds_are_counted_where_they_are_shown():
    tidy = pd.DataFrame({"task": ["a", "a", "b"], "n_seeds": [3, 0, 2]})
    assert seeds_by(tidy) == {"a": 3, "b": 2}
    assert seeds_by(tidy.assign(n_seeds=0)) == {}


def test_sentences_are_one_paragraph_without_empty_ones():
    assert sentences(["One.", "", " Two. "]) == "One. Two."


GOLDEN = """\
| Method | sst2 | mnli / mnli-mm | AVG |
| BERT-base | 92.0±2.8 (1.00×) | 81.0±1.4 (1.00×) / 70.5±0.7 (1.00×) | 81.2±1.6 |
| as printed in the paper | - | 84.6 / 83.4 | - |
| BERT-3L | - | - / - | - |
| as printed in the paper | - | 79.9 / 79.2 | - |
| 2× DeeBERT | 80.5±0.7 (2.01×) | **60.5±0.7 (2.01×)** / 51.0±1.4 (2.01×) | 64.0±0.9 |
| as printed in the paper | - | 74.4 / 73.1 | - |
| 2× CascadeBERT | **85.5±0.7 (2.01×)** | **61.0±1.4 (2.01×)** / **61.5±0.7 (2.01×)** | **69.3±0.9** |
| as printed in the paper | - | 83.0 / 81.6 | - |

A caption.
"""


def squeezed(markdown):
    """Without the rule below the head, and without what aligns columns."""
    lines = markdown.splitlines()
    return "\n".join([" ".join(line.split()) for line in [lines[0], *lines[2:]]]) + "\n"


def test_markdown_is_the_papers_layout(points):
    tidy, by_seed = summarised(points, ROWS, ORDER)
    tidy = with_paper(tidy, printed(), {"mnli": "mnli", "mnli-mm": "mnli-mm"})
    table = to_markdown(layout(tidy, best(tidy, by_seed), 1, "**{}**"), "A caption.")
    assert squeezed(table) == GOLDEN
    head, rule = table.splitlines()[:2]
    assert len(head) == len(rule)
    assert set(rule) <= set("|:-")


def test_average_of_one_column_is_not_printed(points):
    one = points[points["column"] == "sst2"]
    tidy, by_seed = summarised(one, ROWS, ["sst2"])
    table = layout(with_paper(tidy, printed(), {}), best(tidy, by_seed), 1, "{}")
    assert list(table) == ["Method", "sst2"]
    assert table["sst2"].tolist() == ["92.0±2.8 (1.00×)", "-", "80.5±0.7 (2.01×)", "85.5±0.7 (2.01×)"]


def test_layout_without_the_papers_tasks_has_our_rows_alone(points):
    tidy, by_seed = summarised(points, ROWS, ORDER)
    table = layout(with_paper(tidy, printed(), {}), best(tidy, by_seed), 1, "**{}**")
    assert table["Method"].tolist() == [entry.label for entry in ROWS]


def test_single_seed_prints_no_spread(points):
    tidy, by_seed = summarised(points[points["seed"] == 1], ROWS, ORDER)
    table = layout(with_paper(tidy, printed(), {}), best(tidy, by_seed), 1, "**{}**")
    assert not table.astype(str).map(lambda text: "±" in text).any(axis=None)
    assert table.set_index("Method").loc["BERT-base"].tolist() == [
        "90.0 (1.00×)",
        "80.0 (1.00×) / 70.0 (1.00×)",
        "80.0",
    ]


def test_markdown_keeps_every_digit_of_a_column_of_numbers():
    table = to_markdown(pd.DataFrame({"Method": ["BERT-base", "BERT-3L"], AVERAGE: ["80.0", "7.0"]}), "")
    assert "80.0" in table
    assert "7.0" in table


def test_latex_is_booktabs_with_signs_escaped():
    table = pd.DataFrame({"Method": ["2× A_b"], "my_task": [r"\textbf{81.2±0.3 (3.01×)}"]})
    found = to_latex(table, "Scores in % of my_task.")
    odd = to_latex(pd.DataFrame({"# train": ["3"], "ε": ["0.3"], "DIS ↑": ["1"], "ECE ↓": ["Q&A"]}), "")
    assert r"\# train & $\epsilon$ & DIS $\uparrow$ & ECE $\downarrow$ \\" in odd
    assert r"Q\&A" in odd
    assert odd.isascii()
    assert r"2$\times$ A\_b & \textbf{81.2$\pm$0.3 (3.01$\times$)} \\" in found
    assert r"\caption{Scores in \% of my\_task.}" in found
    assert r"Method & my\_task \\" in found
    assert all(rule in found for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lc}"))
    assert not any(sign in found for sign in "±×")


# --- the scripts


def write_sweeps(path, scores, **columns):
    """A file of sweep_thresholds.py: scores by (system, target, column), a value a seed; each column has 10 instances.

    Further columns are functions of (system, target, column, seed) or constants.
    """
    held = {"run": lambda system, *_: system, "metric": "accuracy", "measure": "layers", "threshold": 0.0}
    held |= {"speed_up_flops": 1.0, "flops": 1e9, "speed_up": lambda _, target, *__: target} | columns
    rows = []
    for key, values in scores.items():
        system, target, column = key
        for seed, score in enumerate(values, start=1):
            split = "mismatched" if column.endswith("-mm") else "report"
            names = {"task": column.removesuffix("-mm"), "system": system, "seed": seed, "split": split}
            names |= {"target": target, "score": score, "n": 10}
            rows.append(names | {k: v(*key, seed) if callable(v) else v for k, v in held.items()})
    frame = pd.DataFrame(rows)
    other = frame.assign(split="selection", score=0.123)  # never printed
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.concat([frame, other]).to_csv(path, index=False)
    return path


def write_tasks(folder, names):
    """task.json of some tasks, MNLI of two halves."""
    paths = [folder / f"{name}.json" for name in names]
    for name, path in zip(names, paths, strict=True):
        rows = {"train": 100, "selection": 30, "report": 10, "mismatched": 10 * (name == "mnli"), "test": 0}
        write_json(path, {"metric": "accuracy", "names": ["a", "b"], "rows": rows})
    return paths


def spec(tasks, **more):
    """What rules say of a table, of a base of 6 layers; tasks of GLUE are the paper's."""
    glue = [task if task in COLUMNS else None for task in tasks]
    content = {"tasks": tasks, "glue": glue, "full_layers": 6, "title": "A title.", "notes": ["A note."]} | more
    return json.dumps(content, sort_keys=True)


def paper(number):
    """The paper's printed values."""
    return PAPER.with_name(f"table{number}.csv")


def read(csv):
    """Tidy frame as text, lines of Markdown cells, caption, LaTeX; all three files are there and none says nan."""
    table, caption = csv.with_suffix(".md").read_text(encoding="utf-8").split("\n\n")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    tex = csv.with_suffix(".tex").read_text(encoding="utf-8")
    assert len({len(line) for line in lines}) == 1
    assert "nan" not in (table + caption + tex).lower()
    assert all(rule in tex for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}"))
    assert tex.isascii()
    assert tex.count(r"\\") == len(lines) - 1  # the head and a row each; Markdown has a rule besides
    return pd.read_csv(csv, dtype=str, keep_default_na=False), [lines[0], *lines[2:]], caption, tex


def paper_line(lines, method):
    """The line of the paper's values below a method."""
    place = [line[0] for line in lines].index(method)
    assert lines[place + 1][0] == "as printed in the paper"
    return lines[place + 1][1:]


def test_score_table_is_laid_out_as_table_2(tmp_path):
    scores = SEEDED | {("bert_kl", 3.0, column): [1 / 3, 2 / 3] for column in ORDER}
    ratio = {"speed_up": lambda _, target, __, seed: target + (0.02 if seed == 2 and target == 2 else 0)}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, **ratio)]
    tasks = write_tasks(tmp_path, ["sst2", "mnli"])
    told = json.loads(spec(["sst2", "mnli"], targets=[2.0, 3.0])) | {"glue": [None, "mnli"]}
    score_table.main(sweeps, tasks, paper(2), 2, json.dumps(told), 1, tmp_path / "table2.csv")
    frame, lines, caption, tex = read(tmp_path / "table2.csv")
    expected = [[cell.strip() for cell in line.strip("|").split("|")] for line in GOLDEN.split("\n\n")[0].splitlines()]
    assert lines[: len(expected)] == expected
    assert [line for line in lines if line[0] == "BERT-2L"] == [
        ["BERT-2L", "**50.0±23.6 (3.00×)**", "**50.0±23.6 (3.00×)** / **50.0±23.6 (3.00×)**", "**50.0±23.6**"]
    ]
    assert lines[-1][0] == "as printed in the paper"  # of CascadeBERT at 3x, which we lack
    assert lines[-2] == ["3× CascadeBERT", "-", "- / -", "-"]
    assert "PABEE" not in str(lines)  # it has no run at all
    kept = frame[(frame["system"] == "bert_kl") & (frame["target_speed_up"] == "3.0") & (frame["task"] == "mnli")]
    assert kept["mean"].tolist() == [repr((1 / 3 + 2 / 3) / 2)]
    assert kept["sd"].astype(float).tolist() == [pytest.approx(1 / 3 / np.sqrt(2), rel=1e-14)]
    assert caption.startswith("Table 2: A title. sst2 (accuracy, 100 training instances): 10 instances; mnli")
    assert all(text in caption for text in ("in per cent", "over 2 model seeds", "AVG is the mean", "A note."))
    assert "single submissions to the GLUE test server" in caption
    assert r"\textbf{50.0$\pm$23.6 (3.00$\times$)}" in tex


@pytest.mark.parametrize("number", [3, 6])
def test_score_table_of_one_task_of_one_half_has_neither_average_nor_spread(tmp_path, number):
    systems = shown_in(f"table{number}")
    scores = {
        (system, 1.0 if system == "roberta_base" else 3.0, "movies"): [0.5 + i / 100]
        for i, system in enumerate(systems)
    }
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores)]
    out = tmp_path / f"table{number}.csv"
    tasks = write_tasks(tmp_path, ["movies"])
    score_table.main(sweeps, tasks, paper(number), number, spec(["movies"], targets=[3.0]), 1, out)
    _, lines, caption, _ = read(out)
    assert lines[0] == ["Method", "movies"]
    assert [line[0] for line in lines[1:]] == [SYSTEMS[system].label.format(k=2) for system in systems]
    last = len(systems) - 1
    assert lines[1][1] == f"50.0 ({1 if number == 6 else 3}.00×)"
    assert lines[-1][1] == f"**5{last}.0 (3.00×)**"
    assert sum("**" in line[1] for line in lines) == 1
    assert "AVG" not in caption
    assert "test server" not in caption  # no row of the paper's is shown
    assert "One model seed." in caption
    assert "No mismatched half: movies." in caption


def test_score_table_of_the_papers_tasks_prints_its_rows_and_average(tmp_path):
    columns = ["mnli", "mnli-mm", "qnli", "qqp", "sst2"]
    scores = {(system, 3.0, column): [0.5, 0.6] for system in shown_in("table3") for column in columns}
    names = ["mnli", "qnli", "qqp", "sst2"]
    sweeps, tasks = [write_sweeps(tmp_path / "sweeps.csv", scores)], write_tasks(tmp_path, names)
    score_table.main(sweeps, tasks, paper(3), 3, spec(names, targets=[3.0]), 1, tmp_path / "table3.csv")
    frame, lines, _, _ = read(tmp_path / "table3.csv")
    assert lines[0] == ["Method", "mnli / mnli-mm", "qnli", "qqp", "sst2", "AVG"]
    assert paper_line(lines, "BERT-PKD") == ["79.9 / 79.3", "85.1", "70.2", "89.4", "80.8"]
    assert paper_line(lines, "CascadeBERT") == ["81.2 / 79.5", "88.5", "71.0", "90.9", "82.2"]
    assert frame.loc[frame["task"] == "sst2", "paper"].astype(float).tolist() == [0.914, 0.894, 0.897, 0.898, 0.909]


def test_scores_of_the_server_stand_below_the_papers(tmp_path):
    columns = ["mnli", "mnli-mm", "sst2"]
    scores = {
        (system, ratio, column): [0.5, 0.6]
        for system in ("deebert", "cascadebert")
        for ratio in (2.0, 3.0)
        for column in columns
    }
    returned = [
        {"system": "cascadebert", "target": 3, "scores": {"mnli": 81.2, "mnli-mm": 79.54, "sst2": 90.9}},
        {"system": "deebert", "target": 2, "scores": {"mnli-mm": 70}},
    ]
    sweeps, tasks = [write_sweeps(tmp_path / "sweeps.csv", scores)], write_tasks(tmp_path, ["mnli", "sst2"])
    told = spec(["mnli", "sst2"], targets=[2.0, 3.0], server=returned)
    score_table.main(sweeps, tasks, paper(2), 2, told, 1, tmp_path / "table2.csv")
    frame, lines, caption, _ = read(tmp_path / "table2.csv")
    assert [line[0] for line in lines[1:]] == [
        *("2× DeeBERT", "as printed in the paper", "2× DeeBERT (GLUE server)"),
        *("2× CascadeBERT", "as printed in the paper", "3× DeeBERT", "as printed in the paper"),
        *("3× CascadeBERT", "as printed in the paper", "3× CascadeBERT (GLUE server)"),
    ]
    assert lines[3][1:] == ["- / 70.0", "-", "-"]
    assert lines[-1][1:] == ["81.2 / 79.5", "90.9", "83.9"]  # (81.2 + 79.54 + 90.9) / 3
    assert list(frame)[-2:] == ["paper", "server"]
    own = frame[(frame["system"] == "cascadebert") & (frame["target_speed_up"] == "3.0")].set_index("task")["server"]
    assert own.astype(float).to_dict() == pytest.approx(
        {"mnli": 0.812, "mnli-mm": 0.7954, "sst2": 0.909, "AVG": (81.2 + 79.54 + 90.9) / 300}, rel=1e-12
    )
    assert "(GLUE server) are what the same server returned for a submission of ours" in caption


def test_table_2_without_scores_of_the_server_does_not_speak_of_them(tmp_path):
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", {("cascadebert", 3.0, "sst2"): [0.5]})]
    told = spec(["sst2"], targets=[3.0], server=[])
    score_table.main(sweeps, write_tasks(tmp_path, ["sst2"]), paper(2), 2, told, 1, tmp_path / "table2.csv")
    frame, lines, caption, _ = read(tmp_path / "table2.csv")
    assert "(GLUE server)" not in caption + str(lines)
    assert set(frame["server"]) == {""}


def test_average_of_the_servers_scores_is_that_of_the_paper():
    printed = pd.read_csv(paper(2))
    rows = [(system, target, own) for (system, target), own in printed.groupby(["system", "target"])]
    tidy = printed.rename(columns={"target": "target_speed_up"})[["system", "target_speed_up", "task"]]
    returned = [
        {"system": system, "target": target, "scores": own[own["task"] != "AVG"].set_index("task")["score"].to_dict()}
        for system, target, own in rows
    ]
    found = with_server(tidy, returned)
    both = found.assign(printed=printed["score"]).query("task == 'AVG'").dropna()
    assert len(both) >= 12
    np.testing.assert_allclose((100 * both["server"]).round(1), both["printed"], atol=1e-9)


def test_server_score_of_a_column_that_the_table_lacks_is_refused():
    tidy = pd.DataFrame({"system": "cascadebert", "target_speed_up": 3.0, "task": ["mnli", "AVG"]})
    entry = {"system": "cascadebert", "target": 3, "scores": {"mnli": 80.0, "mnli-mm": 80.0}}
    with pytest.raises(ValueError, match="score of mnli-mm, and the columns of the table are mnli: leave it out"):
        with_server(tidy, [entry])


def test_table_1_lists_tasks_and_margins(tmp_path):
    tasks = write_tasks(tmp_path, ["mnli", "movies"])
    margins = [tmp_path / "margins" / f"{name}.json" for name in ("mnli", "movies")]
    write_json(margins[0], {"margin": 0.3, "scores": {"0.3": [0.8, 0.9], "0.1": [0.70, 0.71]}})
    write_json(margins[1], {"margin": 0.1, "scores": {"0.1": [1 / 3], "0.5": [0.25]}})
    table1.main(tasks, margins, paper(1), spec(["mnli", "movies"]), 1, tmp_path / "table1.csv")
    frame, lines, caption, tex = read(tmp_path / "table1.csv")
    head = ["Dataset", "# train", "# selection", "# report", "# mismatched", "# test", "Metric", "ε"]
    assert lines == [
        [*head, "selection score by ε"],
        ["mnli", "100", "30", "10", "10", "-", "accuracy", "0.3", "0.1: 70.5, 0.3: 85.0"],
        ["as printed in the paper", "393k", "-", "20k", "-", "20k", "accuracy", "0.3", "-"],
        ["movies", "100", "30", "10", "-", "-", "accuracy", "0.1", "0.1: 33.3, 0.5: 25.0"],
    ]
    movies = frame.set_index("task").loc["movies"]
    assert movies[["train", "mismatched", "classes", "margin"]].tolist() == ["100", "0", "2", "0.1"]
    assert movies["score_at_0.1"] == repr(1 / 3)
    assert float(movies["margin_spread"]) == 1 / 3 - 0.25
    assert movies["score_at_0.3"] == ""
    assert "averaged over the target speed-ups" in caption
    assert r"\# train" in tex


def wrong_at(places, n=10):
    """A cascade's predictions whose first exit, which all leave at, is wrong at some places."""
    label = np.arange(n) % 2
    answers = np.where(np.isin(np.arange(n), places), 1 - label, label)
    logits = np.stack([np.where(np.arange(2) == answers[:, None], 3.0, 0.0), np.zeros((n, 2))]).astype(np.float32)
    flops = np.repeat([[1.0], [7.0]], n, axis=1)
    ids, names = np.array([f"i{i}" for i in range(n)], dtype=str), np.array(["a", "b"])
    return Predictions(ExitLogits(logits, np.array([1, 7]), 6), flops, np.full(n, 6.0), label, ids, names)


WITH, WITHOUT = "cascadebert", "cascadebert_without_dar"
WRONG = {  # by system and seed
    (WITH, 1): [0],
    (WITH, 2): [0, 1],
    (WITHOUT, 1): [0, 1, 2, 3],
    (WITHOUT, 2): [1, 2, 3],
}


def table_4(folder, task, seeds, target=3.0):
    """Table 4 of one task, of as many errors as WRONG has; what `read` returns."""
    scores = {(s, target, task): [1 - len(WRONG[s, seed]) / 10 for seed in seeds] for s in (WITH, WITHOUT)}
    sweeps = [write_sweeps(folder / "sweeps.csv", scores, speed_up=lambda system, *_: 2.9 if system == WITH else 3.1)]
    files, paths = [], []
    for system, seed in [key for key in WRONG if key[1] in seeds]:
        for split in ("report", "mismatched"):
            files.append([task, system, seed, split])
            paths.append(folder / system / f"{split}{seed}.npz")
            write_predictions(paths[-1], wrong_at(WRONG[system, seed], 10 if split == "report" else 0))
    tasks = write_tasks(folder, [task])
    told = spec([task], targets=[target], files=files)
    table4.main(sweeps, paths, tasks, paper(4), told, 1, folder / "table4.csv")
    return read(folder / "table4.csv")


def test_table_4_prints_differences_and_p_values(tmp_path):
    frame, lines, caption, _ = table_4(tmp_path, "movies", [1, 2])
    reach = 12.706204736432095 * np.std([0.3, 0.1], ddof=1) / np.sqrt(2)  # Student's t, one degree of freedom
    assert lines == [
        ["Method", "movies"],
        ["3× CascadeBERT", "85.0±7.1 (2.90×)"],
        ["difference", f"20.0 [{100 * (0.2 - reach):.1f}, {100 * (0.2 + reach):.1f}]"],
        ["McNemar p", "0.25 / 1"],  # three differ, all one way; three, one of them the other way
        ["3× CascadeBERT w/o DAR", "65.0±7.1 (3.10×)"],
    ]
    own = frame.set_index(["system", "task"]).loc[(WITH, "movies")]
    assert float(own["difference"]) == pytest.approx(0.2, rel=1e-14)
    assert [float(p) for p in own["mcnemar"].split()] == [pytest.approx(0.25), pytest.approx(1)]
    assert "over 2 model seeds" in caption
    assert "AVG" not in caption


def test_table_4_of_one_seed_of_the_papers_task(tmp_path):
    _, lines, caption, _ = table_4(tmp_path, "sst2", [1])
    assert lines[1:] == [
        ["3× CascadeBERT", "90.0 (2.90×)"],
        ["difference", "30.0"],
        ["McNemar p", "0.25"],
        ["as printed in the paper", "90.9"],
        ["3× CascadeBERT w/o DAR", "60.0 (3.10×)"],
        ["as printed in the paper", "90.3"],
    ]
    assert "One model seed." in caption


def test_table_4_averages_columns(tmp_path):
    scores = {
        (system, 3.0, column): [0.5 + 0.1 * (system == WITH) * (column == "sst2")]
        for system in (WITH, WITHOUT)
        for column in ("sst2", "movies")
    }
    sweeps, tasks = [write_sweeps(tmp_path / "sweeps.csv", scores)], write_tasks(tmp_path, ["sst2", "movies"])
    files = [[task, system, 1, "report"] for task in ("sst2", "movies") for system in (WITH, WITHOUT)]
    paths = [tmp_path / f"{i}.npz" for i in range(4)]
    for path in paths:
        write_predictions(path, wrong_at([0]))
    told = spec(["sst2", "movies"], targets=[3.0], files=files)
    table4.main(sweeps, paths, tasks, paper(4), told, 1, tmp_path / "table4.csv")
    _, lines, caption, _ = read(tmp_path / "table4.csv")
    assert lines[:5] == [
        ["Method", "sst2", "movies", "AVG"],
        ["3× CascadeBERT", "60.0 (3.00×)", "50.0 (3.00×)", "55.0 (3.00×)"],
        ["difference", "10.0", "0.0", "5.0"],
        ["McNemar p", "1", "1", "-"],
        ["as printed in the paper", "90.9", "-", "-"],
    ]
    assert "AVG is the mean" in caption


METHODS = [["small_dar", "with DAR"], ["small", "without DAR"], ["small_tempered", "temperature scaling"]]
MEASURED = {  # accuracy, DIS and ECE by seed
    "small_dar": ([0.80, 0.82], [0.75, 0.77], [0.04, 0.06]),
    "small": ([0.81, 0.83], [0.70, 0.74], [0.10, 0.11]),
    "small_tempered": ([0.81, 0.83], [0.70, NAN], [1 / 30, 1 / 30]),
}


def table_5(folder, tasks, seeds):
    """Table 5 of some tasks, all with the same measures; what `read` returns."""
    rows = [
        {"task": task, "run": run, "seed": seed, "split": split, "layers": 1, "n": 10 * (split == "report")}
        | {name: values[seed - 1] for name, values in zip(("accuracy", "dis", "ece"), measured, strict=True)}
        for task in tasks
        for run, measured in MEASURED.items()
        for seed in seeds
        for split in ("report", "mismatched")
    ]
    pd.DataFrame(rows).sample(frac=1, random_state=0).to_csv(folder / "measures.csv", index=False)
    told = spec(tasks, methods=METHODS)
    table5.main([folder / "measures.csv"], paper(5), told, 1, folder / "table5.csv")
    return read(folder / "table5.csv")


def interval(values):
    """Mean and t interval of two seeds in per cent, as printed."""
    mean, reach = 100 * np.mean(values), 100 * 12.706204736432095 * np.std(values, ddof=1) / np.sqrt(2)
    return f"{mean:.1f} [{mean - reach:.1f}, {mean + reach:.1f}]"


def test_table_5_prints_measures_and_differences_and_a_dash_where_undefined(tmp_path):
    frame, lines, caption, tex = table_5(tmp_path, ["movies", "sst2"], [1, 2])
    assert lines[0] == ["Dataset", "Method", "DIS ↑", "Acc ↑", "ECE ↓"]
    assert [line[:2] for line in lines[1:6]] == [
        ["movies", "with DAR"],
        ["movies", "difference"],
        ["movies", "without DAR"],
        ["movies", "temperature scaling"],
        ["movies", "difference"],
    ]
    assert lines[1][2:] == [interval([0.75, 0.77]), interval([0.80, 0.82]), interval([0.04, 0.06])]
    assert lines[2][2:] == [interval([0.05, 0.03]), "-1.0 [-1.0, -1.0]", interval([-0.06, -0.05])]
    assert lines[4][2] == lines[5][2] == "-"
    assert lines[4][4] == "3.3 [3.3, 3.3]"
    assert lines[5][3] == "0.0 [0.0, 0.0]"
    of_paper = [line[2:] for line in lines if line[:2] == ["sst2", "as printed in the paper"]]
    assert of_paper == [["82.02", "87.70", "5.61"], ["79.30", "87.95", "8.73"]]
    keys = ["task", "method", "measure"]
    own = frame.set_index(keys)
    assert float(own.loc[("movies", "temperature scaling", "ece"), "mean"]) == 1 / 30
    assert own.loc[("movies", "temperature scaling", "dis"), "mean"] == ""
    assert float(own.loc[("sst2", "with DAR", "dis"), "paper"]) == pytest.approx(0.8202)
    assert "over 2 model seeds" in caption
    assert r"DIS $\uparrow$" in tex


def test_table_5_of_one_seed_has_no_intervals(tmp_path):
    _, lines, caption, _ = table_5(tmp_path, ["movies"], [1])
    assert lines[1:4] == [
        ["movies", "with DAR", "75.0", "80.0", "4.0"],
        ["movies", "difference", "5.0", "-1.0", "-6.0"],
        ["movies", "without DAR", "70.0", "81.0", "10.0"],
    ]
    assert "1 seed" not in caption
    assert "one model seed" in caption


def test_table_7_counts_speed_ups_twice(tmp_path):
    columns = ["mnli", "mnli-mm", "qnli", "qqp", "sst2"]
    both = []
    for measure, shift in (("layers", 0.0), ("flops", -0.1)):
        scores = {
            (system, target, column): [base + shift, base + shift + 0.02]
            for system, base in (("fastbert", 0.6), ("cascadebert", 0.7))
            for target in (3.0, 4.0)
            for column in columns
        }
        ratios = {"speed_up": lambda _, t, *__: t + 0.5, "speed_up_flops": lambda _, t, *__: t + 0.1}
        both.append(write_sweeps(tmp_path / f"{measure}.csv", scores, measure=measure, **ratios))
    names = ["mnli", "qnli", "qqp", "sst2"]
    table7.main(
        both, write_tasks(tmp_path, names), paper(7), spec(names, targets=[3.0, 4.0]), 1, tmp_path / "table7.csv"
    )
    frame, lines, caption, _ = read(tmp_path / "table7.csv")
    assert [line[0] for line in lines[1:]] == [
        label
        for target in (3, 4)
        for system in ("FastBERT", "CascadeBERT")
        for label in (f"{target}× {system}, by layers", "as printed in the paper", f"{target}× {system}, by FLOPs")
    ]
    assert lines[1][1:] == ["61.0±1.4 (3.50×) / 61.0±1.4 (3.50×)", *["61.0±1.4 (3.50×)"] * 3, "61.0±1.4"]
    assert lines[2][1:] == ["79.8 / 78.9", "88.2", "71.5", "92.1", "82.1"]
    assert lines[3][1:] == ["51.0±1.4 (3.10×) / 51.0±1.4 (3.10×)", *["51.0±1.4 (3.10×)"] * 3, "51.0±1.4"]
    assert lines[-1][2] == "61.0±1.4 (4.10×)"
    assert (frame.loc[frame["measure"] == "flops", "paper"] == "").all()
    assert "FLOPs" in caption


def test_table_8_counts_what_is_in_memory_and_what_was_trained(tmp_path):
    scores = {
        ("bert_base", 1.0, "movies"): [0.9, 0.92],
        ("bert_kl", 2.0, "movies"): [0.8, 0.8],
        ("bert_kl", 6.0, "movies"): [0.5, 0.5],  # a depth without a target ratio
        ("deebert", 2.0, "movies"): [0.7, 0.7],
        ("deebert", 2.5, "movies"): [0.6, 0.6],  # a point of the curve alone
        (WITH, 2.0, "movies"): [0.85, 0.85],
    }
    run = {"bert_base": "base", "deebert": "deebert_base"}
    named = {
        "run": lambda system, target, *_: run.get(system, f"{system}{target:g}" if system == "bert_kl" else system)
    }
    flops = {"flops": lambda _, target, *__: 6e9 / target, "speed_up_flops": lambda _, target, *__: target - 0.01}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, **named, **flops)]
    trainings = [  # run, role, seconds and parameters of each of two seeds
        ("base", "model", 100, 20_000_000),
        ("bert_kl2", "model", 50, 11_000_000),
        ("bert_kl6", "model", 20, 5_000_000),
        ("deebert_base", "model", 30, 22_500_000),
        ("deebert_base", "before", 100, 20_000_000),
        (WITH, "model", 40, 6_000_000),
        (WITH, "model", 100, 20_000_000),
    ]
    files, keys = [], []
    for i, (name, role, seconds, parameters) in enumerate(trainings):
        for seed in (1, 2):
            files.append(tmp_path / f"{i}-{seed}.json")
            keys.append([name, role])
            write_json(files[-1], {"seconds": seconds + (1 if seed == 2 else -1), "parameters": parameters})
    for fold in range(3):
        files.append(tmp_path / f"fold{fold}.json")
        keys.append([WITH, "labels"])
        write_json(files[-1], {"seconds": 7})
    told = spec(["movies"], targets=[2.0], trainings=keys)
    table8.main(sweeps, files, write_tasks(tmp_path, ["movies"]), told, 1, tmp_path / "table8.csv")
    frame, lines, caption, _ = read(tmp_path / "table8.csv")
    assert lines == [
        ["Method", "movies", "parameters (M)", "MFLOPs", "by FLOPs", "training (s)"],
        ["BERT-base", "91.0±1.4 (1.00×)", "20.0", "6000.0", "0.99×", "100"],
        ["BERT-3L", "80.0±0.0 (2.00×)", "11.0", "3000.0", "1.99×", "50"],
        ["2× DeeBERT", "70.0±0.0 (2.00×)", "22.5", "3000.0", "1.99×", "130"],
        ["2× CascadeBERT", "85.0±0.0 (2.00×)", "26.0", "3000.0", "1.99×", "161"],  # 40 + 100 + three folds of 7
        ["BERT-1L", "50.0±0.0 (6.00×)", "5.0", "1000.0", "5.99×", "20"],
    ]
    assert frame.set_index(["system", "task"]).loc[(WITH, "movies"), "training_seconds"] == "161.0"
    assert "over 2 model seeds" in caption


def test_table_8_averages_costs_over_tasks(tmp_path):
    scores = {("bert_base", 1.0, task): [0.9] for task in ("movies", "books")}
    named = {"run": "base", "flops": lambda _, __, task, ___: 2e9 if task == "movies" else 4e9}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, **named)]
    files = [tmp_path / f"{i}.json" for i in range(2)]
    for seconds, path in zip((100, 200), files, strict=True):
        write_json(path, {"seconds": seconds, "parameters": 20_000_000})
    names = ["movies", "books"]
    told = spec(names, targets=[2.0], trainings=[["base", "model"]] * 2)
    table8.main(sweeps, files, write_tasks(tmp_path, names), told, 1, tmp_path / "table8.csv")
    _, lines, caption, _ = read(tmp_path / "table8.csv")
    assert lines[0][1:4] == ["movies", "books", "AVG"]
    assert lines[1] == ["BERT-base", "90.0 (1.00×)", "90.0 (1.00×)", "90.0", "20.0", "3000.0", "1.00×", "150"]
    assert "One model seed." in caption


def one_exit(layers, right, sure):
    """A member's predictions: right at the first few instances, sure at some."""
    label = np.arange(10) % 2
    answers = np.where(np.arange(10) < right, label, 1 - label)
    margin = np.where(np.isin(np.arange(10), sure), 4.0, 1.0)
    logits = np.where(np.arange(2) == answers[:, None], margin[:, None], 0.0)[None].astype(np.float32)
    ids, names = np.array([f"i{i}" for i in range(10)], dtype=str), np.array(["a", "b"])
    stack = ExitLogits(logits, np.array([layers]), 6)
    return Predictions(stack, np.full((1, 10), float(layers)), np.full(10, 6.0), label, ids, names)


@pytest.mark.parametrize("seeds", [[1], [1, 2]])
def test_theory_sets_the_predicted_gain_beside_the_measured(tmp_path, seeds):
    small, middle, base = one_exit(1, 5, range(4, 8)), one_exit(3, 8, [0, 1, 2]), one_exit(6, 9, range(10))
    paths = {name: [] for name in (WITH, "cascadebert_three")}
    for seed in seeds:
        for name, members in ((WITH, [small, base]), ("cascadebert_three", [small, middle, base])):
            paths[name].append(tmp_path / name / f"{seed}.npz")
            write_predictions(paths[name][-1], cascade_of(members))
    scores = {(name, 2.0, "movies"): [0.5] * len(seeds) for name in paths}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, threshold=0.9)]
    told = json.dumps({"seeds": [("movies", seeds)], "targets": [2.0]})
    theory_table.main(sweeps, paths[WITH], paths["cascadebert_three"], told, 1, tmp_path / "theory.csv")
    frame = pd.read_csv(tmp_path / "theory.csv")
    # Two members: 4 leave at the first (right: 4 of 4..7, so one), 6 at the last (0..3, 8, 9: right but for 9).
    # Three: 4 leave at the first, 3 (0, 1, 2) at the middle, all right, 3 (3, 8, 9) at the last: right but for 9.
    assert frame["measured"].tolist() == [pytest.approx((1 + 3 + 2) / 10 - (1 + 5) / 10, abs=1e-12)] * len(seeds)
    predicted = (3 * (0.8 - 0.5) - 3 / 6 * (3 + 3) * (0.9 - 0.5)) / 10  # Eq. 13
    assert frame["predicted"].tolist() == [pytest.approx(predicted)] * len(seeds)
    more = ((4 * 1 + 3 * 4 + 3 * 10) - (4 * 1 + 6 * 7)) / 10
    assert frame["layers_more"].tolist() == [pytest.approx(more)] * len(seeds)
    text = (tmp_path / "theory.md").read_text(encoding="utf-8")
    span = " [-3.0, -3.0]" if len(seeds) > 1 else ""
    assert [" ".join(cell.split()) for cell in text.splitlines()[2].strip("|").split("|")] == [
        "movies",
        "2×",
        f"-3.0{span}",
        f"0.0{' [0.0, 0.0]' if span else ''}",
        "+0.00",
    ]
    assert "nan" not in text.lower()
    assert ("over 2 model seeds" if span else "one model seed") in text
