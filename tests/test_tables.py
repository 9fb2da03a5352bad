"""Table 2: the paper's own numbers, means and averages by hand, and the printed layout."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cascadebert.tables import (
    AVERAGE,
    Entry,
    best,
    cell,
    entries,
    layout,
    summarised,
    to_latex,
    to_markdown,
    with_paper,
)

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
    found = [entry.label for entry in entries([2.0, 4.0], full_layers=12)]
    assert found == [
        "BERT-base",
        "BERT-6L",
        "2× DeeBERT",
        "2× PABEE",
        "2× CascadeBERT w/o DAR",
        "2× CascadeBERT",
        "BERT-3L",
        "4× DeeBERT",
        "4× PABEE",
        "4× CascadeBERT w/o DAR",
        "4× CascadeBERT",
    ]


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
    assert r"2$\times$ A\_b & \textbf{81.2$\pm$0.3 (3.01$\times$)} \\" in found
    assert r"\caption{Scores in \% of my\_task.}" in found
    assert r"Method & my\_task \\" in found
    assert all(rule in found for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lc}"))
    assert not any(sign in found for sign in "±×")
