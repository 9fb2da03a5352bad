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
import torch
import yaml
from howto import before, example
from safetensors.torch import load_file
from smoke import FIGURES, ROOT, SMOKE, TABLE, TABLES, command, copy_of, replace, said, snakemake, would_run
from snakemake.utils import update_config

from cascadebert.cluster.budget import START_SECONDS, difficulty_share
from cascadebert.glue import GLUE


def test_smoke_writes_every_table_and_figure(finished):
    results = finished / "results/smoke"
    for name in TABLES:
        ends = ("csv", "md", "html", "rst", *(["tex"] if name.startswith("table") else []))
        assert all((results / f"{name}.{end}").stat().st_size for end in ends), name
    for name in FIGURES:
        assert all((results / f"figures/{name}.{end}").stat().st_size for end in ("pdf", "png", "csv", "rst")), name


def test_report_shows_every_page_under_its_caption_and_section(finished):
    done = snakemake(finished, "--report", "report.html")
    assert done.returncode == 0, said(done)[-3000:]
    report = (finished / "report.html").read_text()
    marked = json.loads(re.search(r"var results = (\{.*?\});\n", report)[1])
    shown = {f"results/smoke/{name}.html" for name in TABLES} | {
        f"results/smoke/figures/{name}.png" for name in FIGURES
    }
    assert set(marked) == shown
    assert all(result["caption"].startswith("<p>") for result in marked.values())
    assert "Precision: fp32." in marked["results/smoke/table2.html"]["caption"]
    assert "at the small member's depth" in marked["results/smoke/figures/figure4.png"]["caption"]
    sections = json.loads(re.search(r"var categories = (\{.*?\});\n", report)[1])
    assert sections["1 Claims and verdicts"]["Other"] == ["results/smoke/claims.html"]


TABLE_2 = ("DeeBERT", "PABEE", "CascadeBERT, small member as released", "CascadeBERT")


def test_table_2_has_the_rows_of_the_paper(finished):
    table = pd.read_csv(finished / TABLE)
    assert {"method", "system", "target_speed_up", "task", "metric", "mean", "sd", "n_seeds", "paper"} <= {*table}
    assert [*table["method"].unique()] == ["Majority class", "TF-IDF + logistic regression", "BERT-base"] + [
        row
        for k, target in (("3", 2), ("2", 3), ("1.5", 4))
        for row in (f"BERT-{k}L", *(f"{target}× {system}" for system in TABLE_2))
    ]
    assert {*table["task"]} == {"reviews", "pairs", "pairs-mm", "AVG"}
    assert (finished / "results/smoke/table2.md").read_text().startswith("| Method")
    assert r"\toprule" in (finished / "results/smoke/table2.tex").read_text()


def test_records_and_captions_say_how_it_was_computed(finished):
    results = finished / "results/smoke"
    for run in ("base", "small_dar", "pabee_base", "pkd_base", "theseus_base", "robertaBase"):
        record = json.loads((results / f"models/reviews/{run}/seed1.json").read_text())
        assert (record["pooling"], record["settings"]["precision"]) == ("cls", "fp32"), run
    for table in ("table2", "table3", "table4", "table5", "table7", "table8", "table10"):
        assert "Precision: fp32." in (results / f"{table}.md").read_text(), table


def test_every_claim_is_judged(finished):
    claims = pd.read_csv(finished / "results/smoke/claims.csv")
    clock = claims["source"] == "clock"
    assert clock.sum() > 4
    claims = claims[~clock]
    assert len(claims) > 30
    assert claims["estimate"].notna().all(), "all systems were run"
    assert claims["low"].isna().all(), "pairs has one seed, hence the average of the columns, too: no interval"
    assert set(claims["verdict"]) == {"undecided"}


def test_claims_on_a_task_of_several_seeds_have_intervals(finished, edited):
    edited(SMOKE, replace("tasks: [reviews, pairs]", "tasks: [reviews]"))
    edited(SMOKE, replace("fewer_seeds: {pairs: 1}\n", ""))
    done = snakemake(finished, "results/smoke/claims.csv")
    assert done.returncode == 0, said(done)[-3000:]
    claims = pd.read_csv(finished / "results/smoke/claims.csv")
    assert len(claims) > 30
    assert (claims["low"] <= claims["estimate"]).all()
    assert (claims["estimate"] <= claims["high"]).all()
    assert "not run" not in set(claims["verdict"])


def test_every_system_leaves_logits_of_every_split_that_is_printed(finished):
    folder = finished / "results/smoke/predictions/pairs"
    exits = {f"{name}_{base}": 6 for name in ("deebert", "pabee") for base in ("base", "robertaBase")}
    exits |= {"fastbert_base": 6, "fastbert_labelled_base": 6, "deebert_distilled_base": 6, "cascadebert_three": 3}
    exits |= {f"cascadebert{end}": 2 for end in ("", "_without_dar", "_tempered", "_batch_mean", "_shuffled")}
    exits |= {"cascadebert_as_released": 2, "cascadebert_attending": 2}
    exits |= {"cascaderoberta": 2, "cascaderoberta_kd": 2}
    members = "base small two medium distilled robertaBase small_dar medium_dar robertaSmall_dar robertaSmall_kd_dar"
    students = "base_first3 base_first2 base_first1 robertaBase_first2 pkd_base theseus_base two_pd"
    controls = "small_tempered small_batch_mean small_shuffled small_as_released small_attending standIn"
    controls += " fastbert_teacher_base"
    exits |= dict.fromkeys(f"{members} {students} {controls}".split(), 1)
    assert {path.name for path in folder.iterdir()} == set(exits)
    for run in exits:
        splits = {"selection": 48, "report": 60, "mismatched": 60}
        assert {path.stem for path in (folder / run).iterdir()} == set(splits), "nothing here needs the test split"
        for split, n in splits.items():
            with np.load(folder / run / f"{split}.npz") as file:
                assert file["logits"].shape == (1, exits[run], n, 3), "pairs has fewer seeds"
                assert file["logits"].dtype == np.float32
                assert list(file["names"]) == ["entailment", "neutral", "contradiction"]
                assert (file["label"] >= 0).all()


def test_test_split_is_answered_when_it_is_asked_for(finished):
    run, cascade = (f"results/smoke/predictions/pairs/{name}/test.npz" for name in ("small", "cascadebert_without_dar"))
    done = snakemake(finished, cascade)
    assert done.returncode == 0, said(done)[-3000:]
    with np.load(finished / run) as member, np.load(finished / cascade) as stacked:
        assert member["logits"].shape == (1, 1, 30, 3)
        assert (member["label"] == -1).all()
        np.testing.assert_array_equal(stacked["logits"][:, 0], member["logits"][:, 0])


def test_theory_reads_each_tasks_own_predictions(finished):
    theory = pd.read_csv(finished / "results/smoke/theory.csv")
    assert theory["task"].unique().tolist() == ["reviews", "pairs"]
    points = pd.concat(pd.read_csv(path) for path in (finished / "results/smoke/sweeps/pairs").glob("cascadebert*.csv"))
    points = points[(points["split"] == "report") & (points["measure"] == "layers") & (points["target"] == 3)]
    scores = points.set_index(["run", "seed"])["score"]  # accuracy is the metric of pairs
    own = theory[(theory["task"] == "pairs") & (theory["target_speed_up"] == 3)].set_index("seed")["measured"]
    assert own.index.tolist() == [1]
    assert own[1] == pytest.approx(scores["cascadebert_three", 1] - scores["cascadebert", 1])


def report(folder, run):
    """Logits (seeds, exits, n, classes) of a run on the report split of reviews, and the layers of its exits."""
    with np.load(folder / f"results/smoke/predictions/reviews/{run}/report.npz") as file:
        assert file["seeds"].tolist() == [1, 2]
        return file["logits"], file["layers"].tolist()


def test_cascade_is_its_members(finished):
    stacked, layers = report(finished, "cascadebert_without_dar")
    assert layers == [1, 7]
    for run, system, exit_of in (
        ("small", "cascadebert_without_dar", 0),
        ("base", "cascadebert_without_dar", 1),
        ("small_dar", "cascadebert", 0),
        ("base", "cascadebert", 1),
    ):
        np.testing.assert_array_equal(report(finished, system)[0][:, exit_of], report(finished, run)[0][:, 0])


def test_dar_trains_another_member_for_each_margin_and_adopts_one(finished):
    def answers(run):
        with np.load(finished / f"results/smoke/models/reviews/{run}/seed1.npz") as file:
            return file["logits"]

    grid = [answers(run) for run in ("small_dar0.1", "small_dar0.5")]
    assert not np.array_equal(*grid)
    assert not np.array_equal(answers("small"), grid[0])
    chosen = json.loads((finished / "results/smoke/margins/reviews.json").read_text())["margin"]
    np.testing.assert_array_equal(answers("small_dar"), grid[[0.1, 0.5].index(chosen)])


def test_deebert_ends_in_the_base_it_was_built_on(finished):
    deebert, base = (report(finished, run)[0] for run in ("deebert_base", "base"))
    np.testing.assert_allclose(deebert[:, -1], base[:, 0], atol=1e-6)


def test_no_job_took_more_memory_than_its_rule_asks_for(finished):
    jobs = planned(settled(finished), finished)
    steps = {
        "train": jobs["stage"].str.startswith(("train", "finetune")),
        "pretrain": jobs["stage"].str.startswith("pretrain"),
    }
    asked = {rule: own["mem_mb"].min() for rule, own in jobs.groupby("stage")}
    asked |= {rule: jobs.loc[of_rule, "mem_mb"].min() for rule, of_rule in steps.items()}
    asked["predict_test"] = asked["predict"]  # another test may have asked for it
    logs = finished / "results/smoke/logs"
    peaks = [  # jobs are forks, which end their logs with what they took
        (path.relative_to(logs).parts[0], int(peak))
        for path in logs.rglob("*.log")
        for peak in re.findall(r"core-seconds, (\d+) MiB at the peak", path.read_text())
    ]
    assert len(peaks) > 100
    assert [(rule, peak) for rule, peak in peaks if rule in asked and peak * 1.048576 > asked[rule]] == []


def test_killed_run_gives_the_same_bytes_when_started_again(finished):
    before = (finished / TABLE).read_bytes()
    for folder in ("models/reviews/base", "predictions/reviews/base", "sweeps", "margins"):
        shutil.rmtree(finished / "results/smoke" / folder)
    (finished / TABLE).unlink()
    logs = finished / "results/smoke/logs"
    shutil.rmtree(logs / "train/reviews/base")
    held = logs / "predict/reviews/base.log"  # a job that waits for somebody who reads its log: no run ends before it
    held.unlink()
    os.mkfifo(held)
    running = subprocess.Popen(command(TABLE), cwd=finished, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list(logs.glob("train/reviews/base/*")):  # until a fine-tuning job has begun
        assert running.poll() is None, "the run ended before it trained"
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)  # Snakemake alone: its jobs go on as orphans
    running.wait()
    assert not (finished / TABLE).exists()
    with open(os.open(held, os.O_RDONLY | os.O_NONBLOCK)):
        held.unlink()
        done = snakemake(finished, TABLE)
    assert done.returncode == 0, said(done)[-3000:]
    assert (finished / TABLE).read_bytes() == before
    assert would_run(finished, TABLE) == {}


def test_jobs_that_are_no_forks_write_the_same_bytes(finished, edited):
    assert snakemake(finished).returncode == 0  # a test before this one may have made some pages alone
    edited(SMOKE, lambda text: text.replace("fork_jobs: true", "fork_jobs: false"))
    assert would_run(finished) == {}
    made = [f"results/smoke/{path}" for path in ("models/reviews/base/seed2.safetensors", "sweeps/pairs/base.csv")]
    before = [(finished / path).read_bytes() for path in made]
    for path in made:
        (finished / path).unlink()
    done = snakemake(finished, *made)
    assert done.returncode == 0, said(done)[-3000:]
    assert [(finished / path).read_bytes() for path in made] == before
    assert "core-seconds" not in (finished / "results/smoke/logs/train/reviews/base/seed2.log").read_text()
    assert would_run(finished) == {"table8": 1}  # which prints the seconds of trainings


def test_table_5_alone_runs_what_it_needs(tmp_path):
    plan = would_run(copy_of(ROOT, tmp_path), "results/smoke/table5.csv")
    assert plan == {
        "import_weights": 1,
        "pretrain_member": 1,
        "prepare_task": 4,
        "assign_folds": 2,
        "encode_task": 4,
        "predict_fold": 4,
        "label_difficulty": 2,
        "shuffle_difficulty": 3,
        "finetune": 6,  # the small member and, since the margin is that of the cascade, the base
        "finetune_dar": 6,
        "finetune_shuffled": 3,
        "finetune_batch_mean": 3,
        "select_margin": 2,
        "adopt_margin": 3,
        "predict": 8,
        "scale_temperature": 2,
        "table5": 1,
    }


def test_what_the_config_lacks_is_left_out_with_a_note(finished, edited):
    edited(SMOKE, replace("roberta_cascade: [robertaSmall, robertaBase]\n", ""))
    done = snakemake(finished, "--dry-run", "results/smoke/table6.csv")
    assert done.returncode != 0
    assert "table6 cannot be made, the config lacks roberta_cascade" in said(done)
    assert "Job stats" not in said(done)


def write_mine(folder, header="review,verdict", label=lambda i: ["bad", "so, so", "good"][i % 3]):
    """A user's CSV files with three classes whose names hold a comma, and their config."""
    (folder / "mine").mkdir()
    for split, first, n in (("train", 0, 110), ("validation", 110, 40), ("test", 150, 20)):
        words = (["dull", "good", "warm"] * 60)[first : first + n]
        rows = [f'"{word} film number {i}, {word}","{label(i)}"' for i, word in enumerate(words, first)]
        (folder / f"mine/{split}.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/mine.yaml").write_text(example("config/mine.yaml"))


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A finished run on a user's own files."""
    folder = copy_of(ROOT, tmp_path_factory.mktemp("mine"))
    write_mine(folder)
    done = snakemake(folder, config="config/mine.yaml")
    assert done.returncode == 0, said(done)[-3000:]
    return folder


def test_own_csv_with_three_string_labels_runs_to_the_table(mine):
    table = (mine / "results/mine/table2.md").read_text()
    assert "±" not in table.split("\n\n")[0], "one seed has no standard deviation"
    assert "No mismatched half: mine." in table
    facts = json.loads((mine / "results/mine/tasks/mine/training.json").read_text())
    assert facts["names"] == ["bad", "good", "so, so"]


def test_a_packed_system_knows_the_columns_of_its_texts(mine):
    done = snakemake(mine, "results/mine/cascades/mine/base", config="config/mine.yaml")
    assert done.returncode == 0, said(done)[-3000:]
    manifest = json.loads((mine / "results/mine/cascades/mine/base/cascade.json").read_text())
    assert manifest["task"]["columns"] == ["review"]


def test_another_system_takes_three_files_and_stands_in_tables_and_figures(mine, tmp_path):
    folder = shutil.copytree(mine, tmp_path / "mine", symlinks=True)
    library = "workflow/scripts/cascadebert"
    module = f"{library}/training/objectives/alike.py"
    (folder / module).write_text(example(module))
    for name in ("recipes.py", "systems.py"):
        before(f"{library}/{name}", folder)
    pages = [f"results/mine/{page}" for page in ("table2.csv", "table8.csv", "figures/figure5_all.csv")]
    plan = would_run(folder, *pages, config="config/mine.yaml")
    assert {rule: plan.get(rule) for rule in ("train", "predict", "sweep_thresholds")} == dict.fromkeys(
        ("train", "predict", "sweep_thresholds"), 1
    )
    assert not [rule for rule in plan if rule.startswith(("finetune", "train_", "pretrain"))]
    done = snakemake(folder, *pages, config="config/mine.yaml")
    assert done.returncode == 0, said(done)[-3000:]
    for page in pages:
        assert "alike" in set(pd.read_csv(folder / page)["system"]), page
    assert "Alike" in (folder / "results/mine/table2.md").read_text()


def test_rows_that_are_only_answered_train_nothing(mine):
    preset, test = mine / "config/mine.yaml", mine / "mine/test.csv"
    with test.open("a") as file:
        file.writelines(f'"another film, number {i}",""\n' for i in range(20))
    plan = would_run(mine, config="config/mine.yaml")
    assert plan == {"prepare_task": 1, "table1": 1}, "but for Table 1, which counts rows, nothing here reads them"
    answers = [f"results/mine/predictions/mine/{run}/test.npz" for run in ("base", "small")]
    asked = would_run(mine, *answers, config="config/mine.yaml")
    assert asked == {"prepare_task": 1, "encode_task": 1, "predict_test": 2}
    preset.write_text(preset.read_text().replace("report: 30", "report: 40"))
    sweeps = [f"results/mine/sweeps/mine/{run}.csv" for run in ("base", "deebert_base", "pabee_base")]
    larger = would_run(mine, *sweeps, config="config/mine.yaml")
    assert larger == {"prepare_task": 1, "encode_task": 1, "fit_baselines": 1, "predict": 3, "sweep_thresholds": 3}


def test_checkpoint_that_was_made_once_serves_another_config(mine):
    other = (mine / "config/mine.yaml").read_text()
    source = other[other.index("  small: {source: {distilled") : other.index("members:")]
    (mine / "config/reuse.yaml").write_text(other.replace(source, "  " + example("config/reuse.yaml")))
    target = "results/reuse/weights/small/model.safetensors"
    assert would_run(mine, target, config="config/reuse.yaml") == {"import_weights": 1}
    done = snakemake(mine, target, config="config/reuse.yaml")
    assert done.returncode == 0, said(done)[-3000:]
    made, read = (load_file(mine / path) for path in (target.replace("reuse", "mine"), target))
    assert made.keys() == read.keys()
    assert all(torch.equal(made[name], read[name]) for name in made)


TOPICS = ("actor", "joke", "music", "plot", "scene", "story")

SIX_CLASSES = """
tasks: [topics]
data:
  topics: {source: {path: topics}, columns: [question], label: topic, rows: {train: 240, selection: 80, report: 120}}
weights:
  small: {source: {corpus: topics, held_out: [topics]}}
  two: {source: {corpus: topics, held_out: [topics]}}
  medium: {source: {corpus: topics, held_out: [topics]}}
  distilbert: {source: {corpus: topics, held_out: [topics]}}
recipe_grid: {tasks: [topics]}
seeds: [1]
fewer_seeds: null
clock: null
"""


def test_a_task_of_six_unequal_classes_runs_through_every_system_by_config_alone(tmp_path):
    folder = copy_of(ROOT, tmp_path)
    (folder / "topics").mkdir()
    rng = np.random.default_rng(5)
    labels = rng.choice(6, size=480, p=[0.3, 0.22, 0.18, 0.14, 0.1, 0.06])
    rows = [f"{TOPICS[k]} {TOPICS[k]} of film {i} is {TOPICS[k]},{TOPICS[k]}" for i, k in enumerate(labels)]
    for split, part in (("train", rows[:320]), ("validation", rows[320:])):
        (folder / f"topics/{split}.csv").write_text("\n".join(["question,topic", *part]) + "\n")
    (folder / "config/six.yaml").write_text(SIX_CLASSES)
    done = subprocess.run([*command(), "config/six.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, said(done)[-3000:]
    results = folder / "results/six"
    facts = json.loads((results / "tasks/topics/training.json").read_text())
    assert facts["names"] == [*TOPICS]
    assert len(files := [*results.glob("predictions/topics/*/report.npz")]) > 20
    for file in files:
        with np.load(file) as answers:
            assert answers["logits"].shape[-1] == 6, file
    scores = pd.read_csv(results / "table2.csv").set_index("system")["mean"]
    assert scores["bert_base"].max() > scores["majority"].max() + 0.3, "six words are learned"


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        ({"header": "text,verdict"}, "mine/train.csv has no column review: it has text, verdict."),
        (
            {"label": lambda i: "good" if i else "so, so"},
            "so, so has 1 training instances and difficulty.n_folds is 2",
        ),
        *(
            (
                {"label": lambda i, rows=rows: "great" if i in rows else ["bad", "good"][i % 2]},
                "and in no training row",
            )
            for rows in (range(110, 150), range(150, 170))  # of the report part, and of the test part
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


ELSEWHERE = "is of another config"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["results/laptop/table2.csv"], f"results/laptop/table2.csv {ELSEWHERE}: add --configfile config/laptop.yaml"),
        (["./results/laptop/table2.csv"], "add --configfile config/laptop.yaml"),
        (["results/cascades/movies/cascadebert"], None),
        (["results/table2.csv", "--configfile", SMOKE], "what this one makes lies in results/smoke"),
        (["./results/smoke/table2.csv", "--configfile", SMOKE], None),
        (["--report", "results/page.html", "--configfile", SMOKE], None),
    ],
)
def test_a_target_of_another_config_is_told_and_no_other(tmp_path, arguments, says):
    folder = copy_of(ROOT, tmp_path)
    (folder / "config/cascades.yaml").write_text("")
    whole = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", *arguments]
    done = subprocess.run(whole, cwd=folder, capture_output=True, text=True, check=False)
    if says is None:
        assert ELSEWHERE not in said(done)
    else:
        assert done.returncode != 0
        assert says in said(done)


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
    assert len(targets) > 15
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


PRESETS = (
    *("config/config.yaml", "config/config.yaml config/evidence.yaml", "config/glue.yaml"),
    *("config/glue.yaml config/glue/hub.yaml", "config/glue.yaml config/glue/rates.yaml"),
    *("config/laptop.yaml", "config/paper.yaml", SMOKE),
)
"""Config files that are given together."""


def with_glue(folder):
    """The copy with files where config/glue.yaml expects some, for plans; some splits are absent."""
    for task in GLUE:
        (folder / "glue" / task).mkdir(parents=True)
        for name in ("train", "validation_matched" if task == "mnli" else "validation"):
            (folder / f"glue/{task}/{name}.jsonl").touch()
    return folder


def test_these_are_all_presets():
    files = [*(ROOT / "config").glob("*.yaml"), *(ROOT / "config/glue").glob("*.yaml")]
    there = {path.relative_to(ROOT).as_posix() for path in files}
    assert there <= {name for files in PRESETS for name in files.split()}


@pytest.mark.parametrize("files", PRESETS)
def test_every_preset_has_a_complete_plan(tmp_path, files):
    last = Path(files.split()[-1]).stem
    folder = with_glue(copy_of(ROOT, tmp_path))
    names = {"config": "results", "hub": "results/glue", "rates": "results/glue"}
    page = f"{names.get(last, f'results/{last}')}/recipes.md"
    targets = ["all", *([page] if "recipe_grid" in settled(folder, files) else [])]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8", "--dry-run", *targets, "--configfile", *files.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, said(done)
    for rule in ("predict_fold", "finetune_dar", "train_deebert", "claims"):
        assert rule in done.stdout


def settled(folder, files=SMOKE):
    """A preset as the workflow settles it but for defaults, which it fills in again."""
    config = {"results": f"results/{Path(files.split()[-1]).stem}"}
    for name in files.split():
        update_config(config, yaml.safe_load((folder / name).read_text()))
    return config


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
    folder = with_glue(copy_of(ROOT, tmp_path))
    for files in PRESETS:
        jobs = planned(settled(folder, files), folder)
        lacking = jobs[(jobs["mem_mb"] < 500) | (jobs["runtime"] < 1) | (jobs["disk_mb"] < 1) | (jobs["seconds"] < 1)]
        assert sorted(set(lacking["stage"])) == [], files


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


def test_forks_do_not_load_torch(tmp_path):
    folder = copy_of(ROOT, tmp_path)
    started, forked = (planned(settled(folder) | {"fork_jobs": forks}, folder) for forks in (False, True))
    spared = started["seconds"].sum() - forked["seconds"].sum()
    assert spared == START_SECONDS * (started["gpu"] > 0).sum() > 0


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
        dag = workflow.dag(DAGSettings(targets={"results/mine/tasks/mine/training.json"}))
        logging.getLogger("snakemake.logging").addHandler(Jobs())
        dag.execute_workflow(execution_settings=ExecutionSettings(retries=1))
finally:
    print(json.dumps(asked))
"""
