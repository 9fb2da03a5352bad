"""The zip for the GLUE server: read back by pandas, row by row against the task's own test file; what is refused."""

import hashlib
import io
import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from builders import WRITERS, predictions, zipped
from hypothesis import given
from hypothesis import strategies as st
from page_builders import write_common_sense
from sklearn.metrics import accuracy_score, f1_score
from smoke import ROOT, SMOKE, copy_of, replace, said, snakemake, would_run
from test_grid import preset

import pack_submission
import prepare_task
import sweep_thresholds
from cascadebert.catalogue import missing
from cascadebert.config import read
from cascadebert.config.keys import Config
from cascadebert.data.sources import read_source
from cascadebert.data.splits import draw_test
from cascadebert.files import read_json
from cascadebert.glue import GLUE, TEST_ROWS
from cascadebert.grid import fixed_ratio, in_glue, misplaced, runs, table2_ratios
from cascadebert.layouts import PARTS, Problem
from cascadebert.metrics.exits import exits_at
from cascadebert.metrics.predictions import read_predictions, write_predictions
from cascadebert.metrics.submission import FILES, NUMBERED, chosen, files_for, filled, write_submission
from cascadebert.systems import SPLITS, SYSTEMS

SHARED = ROOT.parent / "shared/glue"
needs_glue = pytest.mark.skipif(not SHARED.is_dir(), reason="no GLUE data beside the repository")

# What the server takes, written out by hand (a copy of the code's tables would agree with any slip in them).
SERVER = {
    "AX": (1104, {"entailment", "neutral", "contradiction"}),
    "CoLA": (1063, {"0", "1"}),
    "MNLI-m": (9796, {"entailment", "neutral", "contradiction"}),
    "MNLI-mm": (9847, {"entailment", "neutral", "contradiction"}),
    "MRPC": (1725, {"0", "1"}),
    "QNLI": (5463, {"entailment", "not_entailment"}),
    "QQP": (390965, {"0", "1"}),
    "RTE": (3000, {"entailment", "not_entailment"}),
    "SST-2": (1821, {"0", "1"}),
    "STS-B": (1379, None),
    "WNLI": (146, {"0", "1"}),
}


def unpacked(path):
    """The files of a zip as frames of text, by name; the form that all of them must have is checked."""
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        assert sorted(packed.namelist()) == sorted(f"{name}.tsv" for name in SERVER)
        texts = {name.removesuffix(".tsv"): packed.read(name).decode("ascii") for name in packed.namelist()}
    frames = {}
    for name, (rows, words) in SERVER.items():
        assert texts[name].startswith("index\tprediction\n0\t")
        assert texts[name].count("\n") == rows + 1
        frame = pd.read_csv(io.StringIO(texts[name]), sep="\t", dtype=str, keep_default_na=False)
        assert list(frame) == ["index", "prediction"]
        assert frame["index"].tolist() == [str(i) for i in range(rows)]
        if words:
            assert set(frame["prediction"]) <= words, name
        else:
            assert frame["prediction"].astype(float).between(0, 5).all()
        frames[name] = frame
    return frames


def ids_of(task):
    """Ids of the rows of a whole test split."""
    parts = zip(("test", "test_mismatched"), TEST_ROWS[task], strict=False)
    return [f"{part}-{i}" for part, rows in parts for i in range(rows)]


def packed(task, ids, classes, names=None):
    """The files of one task whose model answers with given classes."""
    names, classes = list(names or GLUE[task].labels), np.asarray(classes, dtype=int)
    return files_for(task, predictions(np.eye(len(names))[classes][None], ids=ids, names=names), classes)


# --- rows and words


@pytest.mark.parametrize(
    ("task", "file", "words"),
    [
        ("mrpc", "MRPC", ["0", "1"]),
        ("qqp", "QQP", ["0", "1"]),
        ("sst2", "SST-2", ["0", "1"]),
        ("qnli", "QNLI", ["entailment", "not_entailment"]),
        ("rte", "RTE", ["entailment", "not_entailment"]),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_each_task_writes_the_servers_words_whatever_the_order_of_classes(task, file, words, turned):
    classes = np.arange(SERVER[file][0]) % 3 // 2  # 0, 0, 1, ...
    names = list(GLUE[task].labels)[:: -1 if turned else 1]
    found = packed(task, ids_of(task), 1 - classes if turned else classes, names)
    assert found == {file: [words[i] for i in classes]}


def test_halves_of_mnli_go_to_files_of_their_own():
    ids = ids_of("mnli")
    halves = {"MNLI-m": np.arange(9796) % 3, "MNLI-mm": (np.arange(9847) + 1) % 3}
    files = packed("mnli", ids, np.concatenate([*halves.values()]))
    words = ["entailment", "neutral", "contradiction"]
    assert list(files) == list(halves)
    assert files == {file: [words[i] for i in classes] for file, classes in halves.items()}


@given(st.integers(0, 2**32 - 1))
def test_shuffled_rows_come_out_in_the_order_of_their_indices(seed):
    rng = np.random.default_rng(seed)
    ids, classes = np.array(ids_of("mrpc")), rng.integers(0, 2, 1725)
    order = rng.permutation(1725)
    assert packed("mrpc", ids[order], classes[order])["MRPC"] == [str(i) for i in classes]


@given(st.data())
def test_rows_that_are_not_exactly_the_servers_are_refused(data):
    ids = ids_of("mrpc")
    place = data.draw(st.integers(0, 1724))
    others = ("test-1725", "test-", "test--1", "test_mismatched-0", "report-3", "3", f"test-{(place + 1) % 1725}")
    wrong = data.draw(st.sampled_from(others))
    slips = {
        "one less": ids[:place] + ids[place + 1 :],
        "one more": [*ids, wrong],
        "one other": [*ids[:place], wrong, *ids[place + 1 :]],
        "one from the first on": ids[1:] + ["test-1725"],
    }
    found = slips[data.draw(st.sampled_from(sorted(slips)))]
    with pytest.raises(Problem, match=rf"test split of mrpc has {len(found)} rows, \d+ of them among the 1725") as told:
        packed("mrpc", found, np.zeros(len(found), dtype=int))
    assert "test-0 to test-1724 once each" in str(told.value)
    assert "\n" not in str(told.value)


WHOLE_MNLI = "among the 19643 .* test-0 to test-9795 and test_mismatched-0 to test_mismatched-9"
UNKNOWN = "classes of rte are yes, no and the GLUE server knows entailment, not_entailment"
NO_ROWS = "test split of {} has 0 rows, 0 of them among the {}"


@pytest.mark.parametrize(
    ("task", "kept", "names", "says"),
    [
        *((task, slice(0), None, NO_ROWS.format(task, sum(TEST_ROWS[task]))) for task in GLUE),
        *(("mnli", half, None, WHOLE_MNLI) for half in (slice(9796), slice(9796, None))),
        ("rte", slice(None), ["yes", "no"], UNKNOWN),
    ],
)
def test_no_rows_half_of_mnli_and_unknown_classes_are_refused(task, kept, names, says):
    ids = ids_of(task)[kept]
    with pytest.raises(Problem, match=says):
        packed(task, ids, np.zeros(len(ids), dtype=int), names)


# --- the zip


def test_files_of_untried_tasks_are_whole_and_constant(tmp_path):
    write_submission(tmp_path / "s.zip", filled())
    frames = unpacked(tmp_path / "s.zip")
    assert {name: len(set(frame["prediction"])) for name, frame in frames.items()} == dict.fromkeys(SERVER, 1)


def test_same_answers_give_the_same_bytes(tmp_path, monkeypatch):
    write_submission(tmp_path / "a.zip", filled())
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_submission(tmp_path / "b/c.zip", dict(reversed(filled().items())))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b/c.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not any(entry.is_dir() or "/" in entry.filename for entry in packed.infolist())


def test_row_counts_are_those_of_the_servers_files():
    assert {name: n for task in FILES for name, n in zip(FILES[task], TEST_ROWS[task], strict=True)} == {
        name: rows for name, (rows, _) in SERVER.items() if name not in ("AX", "CoLA", "STS-B", "WNLI")
    }


# --- which model, which threshold


def points(scores):
    """Operating points of one run, a row a seed, with rows beside them that must not be looked at."""
    run = {"task": "rte", "run": "cascadebert", "system": "cascadebert", "threshold": 0.5}
    place = {"split": "selection", "measure": "layers", "target": 3.0}
    frame = pd.DataFrame(scores.items(), columns=["seed", "score"]).assign(**run, **place)
    others = [{"split": "report"}, {"split": "mismatched"}, {"measure": "flops"}, {"target": 2.0}]
    top = [frame.assign(seed=99, score=2.0).assign(**other) for other in others]
    return pd.concat([*top, frame], ignore_index=True)


@pytest.mark.parametrize(
    ("scores", "seed"),
    [
        ({1: 0.5, 2: 0.7, 3: 0.6}, 2),
        ({3: 0.7, 1: 0.7, 2: 0.1}, 3),
        ({1: float("nan"), 2: 0.0}, 2),
        ({1: float("nan"), 2: float("nan")}, 1),
    ],
)
def test_best_seed_on_the_selection_split_is_submitted(scores, seed):
    assert chosen(points(scores), 3.0)["seed"] == seed


def test_a_speed_up_that_was_not_swept_is_told():
    with pytest.raises(Problem, match="cascadebert on rte has no speed-up 5: take one of 3"):
        chosen(points({1: 0.5}).query("target == 3"), 5.0)


@pytest.mark.parametrize(
    ("system", "target"), [("bert_base", 1.0), ("deebert", 3.0), ("pabee", 2.0), ("fastbert", 3.0)]
)
def test_every_rule_of_exit_answers_as_it_was_swept(tmp_path, system, target):
    rng = np.random.default_rng(3)
    exits = 1 if system == "bert_base" else 6
    files = {split: tmp_path / f"{split}.npz" for split in SPLITS}
    for split, path in files.items():
        ids = ids_of("sst2") if split == "test" else [f"{split}-{i}" for i in range(300)]
        logits, label = rng.normal(size=(exits, len(ids), 2)), rng.integers(0, 2, len(ids))
        drawn = predictions(logits, label, np.arange(7 - exits, 7), ids=ids, names=["negative", "positive"])
        write_predictions(path, {1: drawn})
    swept = [files[split] for split in SPLITS if split != "test"]
    names = ("sst2", "some_run", system, SYSTEMS[system].exits, "accuracy")
    first = {path.stem: read_predictions(path)[1] for path in swept}
    beside = write_common_sense(tmp_path / "baselines.npz", first)
    sweep_thresholds.main(*swept, beside, *names, [2.0, 3.0], tmp_path / "s.csv")
    pack_submission.main(["sst2"], [files["test"]], [tmp_path / "s.csv"], target, tmp_path / "s.zip")
    found = unpacked(tmp_path / "s.zip")["SST-2"]["prediction"].astype(int).tolist()
    test, points = read_predictions(files["test"])[1], pd.read_csv(tmp_path / "s.csv")
    row = points.query(f"split == 'selection' and measure == 'layers' and target == {target}").iloc[0]
    place = exits_at(test.stack, SYSTEMS[system].exits, float(row["threshold"]))
    assert (len(set(place)) > 1) == (exits > 1)
    assert found == [int(np.argmax(test.stack.logits[exit_of, i])) for i, exit_of in enumerate(place)]


def test_task_without_a_test_set_is_filled_and_a_zip_of_none_is_refused(tmp_path, caplog):
    rng = np.random.default_rng(4)
    for task, ids in (("sst2", ids_of("sst2")), ("qqp", [])):
        drawn = predictions(rng.normal(size=(2, len(ids), 2)), ids=ids, names=list(GLUE[task].labels))
        write_predictions(tmp_path / f"{task}.npz", {1: drawn})
    points({1: 0.5}).assign(metric="accuracy").to_csv(tmp_path / "s.csv")
    files, sweeps = [tmp_path / "sst2.npz", tmp_path / "qqp.npz"], [tmp_path / "s.csv"] * 2
    with caplog.at_level("INFO"):
        pack_submission.main(["sst2", "qqp"], files, sweeps, 3.0, tmp_path / "s.zip")
    found = unpacked(tmp_path / "s.zip")
    assert (len(set(found["SST-2"]["prediction"])), set(found["QQP"]["prediction"].astype(str))) == (2, {"0"})
    assert "qqp: its source has no test set" in caplog.text
    with pytest.raises(Problem, match="no source of qqp has a test set"):
        pack_submission.main(["qqp"], files[1:], sweeps[1:], 3.0, tmp_path / "s.zip")


def of_text(texts, classes, seed, salt):
    """Logits in [0, 4) that a text's digest decides, fine enough that no two texts tie."""
    digests = [hashlib.sha256(f"{salt} {seed} {text}".encode()).digest() for text in texts]
    return (np.array([np.frombuffer(digest, "<u4")[:classes] for digest in digests]) / 2**30).astype(np.float32)


def softmaxed(logits):
    """Largest class probability."""
    powers = np.exp(logits.astype(float))
    return (powers / powers.sum(axis=-1, keepdims=True)).max(axis=-1)


def write_cascade(folder, examples, names, seeds, rng):
    """Predictions of a made-up cascade of 2 and 14 layers on the splits of a task, each in a shuffled order."""
    for split in SPLITS:
        rows = examples[examples["split"] == split]
        rows = rows.iloc[rng.permutation(len(rows))]
        texts = joined(rows)
        label, by_seed = [names.index(name) if name else -1 for name in rows["label"]], {}
        for seed in seeds:
            by_exit = [of_text(texts, len(names), seed, exit_of).reshape(-1, len(names)) for exit_of in range(2)]
            by_seed[seed] = predictions(np.stack(by_exit), label, [2, 14], 12, rows["id"], names)
        write_predictions(folder / f"{split}.npz", by_seed)


def joined(frame):
    """Both texts of a row as one."""
    return ["\x1f".join(row) for row in frame[[c for c in ("text", "text_pair") if c in frame]].to_numpy()]


def expected(selection, tests, names, seed, target):
    """Class names of a made-up cascade at a target speed-up on some texts, its threshold in closed form."""
    certain = np.sort(softmaxed(of_text(selection, len(names), seed, 0)))
    staying = len(certain) - round(len(certain) * (14 - 12 / target) / 12)
    first, last = (of_text(tests, len(names), seed, exit_of) for exit_of in range(2))
    leaves = softmaxed(first) > certain[staying - 1]
    assert 0 < leaves.mean() < 1
    return [names[i] for i in np.where(leaves, first.argmax(axis=-1), last.argmax(axis=-1))]


OURS = ("sst2", "mrpc", "rte", "qnli")
"""Tasks whose whole test files lie beside the repository."""

SEEDS = dict.fromkeys(OURS, (4, 2)) | {"mrpc": (4,)}
"""Model seeds of each; one task has fewer."""


@pytest.fixture(scope="module")
def examples():
    """Examples of those tasks: the whole test set, and of the rest what makes a test quick."""
    tasks = {}
    for task in OURS:
        found = read_source({"source": {"path": str(SHARED / task)}, "glue": task, "label": "label"})
        splits = {"selection": found["train"].iloc[:400], "report": found["report"].iloc[:200], "test": found["test"]}
        tasks[task] = pd.concat([frame.assign(split=name) for name, frame in splits.items()], ignore_index=True)
    return tasks


CONFIG = """
tasks: [sst2, mrpc, rte, qnli]
data:
{data}
weights:
  base: {{source: {{random: 12, hidden: 16}}}}
  small: {{source: {{random: 2, hidden: 16}}}}
members:
  small: {{weights: small, layers: 2, epochs: 1, lr: 1.0e-3}}
  base: {{weights: base, layers: 12, epochs: 1, lr: 1.0e-3}}
cascade: [small, base]
bert_kl: {{epochs: 1, lr: 1.0e-3}}
deebert: {{epochs: 1, lr: 1.0e-3}}
pabee: {{epochs: 1, lr: 1.0e-3}}
seeds: [4, 2]
fewer_seeds: {{mrpc: 1}}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory, examples):
    """A copy of the repository with a config of those tasks, and predictions as if the cascade had been trained."""
    folder = copy_of(ROOT, tmp_path_factory.mktemp("glue"))
    data = "\n".join(f"  {task}: {{source: {{path: {SHARED / task}}}, glue: {task}}}" for task in OURS)
    (folder / "config/four.yaml").write_text(CONFIG.format(data=data))
    rng = np.random.default_rng(2)
    for task in OURS:
        place = folder / f"results/four/predictions/{task}/cascadebert"
        write_cascade(place, examples[task], list(GLUE[task].labels), SEEDS[task], rng)
        chosen = {split: read_predictions(place / f"{split}.npz")[4] for split in ("selection", "report")}
        write_common_sense(folder / f"results/four/baselines/{task}.npz", chosen)
    return folder


def run(folder, *targets, rules=()):
    """Snakemake on the config of four tasks, from files that no record speaks of; with rules, by these alone."""
    allowed = ["--allowed-rules", *rules] if rules else []
    return snakemake(folder, *targets, *allowed, "--ignore-incomplete", config="config/four.yaml")


@needs_glue
def test_rule_answers_the_unlabelled_test_files_row_by_row_as_the_sweep_chose(repository, examples):
    target = "results/four/submissions/cascadebert_3.zip"
    done = run(repository, target, rules=("sweep_thresholds", "pack_submission"))
    assert done.returncode == 0, said(done)[-3000:]
    frames = unpacked(repository / target)
    for task, seeds in SEEDS.items():
        lines = (SHARED / task / "test.jsonl").read_text(encoding="utf-8").split("\n")
        rows = sorted((json.loads(line) for line in lines if line), key=lambda row: row["idx"])
        texts = ["\x1f".join(row[column] for column in GLUE[task].columns) for row in rows]
        own, names = examples[task].query("split == 'selection'"), list(GLUE[task].labels)
        scored = {}
        for seed in seeds:
            given_by = (own["label"], expected(joined(own), joined(own), names, seed, 3))
            numbers = ([names.index(name) for name in column] for column in given_by)
            scored[seed] = (f1_score if task == "mrpc" else accuracy_score)(*numbers)
        answers = expected(joined(own), texts, names, max(scored, key=scored.get), 3)
        if task in ("sst2", "mrpc"):
            answers = [str(names.index(name)) for name in answers]
        assert frames[FILES[task][0]]["prediction"].tolist() == answers, task
    for name in ("AX", "CoLA", "MNLI-m", "MNLI-mm", "QQP", "STS-B", "WNLI"):
        assert len(set(frames[name]["prediction"])) == 1, name
    log = (repository / "results/four/logs/pack_submission/cascadebert_3.log").read_text()
    assert "MRPC.tsv: seed" in log
    assert "QQP.tsv: not answered, each of its 390965 rows filled with 0" in log
    assert log.count("not answered") == 7
    before = (repository / target).read_bytes()
    (repository / target).unlink()
    assert run(repository, target, rules=("sweep_thresholds", "pack_submission")).returncode == 0
    assert (repository / target).read_bytes() == before


@needs_glue
def test_submissions_are_asked_for_by_name(repository):
    plan = run(repository, "submissions", "--dry-run")
    assert plan.returncode == 0, said(plan)[-3000:]
    names = {f"{name}_{ratio}.zip" for name in ("cascadebert", "deebert_base", "pabee_base") for ratio in (2, 3, 4)}
    assert all(f"results/four/submissions/{name}" in plan.stdout for name in names)
    assert re.search(r"^pack_submission +9$", plan.stdout, re.M)
    assert "pack_submission" not in run(repository, "all", "--dry-run").stdout


@needs_glue
@pytest.mark.parametrize(
    ("target", "edit", "sentence"),
    [
        ("cascadebert_7.zip", None, "cascadebert cannot be submitted at 7: take one of 1.25, 1.5"),
        ("base_2.zip", None, "base cannot be submitted at 2: take one of 1."),
        ("cascadebert_3.zip", ("glue: rte}", "glue: rte, rows: {test: 50}}"), "data.rte.rows.test leaves rows out"),
        ("cascadebert_3.zip", ("glue: rte}", "glue: mrpc}"), "mrpc and rte are the same task of GLUE"),
    ],
)
def test_what_cannot_be_submitted_is_told_before_anything_runs(repository, target, edit, sentence):
    config = repository / "config/four.yaml"
    text = config.read_text()
    try:
        config.write_text(text.replace(*edit) if edit else text)
        done = run(repository, f"results/four/submissions/{target}", "--dry-run")
    finally:
        config.write_text(text)
    assert done.returncode != 0
    assert sentence in said(done)
    assert "Job stats" not in said(done)


def rows_of_glue(task, n, rng, labelled=True):
    """Rows of a task of pairs, in which the same text twice is of class 1."""
    words, rows = ["good", "bad", "dull", "bright", "flat", "long", "short", "film", "plot", "song"], []
    for i, label in enumerate(rng.integers(0, 2, n).tolist()):
        first, other = (" ".join(rng.choice(words, 6)) for _ in range(2))
        texts = dict(zip(GLUE[task].columns, (first, first if label else other), strict=True))
        rows.append({**texts, "label": label if labelled else -1, "idx": i})
    return rows


@pytest.mark.workflow
def test_a_task_without_a_test_set_is_filled_beside_one_that_is_answered(tmp_path):
    folder, rng = copy_of(ROOT, tmp_path), np.random.default_rng(0)
    for task in ("mrpc", "qqp"):
        splits = {"train": rows_of_glue(task, 160, rng), "validation": rows_of_glue(task, 60, rng)}
        if task == "mrpc":
            splits["test"] = rows_of_glue(task, SERVER["MRPC"][0], rng, labelled=False)
        for split, rows in splits.items():
            path = folder / f"glue/{task}/{split}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = yaml.safe_load((folder / SMOKE).read_text())
    entries = {task: {"source": {"path": f"glue/{task}"}, "glue": task} for task in ("mrpc", "qqp")}
    kept = ("bert_kl", "deebert", "pabee", "training", "machine", "fork_jobs", "speed_ups", "curve", "dar")
    layers = {"small": 1, "base": 6}
    config = {name: config[name] for name in kept} | {
        "tasks": list(entries),
        "data": entries,
        "weights": {name: {"source": {"random": n, "hidden": 32}} for name, n in layers.items()},
        "members": {name: {"weights": name, "layers": n, "epochs": 2, "lr": 2e-3} for name, n in layers.items()},
        "cascade": list(layers),
        "seeds": [1],
        "difficulty": {"n_folds": 2},
    }
    (folder / "config/two.yaml").write_text(yaml.safe_dump(config))
    done = snakemake(folder, "results/two/submissions/cascadebert_3.zip", config="config/two.yaml")
    assert done.returncode == 0, said(done)[-3000:]
    frames = unpacked(folder / "results/two/submissions/cascadebert_3.zip")
    assert len(set(frames["QQP"]["prediction"])) == 1
    log = (folder / "results/two/logs/pack_submission/cascadebert_3.log").read_text()
    assert "qqp: its source has no test set" in log
    assert "MRPC.tsv: seed 1" in log
    assert "QQP.tsv: not answered" in log


# --- MNLI's halves on the way in


def write_mnli(folder, ending, rows=5):
    """Definition of a folder in MNLI's layout, both halves of validation and test."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem in ("train", "validation_matched", "validation_mismatched", "test_matched", "test_mismatched"):
        n, labelled = (12 * rows if stem == "train" else rows), not stem.startswith("test")
        texts = {part: [f"{stem} {part} {i}" for i in range(n)] for part in ("premise", "hypothesis")}
        frame = pd.DataFrame(texts).assign(label=[i % 3 if labelled else -1 for i in range(n)], idx=range(n))
        WRITERS[ending](frame, folder / f"{stem}.{ending}")
    return {"source": {"path": str(folder)}, "glue": "mnli", "label": "label"}


@pytest.mark.parametrize("kind", [*WRITERS, "hub"])
def test_both_halves_of_mnlis_test_set_are_one_split(tmp_path, kind):
    definition, archive = write_mnli(tmp_path / "mnli", "parquet" if kind == "hub" else kind), None
    if kind == "hub":
        archive, definition["source"] = tmp_path / "mnli.zip", {"hub": "nyu-mll/glue", "name": "mnli"}
        files = (tmp_path / "mnli").iterdir()
        zipped(archive, {f"{path.stem}/mnli-{path.name}": path.read_bytes() for path in files})
    found = read_source(definition, archive)
    assert list(found) == ["train", "report", "mismatched", "test"]
    test, halves = found["test"], ("matched", "mismatched")
    assert test["id"].tolist() == [f"{part}-{i}" for part in ("test", "test_mismatched") for i in range(5)]
    assert test["text"].tolist() == [f"test_{half} premise {i}" for half in halves for i in range(5)]
    assert list(test.index) == list(range(10))
    assert set(test["label"]) == {""}


def test_task_with_both_halves_is_divided_as_any_other(tmp_path):
    definition, rows = json.dumps(write_mnli(tmp_path / "mnli", "jsonl") | {"rows": {}, "seed": 0}), {}
    for part in PARTS:
        prepare_task.main(part, definition, "accuracy", "train", 2, tmp_path / "e.jsonl", tmp_path / "t.json")
        rows |= read_json(tmp_path / "t.json")["rows"]
    assert rows == {"train": 54, "selection": 6, "report": 5, "mismatched": 5, "test": 10}


def test_a_cap_keeps_rows_of_both_halves_and_is_then_refused(tmp_path):
    ids = draw_test(read_source(write_mnli(tmp_path, "csv")), {"test": 7}, seed=0)["id"].tolist()
    assert len(ids) == 7
    with pytest.raises(Problem, match="has 7 rows"):
        packed("mnli", ids, np.zeros(7, dtype=int))


# --- the config


def entry(run="cascadebert", speed_up=3, **scores):
    """One entry of server_scores."""
    return {"run": run, "speed_up": speed_up, "scores": scores or {"pairs": 80.0}}


@pytest.mark.workflow
def test_an_edit_of_a_returned_score_runs_table_2_alone(tmp_path):
    folder, targets = copy_of(ROOT, tmp_path), ("all", "submissions")
    config = folder / SMOKE
    pairs = "source: {toy: 240, pairs: true}\n"
    config.write_text(replace(pairs, pairs + "    glue: mnli\n")(config.read_text()))
    summary = snakemake(folder, *targets, "--summary").stdout.splitlines()
    for line in summary[1:]:  # a stand-in for each result; what Snakemake plans does not depend on what is in it
        path = folder / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        if "cascades" in path.parts:  # a packed system is a folder
            path.mkdir()
            continue
        path.write_text(json.dumps({"rows": dict.fromkeys(("train", *SPLITS), 1)}) if path.suffix == ".json" else line)
    assert (folder / "results/smoke/submissions/cascadebert_3.zip").is_file()
    assert snakemake(folder, *targets, "--touch", "--forceall").returncode == 0
    assert would_run(folder, *targets) == {}
    scores = "server_scores:\n  - {run: cascadebert, speed_up: 3, scores: {pairs: 81.5, pairs-mm: 80}}\n"
    config.write_text(config.read_text() + scores)
    assert would_run(folder, *targets) == {"table2": 1}
    config.write_text(replace("speed_up: 3, scores", "speed_up: 5, scores")(config.read_text()))
    done = snakemake(folder, "--dry-run")
    assert done.returncode != 0
    assert "config key server_scores.0.speed_up is 5, and Table 2 has cascadebert at 2, 3, 4" in said(done)


@pytest.mark.parametrize(
    ("entries", "key", "hint"),
    [
        ([{"run": "cascadebert", "speed_up": 3}], "server_scores.0.scores", "is missing"),
        ([entry(pairs=100.5)], "server_scores.0.scores.pairs", "in per cent, from 0 to 100"),
        ([entry(pairs=-1)], "server_scores.0.scores.pairs", "in per cent, from 0 to 100"),
        ([entry(pairs="high")], "server_scores.0.scores.pairs", "not a number"),
        ([entry(speed_up="3")], "server_scores.0.speed_up", "write it without quotes, 3"),
        ([entry() | {"seed": 1}], "server_scores.0.seed", "is unknown"),
    ],
)
def test_entry_that_is_not_as_described_is_told_in_one_sentence(entries, key, hint):
    with pytest.raises(Problem) as caught:
        read(settings_of(results="results", server_scores=entries))
    assert f"config key {key} " in str(caught.value)
    assert hint in str(caught.value)


def settings_of(**changes):
    """The smoke preset as its file has it, its pairs declared as MNLI and its reviews as SST-2, with changes."""
    config = yaml.safe_load((ROOT / SMOKE).read_text()) | changes
    config["data"]["pairs"]["glue"], config["data"]["reviews"]["glue"] = "mnli", "sst2"
    return config


def told(**changes):
    """The same as a value."""
    return Config.model_validate(settings_of(**changes))


def test_static_runs_have_a_ratio_of_their_own():
    config = preset("smoke")
    ratios = {run: fixed_ratio(config, run) for run in runs(config)}
    assert {run: ratio for run, ratio in ratios.items() if ratio is not None} == {
        **{"base": 1, "base_first3": 2, "base_first2": 3, "base_first1": 6, "small": 6, "two": 3, "medium": 2},
        "standIn": 3,
        **{"distilled": 3, "pkd_base": 3, "theseus_base": 3, "two_pd": 3, "robertaBase": 1, "robertaBase_first2": 3},
    }


def test_rows_of_table_2_by_run():
    assert table2_ratios(preset("smoke")) == {
        **{"base": [1], "base_first3": [2], "base_first2": [3], "base_first1": []},
        **{run: [2, 3, 4] for run in ("deebert_base", "pabee_base", "cascadebert_as_released", "cascadebert")},
    }


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([entry(run="cascade")], "server_scores.0.run names cascade, which has no row in Table 2: take one of base,"),
        ([entry(run="pkd_base")], "server_scores.0.run names pkd_base, which has no row"),
        ([entry(), entry(speed_up=5)], "server_scores.1.speed_up is 5, and Table 2 has cascadebert at 2, 3, 4"),
        ([entry(run="base", speed_up=2)], "server_scores.0.speed_up is 2, and Table 2 has base at 1"),
        ([entry(run="base_first1", speed_up=6)], "Table 2 has base_first1 at none"),
        ([entry(mnli=80.0)], "server_scores.0.scores names mnli, which is no column"),
        ([entry(**{"reviews-mm": 80.0})], "scores names reviews-mm, which is no column of a task of GLUE: take one of"),
        ([entry(), entry()], "server_scores.1 is the second entry of cascadebert at 3"),
    ],
)
def test_score_without_a_cell_is_told_in_one_sentence(entries, says):
    sentence = misplaced(told(server_scores=entries))
    assert says in sentence
    assert "\n" not in sentence
    assert sentence[-1] == "."


def test_scores_of_every_row_and_column_are_taken():
    rows = [(run, ratio) for run, ratios in table2_ratios(told()).items() for ratio in ratios]
    scores = {"reviews": 90.0, "pairs": 80.0, "pairs-mm": 79.0}
    assert len(rows) == 15
    assert misplaced(told(server_scores=[entry(run, ratio, **scores) for run, ratio in rows])) == ""


def test_what_cannot_be_submitted_says_which_key():
    assert "no task is one of GLUE's" in missing(preset("smoke"), "submissions")
    assert missing(told(), "submissions") == ""
    assert in_glue(told()) == {"reviews": "sst2", "pairs": "mnli"}
    assert NUMBERED == ("mrpc", "qqp", "sst2")
    assert preset("smoke").server_scores == []


def test_labels_that_the_server_does_not_know_are_told_before_anything_is_trained():
    config = settings_of()
    config["data"]["reviews"]["labels"] = ["bad", "good"]
    known = "data.reviews.labels is bad, good and the GLUE server knows negative, positive: leave it out."
    assert known in missing(Config.model_validate(config), "submissions")
    config["data"]["reviews"]["labels"] = ["positive", "negative"]
    assert missing(Config.model_validate(config), "submissions") == ""


def test_local_sources_without_a_test_set_are_told_before_anything_is_trained(tmp_path):
    config = settings_of()
    for task in ("reviews", "pairs"):
        (tmp_path / task).mkdir()
        (tmp_path / task / "train.csv").touch()
        config["data"][task]["source"] = {"path": str(tmp_path / task)}
    assert "no source of reviews, pairs has a test set" in missing(Config.model_validate(config), "submissions")
    (tmp_path / "reviews/test.csv").touch()
    assert missing(Config.model_validate(config), "submissions") == ""  # MNLI's files are filled
    (tmp_path / "pairs/test_matched.csv").touch()
    assert "data.pairs.source.path has no file test_mismatched" in missing(Config.model_validate(config), "submissions")
    (tmp_path / "pairs/test_mismatched.csv").touch()
    assert missing(Config.model_validate(config), "submissions") == ""
