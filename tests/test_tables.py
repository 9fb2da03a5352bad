"""Tables: means and averages by hand, the printed layout, and every table from small files."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from page_builders import (
    COLUMNS,
    LEARNED,
    cells_of,
    paper,
    predictions,
    read_table,
    rendered,
    tasks_of,
    write_answers,
    write_common_sense,
    write_sweeps,
)

from cascadebert.files import read_facts, write_json
from cascadebert.metrics.crossed import Crossed, components, interval, interval_of
from cascadebert.metrics.exact import exit_measures
from cascadebert.metrics.measures import measures
from cascadebert.metrics.predictions import cascade_of, write_predictions
from cascadebert.pages import kinds
from cascadebert.pages.summaries import (
    AVERAGE,
    Entry,
    best,
    cell,
    entries,
    facts_of,
    layout,
    paper_names,
    summarised,
    with_paper,
    with_server,
)
from cascadebert.pages.tables import (
    intervals_over,
    means_over,
    seeds_by,
    sentences,
    to_latex,
    to_markdown,
    with_interval,
)
from cascadebert.systems import SYSTEMS, shown_in

NAN = float("nan")


def printed(number=2):
    """A table of the paper."""
    return pd.read_csv(paper(number))


MAJORITY = pd.read_csv(paper(1).with_name("majority.csv"))


def test_our_average_of_the_papers_columns_is_the_papers_average():
    cells = printed().query("task != 'AVG'").dropna(subset="score")
    points = cells.assign(column=cells["task"], score=cells["score"] / 100, seed=1, metric="accuracy", **LEARNED)
    rows = [Entry(*key, "") for key in printed().astype({"target": float}).groupby(["system", "target"]).groups]
    tidy = summarised(points, rows, COLUMNS)
    ours = tidy[tidy["task"] == AVERAGE].set_index(["system", "target_speed_up"])["mean"]
    papers = printed().query("task == 'AVG'").set_index(["system", "target"])["score"]
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
        (system, target, column, "f1" if column == "sst2" else "accuracy", seed, score, target + late * (target > 1))
        for (system, target, column), (first, second) in SEEDED.items()
        for seed, score, late in ((2, second, 0.02), (1, first, 0))
    ]
    return pd.DataFrame(rows, columns=["system", "target", "column", "metric", "seed", "score", "speed_up"]).assign(
        **LEARNED
    )


def found_in(points, columns=ORDER):
    """The tidy frame by system and column."""
    tidy = summarised(points, ROWS, columns)
    assert len(tidy) == len(ROWS) * (len(columns) + 1)
    return tidy.set_index(["system", "task"])


def test_means_and_spreads_are_over_seeds_and_the_average_counts_both_halves(points):
    found = found_in(points)
    row = found.loc["bert_base", "sst2"]
    assert row[["mean", "sd"]].tolist() == pytest.approx([0.92, 0.04 / np.sqrt(2)])
    assert (row["n_seeds"], row["metric"], row["method"]) == (2, "f1", "BERT-base")
    assert found.loc["deebert", "mnli"]["achieved_speed_up"] == pytest.approx(2.01)
    by_hand = [(0.80 + 0.60 + 0.50) / 3, (0.81 + 0.61 + 0.52) / 3]
    average = found.loc["deebert", AVERAGE]
    assert average[["mean", "sd"]].tolist() == pytest.approx([np.mean(by_hand), np.std(by_hand, ddof=1)])
    assert np.isnan(average["achieved_speed_up"])
    assert found.loc["bert_kl", "mean"].isna().all()  # it has no such ratio
    assert (found.loc["bert_kl", "n_seeds"] == 0).all()


def test_average_is_of_the_seeds_that_every_column_has(points):
    found = found_in(points[(points["column"] != "sst2") | (points["seed"] == 2)])
    assert found["mean"]["deebert", AVERAGE] == pytest.approx((0.81 + 0.61 + 0.52) / 3)
    assert found["n_seeds"]["deebert"].to_dict() == {"sst2": 1, "mnli": 2, "mnli-mm": 2, AVERAGE: 1}


def test_average_is_missing_where_a_column_is(points):
    found = found_in(points[~((points["system"] == "deebert") & (points["column"] == "mnli-mm"))])
    assert np.isnan(found["mean"]["deebert", AVERAGE])
    assert not np.isnan(found["mean"]["cascadebert", AVERAGE])


def of_the_paper(number):
    """Systems of a table but the control that stands beside them."""
    return [name for name in shown_in(f"table{number}") if not SYSTEMS[name].as_released]


@pytest.mark.parametrize(
    ("number", "targets", "labels"),
    [
        (
            2,
            [2, 4],
            "BERT-base|BERT-6L|2× DeeBERT|2× PABEE|2× CascadeBERT|BERT-3L|4× DeeBERT|4× PABEE|4× CascadeBERT",
        ),
        (3, [3], "DistilBERT|BERT-PKD|BERT-of-Theseus|BERT-PD|CascadeBERT"),
        (6, [3], "RoBERTa-base|RoBERTa-4L|DeeBERT|PABEE|CascadeRoBERTa|CascadeRoBERTa + vanilla KD"),
    ],
)
def test_rows_are_in_the_papers_order_and_do_not_repeat_one_ratio(number, targets, labels):
    rows = entries(of_the_paper(number), list(map(float, targets)), full_layers=12)
    assert "|".join(row.label for row in rows) == labels
    whole = [row.target for row in rows if row.label.endswith("base")]
    assert [row.target for row in rows][: len(whole)] == [1.0] * len(whole)
    assert {row.target for row in rows[len(whole) :]} == set(targets)


@pytest.mark.parametrize(("number", "targets"), [(2, [2, 3, 4]), (3, [3]), (6, [3]), (7, [3, 4])])
def test_rows_of_a_table_are_those_that_the_paper_prints(number, targets):
    frame = printed(number)
    papers = list(dict.fromkeys(zip(frame["system"], frame["target"].astype(float), strict=True)))
    ours = entries(of_the_paper(number), [float(target) for target in targets], full_layers=12)
    assert [(row.system, row.target) for row in ours] == papers


def test_depth_that_is_not_whole_is_told():
    assert [entry.label for entry in entries(["bert_kl"], [2.0, 4.0], full_layers=6)] == ["BERT-3L", "BERT-1.5L"]


# --- the paper's columns


@pytest.mark.parametrize(
    ("glue", "names"),
    [
        (["mnli", "sst2"], {"a": "mnli", "a-mm": "mnli-mm", "b": "sst2", "b-mm": "sst2-mm"}),
        (["mnli", None], {"a": "mnli", "a-mm": "mnli-mm"}),
        ([None, "sst2"], {"b": "sst2", "b-mm": "sst2-mm"}),
        ([None], {}),
        (["sst2", "sst2"], {"a": "sst2", "a-mm": "sst2-mm", "b": "sst2", "b-mm": "sst2-mm"}),
    ],
)
def test_columns_are_the_papers_where_the_task_is(glue, names):
    tasks = [kinds.Task(task, name) for task, name in zip("ab", glue, strict=False)]
    assert paper_names(tasks) == names | {AVERAGE: AVERAGE}


@pytest.mark.parametrize(
    ("number", "columns", "average"),
    [
        (3, ["mnli", "mnli-mm", "qnli", "qqp", "sst2"], 0.822),
        (3, ["sst2", "qqp", "qnli", "mnli", "mnli-mm"], 0.822),
        (3, ["mnli", "qnli", "qqp", "sst2"], NAN),  # one half of MNLI
        (3, ["sst2"], NAN),
        (3, ["mnli", "mnli-mm", "qnli", "qqp", "sst2", "again"], NAN),  # one of the paper's tasks twice
        (2, ["mnli", "mnli-mm", "qnli", "qqp", "sst2"], NAN),  # Table 2 has MRPC and RTE, too
        (2, COLUMNS, 0.798),
        (3, COLUMNS, NAN),
    ],
)
def test_papers_average_stands_beside_the_average_of_the_same_columns_alone(number, columns, average):
    again = kinds.Task("again", "sst2")
    tasks = [*tasks_of(*(name for name in columns if "-mm" not in name and name != "again")), again]
    rows = [("cascadebert", 3.0, task) for task in [*columns, AVERAGE]]
    tidy = pd.DataFrame(rows, columns=["system", "target_speed_up", "task"])
    found = with_paper(tidy, printed(number), paper_names(tasks), MAJORITY).set_index("task")["paper"]
    assert found[AVERAGE] == pytest.approx(average, nan_ok=True)
    assert found["sst2"] == found.get("again", found["sst2"]) == pytest.approx(0.909)


def test_papers_scores_stand_beside_the_papers_tasks_alone(points):
    tidy = with_paper(summarised(points, ROWS, ORDER), printed(), {"mnli": "mnli", "mnli-mm": "mnli-mm"}, MAJORITY)
    found = tidy.set_index(["system", "task"])["paper"]
    keys = [("cascadebert", "mnli"), ("deebert", "mnli-mm"), ("bert_base", "mnli")]
    assert found[keys].tolist() == pytest.approx([0.830, 0.731, 0.846])
    assert found.loc[:, "sst2"].isna().all()  # here sst2 is not the paper's


def test_papers_scores_that_all_positive_reaches_are_marked():
    rows = printed().rename(columns={"target": "target_speed_up"})[["system", "target_speed_up", "task"]]
    names = {task: task for task in COLUMNS} | {AVERAGE: AVERAGE}
    found = with_paper(rows, printed(), names, MAJORITY).query("paper_unlearned")
    assert set(zip(found["system"], found["target_speed_up"], found["task"], strict=True)) == {
        ("bert_kl", 4, "mrpc"),  # 80.5 F1, and 79.9 if all of MRPC's test set are called paraphrases
        ("pabee", 4, "mrpc"),
    }


def test_average_of_the_servers_scores_is_that_of_the_paper():
    frame = printed()
    tidy = frame.rename(columns={"target": "target_speed_up"})[["system", "target_speed_up", "task"]]
    returned = [
        kinds.Returned(*key, own[own["task"] != "AVG"].set_index("task")["score"].to_dict())
        for key, own in frame.groupby(["system", "target"])
    ]
    both = with_server(tidy, returned).assign(printed=frame["score"]).query("task == 'AVG'").dropna()
    assert len(both) >= 12
    np.testing.assert_allclose((100 * both["server"]).round(1), both["printed"], atol=1e-9)


def test_server_score_of_a_column_that_the_table_lacks_is_refused():
    tidy = pd.DataFrame({"system": "cascadebert", "target_speed_up": 3.0, "task": ["mnli", "AVG"]})
    entry = kinds.Returned("cascadebert", 3, {"mnli": 80.0, "mnli-mm": 80.0})
    with pytest.raises(ValueError, match="score of mnli-mm, and the columns of the table are mnli: leave it out"):
        with_server(tidy, [entry])


# --- bold, cells and layout


def bold_of(points):
    """What is in bold, were each column's instances so many that seeds alone are left to chance."""

    def score(system, target, task):
        own = points[(points["system"] == system) & (points["target"] == target)]
        by_seed = own[own["column"].isin(ORDER if task == AVERAGE else [task])].groupby("seed")["score"].mean()
        return Crossed(tuple(by_seed.index), by_seed.to_numpy())

    return best(summarised(points, ROWS, ORDER), score)


def test_bold_is_the_best_and_what_is_not_told_apart_from_it(points):
    ours = {("cascadebert", 2.0, column) for column in [*ORDER, AVERAGE]}
    tied = ("deebert", 2.0, "mnli")  # lower by 0 with one seed, by 0.01 with the other
    assert bold_of(points) == {*ours, tied}
    bold = bold_of(points[points["seed"] == 1])
    assert {key for key in bold if key[2] in ("sst2", "mnli-mm")} == {
        key for key in ours if key[2] in ("sst2", "mnli-mm")
    }


@pytest.mark.parametrize(
    ("mean", "sd", "ratio", "decimals", "text"),
    [
        (0.8123, 0.0031, 3.0082, 1, "81.2±0.3 (3.01×)"),
        (0.8123, NAN, 3.0082, 1, "81.2 (3.01×)"),
        (0.8123, 0.0031, NAN, 1, "81.2±0.3"),
        (0.81236, 0.00314, 2.0, 2, "81.24±0.31 (2.00×)"),
        (1.0, 0.0, 1.0, 0, "100±0 (1.00×)"),
        (NAN, NAN, NAN, 1, "-"),
    ],
)
def test_cell_holds_per_cent_spread_and_ratio(mean, sd, ratio, decimals, text):
    row = SimpleNamespace(mean=mean, sd=sd, achieved_speed_up=ratio, unlearned=False)
    assert cell(row, decimals) == text
    row.unlearned = True
    assert cell(row, decimals) == (text if text == "-" else f"{text}†")


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


def test_caption_tells_the_size_of_every_split_from_all_parts_of_a_task(tmp_path):
    content = {  # by part
        "sst2_training": {"metric": "f1", "rows": {"train": 100}},
        "sst2_report": {"metric": "f1", "rows": {"report": 20, "mismatched": 0}},
        "mnli_training": {"metric": "accuracy", "rows": {"train": 300}},
        "mnli_report": {"metric": "accuracy", "rows": {"report": 40, "mismatched": 50}},
    }
    for name, facts in content.items():
        write_json(tmp_path / f"{name}.json", facts)
    tasks = [
        kinds.Task(task, None, tuple(tmp_path / f"{task}_{part}.json" for part in ("training", "report")))
        for task in ("sst2", "mnli")
    ]
    assert read_facts(*tasks[1].facts) == {"metric": "accuracy", "rows": {"train": 300, "report": 40, "mismatched": 50}}
    assert facts_of(tasks, ORDER) == [
        "sst2 (f1, 100 training instances): 20 instances;"
        " mnli (accuracy, 300 training instances): 40 instances and 50 of its mismatched half.",
        "No mismatched half: sst2.",
    ]
    assert facts_of(tasks[1:], ["mnli", "mnli-mm"])[1] == ""


def test_caption_tells_the_number_of_seeds():
    assert means_over({"rte": 3, AVERAGE: 3}) == "Mean ± standard deviation (ddof 1) over 3 model seeds."
    assert means_over({"rte": 1}) == "One model seed."
    assert intervals_over({"rte": 3}) == "with 95 % t intervals over 3 model seeds"
    assert "seeds" not in intervals_over({"rte": 1})
    fewer = {"rte": 5, "qqp": 3, "mnli": 3, "sst2": 4, AVERAGE: 3}
    assert intervals_over(fewer).endswith(" over 5 model seeds (3 for qqp, mnli, AVG; 4 for sst2)")
    tidy = pd.DataFrame({"task": ["a", "a", "b"], "n_seeds": [3, 0, 2]})
    assert (seeds_by(tidy), seeds_by(tidy.assign(n_seeds=0))) == ({"a": 3, "b": 2}, {})
    assert sentences(["One.", "", " Two. "]) == "One. Two."


GOLDEN = [
    line.split(" | ")
    for line in """\
Method | sst2 | mnli / mnli-mm | AVG
BERT-base | 92.0±2.8 (1.00×) | 81.0±1.4 (1.00×) / 70.5±0.7 (1.00×) | 81.2±1.6
as printed in the paper | - | 84.6 / 83.4 | -
BERT-3L | - | - / - | -
as printed in the paper | - | 79.9 / 79.2 | -
2× DeeBERT | 80.5±0.7 (2.01×) | **60.5±0.7 (2.01×)** / 51.0±1.4 (2.01×) | 64.0±0.9
as printed in the paper | - | 74.4 / 73.1 | -
2× CascadeBERT | **85.5±0.7 (2.01×)** | **61.0±1.4 (2.01×)** / **61.5±0.7 (2.01×)** | **69.3±0.9**
as printed in the paper | - | 83.0 / 81.6 | -""".splitlines()
]


def laid_out(points, columns=ORDER, names=(), mark="**{}**"):
    """A layout with the paper's scores of some columns."""
    beside = with_paper(summarised(points, ROWS, columns), printed(), {name: name for name in names}, MAJORITY)
    return layout(beside, bold_of(points), 1, mark)


def test_markdown_is_the_papers_layout(points):
    text = to_markdown(laid_out(points, names=["mnli", "mnli-mm"]), "A caption.")
    head, rule, *lines = text.splitlines()
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in [head, *lines[:-2]]] == GOLDEN
    assert text.endswith("|\n\nA caption.\n")
    assert len(head) == len(rule)
    assert set(rule) <= set("|:-")
    digits = to_markdown(pd.DataFrame({"Method": ["BERT-base", "BERT-3L"], AVERAGE: ["80.0", "7.0"]}), "")
    assert "80.0" in digits
    assert "7.0" in digits  # every digit of a column of numbers is kept


def test_average_of_one_column_is_not_printed(points):
    table = laid_out(points[points["column"] == "sst2"], ["sst2"], mark="{}")
    assert list(table) == ["Method", "sst2"]
    assert table["sst2"].tolist() == ["92.0±2.8 (1.00×)", "-", "80.5±0.7 (2.01×)", "85.5±0.7 (2.01×)"]


def test_without_the_papers_tasks_there_are_our_rows_alone_and_a_single_seed_has_no_spread(points):
    assert laid_out(points)["Method"].tolist() == [entry.label for entry in ROWS]
    table = laid_out(points[points["seed"] == 1])
    assert not table.astype(str).map(lambda text: "±" in text).any(axis=None)
    shown = table.set_index("Method").loc["BERT-base"].tolist()
    assert shown == ["90.0 (1.00×)", "80.0 (1.00×) / 70.0 (1.00×)", "80.0"]


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


# --- whole tables, from files


def rows_of(folder, number, names, sweeps, kind=kinds.ScoreTable, **more):
    """A table of systems of a base of 6 layers, rendered; what `read_table` returns."""
    said = {
        "name": f"Table {number}",
        "decimals": 1,
        "notes": ("A note.",),
        "full_layers": 6,
        "systems": tuple(shown_in(f"table{number}")),
        "targets": (3.0,),
        "tasks": tasks_of(*names, facts=folder),
        "sweeps": tuple(sweeps),
        "paper": paper(number) if number < 8 else None,
        "majority": paper(1).with_name("majority.csv") if number < 8 else None,
    }
    said |= {"title": "A title."} if kind is kinds.ScoreTable else {}
    return read_table(rendered(kind(**said | more), folder / f"table{number}.csv"))


def paper_line(lines, method):
    """The line of the paper's values below a method."""
    place = [line[0] for line in lines].index(method)
    assert lines[place + 1][0] == "as printed in the paper"
    return lines[place + 1][1:]


def test_score_table_is_laid_out_as_table_2(tmp_path):
    scores = SEEDED | {("bert_kl", 3.0, column): [1 / 3, 2 / 3] for column in ORDER}
    ratio = {"speed_up": lambda _, target, __, seed: target + (0.02 if seed == 2 and target == 2 else 0)}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, **ratio)]
    files = write_answers(tmp_path, scores)
    sst2, mnli = tasks_of("sst2", "mnli", facts=tmp_path)
    tasks = (kinds.Task("sst2", None, sst2.facts), mnli)
    frame, lines, caption, tex = rows_of(tmp_path, 2, [], sweeps, tasks=tasks, targets=(2.0, 3.0), predictions=files)
    assert lines[: len(GOLDEN)] == GOLDEN
    odd = "**50.0±23.6 (3.00×)†**"  # two seeds so far apart tell it neither from the best nor from 0
    assert [line for line in lines if line[0] == "BERT-2L"] == [["BERT-2L", odd, f"{odd} / {odd}", "**50.0±23.6†**"]]
    assert "† : not above the better of two baselines" in caption
    assert lines[-1][0] == "as printed in the paper"  # of CascadeBERT at 3x, which we lack
    assert lines[-2] == ["3× CascadeBERT", "-", "- / -", "-"]
    assert "PABEE" not in str(lines)  # it has no run at all
    kept = frame[(frame["system"] == "bert_kl") & (frame["target_speed_up"] == "3.0") & (frame["task"] == "mnli")]
    assert kept["mean"].tolist() == [repr((1 / 3 + 2 / 3) / 2)]
    assert kept["sd"].astype(float).tolist() == [pytest.approx(1 / 3 / np.sqrt(2), rel=1e-14)]
    assert caption.startswith("Table 2: A title. sst2 (accuracy, 100 training instances): 10 instances; mnli")
    assert all(text in caption for text in ("in per cent", "over 2 model seeds", "AVG is the mean", "A note."))
    assert "single submissions to the GLUE test server" in caption
    assert r"\textbf{50.0$\pm$23.6 (3.00$\times$)$^\dagger$}" in tex


@pytest.mark.parametrize(("n", "cell"), [(10, "**80.0±0.0 (3.00×)**"), (1000, "80.0±0.0 (3.00×)")])
def test_two_systems_that_few_instances_tell_apart_are_both_bold(tmp_path, n, cell):
    scores = {("bert_kl", 3.0, "movies"): [0.8, 0.8], ("cascadebert", 3.0, "movies"): [0.9, 0.9]}  # seeds all agree
    sweeps, files = [write_sweeps(tmp_path / "sweeps.csv", scores)], write_answers(tmp_path, scores, n)
    _, lines, _, _ = rows_of(tmp_path, 2, ["movies"], sweeps, predictions=files)
    shown = {line[0]: line[1] for line in lines}
    assert shown["BERT-2L"] == cell
    assert next(text for name, text in shown.items() if "CascadeBERT" in name) == "**90.0±0.0 (3.00×)**"


@pytest.mark.parametrize("number", [3, 6])
def test_score_table_of_one_task_of_one_half_has_neither_average_nor_spread(tmp_path, number):
    systems, last = shown_in(f"table{number}"), len(shown_in(f"table{number}")) - 1
    scores = {
        (system, 1.0 if system == "roberta_base" else 3.0, "movies"): [0.5 + i / 100]
        for i, system in enumerate(systems)
    }
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores)]
    files = write_answers(tmp_path, scores)
    _, lines, caption, _ = rows_of(tmp_path, number, ["movies"], sweeps, predictions=files)
    assert lines[0] == ["Method", "movies"]
    assert [line[0] for line in lines[1:]] == [SYSTEMS[system].label.format(k=2) for system in systems]
    assert lines[1][1] == f"50.0 ({1 if number == 6 else 3}.00×)"
    assert lines[-1][1] == f"**5{last}.0 (3.00×)**"
    assert sum("**" in line[1] for line in lines) == 1
    assert "AVG" not in caption
    assert "test server" not in caption  # no row of the paper's is shown
    assert "One model seed." in caption
    assert "No mismatched half: movies." in caption


FIVE = ["mnli", "mnli-mm", "qnli", "qqp", "sst2"]


def test_score_table_of_the_papers_tasks_prints_its_rows_and_average(tmp_path):
    scores = {(system, 3.0, column): [0.5, 0.6] for system in shown_in("table3") for column in FIVE}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores)]
    files = write_answers(tmp_path, scores)
    frame, lines, _, _ = rows_of(tmp_path, 3, ["mnli", "qnli", "qqp", "sst2"], sweeps, predictions=files)
    assert lines[0] == ["Method", "mnli / mnli-mm", "qnli", "qqp", "sst2", "AVG"]
    assert paper_line(lines, "BERT-PKD") == ["79.9 / 79.3", "85.1", "70.2", "89.4", "80.8"]
    assert paper_line(lines, "CascadeBERT") == ["81.2 / 79.5", "88.5", "71.0", "90.9", "82.2"]
    assert frame.loc[frame["task"] == "sst2", "paper"].astype(float).tolist() == [0.914, 0.894, 0.897, 0.898, 0.909]


def test_scores_of_the_server_stand_below_the_papers(tmp_path):
    systems, columns = ("deebert", "cascadebert"), ["mnli", "mnli-mm", "sst2"]
    scores = {(system, ratio, column): [0.5, 0.6] for system in systems for ratio in (2.0, 3.0) for column in columns}
    returned = (
        kinds.Returned("cascadebert", 3, {"mnli": 81.2, "mnli-mm": 79.54, "sst2": 90.9}),
        kinds.Returned("deebert", 2, {"mnli-mm": 70}),
    )
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores)]
    files = write_answers(tmp_path, {key: of for key, of in scores.items() if key[1] == 2})
    told = {"targets": (2.0, 3.0), "server": returned, "predictions": files}
    frame, lines, caption, _ = rows_of(tmp_path, 2, ["mnli", "sst2"], sweeps, **told)
    assert [line[0] for line in lines[1:]] == [
        *("2× DeeBERT", "as printed in the paper", "2× DeeBERT (GLUE server)"),
        *("2× CascadeBERT", "as printed in the paper", "3× DeeBERT", "as printed in the paper"),
        *("3× CascadeBERT", "as printed in the paper", "3× CascadeBERT (GLUE server)"),
    ]
    assert lines[3][1:] == ["- / 70.0", "-", "-"]
    assert lines[-1][1:] == ["81.2 / 79.5", "90.9", "83.9"]  # (81.2 + 79.54 + 90.9) / 3
    assert list(frame)[-3:] == ["paper", "paper_unlearned", "server"]
    own = frame[(frame["system"] == "cascadebert") & (frame["target_speed_up"] == "3.0")].set_index("task")["server"]
    expected = {"mnli": 0.812, "mnli-mm": 0.7954, "sst2": 0.909, "AVG": (81.2 + 79.54 + 90.9) / 300}
    assert own.astype(float).to_dict() == pytest.approx(expected, rel=1e-12)
    assert "(GLUE server) are what the same server returned for a submission of ours" in caption
    frame, lines, caption, _ = rows_of(tmp_path, 2, ["mnli", "sst2"], sweeps, **told | {"server": ()})
    assert "(GLUE server)" not in caption + str(lines)
    assert set(frame["server"]) == {""}


def test_table_1_lists_tasks_and_margins(tmp_path):
    tasks = tasks_of("mnli", "movies", facts=tmp_path)
    margins = tuple(tmp_path / f"margin_{task.name}.json" for task in tasks)
    write_json(margins[0], {"margin": 0.3, "scores": {"0.3": [0.8, 0.9], "0.1": [0.70, 0.71]}})
    write_json(margins[1], {"margin": 0.1, "scores": {"0.1": [1 / 3], "0.5": [0.25]}})
    label = np.array([0, 1, 1, 1])
    of = {split: predictions(np.zeros((1, 4, 2)), label, [1]) for split in ("selection", "report", "mismatched")}
    given = {"majority": dict.fromkeys(of, np.ones(4, int)), "tfidf": dict.fromkeys(of, label)}
    baselines = (write_common_sense(tmp_path / "mnli.npz", of, **given),)
    baselines += (write_common_sense(tmp_path / "movies.npz", {s: of[s] for s in ("selection", "report")}),)
    beside = {"majority": paper(1).with_name("majority.csv"), "baselines": baselines}
    page = kinds.TaskTable(name="Table 1", decimals=1, tasks=tasks, margins=margins, paper=paper(1), **beside)
    frame, lines, caption, tex = read_table(rendered(page, tmp_path / "table1.csv"))
    head = ["Dataset", "# train", "# selection", "# report", "# mismatched", "# test", "Metric", "ε"]
    assert lines == [
        [*head, "selection score by ε", "Score"],
        ["mnli", "100", "30", "10", "10", "-", "accuracy", "0.3", "0.1: 70.5, 0.3: 85.0", "-"],
        ["Majority class", *["-"] * 8, "75.0 / 75.0"],
        ["TF-IDF + logistic regression (C = 1)", *["-"] * 8, "100.0 / 100.0"],
        ["as printed in the paper", "393k", "-", "20k", "-", "20k", "accuracy", "0.3", "-", "-"],
        ["majority class, GLUE's test set", *["-"] * 8, "36.5"],
        ["movies", "100", "30", "10", "-", "-", "accuracy", "0.1", "0.1: 33.3, 0.5: 25.0", "-"],
        ["Majority class", *["-"] * 8, "0.0"],
        ["TF-IDF + logistic regression (C = 1)", *["-"] * 8, "0.0"],
    ]
    movies = frame.set_index("task").loc["movies"]
    assert movies[["train", "mismatched", "classes", "margin"]].tolist() == ["100", "0", "2", "0.1"]
    assert movies["score_at_0.1"] == repr(1 / 3)
    assert float(movies["margin_spread"]) == 1 / 3 - 0.25
    assert movies["score_at_0.3"] == ""
    assert "averaged over the target speed-ups" in caption
    assert r"\# train" in tex


WITH, WITHOUT = "cascadebert", "cascadebert_without_dar"
WRONG = {(WITH, 1): [0], (WITH, 2): [0, 1], (WITHOUT, 1): [0, 1, 2, 3], (WITHOUT, 2): [1, 2, 3]}  # by system and seed


def wrong_at(places, n=10):
    """A cascade's predictions whose first exit, which all leave at, is wrong at some places."""
    label = np.arange(n) % 2
    answers = np.where(np.isin(np.arange(n), places), 1 - label, label)
    return predictions([np.where(np.arange(2) == answers[:, None], 3.0, 0.0), np.zeros((n, 2))], label, [1, 7])


def table_4(folder, names, scores, wrong, seeds, **columns):
    """Table 4 at 3x of given scores, and of predictions that are wrong at some places by system and seed."""
    files = []
    for task in names:
        for system in (WITH, WITHOUT):
            for split, n in (("report", 10), ("mismatched", 0)):
                files.append(kinds.File(task, system, folder / system / f"{task}_{split}.npz", split))
                write_predictions(files[-1].path, {seed: wrong_at(wrong[system, seed], n) for seed in seeds})
    sweeps = [write_sweeps(folder / "sweeps.csv", scores, **columns)]
    told = {"systems": (WITH, WITHOUT), "predictions": tuple(files)}
    return rows_of(folder, 4, names, sweeps, kinds.Ablation, **told)


@pytest.mark.parametrize(("task", "seeds"), [("movies", [1, 2]), ("sst2", [1])])
def test_table_4_prints_differences_and_p_values(tmp_path, task, seeds):
    scores = {(s, 3.0, task): [1 - len(WRONG[s, seed]) / 10 for seed in seeds] for s in (WITH, WITHOUT)}
    speed = {"speed_up": lambda system, *_: 2.9 if system == WITH else 3.1}
    frame, lines, caption, _ = table_4(tmp_path, [task], scores, WRONG, seeds, **speed)
    right = {system: np.array([~np.isin(np.arange(10), WRONG[system, s]) for s in seeds]) for system in (WITH, WITHOUT)}
    gap = right[WITH].astype(float) - right[WITHOUT]  # (seeds, instances)
    two_way = interval_of(gap.mean(axis=1), components({"": gap - gap.mean(axis=1, keepdims=True)}))
    shown = {
        "movies": [
            ["Method", "movies"],
            ["3× CascadeBERT", "85.0±7.1 (2.90×)"],
            ["difference", f"20.0 [{100 * two_way.low:.1f}, {100 * two_way.high:.1f}]"],
            ["McNemar p", "0.25 / 1"],  # three differ, all one way; three, one of them the other way
            ["3× CascadeBERT w/o DAR", "65.0±7.1 (3.10×)"],
        ],
        "sst2": [
            ["Method", "sst2"],
            ["3× CascadeBERT", "90.0 (2.90×)"],
            ["difference", "30.0"],
            ["McNemar p", "0.25"],
            ["as printed in the paper", "90.9"],
            ["3× CascadeBERT w/o DAR", "60.0 (3.10×)"],
            ["as printed in the paper", "90.3"],
        ],
    }
    assert lines == shown[task]
    assert ("over 2 model seeds" if len(seeds) > 1 else "One model seed.") in caption
    assert "AVG" not in caption
    own = frame.set_index(["system", "task"]).loc[(WITH, task)]
    assert float(own["difference"]) == pytest.approx(0.2 if task == "movies" else 0.3, rel=1e-14)
    assert [float(p) for p in own["mcnemar"].split()] == pytest.approx([0.25, 1][: len(seeds)])


def test_table_4_averages_columns(tmp_path):
    scores = {(system, 3.0, column): [0.9] for system in (WITH, WITHOUT) for column in ("sst2", "movies")}
    wrong = dict.fromkeys(WRONG, [0]) | {(WITHOUT, 1): [0, 1]}
    _, lines, caption, _ = table_4(tmp_path, ["sst2", "movies"], scores, wrong, [1])
    assert lines[:5] == [
        ["Method", "sst2", "movies", "AVG"],
        ["3× CascadeBERT", "90.0 (3.00×)", "90.0 (3.00×)", "90.0 (3.00×)"],
        ["difference", "10.0", "10.0", "10.0"],
        ["McNemar p", "1", "1", "-"],
        ["as printed in the paper", "90.9", "-", "-"],
    ]
    assert "AVG is the mean" in caption


VARIANTS = ["with DAR", "without DAR", "temperature scaling"]


def member(seed, method, n=40):
    """A small member's predictions, some of them wrong; a temperature keeps its answers and lowers its confidence."""
    logits, label = np.random.default_rng([seed, method == "with DAR"]).normal(size=(1, n, 2)), np.arange(n) % 2
    logits[0, np.arange(n), label] += 1
    return predictions(logits / (3 if method == "temperature scaling" else 1), label, [1])


def table_5(folder, names, seeds):
    """Table 5 of some tasks, all with the same predictions, the mismatched half empty; what `read_table` returns."""
    files = []
    for task in names:
        for method in VARIANTS:
            for split, n in (("report", 40), ("mismatched", 0)):
                files.append(kinds.File(task, method, folder / f"{task}_{method}_{split}.npz", split))
                write_predictions(files[-1].path, {seed: member(seed, method, n) for seed in seeds})
    told = {"name": "Table 5", "decimals": 1, "notes": ("A note.",), "paper": paper(5)}
    page = kinds.Calibration(tasks=tasks_of(*names), predictions=tuple(files), **told)
    return read_table(rendered(page, folder / "table5.csv"))


def two_way(method, measure, against=None, seeds=(1, 2)):
    """A measure's mean and interval over seeds and instances in per cent, or that of a difference, as printed."""
    by_seed = [{seed: member(seed, of) for seed in seeds} for of in (method, against) if of]
    found = [exit_measures("", of, 0)[measure] for of in by_seed]
    of = interval(found[0] - found[1] if against else found[0])
    return with_interval(of.estimate, of.low, of.high, 1)


def test_table_5_prints_measures_and_differences(tmp_path):
    frame, lines, caption, tex = table_5(tmp_path, ["movies", "sst2"], [1, 2])
    assert lines[0] == ["Dataset", "Method", "DIS ↑", "Acc ↑", "ECE ↓"]
    methods = ["with DAR", "difference", "without DAR", "temperature scaling", "difference"]
    assert [line[:2] for line in lines[1:6]] == [["movies", method] for method in methods]
    names = ["dis", "accuracy", "ece"]
    assert lines[1][2:] == [two_way("with DAR", name) for name in names]
    assert lines[2][2:] == [two_way("with DAR", name, "without DAR") for name in names]
    assert lines[3][2:] == [two_way("without DAR", name) for name in names]
    assert lines[5][4] == two_way("temperature scaling", "ece", "without DAR") != "0.0 [0.0, 0.0]"
    by_hand = [measures(member(seed, "with DAR"))[0]["ece"] for seed in (1, 2)]
    own = frame.set_index(["task", "method", "measure"])
    assert float(own.loc[("movies", "with DAR", "ece"), "mean"]) == pytest.approx(np.mean(by_hand), rel=1e-12)
    of_paper = [line[2:] for line in lines if line[:2] == ["sst2", "as printed in the paper"]]
    assert of_paper == [["82.02", "87.70", "5.61"], ["79.30", "87.95", "8.73"]]
    assert float(own.loc[("sst2", "with DAR", "dis"), "paper"]) == pytest.approx(0.8202)
    assert "over 2 model seeds and the instances" in caption
    assert r"DIS $\uparrow$" in tex


def test_table_5_has_a_dash_where_a_measure_is_undefined(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "member", lambda seed, method, n=40: wrong_at([], n))
    _, lines, _, _ = table_5(tmp_path, ["movies"], [1, 2])
    assert [line[2] for line in lines[1:]] == ["-"] * 5  # none is difficult
    assert lines[1][3] == "100.0 [100.0, 100.0]"


def test_table_5_of_one_seed_has_no_intervals(tmp_path):
    _, lines, caption, _ = table_5(tmp_path, ["movies"], [1])
    expected = [f"{100 * measures(member(1, 'with DAR'))[0][name]:.1f}" for name in ("dis", "accuracy", "ece")]
    assert lines[1] == ["movies", "with DAR", *expected]
    assert not any("[" in cell for line in lines for cell in line)
    assert "1 seed" not in caption
    assert "one model seed" in caption


def test_table_7_counts_speed_ups_twice(tmp_path):
    both = []
    for measure, shift in (("layers", 0.0), ("flops", -0.1)):
        scores = {
            (system, target, column): [base + shift, base + shift + 0.02]
            for system, base in (("fastbert", 0.6), ("cascadebert", 0.7))
            for target in (3.0, 4.0)
            for column in FIVE
        }
        ratios = {"speed_up": lambda _, t, *__: t + 0.5, "speed_up_flops": lambda _, t, *__: t + 0.1}
        both.append(write_sweeps(tmp_path / f"{measure}.csv", scores, measure=measure, **ratios))
    told = {"kind": "counts", "targets": (3.0, 4.0)}
    frame, lines, caption, _ = rows_of(
        tmp_path, 7, ["mnli", "qnli", "qqp", "sst2"], both, lambda **of: kinds.Rows(**of | told)
    )
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


def test_table_10_is_table_7_without_the_papers_values(tmp_path):
    systems = ("deebert", "deebert_distilled", "fastbert", "fastbert_labelled", "cascadebert_attending", "cascadebert")
    scores = {(system, 3.0, "movies"): [0.6 + place / 100] for place, system in enumerate(systems)}
    both = [write_sweeps(tmp_path / f"{measure}.csv", scores, measure=measure) for measure in ("layers", "flops")]
    told = {"kind": "counts", "targets": (3.0,), "paper": None, "name": "Table 10"}
    frame, lines, caption, _ = rows_of(tmp_path, 10, ["movies"], both, lambda **of: kinds.Rows(**of | told))
    assert [line[0] for line in lines[1:]] == [
        f"{SYSTEMS[name].label}, {by}" for name in systems for by in ("by layers", "by FLOPs")
    ]
    assert [line[1][:4] for line in lines[1::2]] == [f"{60 + place:.1f}" for place in range(6)]
    assert "paper" not in frame
    assert "erratum 29" not in caption


def table_8(folder, names, sweeps, made_of, trained, folds=None):
    """Table 8 of runs made of some trainings; trained are seconds, by task and seed, and parameters of each."""
    records = {}
    for name, (seconds, parameters) in trained.items():
        for task, of_seeds in zip(names, seconds, strict=True):
            paths = tuple(folder / "models" / f"{task}-{name}-{i}.json" for i in range(len(of_seeds)))
            for path, second in zip(paths, of_seeds, strict=True):
                made = {"epochs": len(name), "lr": parameters / 1e12}
                write_json(path, {"seconds": second, "parameters": parameters, "settings": made})
            records.setdefault(name, {})[task] = paths
    runs = {run: kinds.MadeOf(*parts) for run, parts in made_of.items()}
    of = {"report": predictions(np.zeros((1, 4, 2)), [0, 1, 1, 1], [1])}
    baselines = tuple(write_common_sense(folder / f"{name}.npz", of) for name in names)
    told = {"made_of": runs, "records": records, "folds": folds or {}, "targets": (2.0,)}
    told |= {"baselines": baselines, "predictions": ()}
    return rows_of(folder, 8, names, sweeps, kinds.Systems, **told)


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
    named = {"run": lambda s, target, *_: run.get(s, f"{s}{target:g}" if s == "bert_kl" else s)}
    flops = {"flops": lambda _, target, *__: 6e9 / target, "speed_up_flops": lambda _, target, *__: target - 0.01}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, **named, **flops)]
    made_of = {  # what is in memory, what went before, whose labels were given
        "base": (("base",), (), ()),
        "bert_kl2": (("bert_kl2",), (), ()),
        "bert_kl6": (("bert_kl6",), (), ()),
        "deebert_base": (("deebert_base",), ("base",), ()),
        WITH: (("small_dar", "base"), (), ("small",)),
    }
    sizes = {"base": (100, 20_000_000), "bert_kl2": (50, 11_000_000), "bert_kl6": (20, 5_000_000)}
    sizes |= {"deebert_base": (30, 22_500_000), "small_dar": (40, 6_000_000)}
    trained = {name: ([(mean - 1, mean + 1)], parameters) for name, (mean, parameters) in sizes.items()}
    folds = tuple(tmp_path / f"fold{fold}.json" for fold in range(3))
    for fold in folds:
        write_json(fold, {"seconds": 7})
    told = (["movies"], sweeps, made_of, trained, {"small": {"movies": folds}})
    frame, lines, caption, _ = table_8(tmp_path, *told)
    assert lines == [
        ["Method", "movies", "curve", "parameters (M)", "MFLOPs", "by FLOPs", "training (s)"],
        ["Majority class", "0.0", *["-"] * 5],
        ["TF-IDF + logistic regression", "0.0", *["-"] * 5],
        ["BERT-base", "91.0±1.4 (1.00×)", "-", "20.0", "6000.0", "0.99×", "100"],
        ["BERT-3L", "80.0±0.0 (2.00×)", "-", "11.0", "3000.0", "1.99×", "50"],
        ["2× DeeBERT", "70.0±0.0 (2.00×)", "-", "22.5", "3000.0", "1.99×", "130"],
        ["2× CascadeBERT", "85.0±0.0 (2.00×)", "-", "26.0", "3000.0", "1.99×", "161"],  # 40 + 100 + three folds of 7
        ["BERT-1L", "50.0±0.0 (6.00×)", "-", "5.0", "1000.0", "5.99×", "20"],
    ]
    ours = frame.set_index(["system", "task"]).loc[(WITH, "movies")]
    assert ours["training_seconds"] == "161.0"
    assert ours["recipe"] == "small_dar 9 epochs at 6e-06; base 4 epochs at 2e-05"
    assert "over 2 model seeds" in caption


def test_table_8_averages_costs_over_tasks(tmp_path):
    scores = {("bert_base", 1.0, task): [0.9] for task in ("movies", "books")}
    named = {"run": "base", "flops": lambda _, __, task, ___: 2e9 if task == "movies" else 4e9}
    sweeps = [write_sweeps(tmp_path / "sweeps.csv", scores, **named)]
    trained = {"base": ([(100,), (200,)], 20_000_000)}
    told = (["movies", "books"], sweeps, {"base": (("base",), (), ())}, trained)
    _, lines, caption, _ = table_8(tmp_path, *told)
    assert lines[0][1:4] == ["movies", "books", "AVG"]
    assert lines[3] == ["BERT-base", "90.0 (1.00×)", "90.0 (1.00×)", "90.0", "-", "20.0", "3000.0", "1.00×", "150"]
    assert "One model seed." in caption


def one_exit(layers, right, sure):
    """A member's predictions: right at the first few instances, sure at some."""
    label = np.arange(10) % 2
    answers = np.where(np.arange(10) < right, label, 1 - label)
    margin = np.where(np.isin(np.arange(10), sure), 4.0, 1.0)
    return predictions(np.where(np.arange(2) == answers[:, None], margin[:, None], 0.0)[None], label, [layers])


@pytest.mark.parametrize("seeds", [[1], [1, 2]])
def test_theory_sets_the_predicted_gain_beside_the_measured(tmp_path, seeds):
    small, middle, base = one_exit(1, 5, range(4, 8)), one_exit(3, 8, [0, 1, 2]), one_exit(6, 9, range(10))
    cascades = {WITH: [small, base], "cascadebert_three": [small, middle, base]}
    for name, members in cascades.items():
        write_predictions(tmp_path / f"{name}.npz", dict.fromkeys(seeds, cascade_of(members)))
    scores = {(name, 2.0, "movies"): [0.5] * len(seeds) for name in cascades}
    two, three = ((tmp_path / f"{name}.npz",) for name in cascades)
    sweeps = (write_sweeps(tmp_path / "sweeps.csv", scores, threshold=0.9),)
    told = {"name": "Appendix C", "decimals": 1, "tasks": tasks_of("movies"), "targets": (2.0,)}
    out = rendered(kinds.Theory(**told, sweeps=sweeps, two=two, three=three), tmp_path / "theory.csv")
    frame = pd.read_csv(out)
    # Two members: 4 leave at the first (right: 4 of 4..7, so one), 6 at the last (0..3, 8, 9: right but for 9).
    # Three: 4 leave at the first, 3 (0, 1, 2) at the middle, all right, 3 (3, 8, 9) at the last: right but for 9.
    assert frame["measured"].tolist() == [pytest.approx((1 + 3 + 2) / 10 - (1 + 5) / 10, abs=1e-12)] * len(seeds)
    predicted = (3 * (0.8 - 0.5) - 3 / 6 * (3 + 3) * (0.9 - 0.5)) / 10  # Eq. 13
    assert frame["predicted"].tolist() == [pytest.approx(predicted)] * len(seeds)
    more = ((4 * 1 + 3 * 4 + 3 * 10) - (4 * 1 + 6 * 7)) / 10
    assert frame["layers_more"].tolist() == [pytest.approx(more)] * len(seeds)
    lines, caption = cells_of(out)
    spans = (" [-3.0, -3.0]", " [0.0, 0.0]") if len(seeds) > 1 else ("", "")
    assert lines[1] == ["movies", "2×", f"-3.0{spans[0]}", f"0.0{spans[1]}", "+0.00"]
    assert caption.startswith("Appendix C: what a third member gains")
    assert ("over 2 model seeds" if len(seeds) > 1 else "one model seed") in caption
