"""The clock: what is counted and what is timed of packed systems, the table, the figure and the verdicts of it."""

import numpy as np
import pandas as pd
import pytest
from page_builders import rendered, tasks_of

from cascadebert.inference.timetable import COLUMNS, PIPELINES
from cascadebert.pages import kinds
from cascadebert.pages.times import judged_on_the_clock, read_times

RUNS = {"base": "bert_base", "cascadebert": "cascadebert", "deebert_base": "deebert"}


def times(folder, task="movies", **ratios):
    """A file of times: each run's clock over counted, by turn, at 2x for batches of 1 and 32."""
    rows = []
    for run, of_turns in ratios.items():
        for batch_size in (1, 32):
            for turn, ratio in enumerate(of_turns):
                said = dict.fromkeys(COLUMNS, 0.1) | {"run": run, "label": RUNS[run], "what": "tokens", "target": 2.0}
                said |= {"batch_size": batch_size, "turn": turn, "seconds": 1.0, "base_seconds": 2.0 * ratio}
                said |= {"speed_up": 2.0, "speed_up_flops": 1.9, "n": 10, "machine": "CPU, 2 threads"}
                rows.append(said | {"precision": "bf16", "p95_ms": 0.3 if batch_size == 1 else np.nan})
    text = dict.fromkeys(COLUMNS) | {"run": "pipeline", "label": PIPELINES["pipeline"], "what": "text", "target": 1.0}
    text |= {"machine": "CPU, 2 threads", "precision": "bf16", "n": 10, "seconds": 2.0, "base_seconds": 1.0}
    rows += [text | {"batch_size": batch_size, "turn": turn} for batch_size in (1, 32) for turn in range(2)]
    pd.DataFrame(rows).to_csv(folder / f"{task}.csv", index=False)
    return folder / f"{task}.csv"


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((1.00, 0.99, 0.98), "holds"),
        ((1.40, 1.41, 1.42), "holds"),
        ((0.70, 0.71, 0.72), "contradicted"),
        ((0.70, 1.00, 1.30), "undecided"),
    ],
)
def test_a_counted_speed_up_is_had_or_not(tmp_path, ratios, verdict):
    path = times(tmp_path, base=(1.0, 1.0, 1.0), cascadebert=ratios)
    judged = judged_on_the_clock(read_times([path], ["movies"], RUNS))
    assert judged["claim"].tolist() == ["clock-cascadebert"], "the base has nothing to claim"
    assert judged["verdict"].tolist() == [verdict]
    assert judged["estimate"][0] == pytest.approx(np.exp(np.log(ratios).mean()) - 1)


def test_table_of_the_clock_has_a_line_a_ratio_and_what_else_one_would_take(tmp_path):
    paths = (
        times(tmp_path, "movies", base=(1.0, 1.0), cascadebert=(1.0, 1.2)),
        times(tmp_path, "rte", base=(1.0, 1.0)),
    )
    page = kinds.Clock(tasks=tasks_of("movies", "rte"), name="Table 9", decimals=1, times=paths, runs=RUNS)
    out = rendered(page, tmp_path / "table9.csv")
    frame, lines = pd.read_csv(out), out.with_suffix(".md").read_text().splitlines()
    assert "nan" not in out.with_suffix(".md").read_text()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert [line[:2] for line in cells[1:]] == [
        ["movies", "bert_base"],
        ["movies", "2× cascadebert"],
        ["movies", "Hugging Face pipeline, as it comes, from text"],
        ["rte", "bert_base"],
        ["rte", "Hugging Face pipeline, as it comes, from text"],
    ]
    assert cells[2][2:6] == ["2.00×", "1.90×", "2.20× (2.00 - 2.40)", "100.00 (p95 0.30)"]
    own = frame[(frame["run"] == "cascadebert") & (frame["batch_size"] == 32)].iloc[0]
    assert (own["of_counted"], own["turns"]) == (pytest.approx(1.1), 2)


@pytest.mark.parametrize(
    ("second", "said"), [("CPU, 2 threads", "one machine: CPU, 2 threads"), ("A", "several machines")]
)
def test_table_of_the_clock_says_which_machines_and_who_is_absent(tmp_path, second, said):
    paths = (times(tmp_path, "movies", base=(1.0, 1.0)), times(tmp_path, "rte", base=(1.0, 1.0)))
    pd.read_csv(paths[1]).assign(machine=second).to_csv(paths[1], index=False)
    page = kinds.Clock(tasks=tasks_of("movies", "rte"), name="Table 9", decimals=1, times=paths, runs=RUNS)
    text = rendered(page, tmp_path / "table9.csv").with_suffix(".md").read_text()
    assert said in text and "CascadeBERT, DeeBERT can have none of them" in text


def test_figure_of_the_clock_has_a_panel_a_batch_size(tmp_path):
    path = times(tmp_path, base=(1.0, 1.0), cascadebert=(1.0, 1.2), deebert_base=(0.5, 0.6))
    page = kinds.Clocked(tasks=tasks_of("movies"), times=(path,), runs=RUNS)
    frame = pd.read_csv(rendered(page, tmp_path / "figure8.pdf").with_suffix(".csv"))
    assert frame["column"].unique().tolist() == ["one by one", "batches of 32"]
    assert set(frame["system"]) == {"bert_base", "cascadebert", "deebert"}, "pipelines count nothing"
