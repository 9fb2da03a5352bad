"""A packed system at home: loaded from a copy of its folder, asked by Python and by the command, trusted in nothing."""

import csv
import gzip
import io
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from builders import enlarged, roberta_without_pooler
from mirror import commit_of, environment, mirrored, tree
from pyarrow.parquet import write_table
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline

import prove
from cascadebert import Adaptive, Cascade, EarlyExit, cli
from cascadebert.files import read_json, write_examples, write_json
from cascadebert.inference import adaptive, packing, sharing
from cascadebert.inference import settings as settings_module
from cascadebert.inference.adaptive import Answer
from cascadebert.inference.cards import agreements
from cascadebert.inference.clock import reachable
from cascadebert.inference.engine import Left
from cascadebert.inference.equality import compare
from cascadebert.inference.folder import Agreement, Task, digest, read_manifest
from cascadebert.inference.folder import Member as Packed
from cascadebert.inference.inputs import checked, listed
from cascadebert.inference.models import architecture_of, read_model, write_model
from cascadebert.inference.packing import System, Trained, pack
from cascadebert.inference.settings import exits_under
from cascadebert.inference.texts import read_rows
from cascadebert.inference.timetable import PIPELINES, Asked, timetable
from cascadebert.inference.written import Writer
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import ExitLogits, exits_at
from cascadebert.metrics.predictions import Predictions, write_predictions
from cascadebert.metrics.sweeps import sweep
from cascadebert.models.building import build_model
from cascadebert.models.members import load_trained, save_trained
from cascadebert.recipe import Recipe
from cascadebert.training.runs import predictions_of

TEXTS = ["good great film", "the plot was bad and dull", "a", "not good", "warm bright story " * 30]
MODELS = {
    "member": {},
    "deebert": {"objective": "deebert", "model": "models.deebert.build_deebert", "stage1": "base"},
    "pabee": {"objective": "pabee", "model": "models.pabee.build_pabee"},
    "fastbert": {"objective": "fastbert", "model": "models.fastbert.build_fastbert", "stage1": "teacher"},
}
RULES = {"member": "last", "deebert": "entropy", "pabee": "patience", "fastbert": "uncertainty"}


@pytest.fixture(scope="module", params=["cls", "mean"])
def pooling(request):
    """How sentences are read."""
    return request.param


@pytest.fixture(scope="module")
def made(pooling, tmp_path_factory, sentences):
    """Function to the folder of a packed system of untrained models, whose answers differ from row to row."""
    folder = tmp_path_factory.mktemp("packed")
    weights = enlarged(folder, {"random": 4, "hidden": 16})
    config = json.loads(weights.with_name("config.json").read_text())
    weights.with_name("config.json").write_text(json.dumps(config | ({"pooling": "mean"} if pooling == "mean" else {})))

    def system(name, kinds, settings, layers=(4,), exits=None):
        if (folder / name).exists():
            return folder / name
        torch.manual_seed(3)
        rule = exits or RULES[kinds[0]]
        parts, stacks, flops = [], [], []
        for index, (kind, depth) in enumerate(zip(kinds, layers, strict=True)):
            recipe = Recipe("base", "base", "base", depth, replace(settings(), freeze_embeddings=False), **MODELS[kind])
            first = None
            if recipe.stage1:
                builder = {"fastbert": "fastbert.build_fastbert_teacher"}.get(kind, "members.build_member")
                stage = build_model(
                    Recipe("base", "base", "base", depth, settings(), model=f"models.{builder}"), weights, 2
                )
                first = folder / f"{name}.stage1.safetensors"
                save_trained(stage, first)
                recipe = replace(recipe, settings=settings())
            model = build_model(recipe, weights, 2, first)
            with torch.no_grad():
                for tensor_name, tensor in model.named_parameters():
                    if "encoder." not in tensor_name and tensor.requires_grad:
                        tensor.mul_(15)
            trained = folder / f"{name}.{index}.safetensors"
            save_trained(model, trained)
            load_trained(model, trained)
            predictions = predictions_of(model, sentences, sentences.rows("selection"), 4, "fp32")
            stacks.append(predictions)
            parts.append(Trained(f"{kind}{depth}", recipe, weights, folder / "tokenizer.json", trained, first))
        executed = np.cumsum([step for one in stacks for step in np.diff([0, *one.stack.layers])])
        stack = ExitLogits(np.concatenate([one.stack.logits for one in stacks]), executed, 4)
        flops = np.repeat(executed[:, None].astype(float), stack.logits.shape[1], axis=1)
        whole = replace(stacks[-1], stack=stack, flops=flops)
        points = pd.DataFrame(sweep({"selection": whole}, rule, [1.5, 2.0], "accuracy"))
        about = System(
            name, name, rule, Task("toy", ["negative", "positive"], False, "accuracy"), 32, 4,
            4.0 / executed[-1] if rule == "last" else 1.5, 1, "0" * 16, {"package": "toy"},
        )  # fmt: skip
        texts = ["good film"] * stack.logits.shape[1]
        pack(folder / name, about, parts, whole, texts, points)
        return folder / name

    return system


@pytest.fixture
def cascade(made, settings, tmp_path):
    """A copy of a packed cascade of two members, elsewhere."""
    packed = made("cascade", ["member", "member"], settings, (1, 4), "confidence")
    return shutil.copytree(packed, tmp_path / "home")


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_system_with_exits_answers_as_it_was_evaluated(made, settings, sentences, kind, batch_size):
    folder = made(kind, [kind], settings)
    system = EarlyExit.from_pretrained(folder, precision="fp32")
    with pytest.raises(Problem, match="load it with EarlyExit"):
        Cascade.from_pretrained(folder)
    stack, rows = system.selection, sentences.rows("selection")
    threshold = {"last": float("nan"), "patience": 2.0}.get(RULES[kind])
    if threshold is None:
        threshold = float(np.median(np.unique(system.setting(speed_up=1.5).threshold))) + 1e-5
    left = system.engine.answer(lambda member: _only(sentences, rows), 2, threshold, batch_size)
    expected = exits_at(stack, RULES[kind], threshold) if kind != "member" else np.zeros(len(rows), dtype=int)
    assert np.mean(left.exit == expected) > 0.95  # an instance that lies at the threshold may leave elsewhere
    same = left.exit == expected
    np.testing.assert_allclose(
        left.logits[same], stack.logits[expected, np.arange(len(rows))][same], rtol=1e-3, atol=1e-3
    )


def _only(data, rows):
    """Some rows of a task."""
    lengths = data.lengths[rows]
    where = np.concatenate([np.arange(data.starts[row], data.ends[row]) for row in rows])
    return replace(
        data, tokens=data.tokens[where], types=data.types[where], ends=np.cumsum(lengths), label=data.label[rows],
        split=data.split[rows], id=data.id[rows],
    )  # fmt: skip


def test_one_text_after_another_chooses_the_threshold_once(cascade, monkeypatch):
    system, chosen = Cascade.from_pretrained(cascade), []
    choose = settings_module.for_speed_up
    monkeypatch.setattr(settings_module, "for_speed_up", lambda *given: chosen.append(given) or choose(*given))
    for text in TEXTS:
        system.predict(text, speed_up=1.5)
    assert len(chosen) == 1
    assert system.setting(speed_up=1.2) != system.setting(speed_up=1.5)


def test_answers_come_in_order_and_say_who_gave_them(cascade):
    system = Cascade.from_pretrained(cascade)
    answers = system.predict(TEXTS, speed_up=1.5, batch_size=2)
    for text, answer in zip(TEXTS, answers, strict=True):
        (alone,) = system.predict(text, speed_up=1.5)
        assert (alone.label, alone.member, alone.cut) == (answer.label, answer.member, answer.cut)
        assert alone.confidence == pytest.approx(answer.confidence, abs=1e-4)
        assert answer.label == max(answer.probabilities, key=answer.probabilities.get)
        assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert [answer.cut for answer in answers] == [False, False, False, False, True]
    assert {answer.member for answer in answers} <= {"member1", "member4"}
    everything = system.predict(TEXTS, threshold=1.0)
    assert {answer.member for answer in everything} == {"member4"}
    assert {answer.member for answer in system.predict(TEXTS, threshold=0.0)} == {"member1"}


def test_a_generator_is_read_as_answers_are_taken(cascade):
    system, taken = Cascade.from_pretrained(cascade), []

    def texts():
        for number in range(10**9):
            taken.append(number)
            yield "good film" if number % 2 else None

    answers = system.stream(texts(), batch_size=4, lookahead=2)
    first = [next(answers) for _ in range(9)]
    assert len(taken) == 16
    assert [answer.label is None for answer in first] == [True, False] * 4 + [True]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"speed_up": 9}, "takes a speed-up from 1 to 4"),
        ({"speed_up": 0.5}, "takes a speed-up from 1 to 4"),
        ({"speed_up": 2, "agreement": 0.9}, "speed_up and agreement are asked for at once"),
        ({"agreement": 0.9999}, "29956 would be needed"),
        ({"agreement": 1.5}, "above 0 and below 1"),
        ({"agreement": 0.9, "each": True}, "for each member goes with a speed-up alone"),
        ({"threshold": 0.9, "each": True}, "for each member goes with a speed-up alone"),
        ({"batch_size": 0}, "take 1 to"),
        ({"batch_size": 10**18}, "take 1 to"),
        ({"speed_up": 2, "each": True}, "needs three exits"),
        ({"threshold": 90.0}, "90.0 is none of confidence, which lies from 0 to 1"),
        ({"threshold": [0.9, 0.8]}, "2 thresholds are given for 2 exits: give one for all, or 1"),
        ({"threshold": []}, "0 thresholds are given for 2 exits"),
    ],
)
def test_what_cannot_be_had_is_told(cascade, asked, said):
    with pytest.raises(Problem, match=said):
        Cascade.from_pretrained(cascade).predict(TEXTS, **asked)


@pytest.mark.parametrize("text", [3, ["a", "b"], {"text": "a"}])
def test_what_is_no_text_is_told(cascade, text):
    with pytest.raises(Problem, match="text 2 is of type"):
        Cascade.from_pretrained(cascade).predict(["a", text])


@pytest.mark.parametrize("texts", [pd.DataFrame({"text": TEXTS}), {"text": TEXTS}, set(TEXTS), frozenset(TEXTS)])
def test_a_table_is_not_answered_by_its_names(cascade, texts):
    system = Cascade.from_pretrained(cascade)
    with pytest.raises(Problem, match=rf"not a {type(texts).__name__}: .* one column, such as df\['text'\]"):
        system.predict(texts)
    assert system.predict(pd.DataFrame({"text": TEXTS})["text"]) == system.predict(TEXTS)


def test_no_text_has_no_label_and_odd_text_has_one(cascade):
    answers = Cascade.from_pretrained(cascade).predict(["", " \n", None, float("nan"), "\x00", "😀 é", "x" * 100_000])
    assert [answer.label is None for answer in answers] == [True] * 5 + [False] * 2


def broken(folder, name):
    """Break a packed system in one way; what is then said of it."""
    manifest = json.loads((folder / "cascade.json").read_text())
    if name == "altered":
        (folder / "members/member1/config.json").write_text("{}")
        return "the file was altered"
    if name == "lost":
        (folder / "members/member4/model.safetensors").unlink()
        return "lacks members/member4/model.safetensors"
    if name == "newer":
        manifest["format"] = 99
    if name == "outside":
        manifest["files"]["../secret"] = "0"
    if name == "absolute":
        manifest["files"]["/etc/hosts"] = "0"
    if name == "key":
        manifest["surprise"] = 1
    if name == "code":
        manifest["members"][0]["architecture"] = "os.system"
    if name == "none":
        (folder / "cascade.json").unlink()
        return "holds no cascade.json"
    if name == "head":
        manifest["files"] = {file: said for file, said in manifest["files"].items() if "head" not in file}
        (folder / "members/member1/head.safetensors").touch()
    if name == "linked":
        (folder.parent / "elsewhere").write_text("x")
        (folder / "link").symlink_to(folder.parent / "elsewhere")
        manifest["files"]["link"] = digest(folder / "link")
    if name == "text":
        (folder / "cascade.json").write_text("[]")
        return "not a description of a packed system"
    write_json(folder / "cascade.json", manifest)
    return {
        "newer": "install a newer", "key": "surprise", "code": "this version does not have",
        "head": "no digest of members/member1/head.safetensors",
    }.get(name, "lies outside of the folder")  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"origin": {}}, "key origin.seed: it has to be a whole number"),
        ({"max_length": 1000}, "key max_length: it is 1000, and its members have positions for 128 tokens"),
        ({"max_length": -1}, "key max_length: Input should be greater"),
        ({"members": lambda held: held[::-1]}, "key members: their layers are [4, 1], which do not ascend"),
        ({"task": lambda held: held | {"metric": "F1"}}, "key task.metric: Input should be 'accuracy' or 'f1'"),
        ({"task": lambda held: held | {"classes": ["a", "a"]}}, "key task.classes: it is a, a, where one is named"),
        (
            {"task": lambda held: held | {"classes": held["classes"][::-1]}},
            "key task.classes: it is positive, negative",
        ),
        (
            {"task": lambda held: held | {"classes": ["negative"]}},
            "members/member1/config.json has {'0': 'negative', '1'",
        ),
        ({"members": lambda held: held[:1]}, "key members: a cascade has two or more, this has one"),
        (
            {"members": lambda held: [held[0] | {"layers": 2}, held[1]]},
            "key layers of member member1: it is 2, and members/member1/config.json has 1",
        ),
        ({"format": "1"}, 'key format: "1" is no whole number'),
        ({"format": True}, "key format: true is no whole number"),
    ],
)
def test_an_edited_description_is_one_sentence(cascade, capsys, monkeypatch, changes, says):
    manifest = json.loads((cascade / "cascade.json").read_text())
    changed = {key: change(manifest[key]) if callable(change) else change for key, change in changes.items()}
    write_json(cascade / "cascade.json", manifest | changed)
    code, _, told = run(capsys, monkeypatch, "info", cascade)
    assert code == 1 and says in told and "pack the system anew" in told and "Traceback" not in told


@pytest.mark.parametrize(
    "name", ["altered", "lost", "newer", "outside", "absolute", "key", "code", "none", "linked", "text", "head"]
)
def test_a_folder_that_is_not_as_it_was_packed_is_one_sentence(cascade, name):
    with pytest.raises(Problem, match=broken(cascade, name)):
        Cascade.from_pretrained(cascade)


@pytest.mark.parametrize("name", ["members/member4/model.safetensors", "members/member1/tokenizer.json"])
def test_a_file_that_was_packed_and_yet_cannot_be_read_is_one_sentence(cascade, name):
    (cascade / name).write_bytes((cascade / name).read_bytes()[:40])
    manifest = json.loads((cascade / "cascade.json").read_text())
    write_json(cascade / "cascade.json", manifest | {"files": manifest["files"] | {name: digest(cascade / name)}})
    with pytest.raises(Problem, match=r"home cannot be loaded \(.*\): get it anew"):
        Cascade.from_pretrained(cascade)


def test_members_are_of_their_ecosystem(cascade, pooling, made, settings):
    system, folder = Cascade.from_pretrained(cascade, precision="fp32"), cascade / "members/member4"
    tool, text = AutoTokenizer.from_pretrained(folder), TEXTS[1]
    inputs = tool(text, return_tensors="pt")
    ids = system.encoders["members/member1"]([text])[0].tokens
    assert inputs["input_ids"][0].tolist() == ids.tolist()  # both members share the first one's tokenizer
    kind = AutoModelForSequenceClassification if pooling == "cls" else AutoModel
    model, loading = kind.from_pretrained(folder, output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"] and not loading["mismatched_keys"]
    given = system.predict([text], threshold=1.0)[0].probabilities
    with torch.no_grad():
        out = model.eval()(**inputs)
    if pooling == "cls":
        np.testing.assert_allclose(out.logits.softmax(-1)[0], [*given.values()], atol=1e-4)
        assert model.config.id2label == {0: "negative", 1: "positive"}
    else:
        head = (folder / "head.safetensors").is_file()
        assert head and out.last_hidden_state.shape[-1] == 16


def test_robertas_head_is_that_of_transformers(tmp_path, settings, sentences):
    weights = roberta_without_pooler(tmp_path)
    torch.manual_seed(0)
    model = build_model(Recipe("base", "base", "base", 4, settings()), weights, 3).eval()
    tokenizer = enlarged(tmp_path / "bert", {"random": 1, "hidden": 16}).with_name("tokenizer.json").read_bytes()
    write_model(tmp_path / "packed", model, tokenizer, ["a", "b", "c"], 32)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "packed").eval()
    packed = Packed("m", "packed", architecture_of(model), 4, "cls", "packed", 1)
    ours = read_model(tmp_path / "packed", packed, ["a", "b", "c"]).eval()
    ids = torch.randint(5, 40, (2, 9))
    batch = {"input_ids": ids, "token_type_ids": ids * 0, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=batch["attention_mask"]).logits
        np.testing.assert_allclose(ours(batch)[0], expected, atol=1e-5)
        np.testing.assert_allclose(model(batch)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    "said",
    [
        {"problem_type": "regression", "output_hidden_states": True},
        {"problem_type": "multi_label_classification", "return_dict": False},
        {"torch_dtype": "float16", "function_to_apply": "none", "return_all_scores": True},
        {"dtype": "float64", "task_specific_params": {"text-classification": {"problem_type": "regression"}}},
    ],
)
def test_a_packed_member_is_run_by_transformers_as_it_is_here(tmp_path, settings, said):
    weights = enlarged(tmp_path, {"random": 4, "hidden": 16})
    write_json(weights.with_name("config.json"), read_json(weights.with_name("config.json")) | said)
    model = build_model(Recipe("base", "base", "base", 4, settings()), weights, 3).eval()
    tool = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    write_model(tmp_path / "packed", model, tool.to_str().encode(), ["a", "b", "c"], 32)
    theirs = pipeline("text-classification", str(tmp_path / "packed"), device="cpu", top_k=None)
    ids = torch.tensor([tool.encode(TEXTS[1]).ids])
    with torch.no_grad():
        expected = model({"input_ids": ids, "token_type_ids": ids * 0, "attention_mask": torch.ones_like(ids)})[0, 0]
        out = theirs.model(input_ids=ids)
    assert {answer["label"]: answer["score"] for answer in theirs([TEXTS[1]])[0]} == pytest.approx(
        dict(zip("abc", expected.softmax(-1).tolist(), strict=True)), abs=1e-5
    )
    assert out.logits.dtype == torch.float32 and out.hidden_states is None


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_system_computes_in_float32_whatever_the_default_is(cascade, made, settings, dtype):
    folders = [cascade, made("fastbert", ["fastbert"], settings)]
    expected = [Adaptive.from_pretrained(folder).predict(TEXTS) for folder in folders]
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        systems = [Adaptive.from_pretrained(folder) for folder in folders]
        assert {tensor.dtype for tensor in systems[0].engine.models[0].parameters()} == {torch.float32}
        assert [system.predict(TEXTS) for system in systems] == expected
    finally:
        torch.set_default_dtype(before)


def test_loading_and_asking_draw_no_random_number_of_the_callers(cascade):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    Cascade.from_pretrained(cascade).predict(TEXTS, speed_up=1.5)
    assert torch.equal(torch.get_rng_state(), before)


def test_saved_elsewhere_it_is_the_same(cascade, tmp_path):
    system = Cascade.from_pretrained(cascade)
    system.save_pretrained(tmp_path / "again")
    again = Adaptive.from_pretrained(tmp_path / "again")
    assert again.predict(TEXTS, speed_up=1.5) == system.predict(TEXTS, speed_up=1.5)
    assert (tmp_path / "again/README.md").read_text() == (cascade / "README.md").read_text()
    with pytest.raises(Problem, match="exists"):
        system.save_pretrained(tmp_path / "again")


@pytest.mark.parametrize("kind", ["cascade", "deebert", "pabee", "fastbert"])
def test_a_system_that_answers_as_the_tables_do_is_proved_and_another_is_told(made, settings, kind, tmp_path):
    if kind == "cascade":
        folder = made(kind, ["member", "member"], settings, (1, 4), "confidence")
    else:
        folder = made(kind, [kind], settings)
    system = Adaptive.from_pretrained(folder)
    examples = pd.DataFrame({"text": TEXTS * 3, "split": "report", "label": "positive"})
    examples["id"] = examples.index.astype(str)
    write_examples(tmp_path / "report.jsonl", examples)
    stack, n = prove.full_compute(system, examples), len(examples)
    flops, unknown = np.ones(stack.logits.shape[:2]), np.zeros(n, dtype=int)
    told = Predictions(stack, flops, flops[-1], unknown, examples["id"].to_numpy(dtype=str), np.array(system.classes))
    answered = tmp_path / "report.npz"
    files = [folder, tmp_path / "report.jsonl", answered]
    write_predictions(answered, {1: told, 2: replace(told, stack=replace(stack, logits=-stack.logits))})
    prove.main(*files, threads=1, out=tmp_path / "equality.csv", batches=(1, 7))
    table = pd.read_csv(tmp_path / "equality.csv")
    assert table["holds"].all() and len(table) == 2 and (table["n"] == n).all()
    assert table["logits_differ"].max() < 1e-3
    write_predictions(answered, {1: replace(told, stack=replace(stack, logits=stack.logits[..., ::-1] * 3))})
    with pytest.raises(Problem, match=f"{kind} on toy does not answer as the tables' full compute in fp32"):
        prove.main(*files, threads=1, out=tmp_path / "equality.csv", batches=(1, 7))


def test_an_exit_that_differs_is_explained_by_a_threshold_that_is_near():
    logits = np.log(np.array([[[0.9, 0.1], [0.70001, 0.29999]], [[0.6, 0.4], [0.2, 0.8]]]))
    stack = ExitLogits(logits, np.array([1, 2]), 2)
    near = Left(logits[[0, 1], [0, 1]].astype(np.float32), np.array([0, 1]), 0.0)
    comparison = compare(near, stack, "confidence", 0.7)
    assert (comparison.n, comparison.exits_differ) == (2, 1) and comparison.holds("fp32")
    assert comparison.nearest == pytest.approx(1e-5)
    far = Left(logits[[1, 1], [0, 1]].astype(np.float32), np.array([1, 1]), 0.0)
    comparison = compare(far, stack, "confidence", 0.7)
    assert comparison.exits_differ == 2 and comparison.nearest == pytest.approx(0.2)
    assert not comparison.holds("fp32") and not comparison.holds("bf16")


PUSH = """
import json, sys
from cascadebert import Adaptive
from cascadebert.layouts import Problem

first, second, texts = json.load(sys.stdin)
with_token = dict(token="hf_some")

def told(call, *arguments, **options):
    try:
        return call(*arguments, **options)
    except Problem as problem:
        return str(problem)

systems = [Adaptive.from_pretrained(folder) for folder in (first, second)]
unknown = told(systems[0].push_to_hub, "some/one")
commits = [system.push_to_hub("some/one", **with_token) for system in (*systems, systems[1])]
fetched = [Adaptive.from_pretrained("some/one", revision=revision) for revision in (commits[0], commits[1], None)]
lost = [told(Adaptive.from_pretrained, name, revision="v9") for name in ("some/one", "some/none")]
same = [a.predict(texts) == b.predict(texts) for a, b in zip(fetched, (*systems, systems[1]))]
print(json.dumps({"commits": commits, "same": same, "told": [unknown, *lost]}))
"""


def test_a_system_goes_to_the_hub_and_comes_back_from_any_of_its_commits(made, settings, tmp_path):
    packed = [made("cascade", ["member", "member"], settings, (1, 4), "confidence"), made("pabee", ["pabee"], settings)]
    with mirrored(tmp_path / "hub") as mirror:
        given = json.dumps([*map(str, packed), TEXTS])
        process = {"env": environment(tmp_path / "home", mirror.endpoint), "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, "-c", PUSH], input=given, **process, check=False)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["same"] == [True, True, True]
    first, second, again = outcome["commits"]
    assert first != second == again == commit_of(tmp_path / "hub/models/some/one")
    held = {name: path.read_bytes() for name, path in tree(tmp_path / "hub/models/some/one").items()}
    assert held == {name: path.read_bytes() for name, path in tree(packed[1]).items()}, "and nothing of the first"
    unknown, revisionless, nowhere = outcome["told"]
    assert "the hub did not take some/one" in unknown and "`hf auth login`" in unknown
    assert "Invalid rev id: v9" in revisionless and "Repository not found" in nowhere
    assert not any("\n" in sentence for sentence in outcome["told"])


# --- the command


def run(capsys, monkeypatch, *arguments):
    """Exit code, standard output and standard error of the command."""
    monkeypatch.setattr("sys.argv", ["cascadebert", *map(str, arguments)])
    try:
        code = cli.main()
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    return code, said.out, said.err


def parquet(*columns, names):
    """Content of a Parquet file."""
    write_table(pyarrow.table(list(map(pyarrow.array, columns)), names), held := io.BytesIO())
    return held.getvalue()


FILES = {
    "a.txt": "good film\n\nbad plot\n",
    "g.txt": "good film\r\rbad plot\r",
    "h.txt": "good film\r\n\r\nbad plot\r\n",
    "b.jsonl": '{"text": "good\\r film", "gold": 1}\r{"text": null}\r{"text": "bad plot", "gold": 0}\r',
    "a.csv": 'id,text,gold\n1,good film,positive\n2,,\n3,"bad, dull\nplot",0\n',
    "a.tsv": "text\tgold\ngood film\t1\n\tpositive\nbad plot\tnegative\n",
    "b.csv": "text ;gold\ngood film;1.0\n;\nbad, dull plot;True\n",
    "b.tsv": 'text\tgold\n"good film\t1\n\t0\nbad" plot\t0\n',
    "d.csv": b"\xff\xfe" + "text,gold\ngood film,1\n,\nbad plot,0\n".encode("utf-16-le"),
    "e.CSV.GZ": gzip.compress(b"text,gold\ngood film,1\n,\nbad plot,0\n"),
    "f.csv": gzip.compress(b"text,gold\ngood film,1\n,\nbad plot,0\n"),  # whatever its name says
    "a.parquet": (PARQUET := parquet(["good film", None, "bad plot"], [1, None, 0], names=["text", "gold"])),
    "b.parquet.gz": gzip.compress(PARQUET),
    "c.parquet": gzip.compress(PARQUET),  # whatever its name says
    "c.jsonl": '{"text": "good \\ud83d film", "gold": true}\n{"gold": 1}\n{"text": "a\\u0000b", "gold": -1.0}\n',
    "a.json": '[{"text": "good film", "gold": 1},\n {"text": null}, {"gold": "negative", "text": "bad plot"}]',
    "b.json": '{"text": ["good film", "", 7], "gold": ["1", "1", "0"]}',
    "d.jsonl": '{"text": 1.0, "gold": 1}\n{"text": null}\n{"text": 12, "gold": 0}\n',
    "e.jsonl": '{"text": "good film"}\n{"id": 2}\n{"text": "bad plot", "gold": 0}\n',
    "g.csv": 'id, text, gold\n1, "good, film", 1\n2, , \n3, "bad plot", 0\n',
    "a.jsonl": '\ufeff{"text": "good film", "gold": 1}\n{"text": null}\n{"text": "bad plot", "gold": "negative"}\n',
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_every_form_are_answered(cascade, tmp_path, capsys, monkeypatch, name):
    content = FILES[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    label = [] if name.endswith(".txt") else ["--label", "gold"]
    out = tmp_path / ("out.csv.GZ" if name == "a.csv" else "out.jsonl")
    asked = ["--speed-up", 1.5, tmp_path / name, *label, "--out", out]
    code, said, told = run(capsys, monkeypatch, "predict", cascade, *asked)
    assert (code, said) == (0, "") and "2 answered" in told and "1 without text" in told
    assert ("accuracy" in told) == bool(label)
    if name == "a.csv":
        rows = list(csv.DictReader(gzip.decompress(out.read_bytes()).decode().splitlines()))
        assert [row["row"] for row in rows] == ["1", "2", "3"] and rows[1]["label"] == ""
    else:
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        assert [row["row"] for row in rows] == [1, 2, 3] and rows[1]["label"] is None
    assert rows[0]["label"] in ("negative", "positive")


@pytest.mark.parametrize(
    ("name", "content", "more", "said"),
    [
        ("a.csv", b"body,other\nx,y\n", [], "name 1 of them that hold text"),
        ("a.csv", b"text\nx\n", ["--columns", "body"], "has no column body"),
        ("a.csv", b"text,gold\nx,maybe\n", ["--label", "gold"], "row 1 has label maybe"),
        ("a.csv", b"text,gold\nx,\xc2\xb2\n", ["--label", "gold"], "row 1 has label \u00b2"),
        ("a.csv", b"text\nx,y\n", [], "row 1 has 2 cells and the header has 1"),
        ("a.csv", b"id,text\n1\n", [], "row 1 has 1 cells and the header has 2"),
        ("a.csv", b"text,text\nx,y\n", [], "several columns text"),
        ("a.parquet", parquet(["x"], ["y"], names=["text", "text"]), [], "several columns text"),
        ("a.csv.gz", gzip.compress(b"text\nx\n", mtime=0)[:-6], [], "cannot be read after row"),
        ("a.txt", b"x\n", ["--label", "gold"], "leave out --columns and --label"),
        ("a.txt", b"x\n", ["--speed-up", "0"], "takes a speed-up from 1"),
        ("a.txt", b"x\n", ["--threshold", "nan"], "compares with nothing"),
        ("a.txt", b"x\n", ["--batch-size", "0"], "cannot be"),
        ("a.txt", b"x\n", ["--device", "abacus"], "can be computed on the device abacus"),
        ("a.txt", b"x\n", ["--device", "meta"], "can be computed on the device meta"),
        ("a.txt", b"x\n", ["--out", "folder.csv"], "folder.csv is no file that can be written"),
        ("a.txt", b"x\n", ["--out", "./a.txt.jsonl"], "is the file that is read"),
        ("a.csv", b"text\n\xff\xfe\n", [], "is not UTF-8"),
        *((name, "text\nx\n".encode("utf-16-le"), [], "has NUL characters") for name in ("a.csv", "a.txt", "a.jsonl")),
        ("a.jsonl", b"[" * 100_000, [], "values in values"),
        ("a.txt", b"x\n", ["--threshold", "0.5", "0.6", "0.7"], "3 thresholds are given for 2 exits: give one"),
        ("a.csv", b"PK\x03\x04 and so on", [], "is a zip archive, as spreadsheets are"),
        ("a.csv", PARQUET, [], "is Parquet, whatever its ending says"),
        ("a.json", b'[{"text": "x"},\n {"text": "y"},\n]', [], "line 3 column 1"),
        ("texts", b'{"text": "x"}\n', [], "begins with an object of JSON: say --form jsonl"),
        ("texts", b"id,text\n1,x\n", [], "begins as a table does, with 'id,text': say --form csv"),
        ("a.jsonl", b'{"text": "x"}\n{"text": ', [], "line 2 is not JSON"),
        ("a.jsonl", b'{"text": "x", "text": "y"}\n', [], "says 'text' twice"),
        ("a.jsonl", b'{"text": [3]}\n', [], "must be text"),
        ("a.jsonl", b'{"text": true}\n', [], "must be text"),
        ("a.json", b'[{"text": "x"}, 3]', [], "row 2 is 3: it must be text, or an object"),
        ("a.doc", b"x", [], "form doc, which is not known"),
        ("a.txt", b"x\n", ["--speed-up", "99"], "takes a speed-up from 1"),
        ("a.txt", b"x\n", ["--out", "no/where.jsonl"], "its folder is not there"),
        ("a.txt", b"x\n", ["--out", "a.pdf"], "a.pdf has the ending pdf, and answers are written as .jsonl or .csv"),
        ("a.txt", b"x\n", ["--out", "o.json"], "o.json has the ending json, and answers are written as .jsonl or"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_1(cascade, tmp_path, capsys, monkeypatch, name, content, more, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "a.txt.jsonl").hardlink_to(name)
    code, _, told = run(capsys, monkeypatch, "predict", cascade, name, *more)
    assert code == 1 and said in told.splitlines()[-1] and "Traceback" not in told


def test_what_is_no_file_of_texts_and_no_system_is_told(cascade, tmp_path, capsys, monkeypatch):
    (tmp_path / "q.csv").write_text("text\nx\n")
    for given, said in (
        ([cascade, "Mr. Bean is fine"], "Mr. Bean is fine is not there: name a file"),
        ([cascade, tmp_path], f"{tmp_path} is a folder: name a file of texts"),
        ([tmp_path / "q.csv", cascade], "q.csv is a file: name the folder of a packed system first, then the texts"),
    ):
        code, _, told = run(capsys, monkeypatch, "predict", *given)
        assert code == 1 and said in told.splitlines()[-1] and "Traceback" not in told


def test_numbers_that_overflow_are_told_before_they_are_answered(cascade, tmp_path, capsys, monkeypatch):
    weights, described = cascade / "members/member4/model.safetensors", cascade / "cascade.json"
    manifest = json.loads(described.read_text())
    tensors = load_file(weights)
    large = next(name for name in tensors if name.endswith("layer.3.intermediate.dense.weight"))
    save_file(tensors | {large: tensors[large] * 1e8}, weights, {"format": "pt"})
    manifest["files"]["members/member4/model.safetensors"] = digest(weights)
    write_json(described, manifest)
    (tmp_path / "a.txt").write_text("\n".join(TEXTS))
    asked = ["predict", cascade, tmp_path / "a.txt", "--threshold", 1, "--precision"]
    code, said, told = run(capsys, monkeypatch, *asked, "fp16")
    assert (code, said) == (1, "") and "member 2 of 2, after its layer 4, answers numbers that are not finite" in told
    assert "precision fp16: take precision fp32 (--precision fp32)" in told and "Traceback" not in told
    assert run(capsys, monkeypatch, *asked, "fp32")[0] == 0


@pytest.mark.parametrize("rows", ["x,maybe\n", "x,1\ny,maybe\n"])
def test_a_wrong_label_leaves_earlier_answers_alone(cascade, tmp_path, capsys, monkeypatch, rows):
    (tmp_path / "a.csv").write_text(f"text,gold\n{rows}")
    (out := tmp_path / "out.jsonl").write_text("of before")
    code, _, told = run(capsys, monkeypatch, "predict", cascade, tmp_path / "a.csv", "--label", "gold", "--out", out)
    assert code == 1 and "has label maybe" in told and out.read_text() == "of before"


@pytest.mark.parametrize("redirected", [True, False])
def test_the_file_that_is_read_is_not_written(cascade, tmp_path, redirected):
    (file := tmp_path / "a.csv").write_text("text\ngood film\n")
    texts = ["-", "--form", "csv"] if redirected else [file]
    call = [sys.executable, "-m", "cascadebert.cli", "predict", cascade, *texts, "--out", file]
    with file.open() as given:
        done = subprocess.run(call, stdin=given, capture_output=True, text=True, cwd=Path(prove.__file__).parent)
    assert done.returncode == 1 and "a.csv is the file that is read" in done.stderr
    assert file.read_text() == "text\ngood film\n"


def test_a_wrong_label_at_the_end_is_told_before_anything_is_written(cascade, tmp_path, capsys, monkeypatch, caplog):
    (tmp_path / "a.csv").write_text("a,gold\n" + "film,positive\n" * 40 + "film,maybe\n")
    out = tmp_path / "out.jsonl"
    asked = ["predict", cascade, tmp_path / "a.csv", "--columns", "a", "--out", out, "--batch-size", 1]
    code, _, told = run(capsys, monkeypatch, *asked, "--label", "gold")
    assert code == 1 and "row 41 has label maybe" in told and not out.exists()
    caplog.clear()
    (tmp_path / "a.csv").write_text("a,gold\nfilm,positive\n")
    code, _, told = run(capsys, monkeypatch, "predict", cascade, tmp_path / "a.csv", "--label", "gold")
    assert code == 0 and caplog.text.count("the one column 'a', read as the text") == 1


def test_a_text_that_the_vocabulary_does_not_know_is_told(cascade, tmp_path, capsys, monkeypatch):
    system = Cascade.from_pretrained(cascade)
    odd, fine, *unseen = system.predict(["\u65e5\u672c", "good film", "\u200b", "\ufeff \x01", " "])
    assert (odd.strange, fine.strange) == (True, False) and odd.label
    assert [answer.label for answer in unseen] == [None] * 3
    (tmp_path / "a.txt").write_text("good\n\u65e5\u672c\n\u200b\n", encoding="utf-8")
    code, said, told = run(capsys, monkeypatch, "predict", cascade, tmp_path / "a.txt")
    assert code == 0 and "1 of which its vocabulary knows nothing" in told and "1 without text" in told
    assert [json.loads(line).get("strange") for line in said.splitlines()] == [None, True, None]


@pytest.mark.parametrize(
    ("name", "content", "more", "told"),
    [
        ("a.txt", "good\n", ["--threshold"], "--threshold has no value"),
        ("a.txt", "good\n", ["--columns"], "--columns has no value"),
        ("a.csv", "", [], "a.csv is empty: it needs a header"),
        ("a.csv", "sep=;\ntext;more\na;b\n", [], "begins with sep=;, which a spreadsheet wrote: remove"),
        ("a.txt", "good\n", ["--out", "."], ". is no file that can be written"),
        ("a.txt", "good\n", ["--out", ""], "an empty name is no file"),
    ],
)
def test_what_is_left_empty_or_is_no_table_is_told(cascade, tmp_path, capsys, monkeypatch, name, content, more, told):
    (tmp_path / name).write_text(content)
    code, _, said = run(capsys, monkeypatch, "predict", cascade, tmp_path / name, *more)
    assert code == 1 and told in said


@pytest.mark.parametrize(
    "asked",
    [
        {"speed_up": "fast"},
        {"speed_up": [3]},
        {"agreement": np.array([0.9])},
        {"threshold": "0.5"},
        {"threshold": [[0.5]]},
        {"threshold": [0.5, None]},
    ],
)
def test_what_is_no_number_is_one_sentence(asked):
    with pytest.raises(Problem, match=f"{next(iter(asked))} is .*: give a number"):
        settings_module.check_asked(**{"speed_up": None, "agreement": None, "threshold": None, "each": False, **asked})


def test_texts_come_as_libraries_give_them(cascade):
    system = Cascade.from_pretrained(cascade)
    for given in (None, 5, np.array("good")):
        with pytest.raises(Problem, match="texts are a list, not"):
            listed(given)
    with pytest.raises(Problem, match=r"both columns, such as df\[\['a', 'b'\]\].values.tolist\(\)"):
        listed(pd.DataFrame({"a": ["x"], "b": ["y"]}), pairs=True)
    pair = Task("pairs", ["a", "b"], True, "accuracy")
    assert checked(np.array(["x", "y"], dtype=object), 1, pair) == ("x", "y") and checked(np.nan, 1, pair) is None
    missing = pd.Series(["good", None], dtype="string")
    assert [answer.label is None for answer in system.predict(missing)] == [False, True]
    assert [answer.label is None for answer in system.stream("good")] == [False]


def test_a_system_that_changed_on_disk_is_not_saved(cascade, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    system = Cascade.from_pretrained(cascade)
    expected = system.setting(speed_up=1.5)
    system.save_pretrained("~/kept")
    assert (tmp_path / "kept/cascade.json").is_file()
    (cascade / "selection.safetensors").write_bytes(b"another")
    again = Cascade.from_pretrained(tmp_path / "kept")
    assert again.setting(speed_up=1.5) == system.setting(speed_up=1.5) == expected
    with pytest.raises(Problem, match=f"^{cascade}/selection.safetensors has sha256 .*: the file was altered"):
        system.save_pretrained(tmp_path / "copy")
    (cascade / "selection.safetensors").unlink()
    with pytest.raises(Problem, match="selection.safetensors cannot be copied"):
        system.save_pretrained(tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "kept"]


def test_of_two_that_save_to_one_folder_one_is_told_and_the_folder_is_whole(cascade, tmp_path, monkeypatch):
    system, read = Cascade.from_pretrained(cascade), sharing.read_manifest

    def while_another_saves(*arguments):
        monkeypatch.setattr(sharing, "read_manifest", read)
        system.save_pretrained(tmp_path / "copy")
        return read(*arguments)

    monkeypatch.setattr(sharing, "read_manifest", while_another_saves)
    with pytest.raises(Problem, match=f"^{tmp_path}/copy exists: name a folder that does not, or remove it.$"):
        system.save_pretrained(tmp_path / "copy")
    assert Cascade.from_pretrained(tmp_path / "copy").predict(TEXTS) == system.predict(TEXTS)
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "copy").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "home", "plain"]


def test_a_system_that_is_packed_twice_at_once_is_whole(made, settings, monkeypatch):
    write = packing.write_manifest

    def while_another_packs(*arguments):
        monkeypatch.setattr(packing, "write_manifest", write)
        made("twice", ["member"], settings)
        write(*arguments)

    monkeypatch.setattr(packing, "write_manifest", while_another_packs)
    folder = made("twice", ["member"], settings)
    assert EarlyExit.from_pretrained(folder).predict(TEXTS)
    assert not [*folder.parent.glob(".*")]


@pytest.mark.parametrize("meanwhile", ["another", "gone", "removed", "the same"])
def test_a_system_that_is_packed_anew_while_it_is_loaded_is_told(cascade, made, settings, monkeypatch, meanwhile):
    load, read = [], adaptive.read_model

    def while_another_packs(*arguments):
        load.append(arguments)
        if len(load) == 2:  # of the second member
            aside = cascade.rename(cascade.with_name("aside"))
            if meanwhile in ("another", "the same"):
                other = made("turned", ["member", "member"], settings, (2, 4), "confidence")
                shutil.copytree(other if meanwhile == "another" else aside, cascade, copy_function=shutil.copyfile)
            if meanwhile != "gone":
                return read(aside / arguments[0].relative_to(cascade), *arguments[1:])
        return read(*arguments)

    monkeypatch.setattr(adaptive, "read_model", while_another_packs)
    with pytest.raises(Problem, match=f"^{cascade} was packed anew while it was loaded: load it again.$"):
        Cascade.from_pretrained(cascade)


FORKED = """
import os, signal, sys, torch
from cascadebert import Cascade
from cascadebert.layouts import Problem
torch.set_num_threads(int(sys.argv[2]))
system = Cascade.from_pretrained(sys.argv[1])
child = os.fork()
if not child:
    signal.alarm(int(sys.argv[3]))  # of one that waits for ever; nothing that is timed
    try:
        os._exit(0 if system.predict("good")[0].label else 3)
    except Problem as problem:
        os._exit(2 if "forked" in str(problem) else 3)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize(("threads", "code"), [(2, 2), (1, 0)])
def test_a_fork_is_told_that_it_would_wait_for_ever(cascade, threads, code):
    call = [sys.executable, "-c", FORKED, cascade, str(threads), "900"]
    assert subprocess.run(call, check=False, cwd=Path(prove.__file__).parent).returncode == code


def test_a_wrong_command_line_is_code_2(cascade, capsys, monkeypatch):
    assert run(capsys, monkeypatch, "predict", cascade, "--sped-up", 3)[0] == 2
    assert run(capsys, monkeypatch, "predict", cascade / "nowhere")[0] == 1


def test_what_was_answered_before_an_interrupt_is_whole(cascade, tmp_path, capsys, monkeypatch):
    def rows(*_):
        yield from read_rows(str(tmp_path / "a.txt"), "txt", False, (), None)
        raise KeyboardInterrupt

    (tmp_path / "a.txt").write_text("good film\n" * 100)
    monkeypatch.setattr("cascadebert.inference.asking.read_rows", rows)
    out = tmp_path / "out.jsonl"
    code, _, told = run(capsys, monkeypatch, "predict", cascade, tmp_path / "a.txt", "--out", out, "--batch-size", 1)
    assert code == 1 and "whole rows" in told
    lines = out.read_text().splitlines()
    assert len(lines) == 64 and [json.loads(line)["row"] for line in lines] == [*range(1, 65)]


def test_a_system_is_described_and_timed(cascade, capsys, monkeypatch):
    code, said, _ = run(capsys, monkeypatch, "info", cascade)
    assert code == 0 and "member1" in said and "1.5x" in said
    code, said, _ = run(capsys, monkeypatch, "bench", cascade, "--rows", 8, "--repeats", 2, "--speed-ups", 1.5, 9)
    assert code == 0 and said.count("1.5x") == 2 and "9x" not in said


def test_a_packed_folder_is_for_every_reader(made, settings):
    folder = made("cascade", ["member", "member"], settings, (1, 4), "confidence")
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}


def test_a_setting_that_is_slower_than_the_base_alone_is_told(cascade):
    manifest = read_manifest(cascade)
    kept = [Agreement(level, 0.9, speed_up) for level, speed_up in ((0.9, 1.5), (0.99, 1.0), (0.999, 0.9))]
    assert "Below 1x the last member alone is faster" in agreements(replace(manifest, agreements=tuple(kept)))
    assert "Below 1x" not in agreements(replace(manifest, agreements=tuple(kept[:2])))


def test_timed_systems_leave_as_they_would(made, settings):
    cascade = made("cascade", ["member", "member"], settings, (1, 4), "confidence")
    base = made("whole", ["member"], settings, (4,))
    texts = TEXTS * 3
    frame = timetable([base, cascade], base, cascade, Asked(texts, [1.5], [1, 4], 2), 1)
    assert (frame["seconds"] > 0).all() and set(frame["turn"]) == {0, 1}
    own = frame[(frame["run"] == "cascade") & (frame["what"] == "tokens")]
    system = Adaptive.from_pretrained(cascade)
    threshold = system.setting(speed_up=1.5).threshold
    left, *_ = system.left(texts, threshold, 4)
    assert own["speed_up"].unique() == pytest.approx(4 * len(texts) / np.array([1, 5])[left.exit].sum())
    assert exits_under(system.selection, "confidence", threshold).max() == 1, "some stay at this threshold"
    assert frame.loc[frame["run"] == "whole", "speed_up_flops"].dropna().unique() == pytest.approx(1)
    assert own["p95_ms"].notna().tolist() == [True, True, False, False]
    assert set(frame.loc[frame["what"] == "text", "run"]) == {"whole", "cascade", *PIPELINES}


def test_standard_input_is_read_as_a_file_is(cascade):
    call = [sys.executable, "-m", "cascadebert.cli", "predict", cascade, "-", "--form", "csv"]
    content = "text\ngood film\nbad plot\n".encode("utf-16")
    done = subprocess.run(call, input=content, capture_output=True, check=True, cwd=Path(prove.__file__).parent)
    assert [json.loads(line)["row"] for line in done.stdout.splitlines()] == [1, 2]
    assert b"2 answered" in done.stderr


def test_quotes_of_a_table_are_read_alike_from_a_file_and_from_standard_input(cascade, tmp_path):
    content = b'text\tx\n"good\tfilm"\t1\n"bad plot"\t2\n'
    (tmp_path / "a.tsv").write_bytes(content)
    call = [sys.executable, "-m", "cascadebert.cli", "predict", cascade]
    there = {"capture_output": True, "check": True, "cwd": Path(prove.__file__).parent}
    piped = subprocess.run([*call, "-", "--form", "tsv"], input=content, **there)
    assert piped.stdout == subprocess.run([*call, tmp_path / "a.tsv"], **there).stdout


@pytest.mark.parametrize(
    ("closing", "said"), [("<&-", "standard input is closed"), (">&-", "standard output is closed")]
)
def test_a_closed_stream_is_told(cascade, tmp_path, closing, said):
    (tmp_path / "a.txt").write_text("good film\n")
    texts = "-" if closing == "<&-" else tmp_path / "a.txt"
    call = f"{sys.executable} -m cascadebert.cli predict {cascade} {texts} {closing}"
    done = subprocess.run(call, shell=True, capture_output=True, text=True, cwd=Path(prove.__file__).parent)
    assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr


def test_objects_may_lack_any_column_the_first_of_them_too(cascade, tmp_path, capsys, monkeypatch, caplog):
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n{"id": 2, "text": "good film"}\n')
    code, said, told = run(capsys, monkeypatch, "predict", cascade, tmp_path / "a.jsonl")
    assert code == 0 and "1 without text" in told and not caplog.text
    assert [json.loads(line)["label"] is None for line in said.splitlines()] == [True, False]


def test_a_system_without_exits_is_asked_by_the_command(made, settings, tmp_path, capsys, monkeypatch):
    folder = made("static", ["member"], settings, (4,), "last")
    (tmp_path / "a.txt").write_text("good film\nbad plot\n")
    for asked in ([], ["--speed-up", 1]):
        code, said, told = run(capsys, monkeypatch, "predict", folder, tmp_path / "a.txt", *asked)
        assert code == 0 and len(said.splitlines()) == 2 and "1.00x in layers" in told
    code, _, told = run(capsys, monkeypatch, "predict", folder, tmp_path / "a.txt", "--threshold", 0.5)
    assert code == 1 and "a system without early exits has no threshold" in told


def test_a_lone_column_of_any_name_is_told_since_it_may_be_a_text(cascade, tmp_path, capsys, monkeypatch, caplog):
    (tmp_path / "a.csv").write_text("good film\nbad plot\n")
    assert run(capsys, monkeypatch, "predict", cascade, tmp_path / "a.csv")[0] == 0
    assert "the one column 'good film', read as the text" in caplog.text


@pytest.mark.parametrize("asked", [
    ("--rows", 0), ("--repeats", 0), ("--batch-sizes", 0), ("--speed-ups", 99), ("--batch-sizes",), ("--speed-ups",),
])  # fmt: skip
def test_what_cannot_be_timed_is_one_sentence(cascade, capsys, monkeypatch, asked):
    code, _, told = run(capsys, monkeypatch, "bench", cascade, *asked)
    assert code == 1 and ("cannot be timed" in told or "can be had" in told) and "Traceback" not in told


@pytest.mark.parametrize("layers", [(3,), (3, 4)])
def test_a_ratio_as_it_is_printed_can_be_had_and_so_can_the_default(made, settings, layers):
    rule = "last" if len(layers) == 1 else "confidence"
    folder = made(f"at{len(layers)}", ["member"] * len(layers), settings, layers, rule)
    system = Adaptive.from_pretrained(folder)  # the fastest is 4/3, and the cascade was packed with 1.5 for its default
    assert reachable(system, [1.33333, 1.5]) == [pytest.approx(4 / 3, rel=1e-5)]
    assert all(system.predict("good film", **asked)[0].label for asked in ({}, {"speed_up": 1.33333}))
    with pytest.raises(Problem, match="cannot be had"):
        system.predict("good film", speed_up=1.334)


@pytest.mark.parametrize("threshold", [float("inf"), 0, -3, 2.5, [2.0, 1.5, 2.0]])
def test_a_patience_is_a_whole_number(made, settings, threshold):
    system = Adaptive.from_pretrained(made("pabee", ["pabee"], settings))
    with pytest.raises(Problem, match="counts no layers: give a whole number"):
        system.predict(TEXTS, threshold=threshold)
    assert system.setting(threshold=2.0) == system.setting(threshold=2)


def test_names_of_any_script_are_printed_to_any_output(cascade, monkeypatch):
    manifest = json.loads((cascade / "cascade.json").read_text())
    write_json(cascade / "cascade.json", manifest | {"label": "\u65e5\u672c"})
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(held := io.BytesIO(), "ascii"))
    monkeypatch.setattr("sys.argv", ["cascadebert", "info", str(cascade)])
    assert cli.main() == 0
    sys.stdout.flush()
    assert "\u65e5\u672c" in held.getvalue().decode()


def test_cells_with_any_end_of_a_line_are_quoted():
    names, answer = ["a\rb", "c\nd", "e"], Answer("a\rb", 0.5, {"a\rb": 0.5, "c\nd": 0.3, "e": 0.2}, "m")
    Writer(file := io.StringIO(newline=""), "csv", names).write(answer, names)
    header, row = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert header[6:] == ["p(a\rb)", "p(c\nd)", "p(e)"] and row[1] == "a\rb" and file.getvalue().endswith("0.2\n")
    assert "\r\n" not in file.getvalue()


def test_only_texts_are_timed(cascade, tmp_path, capsys, monkeypatch):
    (tmp_path / "a.jsonl").write_text('{"text": null}\n{"text": "good film"}\n{"text": " "}\n')
    asked = ["--texts", tmp_path / "a.jsonl", "--repeats", 1, "--speed-ups", 1.5]
    assert run(capsys, monkeypatch, "bench", cascade, *asked)[0] == 0
    (tmp_path / "a.jsonl").write_text('{"text": null}\n')
    assert "has no text" in run(capsys, monkeypatch, "bench", cascade, *asked)[2]
    assert "take 1 or more" in run(capsys, monkeypatch, "bench", cascade, *asked, "--rows", -1)[2]


@pytest.mark.parametrize(("name", "content"), [("a.csv", "a,b\nc,d\n"), ("a.tsv", "a\tb\nc\td\n")])
def test_two_columns_of_any_names_are_told_since_they_may_be_a_pair(tmp_path, caplog, name, content):
    (tmp_path / name).write_text(content)
    assert [row.text for row in read_rows(str(tmp_path / name), name[2:], True, (), None)] == [("c", "d")]
    assert "has the two columns 'a' and 'b', read as the pair: if it is one, put a header" in caplog.text


def test_which_of_several_columns_is_read_is_told_where_none_is_named(tmp_path, caplog):
    (file := tmp_path / "a.csv").write_text("review,text,sentence\na,b,c\n")
    assert [row.text for row in read_rows(str(file), "csv", False, ("review",), None)] == ["a"] and not caplog.text
    assert [row.text for row in read_rows(str(file), "csv", False, (), None)] == ["b"]
    assert "text is read from text, not from sentence or review: --columns chooses" in caplog.text


def test_columns_of_the_training_data_are_read_before_others(cascade, tmp_path, capsys, monkeypatch, caplog):
    (file := tmp_path / "a.csv").write_text("text,verdict,sentence\nbad film,good film,bad film\n")
    manifest = json.loads((cascade / "cascade.json").read_text())
    manifest["task"]["columns"] = ["verdict"]
    (cascade / "cascade.json").write_text(json.dumps(manifest))
    said = json.loads(run(capsys, monkeypatch, "predict", cascade, file)[1])
    (alone := tmp_path / "b.csv").write_text("text\ngood film\n")  # other names are looked for where they are missing
    assert said == json.loads(run(capsys, monkeypatch, "predict", cascade, alone)[1]) and not caplog.text


def test_pairs_are_read_from_two_columns(tmp_path):
    (tmp_path / "a.csv").write_text("premise,hypothesis\na,b\nc,\n")
    rows = list(read_rows(str(tmp_path / "a.csv"), "csv", True, (), None))
    assert [row.text for row in rows] == [("a", "b"), ("c", "")]
    with pytest.raises(Problem, match="--columns names premise twice"):
        list(read_rows(str(tmp_path / "a.csv"), "csv", True, ("premise", "premise"), None))
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(Problem, match="row 1 is no pair"):
        list(read_rows(str(tmp_path / "a.txt"), "txt", True, (), None))


def test_onnx_runtime_answers_as_torch_does(cascade, made, settings, capsys, monkeypatch):
    pytest.importorskip("onnxruntime", reason="an extra")
    by_torch = Cascade.from_pretrained(cascade, precision="fp32")
    by_onnx = Cascade.from_pretrained(cascade, backend="onnxruntime")
    for batch_size in (1, 2, 7):
        pairs = zip(
            *(system.predict(TEXTS, speed_up=1.5, batch_size=batch_size) for system in (by_torch, by_onnx)), strict=True
        )
        for expected, answer in pairs:
            assert (answer.label, answer.member) == (expected.label, expected.member)
            assert answer.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    with pytest.raises(Problem, match="leaves within one"):
        EarlyExit.from_pretrained(made("deebert", ["deebert"], settings), backend="onnxruntime")
    with pytest.raises(Problem, match="leave device and precision out"):
        Cascade.from_pretrained(cascade, backend="onnxruntime", precision="bf16")
    (cascade.parent / "a.txt").write_text("good film\n")
    asked = ["predict", cascade, cascade.parent / "a.txt", "--backend", "onnxruntime"]
    assert run(capsys, monkeypatch, *asked)[0] == 0
