"""The paper's printed tables: cells, rows and order, averages recomputed, agreement between tables, the headline."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
import pytest

from cascadebert.glue import GLUE

PAPER = Path(__file__).parents[1] / "config/paper"
COLUMNS = {2: ["mnli", "mnli-mm", "mrpc", "qnli", "qqp", "rte", "sst2"]} | dict.fromkeys(
    (3, 4, 6, 7), ["mnli", "mnli-mm", "qnli", "qqp", "sst2"]
)
ROWS = {
    2: [("bert_base", 1)] + [(s, t) for t in (2, 3, 4) for s in ("bert_kl", "deebert", "pabee", "cascadebert")],
    3: [(s, 3) for s in ("distilbert", "bert_pkd", "theseus", "bert_pd", "cascadebert")],
    4: [(s, t) for t in (3, 4) for s in ("cascadebert", "cascadebert_without_dar")],
    6: [("roberta_base", 1)]
    + [(s, 3) for s in ("roberta_kl", "roberta_deebert", "roberta_pabee", "cascaderoberta", "cascaderoberta_kd")],
    7: [(s, t) for t in (3, 4) for s in ("fastbert", "cascadebert")],
}
MISSING = {
    2: {("pabee", 4, "qnli"), ("pabee", 4, "sst2"), ("pabee", 4, "AVG")},
    6: {("roberta_pabee", 3, "qnli"), ("roberta_pabee", 3, "qqp"), ("roberta_pabee", 3, "AVG")},
}
MISPRINTED = {(6, "roberta_kl", 3)}  # the one AVG that is not the mean of its columns


def printed(number):
    """Rows of a table, every cell as it is written."""
    return pd.read_csv(PAPER / f"table{number}.csv", dtype=str, keep_default_na=False)


def scores(number):
    """Printed scores of a table by (system, target), then by column; without what the paper leaves out."""
    found = {}
    for row in printed(number).itertuples():
        cells = found.setdefault((row.system, int(row.target)), {})
        if row.score:
            cells[row.task] = Decimal(row.score)
    return found


def mean(values):
    """Exact up to the 28 digits of a decimal."""
    return sum(values) / Decimal(len(values))


def rounded(value):
    """To one decimal as on paper: halves go up."""
    return value.quantize(Decimal("0.1"), ROUND_HALF_UP)


def columns(cells):
    """Scores of a row without their AVG."""
    return [score for column, score in cells.items() if column != "AVG"]


def macro_average(cells):
    """Mean over tasks: MNLI, of two columns, counts once."""
    halves = [cells["mnli"], cells["mnli-mm"]]
    others = [score for column, score in cells.items() if column not in ("mnli", "mnli-mm", "AVG")]
    return mean([mean(halves), *others])


# --- cells


ROWS_AS_PRINTED = """
3 distilbert 3 : 78.9 78.0 85.2 68.5 91.4 80.4
3 bert_pkd 3 : 79.9 79.3 85.1 70.2 89.4 80.8
3 cascadebert 3 : 81.2 79.5 88.5 71.0 90.9 82.2
4 cascadebert_without_dar 3 : 80.0 79.3 87.8 71.0 90.3 81.7
4 cascadebert_without_dar 4 : 78.9 78.1 86.6 69.8 89.6 80.6
6 roberta_base 1 : 87.0 86.3 92.4 71.8 94.3 86.4
6 roberta_pabee 3 : 74.0 74.2 - - 87.5 -
6 cascaderoberta_kd 3 : 79.7 78.8 86.9 70.8 91.4 81.5
7 fastbert 3 : 79.8 78.9 88.2 71.5 92.1 82.1
7 fastbert 4 : 76.1 75.2 86.4 70.5 90.7 79.8
7 cascadebert 4 : 79.3 77.9 86.5 70.0 90.3 80.8
"""
CELLS = """
2 bert_base 1 mnli-mm 83.4 1.00
2 bert_kl 4 rte 55.2 4.00
2 deebert 4 mnli 55.8 4.01
2 deebert 2 qqp 70.4 2.13
2 pabee 3 rte 60.5 2.38
2 pabee 4 mnli-mm 63.0 4.30
2 cascadebert 2 sst2 91.7 2.08
2 cascadebert 3 qqp 71.0 3.02
2 cascadebert 4 AVG 78.3 -
3 theseus 3 qnli 85.5 -
3 bert_pd 3 qqp 69.8 -
6 roberta_kl 3 AVG 81.2 -
6 roberta_deebert 3 mnli-mm 55.4 -
6 cascaderoberta 3 qqp 70.5 -
"""
TABLE_5 = """
mnli : 78.00 75.97 7.90 : 76.73 76.02 11.07
qnli : 78.89 84.53 3.41 : 77.79 84.73 8.79
qqp : 84.39 87.21 3.37 : 85.77 88.71 4.99
sst2 : 82.02 87.70 5.61 : 79.30 87.95 8.73
"""
TABLE_1 = """
mnli 393k 20k 20k accuracy 0.3
mrpc 3.7k 0.4k 1.7k f1 0.5
qqp 364k 40k 391k f1 0.3
sst2 67k 0.9k 1.8k accuracy 0.5
"""


@pytest.mark.parametrize("line", ROWS_AS_PRINTED.strip().splitlines())
def test_rows_of_tables_of_five_columns(line):
    key, cells = line.split(" : ")
    number, system, target = key.split()
    found = printed(number).query("system == @system and target == @target")["score"]
    assert [score or "-" for score in found] == cells.split()


@pytest.mark.parametrize("line", CELLS.strip().splitlines())
def test_cells(line):
    number, system, target, task, *cell = line.split()
    found = printed(number).query("system == @system and target == @target and task == @task")
    ((score, ratio),) = found[["score", "speed_up"]].to_numpy().tolist()
    assert [score, f"{float(ratio):.2f}" if ratio else "-"] == cell


@pytest.mark.parametrize("line", TABLE_5.strip().splitlines())
def test_cells_of_table_5(line):
    task, *of_systems = line.split(" : ")
    found = printed(5).query("task == @task").set_index("system")[["dis", "accuracy", "ece"]]
    for system, cells in zip(("cascadebert", "cascadebert_without_dar"), of_systems, strict=True):
        assert found.loc[system].tolist() == cells.split()


@pytest.mark.parametrize("line", TABLE_1.strip().splitlines())
def test_rows_of_table_1(line):
    assert line.split() in printed(1).to_numpy().tolist()


# --- whole tables


@pytest.mark.parametrize("number", COLUMNS)
def test_every_cell_is_there_in_the_papers_order(number):
    frame = printed(number)
    assert list(frame) == ["system", "target", "task", "score", "speed_up"]
    found = list(zip(frame["system"], frame["target"].astype(int), frame["task"], strict=True))
    assert found == [(*row, task) for row in ROWS[number] for task in [*COLUMNS[number], "AVG"]]
    empty = frame["score"] == ""
    assert {cell for cell, missing in zip(found, empty, strict=True) if missing} == MISSING.get(number, set())
    assert frame.loc[~empty, "score"].str.fullmatch(r"\d\d\.\d").all()
    assert number == 2 or (frame["speed_up"] == "").all()  # only Table 2 prints speed-ups


def test_every_row_of_table_5_is_there_in_the_papers_order():
    frame = printed(5)
    assert list(frame) == ["system", "task", "dis", "accuracy", "ece"]
    both = ("cascadebert", "cascadebert_without_dar")
    rows = [(task, system) for task in ("mnli", "qnli", "qqp", "sst2") for system in both]
    assert list(zip(frame["task"], frame["system"], strict=True)) == rows
    for measure in ("dis", "accuracy", "ece"):
        assert frame[measure].str.fullmatch(r"\d+\.\d\d").all(), measure


def test_table_1_is_whole_and_scores_tasks_as_we_do():
    frame = printed(1)
    assert list(frame) == ["task", "train", "dev", "test", "metric", "margin"]
    assert dict(zip(frame["task"], frame["metric"], strict=True)) == {name: task.metric for name, task in GLUE.items()}
    assert list(frame["task"]) == list(GLUE)
    assert list(frame["margin"]) == ["0.3", "0.5", "0.3", "0.3", "0.5", "0.5"]


SIZES = {
    "mnli": (392_702, 9_815 + 9_832, 9_796 + 9_847),  # both halves, although scores are of one
    "mrpc": (3_668, 408, 1_725),
    "qnli": (104_743, 5_463, 5_463),
    "qqp": (363_846, 40_430, 390_965),
    "rte": (2_490, 277, 3_000),
    "sst2": (67_349, 872, 1_821),
}


@pytest.mark.parametrize("task", SIZES)
def test_sizes_in_table_1_are_those_of_glue_rounded(task):
    row = printed(1).set_index("task").loc[task]
    for split, size in zip(("train", "dev", "test"), SIZES[task], strict=True):
        thousands = Decimal(row[split].removesuffix("k"))
        assert (Decimal(size) / 1000).quantize(thousands, ROUND_HALF_UP) == thousands, split


# --- averages


@pytest.mark.parametrize(
    ("number", "system", "target"),
    [
        (number, *row)
        for number, rows in ROWS.items()
        for row in rows
        if (*row, "AVG") not in MISSING.get(number, set()) and (number, *row) not in MISPRINTED
    ],
)
def test_average_is_the_mean_of_the_printed_columns(number, system, target):
    cells = scores(number)[system, target]
    assert list(cells) == [*COLUMNS[number], "AVG"]
    assert rounded(mean(columns(cells))) == cells["AVG"]


def test_one_average_is_not_the_mean_of_its_columns():
    cells = scores(6)["roberta_kl", 3]
    assert {(6, "roberta_kl", 3)} == MISPRINTED
    assert mean(columns(cells)) == Decimal("81.26")
    assert (rounded(mean(columns(cells))), cells["AVG"]) == (Decimal("81.3"), Decimal("81.2"))


@pytest.mark.parametrize("number", [3, 4, 7])
def test_average_with_mnli_as_one_task_is_no_row_of_tables_3_4_7(number):
    assert all(rounded(macro_average(cells)) != cells["AVG"] for cells in scores(number).values())


# --- rows that several tables print


@pytest.mark.parametrize(("target", "numbers"), [(3, (2, 3, 4, 7)), (4, (2, 4, 7))])
def test_cascadebert_is_the_same_in_every_table(target, numbers):
    first, *others = [
        {task: score for task, score in scores(number)["cascadebert", target].items() if task in COLUMNS[3]}
        for number in numbers
    ]
    assert list(first) == COLUMNS[3]
    assert all(other == first for other in others)


def test_tables_of_five_columns_have_another_average_than_table_2():
    by_table = {number: scores(number)["cascadebert", 3]["AVG"] for number in (2, 3, 4, 7)}
    assert by_table == {2: Decimal("79.8"), 3: Decimal("82.2"), 4: Decimal("82.2"), 7: Decimal("82.2")}
    cells = scores(2)["cascadebert", 3]
    assert rounded(mean([cells[task] for task in COLUMNS[3]])) == by_table[3]


# --- what the paper says of them


def test_headline_counts_mnli_twice():
    ours, deebert = (scores(2)[system, 4] for system in ("cascadebert", "deebert"))
    assert (ours["AVG"], deebert["AVG"]) == (Decimal("78.3"), Decimal("67.8"))
    assert ours["AVG"] - deebert["AVG"] == Decimal("10.5")
    assert rounded(100 * (ours["AVG"] / deebert["AVG"] - 1)) == Decimal("15.5")


def test_headline_with_mnli_as_one_task_is_smaller():
    ours, deebert = (macro_average(scores(2)[system, 4]) for system in ("cascadebert", "deebert"))
    assert (rounded(ours), rounded(deebert)) == (Decimal("78.3"), Decimal("69.9"))
    assert (ours - deebert).quantize(Decimal("0.0001")) == Decimal("8.35")
    assert rounded(100 * (ours / deebert - 1)) == Decimal("11.9")


def test_dar_at_3x_and_4x_gains_what_table_4_prints():
    cells = scores(4)
    gains = {t: cells["cascadebert", t]["AVG"] - cells["cascadebert_without_dar", t]["AVG"] for t in (3, 4)}
    assert gains == {3: Decimal("0.5"), 4: Decimal("0.2")}
    lost = [task for task in COLUMNS[4] if cells["cascadebert", 4][task] < cells["cascadebert_without_dar", 4][task]]
    assert lost == ["mnli-mm", "qnli"]


def test_dar_in_table_5_calibrates_everywhere_and_orders_better_but_on_qqp():
    frame = printed(5).set_index(["system", "task"]).map(Decimal)
    gain = frame.loc["cascadebert"] - frame.loc["cascadebert_without_dar"]
    assert (gain["ece"] < 0).all()
    assert (gain["accuracy"] < 0).all()
    assert list(gain.index[gain["dis"] < 0]) == ["qqp"]
