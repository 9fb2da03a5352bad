"""The smoke preset end to end in a copy of the repository, then what each edit makes Snakemake run again."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[1]
SMOKE = "config/smoke.yaml"
TABLE = "results/smoke/table2.csv"
COPIED = ("Snakefile", "rules", "workflow", "config", "envs", "profiles")


def command(*arguments, config=SMOKE):
    """Snakemake of this interpreter on a preset; cores as on the machine."""
    return [sys.executable, "-m", "snakemake", "--cores", str(os.cpu_count()), *arguments, "--configfile", config]


def snakemake(folder, *arguments, config=SMOKE):
    """Run to the end; stdout and stderr together."""
    return subprocess.run(command(*arguments, config=config), cwd=folder, capture_output=True, text=True, check=False)


def said(done):
    """All that a run printed."""
    return done.stdout + done.stderr


def would_run(folder, *arguments, config=SMOKE):
    """Jobs by rule that a dry-run announces, without the target rule."""
    done = snakemake(folder, "--dry-run", *arguments, config=config)
    assert done.returncode == 0, said(done)
    if "Nothing to be done" in said(done):
        return {}
    table = said(done).split("Job stats:")[1].split("total")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M) if rule not in ("all", "total")}


def copy_of(repository, folder):
    """What a workflow needs, copied."""
    for name in COPIED:
        source = repository / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A copy of the repository in which the smoke preset has been run."""
    folder = copy_of(ROOT, tmp_path_factory.mktemp("smoke"))
    done = snakemake(folder)
    assert done.returncode == 0, said(done)[-6000:]
    return folder


@pytest.fixture
def edited(finished):
    """Edit files of the finished copy through the returned function; they are put back afterwards."""
    before = {}

    def edit(name, change):
        path = finished / name
        before.setdefault(path, path.read_bytes())
        text = path.read_text()
        assert (changed := change(text)) != text, f"the edit of {name} changed nothing"
        path.write_text(changed)

    yield edit
    for path, content in before.items():
        path.write_bytes(content)


def replace(old, new):
    """An edit: one text for another, which must be there."""

    def change(text):
        assert old in text, f"{old!r} is not in the file"
        return text.replace(old, new)

    return change


def test_smoke_writes_every_table_and_figure(finished):
    results = finished / "results/smoke"
    lines = (finished / TABLE).read_text().splitlines()
    assert lines[0] == "method,target_speed_up,task,metric,mean,sd,n_seeds,achieved_speed_up,paper"
    methods = {line.split(",")[0] for line in lines[1:]}
    assert methods == {"BERT-base", "BERT-3L", "BERT-2L", "BERT-1.5L"} | {
        f"{target}× {system}"
        for target in (2, 3, 4)
        for system in ("DeeBERT", "PABEE", "CascadeBERT", "CascadeBERT w/o DAR")
    }
    assert {line.split(",")[2] for line in lines[1:]} == {"reviews", "pairs", "pairs-mm", "AVG"}
    assert (results / "table2.md").read_text().startswith("| Method")
    assert r"\toprule" in (results / "table2.tex").read_text()
    assert all((results / f"figures/figure5_all.{end}").stat().st_size for end in ("pdf", "png", "csv"))


def test_every_system_leaves_logits_of_every_split(finished):
    runs = [
        "base",
        "small",
        "bert_3l",
        "bert_2l",
        "deebert",
        "pabee",
        "small_dar",
        "small_dar0.1",
        "cascadebert",
        "cascadebert_without_dar",
    ]
    exits = {"deebert": 6, "pabee": 6, "cascadebert": 2, "cascadebert_without_dar": 2}
    for run in runs:
        for split, n in {"selection": 48, "report": 60, "mismatched": 60, "test": 30}.items():
            with np.load(finished / f"results/smoke/predictions/pairs/{run}/seed2/{split}.npz") as file:
                assert file["logits"].shape == (exits.get(run, 1), n, 3)
                assert file["logits"].dtype == np.float32
                assert list(file["names"]) == ["entailment", "neutral", "contradiction"]
                assert (file["label"] == -1).all() == (split == "test")


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
    with np.load(folder / "deebert/seed1/report.npz") as deebert, np.load(folder / "base/seed1/report.npz") as base:
        np.testing.assert_allclose(deebert["logits"][-1], base["logits"][0], atol=1e-6)


def test_second_run_has_nothing_to_do(finished):
    assert would_run(finished) == {}


def test_touching_every_file_runs_nothing(finished):
    for path in finished.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts and "results" not in path.parts:
            path.touch()
    assert would_run(finished) == {}


def test_comments_and_docstrings_run_nothing(finished, edited):
    edited("workflow/scripts/cascadebert/training.py", replace('"""Seed everything', '"""Seed, first, everything'))
    edited("workflow/scripts/cascadebert/exits.py", lambda text: text + "\n# a remark\n")
    edited(SMOKE, lambda text: "# a remark\n" + text)
    assert would_run(finished) == {}


PRINTED = {"table2": 1, "figure5_all": 1}
CASCADE = {"select_margin": 2, "adopt_margin": 4, "stack_cascade": 4, "sweep_thresholds": 4} | PRINTED
LIBRARY = "workflow/scripts/cascadebert"
CONFIG_EDITS = {
    "lambda": (replace("dar: {", "dar: {weight: 0.25, "), {"finetune_dar": 8} | CASCADE),
    "one epsilon": (replace("margins: [0.1, 0.5]", "margins: [0.1, 0.6]"), {"finetune_dar": 4} | CASCADE),
    "K": (
        replace("n_folds: 2", "n_folds: 3"),
        {"assign_folds": 2, "predict_fold": 12, "label_difficulty": 2, "finetune_dar": 8} | CASCADE,
    ),
    "one difficulty seed more": (
        replace("n_folds: 2, seeds: [1, 2]", "n_folds: 2, seeds: [1, 2, 3]"),
        {"predict_fold": 4, "label_difficulty": 2, "finetune_dar": 8} | CASCADE,
    ),
    "one model seed more": (
        replace("\nseeds: [1, 2]", "\nseeds: [1, 2, 3]"),
        {
            "finetune": 4,
            "finetune_first_layers": 4,
            "finetune_dar": 4,
            "train_deebert": 2,
            "train_pabee": 2,
            "stack_cascade_without_dar": 2,
            "select_margin": 2,
            "adopt_margin": 6,
            "stack_cascade": 6,
            "sweep_thresholds": 18,
        }
        | PRINTED,
    ),
    "one task more": (
        lambda text: text.replace("tasks: [reviews, pairs]", "tasks: [reviews, pairs, more]").replace(
            "\ndata:\n", "\ndata:\n  more: {source: {toy: 60}, labels: [negative, positive]}\n"
        ),
        {
            "prepare_task": 1,
            "encode_task": 2,
            "assign_folds": 1,
            "predict_fold": 4,
            "label_difficulty": 1,
            "finetune": 4,
            "finetune_first_layers": 4,
            "finetune_dar": 4,
            "train_deebert": 2,
            "train_pabee": 2,
            "select_margin": 1,
            "adopt_margin": 2,
            "stack_cascade": 2,
            "stack_cascade_without_dar": 2,
            "sweep_thresholds": 14,
        }
        | PRINTED,
    ),
    "one task less": (replace("tasks: [reviews, pairs]", "tasks: [reviews]"), PRINTED),
    "learning rate of PABEE": (
        replace("pabee: {epochs: 6, lr: 2.0e-3}", "pabee: {epochs: 6, lr: 1.0e-3}"),
        {"train_pabee": 4, "sweep_thresholds": 4} | PRINTED,
    ),
    "one target speed-up less": (
        replace("speed_ups: [2, 3, 4]", "speed_ups: [2, 4]"),
        {"select_margin": 2, "adopt_margin": 4, "stack_cascade": 4, "sweep_thresholds": 24} | PRINTED,
    ),
    "format of tables": (lambda text: text + "\ntables: {decimals: 2}\n", {"table2": 1}),
}
CODE_EDITS = {
    "a plotting function": (f"{LIBRARY}/figures.py", replace("alpha=0.12", "alpha=0.2"), {"figure5_all": 1}),
    "a table's format": (f"{LIBRARY}/tables.py", replace('MISSING = "-"', 'MISSING = "n/a"'), {"table2": 1}),
    "PABEE's loss": (
        f"{LIBRARY}/pabee.py",
        replace("/ weights.sum()", "/ weights.mean()"),
        {"train_pabee": 4, "sweep_thresholds": 4} | PRINTED,
    ),
    "DeeBERT's off-ramps": (
        f"{LIBRARY}/deebert.py",
        replace("nn.Dropout(DROPOUT)", "nn.Dropout(0.2)"),
        {"train_deebert": 4, "sweep_thresholds": 4} | PRINTED,
    ),
    "the difficulty rule": (
        f"{LIBRARY}/difficulty.py",
        replace("~correct.all(axis=0)", "~correct.any(axis=0)"),
        {"assign_folds": 2, "predict_fold": 8, "label_difficulty": 2, "finetune_dar": 8} | CASCADE,
    ),
    "how a margin is chosen": (
        "workflow/scripts/select_margin.py",
        replace("np.mean(scores[margin])", "np.min(scores[margin])"),
        CASCADE,
    ),
    "the training loop": (
        f"{LIBRARY}/training.py",
        replace("loss.backward()", "(2 * loss).backward()"),
        {
            "pretrain_member": 1,
            "encode_task": 2,
            "predict_fold": 8,
            "label_difficulty": 2,
            "finetune": 8,
            "finetune_first_layers": 8,
            "finetune_dar": 8,
            "train_deebert": 4,
            "train_pabee": 4,
            "select_margin": 2,
            "adopt_margin": 4,
            "stack_cascade": 4,
            "stack_cascade_without_dar": 4,
            "sweep_thresholds": 28,
        }
        | PRINTED,
    ),
}


@pytest.mark.parametrize("edit", CONFIG_EDITS)
def test_config_edit_runs_what_depends_on_it_and_nothing_else(finished, edited, edit):
    change, expected = CONFIG_EDITS[edit]
    edited(SMOKE, change)
    assert would_run(finished) == expected


@pytest.mark.parametrize("edit", CODE_EDITS)
def test_code_edit_runs_what_uses_it_and_nothing_else(finished, edited, edit):
    name, change, expected = CODE_EDITS[edit]
    edited(name, change)
    assert would_run(finished) == expected


def test_another_preset_shares_nothing_with_this_one(finished):
    (finished / "config/other.yaml").write_text((finished / SMOKE).read_text().replace("seeds: [1, 2]", "seeds: [1]"))
    try:
        assert sum(would_run(finished, config="config/other.yaml").values()) > 40
        assert would_run(finished) == {}
    finally:
        (finished / "config/other.yaml").unlink()


def test_killed_run_gives_the_same_bytes_when_started_again(finished):
    before = (finished / TABLE).read_bytes()
    for folder in ("models/reviews/base", "predictions/reviews/base", "sweeps", "margins"):
        shutil.rmtree(finished / "results/smoke" / folder)
    (finished / TABLE).unlink()
    running = subprocess.Popen(
        command(), cwd=finished, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(9)  # in the midst of the fine-tuning jobs
    assert running.poll() is None, "the run was over before it could be killed"
    running.send_signal(signal.SIGKILL)  # Snakemake alone: its jobs go on as orphans, its lock stays
    running.wait()
    assert list((finished / ".snakemake/locks").iterdir())
    done = snakemake(finished)
    assert done.returncode == 0, said(done)[-3000:]
    assert (finished / TABLE).read_bytes() == before
    assert would_run(finished) == {}


MINE = """
tasks: [mine]
data:
  mine: {{source: {{path: {path}}}, columns: [review], label: verdict}}
weights:
  base: {{source: {{random: 4, hidden: 16}}}}
  small: {{source: {{distilled: base, layer: 1, corpus: mine, held_out: [mine], rows: 60, epochs: 1, lr: 1.0e-3,
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


def test_bad_data_stops_with_its_sentence_in_sight(tmp_path):
    write_mine(copy_of(ROOT, tmp_path), header="text,verdict")
    done = snakemake(tmp_path, "--until", "prepare_task", config="config/mine.yaml")
    assert done.returncode != 0
    assert "mine.csv has no column review: it has text, verdict." in said(done)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            replace("lr: 3.0e-3", "lr: 3e-3"),
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


def test_default_preset_has_a_complete_plan(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8", "--dry-run", "results/table2.csv"],
        cwd=copy_of(ROOT, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, said(done)
    for rule in ("fetch_package", "pretrain_member", "predict_fold", "finetune_dar", "train_deebert", "train_pabee"):
        assert rule in done.stdout
