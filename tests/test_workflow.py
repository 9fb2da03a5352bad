"""The smoke preset end to end, killed, misconfigured, on data of one's own; what each preset plans and asks for."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from smoke import FIGURES, ROOT, SMOKE, TABLE, TABLES, command, copy_of, replace, said, snakemake, would_run

from cascadebert.cluster.budget import difficulty_share


def test_smoke_writes_every_table_and_figure(finished):
    results = finished / "results/smoke"
    for name in TABLES:
        ends = ("csv", "md") if name in ("theory", "claims") else ("csv", "md", "tex")
        assert all((results / f"{name}.{end}").stat().st_size for end in ends), name
    for name in FIGURES:
        assert all((results / f"figures/{name}.{end}").stat().st_size for end in ("pdf", "png", "csv")), name


def test_table_2_has_the_rows_of_the_paper(finished):
    lines = (finished / TABLE).read_text().splitlines()
    assert lines[0] == "method,system,target_speed_up,task,metric,mean,sd,n_seeds,achieved_speed_up,paper,server"
    methods = list(dict.fromkeys(line.split(",")[0] for line in lines[1:]))
    assert methods == ["BERT-base"] + [
        row
        for k, target in (("3", 2), ("2", 3), ("1.5", 4))
        for row in (f"BERT-{k}L", *(f"{target}× {system}" for system in ("DeeBERT", "PABEE", "CascadeBERT")))
    ]
    assert {line.split(",")[3] for line in lines[1:]} == {"reviews", "pairs", "pairs-mm", "AVG"}
    assert (finished / "results/smoke/table2.md").read_text().startswith("| Method")
    assert r"\toprule" in (finished / "results/smoke/table2.tex").read_text()


def test_records_and_captions_say_how_it_was_computed(finished):
    results = finished / "results/smoke"
    for run in ("base", "small_dar", "pabee_base", "pkd_base", "theseus_base", "robertaBase"):
        record = json.loads((results / f"models/reviews/{run}/seed1.json").read_text())
        assert (record["pooling"], record["settings"]["precision"]) == ("cls", "fp32"), run
    for table in ("table2", "table3", "table4", "table5", "table7", "table8"):
        assert "Precision: fp32." in (results / f"{table}.md").read_text(), table


def test_every_claim_is_judged(finished):
    claims = pd.read_csv(finished / "results/smoke/claims.csv")
    assert len(claims) > 30
    assert claims["estimate"].notna().all(), "all systems were run"
    assert claims["low"].isna().all(), "pairs has one seed, hence the average of the columns, too: no interval"
    assert set(claims["verdict"]) == {"undecided at this size"}


def test_claims_on_a_task_of_several_seeds_have_intervals(finished, edited):
    edited(SMOKE, replace("tasks: [reviews, pairs]", "tasks: [reviews]"))
    edited(SMOKE, replace("fewer_seeds: {pairs: 1}\n", ""))
    done = snakemake(finished, "results/smoke/claims.csv")
    assert done.returncode == 0, said(done)[-3000:]
    claims = pd.read_csv(finished / "results/smoke/claims.csv")
    assert len(claims) > 30
    assert (claims["low"] <= claims["estimate"]).all()
    assert (claims["estimate"] <= claims["high"]).all()
    assert set(claims["verdict"]) <= {"holds", "contradicted", "undecided at this size"}, "all systems were run"


def test_every_system_leaves_logits_of_every_split(finished):
    folder = finished / "results/smoke/predictions/pairs"
    exits = {f"{name}_{base}": 6 for name in ("deebert", "pabee") for base in ("base", "robertaBase")}
    exits |= {"fastbert_base": 6, "cascadebert_three": 3}
    exits |= {f"cascadebert{end}": 2 for end in ("", "_without_dar", "_tempered", "_batch_mean", "_shuffled")}
    exits |= {"cascaderoberta": 2, "cascaderoberta_kd": 2}
    exits |= dict.fromkeys(
        [
            "base",
            "small",
            "two",
            "medium",
            "distilled",
            "robertaBase",
            "base_first3",
            "base_first2",
            "base_first1",
            "robertaBase_first2",
            "pkd_base",
            "theseus_base",
            "two_pd",
            "small_dar",
            "small_dar0.1",
            "small_dar0.5",
            "small_tempered",
            "small_batch_mean",
            "small_shuffled",
            "medium_dar",
            "robertaSmall_dar",
            "robertaSmall_kd_dar",
            "fastbert_teacher_base",
        ],
        1,
    )
    assert {path.name for path in folder.iterdir()} == set(exits)
    for run in exits:
        for split, n in {"selection": 48, "report": 60, "mismatched": 60, "test": 30}.items():
            with np.load(finished / f"results/smoke/predictions/pairs/{run}/seed1/{split}.npz") as file:
                assert file["logits"].shape == (exits[run], n, 3)
                assert file["logits"].dtype == np.float32
                assert list(file["names"]) == ["entailment", "neutral", "contradiction"]
                assert (file["label"] == -1).all() == (split == "test")
        assert [path.name for path in (folder / run).iterdir()] == ["seed1"], "pairs has fewer seeds"


def test_theory_reads_each_tasks_own_predictions(finished):
    theory = pd.read_csv(finished / "results/smoke/theory.csv")
    assert theory["task"].unique().tolist() == ["reviews", "pairs"]
    points = pd.concat(pd.read_csv(path) for path in (finished / "results/smoke/sweeps/pairs").glob("cascadebert*.csv"))
    points = points[(points["split"] == "report") & (points["measure"] == "layers") & (points["target"] == 3)]
    scores = points.set_index(["run", "seed"])["score"]  # accuracy is the metric of pairs
    own = theory[(theory["task"] == "pairs") & (theory["target_speed_up"] == 3)].set_index("seed")["measured"]
    assert own.index.tolist() == [1]
    assert own[1] == pytest.approx(scores["cascadebert_three", 1] - scores["cascadebert", 1])


def test_cascade_is_its_members(finished):
    def logits(run):
        with np.load(finished / f"results/smoke/predictions/reviews/{run}/seed1/report.npz") as file:
            return file["logits"], file["layers"].tolist()

    stacked, layers = logits("cascadebert_without_dar")
    assert layers == [1, 7]
    np.testing.assert_array_equal(stacked[0], logits("small")[0][0])
    np.testing.assert_array_equal(stacked[1], logits("base")[0][0])
    np.testing.assert_array_equal(logits("cascadebert")[0][1], logits("base")[0][0])
    np.testing.assert_array_equal(logits("cascadebert")[0][0], logits("small_dar")[0][0])


def test_dar_trains_another_member_for_each_margin(finished):
    def logits(run):
        with np.load(finished / f"results/smoke/predictions/reviews/{run}/seed1/report.npz") as file:
            return file["logits"]

    assert not np.array_equal(logits("small"), logits("small_dar0.1"))
    assert not np.array_equal(logits("small_dar0.1"), logits("small_dar0.5"))


def test_deebert_ends_in_the_base_it_was_built_on(finished):
    folder = finished / "results/smoke/predictions/reviews"
    with (
        np.load(folder / "deebert_base/seed1/report.npz") as deebert,
        np.load(folder / "base/seed1/report.npz") as base,
    ):
        np.testing.assert_allclose(deebert["logits"][-1], base["logits"][0], atol=1e-6)


def test_no_job_took_more_memory_than_its_rule_asks_for(finished):
    asked = {rule: own["mem_mb"].min() for rule, own in planned(settled(finished), finished).groupby("stage")}
    peaks = [
        (path.relative_to(finished / "results/smoke/benchmarks").parts[0], pd.read_csv(path, sep="\t")["max_rss"].max())
        for path in (finished / "results/smoke/benchmarks").rglob("*.tsv")
    ]
    assert len(peaks) > 100
    assert [(rule, peak) for rule, peak in peaks if peak != "-" and float(peak) * 1.048576 > asked[rule]] == []


def test_killed_run_gives_the_same_bytes_when_started_again(finished):
    before = (finished / TABLE).read_bytes()
    for folder in ("models/reviews/base", "predictions/reviews/base", "sweeps", "margins"):
        shutil.rmtree(finished / "results/smoke" / folder)
    (finished / TABLE).unlink()
    logs = finished / "results/smoke/logs/finetune/reviews/base"
    shutil.rmtree(logs)
    running = subprocess.Popen(
        command(TABLE), cwd=finished, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    for _ in range(600):
        if logs.is_dir() and list(logs.iterdir()):  # a fine-tuning job has begun
            break
        time.sleep(0.2)
    time.sleep(3)
    assert running.poll() is None, "the run was over before it could be killed"
    running.send_signal(signal.SIGKILL)  # Snakemake alone: its jobs go on as orphans, its lock stays
    running.wait()
    assert list((finished / ".snakemake/locks").iterdir())
    assert not (finished / TABLE).exists()
    done = snakemake(finished, TABLE)
    assert done.returncode == 0, said(done)[-3000:]
    assert (finished / TABLE).read_bytes() == before
    assert would_run(finished, TABLE) == {}


def test_table_5_alone_runs_what_it_needs(tmp_path):
    plan = would_run(copy_of(ROOT, tmp_path), "results/smoke/table5.csv")
    assert plan == {
        "import_weights": 1,
        "pretrain_member": 1,
        "prepare_task": 2,
        "assign_folds": 2,
        "encode_task": 2,
        "predict_fold": 4,
        "label_difficulty": 2,
        "shuffle_difficulty": 3,
        "finetune": 6,  # the small member and, since the margin is that of the cascade, the base
        "finetune_dar": 6,
        "finetune_shuffled": 3,
        "finetune_batch_mean": 3,
        "select_margin": 2,
        "adopt_margin": 3,
        "scale_temperature": 3,
        "measure_exits": 10,
        "table5": 1,
    }


def test_what_the_config_lacks_is_left_out_with_a_note(finished, edited):
    edited(SMOKE, replace("roberta_cascade: [robertaSmall, robertaBase]\n", ""))
    done = snakemake(finished, "--dry-run", "results/smoke/table6.csv")
    assert done.returncode != 0
    assert "table6 cannot be made, the config lacks roberta_cascade" in said(done)
    assert "Job stats" not in said(done)


MINE = """
tasks: [mine]
data:
  mine: {{source: {{path: {path}}}, columns: [review], label: verdict}}
weights:
  base: {{source: {{random: 4, hidden: 16}}}}
  small: {{source: {{distilled: base, layers: [1], corpus: mine, held_out: [mine], rows: 60, epochs: 1, lr: 1.0e-3,
    batch_size: 16}}}}
members:
  small: {{weights: small, layers: 1, epochs: 1, lr: 1.0e-3}}
  base: {{weights: base, layers: 4, epochs: 1, lr: 1.0e-3}}
cascade: [small, base]
speed_ups: [2]
curve: []
bert_kl: {{epochs: 1, lr: 1.0e-3}}
deebert: {{epochs: 1, lr: 1.0e-3}}
pabee: {{epochs: 1, lr: 1.0e-3}}
seeds: [7]
difficulty: {{n_folds: 2, seeds: [1]}}
dar: {{margins: [0.3]}}
training: {{precision: bf16}}
"""


def write_mine(folder, header="review,verdict", label=lambda i: ["bad", "so, so", "good"][i % 3]):
    """A user's CSV with three classes whose names hold a comma, and its config."""
    rows = [f'"{word} film number {i}, {word}","{label(i)}"' for i, word in enumerate(["dull", "good", "warm"] * 50)]
    (folder / "mine.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/mine.yaml").write_text(MINE.format(path="mine.csv"))


def test_own_csv_with_three_string_labels_runs_to_the_table(tmp_path):
    write_mine(copy_of(ROOT, tmp_path))
    done = snakemake(tmp_path, config="config/mine.yaml")
    assert done.returncode == 0, said(done)[-3000:]
    table = (tmp_path / "results/mine/table2.md").read_text()
    assert "±" not in table.split("\n\n")[0], "one seed has no standard deviation"
    assert "No mismatched half: mine." in table
    task = yaml.safe_load((tmp_path / "results/mine/tasks/mine/task.json").read_text())
    assert task["names"] == ["bad", "good", "so, so"]


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"header": "text,verdict"}, "mine.csv has no column review: it has text, verdict."),
        (
            {"label": lambda i: "good" if i else "so, so"},
            "so, so has 1 training instances and difficulty.n_folds is 2",
        ),
    ],
)
def test_bad_data_stops_with_its_sentence_before_any_training(tmp_path, mistake, sentence):
    write_mine(copy_of(ROOT, tmp_path), **mistake)
    done = snakemake(tmp_path, config="config/mine.yaml")
    assert done.returncode != 0
    assert sentence in said(done)
    assert not list((tmp_path / "results/mine").glob("models/*"))
    assert not list((tmp_path / "results/mine").glob("weights/small/*"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            replace("layers: 1, epochs: 6, lr: 3.0e-3", "layers: 1, epochs: 6, lr: 3e-3"),
            "config key members.small.lr is the text '3e-3', not a number: write it 3.0e-3.",
        ),
        (
            replace("tasks: [reviews, pairs]", "tasks: [review]"),
            "config key tasks.0 names review, which data does not define",
        ),
        (replace("cascade: [small, base]", "cascade: [base, small]"), "config key cascade does not ascend in layers"),
        (replace("dar: {", "dar: {lambda: 1, "), "config key dar.lambda is unknown"),
    ],
)
def test_bad_config_stops_before_any_job(finished, edited, change, sentence):
    edited(SMOKE, change)
    done = snakemake(finished, "--dry-run")
    assert done.returncode != 0
    assert sentence in said(done)
    assert "Job stats" not in said(done)


def readme_targets():
    """Files that the README's table "From paper to file" names, of the default."""
    table = (ROOT / "README.md").read_text().split("## From paper to file")[1].split("\n\n")[1]
    for path in re.findall(r"^\|[^|]*\| `(results/[^`]+)`", table, re.M):
        choice = re.search(r"{(.*)}", path)
        first, *others = re.findall(r"\d", choice[1]) if choice else [""]
        names = range(int(first), int(others[0]) + 1) if choice and ".." in choice[1] else [first, *others]
        yield from (path.replace(choice[0], str(name)) if choice else path for name in names)


def test_default_preset_has_a_complete_plan_for_all_that_the_readme_names(tmp_path):
    targets = [name for name in readme_targets() if name != "results/table6.csv"]  # wants a RoBERTa
    assert len(targets) > 20
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8", "--dry-run", *targets],
        cwd=copy_of(ROOT, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, said(done)
    for rule in ("fetch_package", "pretrain_member", "predict_fold", "finetune_dar", "train_deebert", "train_pabee"):
        assert rule in done.stdout


def settled(folder, config=SMOKE):
    """A preset as the workflow settles it but for defaults, which it fills in again."""
    return yaml.safe_load((folder / config).read_text()) | {"results": f"results/{Path(config).stem}"}


def planned(config, folder):
    """Every job and what it asks for, as cost_table.py finds them; a process of its own, for Snakemake is one."""
    program = (
        "import json, sys; from pathlib import Path; sys.path.insert(0, 'workflow/scripts');"
        " from cost_table import planned;"
        " planned(json.loads(sys.argv[1]), Path('Snakefile')).to_csv(sys.argv[2], index=False)"
    )
    path = folder / "planned.csv"
    subprocess.run(
        [sys.executable, "-c", program, json.dumps(config), str(path)], cwd=folder, check=True, capture_output=True
    )
    return pd.read_csv(path)


def test_cost_table_counts_what_a_dry_run_announces_and_runs_nothing_else(tmp_path):
    folder = copy_of(ROOT, tmp_path)
    announced = would_run(folder)
    assert would_run(folder, "results/smoke/cost.md") == {"cost": 1}
    done = snakemake(folder, "results/smoke/cost.md")
    assert done.returncode == 0, said(done)[-3000:]
    assert not (folder / "results/smoke/tasks").exists()
    frame = pd.read_csv(folder / "results/smoke/cost.csv")
    assert frame.groupby("stage")["jobs"].sum().to_dict() == announced
    page = (folder / "results/smoke/cost.md").read_text()
    assert f"| {sum(announced.values())} " in page
    assert "this config" in page
    assert would_run(folder, "results/smoke/cost.md") == {}
    (folder / SMOKE).write_text((folder / SMOKE).read_text().replace("n_folds: 2", "n_folds: 3"))
    assert would_run(folder, "results/smoke/cost.md") == {"cost": 1}


def test_every_job_of_every_preset_asks_for_memory_and_time(tmp_path):
    folder = copy_of(ROOT, tmp_path)
    for preset in sorted((folder / "config").glob("*.yaml")):
        jobs = planned(settled(folder, f"config/{preset.name}"), folder)
        lacking = jobs[(jobs["mem_mb"] < 500) | (jobs["runtime"] < 1) | (jobs["disk_mb"] < 1) | (jobs["seconds"] < 1)]
        assert sorted(set(lacking["stage"])) == [], preset.name


def test_deeper_members_more_rows_and_folds_cost_what_the_model_says(tmp_path):
    folder = copy_of(ROOT, tmp_path)
    config = settled(folder, "config/paper.yaml")
    config |= {"tasks": ["mnli", "rte"], "fewer_seeds": {}, "seeds": [1]}
    jobs = planned(config, folder).set_index(["stage", "task"]).sort_index()
    labels = jobs.loc[("predict_fold", "mnli")]
    assert len(labels) == 3 * 8 * 5  # of the small, the medium and RoBERTa's small member
    assert jobs.loc[("finetune", "mnli"), "seconds"].max() > 4 * jobs.loc[("finetune", "mnli"), "seconds"].min()
    assert labels["seconds"].min() > 50 * jobs.loc[("predict_fold", "rte"), "seconds"].min()
    config["difficulty"] = {"n_folds": 4, "seeds": [1, 2]}
    fewer = planned(config, folder).set_index(["stage", "task"]).sort_index().loc[("predict_fold", "mnli")]
    assert fewer["seconds"].sum() / labels["seconds"].sum() == pytest.approx(difficulty_share(8, 5, 4, 2), rel=0.02)


def test_another_attempt_asks_for_more(tmp_path):
    write_mine(copy_of(ROOT, tmp_path), header="text,verdict")
    (tmp_path / "attempts.py").write_text(ATTEMPTS)
    done = subprocess.run(
        [sys.executable, "attempts.py"], cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ
    )
    first, second = json.loads(done.stdout.splitlines()[-1])
    assert second == [2 * value for value in first]


ATTEMPTS = """
import json, logging
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, ExecutionSettings, OutputSettings, ResourceSettings

asked = []

class Jobs(logging.Handler):
    def emit(self, record):
        if getattr(record, "event", None) == "job_info":
            asked.append([record.resources["mem_mb"], record.resources["runtime"]])

try:
    with SnakemakeApi(OutputSettings()) as api:
        workflow = api.workflow(
            ResourceSettings(cores=1),
            ConfigSettings(configfiles=[Path("config/mine.yaml")]),
            snakefile=Path("Snakefile"),
        )
        dag = workflow.dag(DAGSettings(targets={"results/mine/tasks/mine/task.json"}))
        logging.getLogger("snakemake.logging").addHandler(Jobs())
        dag.execute_workflow(execution_settings=ExecutionSettings(retries=1))
finally:
    print(json.dumps(asked))
"""
