"""Teachers: which layers teach, outputs that stay with their instances, and what a patient student learns from them."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from transformers import RobertaConfig, RobertaModel

import shuffle_difficulty
from cascadebert.metrics.difficulty import shuffled
from cascadebert.models.encoders import sentence_states
from cascadebert.models.members import build_member
from cascadebert.recipe import Patience
from cascadebert.training.loop import fit, on_logits, predict, to_batch
from cascadebert.training.objectives.cross_entropy import cross_entropy
from cascadebert.training.objectives.kd import kd
from cascadebert.training.objectives.pkd import patience, patient_objective
from cascadebert.training.streams import stream
from cascadebert.training.teachers import read_teacher, skip_map, teacher_outputs, write_teacher

CPU = torch.device("cpu")
RECIPE = Patience(alpha=0.5, beta=10.0, temperature=5.0, normalize=False)


@pytest.fixture(params=["bert", "roberta"])
def checkpoint(request, weights, tmp_path):
    """model.safetensors of an untrained BERT, then of an untrained RoBERTa, 4 layers of 16 and large weights."""
    if request.param == "bert":
        return weights
    config = RobertaConfig(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, max_position_embeddings=40,
        type_vocab_size=1, initializer_range=0.2,
    )  # fmt: skip
    torch.manual_seed(0)
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    save_file(RobertaModel(config, add_pooling_layer=False).state_dict(), tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.fixture
def teacher(checkpoint, sentences, settings):
    """A base of 4 layers, fine-tuned for a moment."""
    torch.manual_seed(0)
    member = build_member(checkpoint, 4, 2, freeze_embeddings=True)
    fit(member, sentences, sentences.rows("train"), on_logits(cross_entropy), settings(lr=5e-3), seed=1)
    return member


@pytest.fixture
def taught(teacher, sentences, tmp_path):
    """File of the teacher's outputs for a student of 2 layers, its rows in an order of their own."""
    rows = np.random.default_rng(3).permutation(sentences.rows("train"))
    mapped = skip_map(4, 2)
    path = tmp_path / "teacher.npz"
    write_teacher(path, sentences.id[rows], *teacher_outputs(teacher, sentences, rows, mapped, "fp32"), mapped)
    return path


def copied(model):
    """All tensors of a model, as they are now."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def changed(model, before):
    """Names of the tensors that are not what they were, to the bit."""
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


@pytest.mark.parametrize(
    ("teacher_layers", "student_layers", "expected"),
    [
        (12, 4, [3, 6, 9]),
        (12, 6, [2, 4, 6, 8, 10]),
        (12, 3, [4, 8]),
        (12, 12, list(range(1, 12))),
        (6, 2, [3]),
        (12, 1, []),
        (12, 5, [2, 5, 7, 10]),  # 2.4, 4.8, 7.2, 9.6
        (6, 4, [2, 3, 5]),  # 1.5, 3, 4.5: halves up, not to even
        (10, 4, [3, 5, 8]),  # 2.5, 5, 7.5
    ],
)
def test_skip_map(teacher_layers, student_layers, expected):
    assert skip_map(teacher_layers, student_layers) == expected


def test_every_student_layer_but_the_last_has_a_teacher_layer_of_its_own_below_the_teachers_last():
    for teacher_layers in range(1, 25):
        for student_layers in range(1, teacher_layers + 1):
            mapped = skip_map(teacher_layers, student_layers)
            assert len(set(mapped)) == len(mapped) == student_layers - 1
            assert mapped == sorted(mapped)
            assert all(1 <= layer < teacher_layers for layer in mapped)


@pytest.mark.parametrize("layers", [[], [2], [1, 3], [3, 4]])
def test_outputs_are_the_teachers_logits_and_states_in_evaluation_mode_in_the_order_of_rows(teacher, sentences, layers):
    rows = np.random.default_rng(0).permutation(sentences.rows("train"))[:17]
    logits, states = teacher_outputs(teacher.train(), sentences, rows, layers, "fp32", batch_size=4)
    np.testing.assert_allclose(logits, predict(teacher, sentences, rows)[0], atol=1e-6)
    assert states.shape == (17, len(layers), 16)
    for i, row in enumerate(rows):
        found = sentence_states(teacher.encoder, to_batch(sentences, np.array([row]), CPU))
        for j, layer in enumerate(layers):
            np.testing.assert_allclose(states[i, j], found[layer - 1][0].detach(), atol=3e-3)
    assert (states.astype(float).std(axis=0) > 0.015).all()


def test_outputs_leave_the_teacher_as_it_is(teacher, sentences):
    before = copied(teacher)
    teacher_outputs(teacher, sentences, sentences.rows("train"), [1, 2, 3, 4], "bf16")
    assert not changed(teacher, before)
    assert all(tensor.grad is None for tensor in teacher.parameters())


def test_outputs_stay_with_their_instances_in_any_order_of_the_file_and_of_the_task(tmp_path):
    rng = np.random.default_rng(0)
    held = rng.permutation([f"t{i}" for i in range(20)])
    numbers = np.array([int(name[1:]) for name in held])
    logits = np.stack([numbers, -numbers], axis=1).astype(np.float32)
    states = (numbers[:, None, None] + np.array([[0, 0.25], [0.5, 0.75]])).astype(np.float16)
    write_teacher(tmp_path / "t.npz", held, logits, states, [3, 6])
    ids = rng.permutation([f"t{i}" for i in range(0, 20, 2)] + ["s1", "s2", "r7"])
    found = read_teacher(tmp_path / "t.npz", ids)
    assert set(found) == {"teacher_logits", "teacher_states"}
    assert [found[f"teacher_{name}"].dtype for name in ("logits", "states")] == [np.float32, np.float16]
    for row, name in enumerate(ids):
        number = int(name[1:]) if name[0] == "t" else None
        expected = [[number, number + 0.25], [number + 0.5, number + 0.75]] if number is not None else np.zeros((2, 2))
        np.testing.assert_array_equal(found["teacher_logits"][row], [number or 0, -(number or 0)])
        np.testing.assert_array_equal(found["teacher_states"][row], expected)
    np.testing.assert_array_equal(np.load(tmp_path / "t.npz")["layers"], [3, 6])


def test_only_the_wanted_outputs_are_read(tmp_path):
    ids = np.array(["a", "b"])
    write_teacher(tmp_path / "t.npz", ids, np.ones((2, 3), np.float32), np.zeros((2, 0, 4), np.float16), [])
    assert set(read_teacher(tmp_path / "t.npz", ids, ["logits"])) == {"teacher_logits"}
    assert read_teacher(tmp_path / "t.npz", ids)["teacher_states"].shape == (2, 0, 4)


def test_student_is_taught_by_its_own_instances_states(teacher, taught, sentences):
    rows, extras = sentences.rows("train")[5:14], read_teacher(taught, sentences.id)
    batch = to_batch(sentences, rows, CPU, extras)
    with torch.no_grad():
        expected = sentence_states(teacher.eval().encoder, batch)[1]
        torch.testing.assert_close(batch["teacher_logits"], teacher(batch)[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(batch["teacher_states"][:, 0].float(), expected, atol=5e-3, rtol=1e-3)


@pytest.mark.parametrize("normalize", [True, False])
def test_patient_objective_is_its_three_terms(checkpoint, taught, sentences, normalize):
    recipe = Patience(alpha=0.3, beta=7.0, temperature=2.0, normalize=normalize)
    student = build_member(checkpoint, 2, 2, freeze_embeddings=False).eval()
    batch = to_batch(sentences, sentences.rows("train")[:6], CPU, read_teacher(taught, sentences.id))
    logits, own = student(batch), sentence_states(student.encoder, batch)[0].detach().numpy()
    theirs = batch["teacher_states"][:, 0].float().numpy()
    if normalize:
        own, theirs = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (own, theirs))
    expected = kd(logits, batch, 0.3, 2.0, "mean").item() + 7.0 * np.mean((own - theirs) ** 2)
    assert patient_objective(recipe)(student, batch).item() == pytest.approx(expected, rel=1e-5)


def test_student_of_one_layer_learns_from_answers_alone(checkpoint, sentences):
    student = build_member(checkpoint, 1, 2, freeze_embeddings=False).eval()
    extras = {"teacher_logits": np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)}
    batch = to_batch(sentences, np.arange(6), CPU, extras | {"teacher_states": np.zeros((6, 0, 16), np.float32)})
    loss = patient_objective(RECIPE)(student, batch)
    assert loss.item() == pytest.approx(kd(student(batch), batch, 0.5, 5.0, "mean").item(), rel=1e-6)


def test_teacher_of_students_of_another_depth_is_refused(checkpoint, taught, sentences):
    student = build_member(checkpoint, 3, 2, freeze_embeddings=False)
    batch = to_batch(sentences, sentences.rows("train")[:6], CPU, read_teacher(taught, sentences.id))
    with pytest.raises(ValueError, match=r"states \[6, 2, 16\] to learn, the teacher \[6, 1, 16\]"):
        patient_objective(RECIPE)(student, batch)


def test_patience_reaches_the_layers_below_its_states_and_the_embeddings_alone(checkpoint, taught, sentences):
    student = build_member(checkpoint, 2, 2, freeze_embeddings=False).train()
    batch = to_batch(sentences, sentences.rows("train")[:6], CPU, read_teacher(taught, sentences.id))

    def gradients(beta):
        torch.manual_seed(0)
        student.zero_grad()
        patient_objective(Patience(0.5, beta, 1.0, normalize=False))(student, batch).backward()
        return {name: tensor.grad.clone() for name, tensor in student.named_parameters()}

    without, patient = gradients(0.0), gradients(10.0)
    reached = {name for name in without if not torch.equal(without[name], patient[name])}
    below = {name for name in without if name.startswith(("encoder.embeddings.", "encoder.encoder.layer.0."))}
    assert {name for name in below - reached if not name.endswith("key.bias")} == set()
    assert reached <= below


@pytest.mark.parametrize("freeze", [True, False])
def test_patient_training_changes_every_tensor_but_frozen_embeddings(checkpoint, taught, sentences, settings, freeze):
    student = build_member(checkpoint, 2, 2, freeze_embeddings=freeze)
    before, extras = copied(student), read_teacher(taught, sentences.id)
    fit(
        student,
        sentences,
        sentences.rows("train"),
        patient_objective(RECIPE),
        settings(epochs=2),
        seed=1,
        extras=extras,
    )
    frozen = {name for name in before if name.startswith("encoder.embeddings.") and freeze}
    same = before.keys() - changed(student, before)
    assert {name for name in same if not name.endswith("key.bias")} == frozen  # softmax does not see that bias


def test_patience_brings_states_and_answers_nearer_to_the_teachers(checkpoint, taught, sentences, settings):
    torch.manual_seed(0)
    student, rows = build_member(checkpoint, 2, 2, freeze_embeddings=False), sentences.rows("train")
    extras = read_teacher(taught, sentences.id)

    def distances():
        with torch.no_grad():
            batch = to_batch(sentences, rows, CPU, extras)
            state = (sentence_states(student.eval().encoder, batch)[0] - batch["teacher_states"][:, 0]).square().mean()
            return state.item(), kd(student(batch), batch, 1.0, 1.0).item()

    before = distances()
    recipe, long = Patience(alpha=1.0, beta=1.0, temperature=1.0, normalize=False), settings(epochs=12, lr=5e-3)
    fit(student, sentences, rows, patient_objective(recipe), long, seed=1, extras=extras)
    assert all(after < 0.7 * then for after, then in zip(distances(), before, strict=True))


def test_loss_is_computed_in_float32_from_a_model_in_bf16(checkpoint, taught, sentences):
    student = build_member(checkpoint, 2, 2, freeze_embeddings=False).eval()
    batch = to_batch(sentences, sentences.rows("train")[:8], CPU, read_teacher(taught, sentences.id))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = patient_objective(RECIPE)(student, batch)
        logits, states = student(batch), sentence_states(student.encoder, batch)[0]
    assert logits.dtype == torch.float32  # the classifier computes in float32
    gap = patience(states[:, None].float(), batch["teacher_states"].float(), normalize=False)
    expected = kd(logits.float(), batch, 0.5, 5.0, "mean") + 10.0 * gap
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.fixture
def labels():
    """Difficulty of 60 instances."""
    right = np.arange(60) % 4
    return pd.DataFrame({"id": [f"i{k:02}" for k in range(60)], "right": right, "difficult": right < 3})


def test_shuffled_labels_keep_their_counts_and_lose_their_order(labels):
    found = shuffled(labels, stream(1, "x"))
    assert list(found.columns) == ["id", "right", "difficult"]
    assert list(found["id"]) == list(labels["id"])
    assert found["right"].value_counts().to_dict() == labels["right"].value_counts().to_dict()
    assert (found["difficult"] == (found["right"] < 3)).all()
    assert (found["right"] != labels["right"]).mean() > 0.5


def test_shuffling_is_reproduced_by_the_seed_and_by_nothing_else(labels):
    first = shuffled(labels, stream(1, "x"))
    assert first.equals(shuffled(labels, stream(1, "x")))
    assert not first.equals(shuffled(labels, stream(2, "x")))


def test_shuffling_script_keeps_ids_as_text_and_draws_by_seed(labels, tmp_path):
    labels.assign(id=[f"{k:03}" for k in range(60)]).to_csv(tmp_path / "labels.csv", index=False)
    tables = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        shuffle_difficulty.main(tmp_path / "labels.csv", seed, tmp_path / f"{name}.csv")
        tables.append((tmp_path / f"{name}.csv").read_text())
    assert tables[0] == tables[1] != tables[2]
    assert tables[0].splitlines()[0] == "id,right,difficult"
    assert [line.split(",")[0] for line in tables[0].splitlines()[1:]] == [f"{k:03}" for k in range(60)]
    assert tables[0].count("True") == 45
