"""The tokenizer of a checkpoint as a tokenizer.json; its files must not contradict each other."""

import logging
import re
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer
from transformers.models.bert.tokenization_bert import BertTokenizer
from transformers.models.roberta.tokenization_roberta import RobertaTokenizer

from cascadebert.files import read_json
from cascadebert.layouts import TOKENIZER_CONFIG, Problem, names_in

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


def read_tokenizer(folder: Path, held: set[str], kind: str, where: str) -> bytes:
    """tokenizer.json as it is, once what transformers makes of the folder reads alike; or of the older files.

    Text is lower-cased for a vocab.txt if tokenizer_config.json says so, or, where nothing does, if the vocabulary
    has no upper-case letter outside its special tokens.

    Args:
        folder: of the checkpoint.
        held: names of the files that it is read from.
        kind: its model_type.
        where: the checkpoint, for messages.

    Raises:
        Problem: for a file that is no tokenizer, or for files that contradict each other.
    """
    if "tokenizer.json" in held:
        content = (folder / "tokenizer.json").read_bytes()
        written = tokenizer_of(content, where)
        if TOKENIZER_CONFIG in names_in(folder):
            try:
                other: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            except Exception as error:  # whatever transformers makes of files that it does not know
                log.warning("transformers cannot read the tokenizer of %s, so it was not compared: %s", where, error)
            else:
                check_same(written, Tokenizer.from_str(other.backend_tokenizer.to_str()), where, TOKENIZER_CONFIG)
        if vocabulary := _vocabulary(folder):
            wrong = next((piece for piece, i in vocabulary.items() if written.token_to_id(piece) != i), None)
            if wrong is not None:
                raise Problem(
                    f"tokenizer.json and the vocabulary beside it in {where} contradict each other on {wrong!r}: remove"
                    " the wrong one, or get all files of one checkpoint."
                )
        return content
    said = read_json(folder / TOKENIZER_CONFIG) if TOKENIZER_CONFIG in held else {}
    if "vocab.txt" in held and "do_lower_case" not in said:
        pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        said["do_lower_case"] = all(piece == piece.lower() for piece in pieces if not re.fullmatch(r"\[.+\]", piece))
    lower = {"do_lower_case": said["do_lower_case"]} if "vocab.txt" in held else {}
    tool: Any = TOKENIZERS[kind]
    return tool.from_pretrained(folder, **lower).backend_tokenizer.to_str().encode()


def _vocabulary(folder: Path) -> dict[str, int]:
    """Ids by word piece of an older file of the tokenizer; none where there is no such file."""
    if (folder / "vocab.json").is_file():
        return read_json(folder / "vocab.json")
    if not (folder / "vocab.txt").is_file():
        return {}
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return {piece.rstrip("\r"): i for i, piece in enumerate(pieces)}


def tokenizer_of(content: bytes, where: str) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`, which neither pads nor cuts.

    Raises:
        Problem: when it is none.
    """
    try:
        tool = Tokenizer.from_buffer(content)
    except Exception as error:  # what the library raises of a file is of no narrower type
        raise Problem(
            f"tokenizer.json of {where} cannot be read ({' '.join(str(error).split())}): get it anew."
        ) from error
    tool.no_padding()
    tool.no_truncation()
    return tool


def check_same(one: Tokenizer, other: Tokenizer, where: str, names: str) -> None:
    """Raise Problem where two tokenizers that are meant to be one read a sentence differently."""
    other.no_padding()
    other.no_truncation()
    for text in SENTENCES:
        pieces = [tool.encode(text).tokens for tool in (one, other)]
        if pieces[0] != pieces[1] or one.encode(text).ids != other.encode(text).ids:
            raise Problem(
                f"tokenizer.json of {where} reads {text!r} as {' '.join(pieces[0][:8])}, and {names} as"
                f" {' '.join(pieces[1][:8])}: remove the wrong one, or get all files of one checkpoint."
            )
