"""The tokenizer of a checkpoint as a tokenizer.json; its files must not contradict each other."""

import logging
import re
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer
from transformers.models.bert.tokenization_bert import BertTokenizer
from transformers.models.roberta.tokenization_roberta import RobertaTokenizer

from cascadebert.files import read_json, told
from cascadebert.layouts import TOKENIZER_CONFIG, WITH_OLDER, Problem, names_in
from cascadebert.tokenizer_files import check_older

log = logging.getLogger(__name__)

TOKENIZERS = {"bert": BertTokenizer, "roberta": RobertaTokenizer}
"""What makes a tokenizer.json of older files, by model_type."""

SENTENCES = (
    "The film is good.",
    "Ein ÄRGERLICH langer Film — naïve?",
    "don't, won't; can't: it's  two   spaces",
    "12,345.67 $ at 10 % (e.g. #1)",
    "ALL CAPITALS AND lower",
    "日本語の文章",
    "ﬁne ligatures ½",
    "a_b-c/d\\e @home",
    "\tTabs\nand lines",
    "antidisestablishmentarianism 🙂",
)
"""Texts on which two tokenizers that are meant to be one are compared."""


def read_tokenizer(folder: Path, held: set[str], config: dict[str, Any], where: str) -> bytes:
    """tokenizer.json as it is, once what transformers makes of the folder reads alike; or of the older files.

    Text is lower-cased for a vocab.txt if tokenizer_config.json says so, or, where nothing does, if the vocabulary
    has no upper-case letter outside its special tokens.

    Args:
        folder: of the checkpoint.
        held: names of the files that it is read from.
        config: its config.json, with its model_type.
        where: the checkpoint, for messages.

    Raises:
        Problem: for a file that is no tokenizer, for files that contradict each other, or for older ones of a tokenizer
            that is not BERT's or RoBERTa's.
    """
    if "tokenizer.json" in held:
        content = (folder / "tokenizer.json").read_bytes()
        written = tokenizer_of(content, where)
        if TOKENIZER_CONFIG in names_in(folder):
            try:
                read: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                other = _tried(read.backend_tokenizer.to_str().encode())
            except Exception as error:  # whatever transformers makes of files that it does not know
                log.warning("transformers cannot read the tokenizer of %s, so it was not compared: %s", where, error)
            else:
                check_same(written, other, where, TOKENIZER_CONFIG)
        vocabulary = _vocabulary(folder, where)
        wrong = next((piece for piece, i in vocabulary.items() if written.token_to_id(piece) != i), None)
        if wrong is not None:
            raise Problem(
                f"tokenizer.json and the vocabulary beside it in {where} contradict each other on {wrong!r}: remove the"
                " wrong one, or get all files of one checkpoint."
            )
        return content
    check_older(folder, config, where)
    older = [name for name in ("vocab.txt", "vocab.json", "merges.txt", *WITH_OLDER) if name in held]
    with told(f"{' with '.join(older)} of {where} makes no tokenizer"):
        said = read_json(folder / TOKENIZER_CONFIG) if TOKENIZER_CONFIG in held else {}
        if "vocab.txt" in held and "do_lower_case" not in said:
            pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
            named = re.compile(r"\[.+\]")
            said["do_lower_case"] = all(piece == piece.lower() for piece in pieces if not named.fullmatch(piece))
        lower = {"do_lower_case": said["do_lower_case"]} if "vocab.txt" in held else {}
        tool: Any = TOKENIZERS[config["model_type"]]
        made = tool.from_pretrained(folder, **lower).backend_tokenizer.to_str().encode()
        _tried(made)
    return made


def _vocabulary(folder: Path, where: str) -> dict[str, int]:
    """Ids by word piece of an older file of the tokenizer; none where there is no such file."""
    for file in (folder / "vocab.json", folder / "vocab.txt"):
        if file.is_file():
            with told(f"{file.name} beside tokenizer.json of {where} cannot be read"):
                if file.suffix == ".json":
                    return dict(read_json(file))
                pieces = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
                return {piece.rstrip("\r"): i for i, piece in enumerate(pieces)}
    return {}


def tokenizer_of(content: bytes, where: str) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`, which neither pads nor cuts.

    Raises:
        Problem: when it is none.
    """
    with told(f"tokenizer.json of {where} cannot be read"):
        return _tried(content)


def _tried(content: bytes) -> Tokenizer:
    """The same, once it has read some sentences; without its token for what is unknown it does not."""
    tool = Tokenizer.from_buffer(content)
    tool.no_padding()
    tool.no_truncation()
    tool.encode_batch(SENTENCES)
    return tool


def check_same(one: Tokenizer, other: Tokenizer, where: str, names: str) -> None:
    """Raise Problem where two tokenizers that are meant to be one read a sentence differently."""
    for text in SENTENCES:
        pieces = [tool.encode(text).tokens for tool in (one, other)]
        if pieces[0] != pieces[1] or one.encode(text).ids != other.encode(text).ids:
            raise Problem(
                f"tokenizer.json of {where} reads {text!r} as {' '.join(pieces[0][:8])}, and {names} as"
                f" {' '.join(pieces[1][:8])}: remove the wrong one, or get all files of one checkpoint."
            )
