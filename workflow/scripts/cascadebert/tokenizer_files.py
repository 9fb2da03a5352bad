"""Older files of a tokenizer: those that each kind of encoder has, and by whose rules they are read."""

import json
from pathlib import Path
from typing import Any

from cascadebert.layouts import TOKENIZER_CONFIG, Problem, names_in

OLDER = {
    "bert": (("vocab.txt",), ("BertTokenizer", "BertTokenizerFast")),
    "roberta": (("vocab.json", "merges.txt"), ("RobertaTokenizer", "RobertaTokenizerFast")),
}
"""Files, and values of tokenizer_class whose rules are known here, by model_type."""

REMEDY = (
    "put beside it the tokenizer.json that AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER) writes, or take"
    " another checkpoint if it writes none"
)


def check_older(folder: Path, config: dict[str, Any], where: str) -> None:
    """Prove that a tokenizer can be made of a checkpoint's files as its authors made it.

    Args:
        folder: of the checkpoint.
        config: its config.json, with its model_type.
        where: the checkpoint, for messages.

    Raises:
        Problem: when it has no tokenizer.json, and its older files are of another kind or for another class.
    """
    held = names_in(folder)
    if "tokenizer.json" in held:
        return
    files, classes = OLDER[config["model_type"]]
    if not set(files) <= held:
        other = " with ".join(name for older, _ in OLDER.values() for name in older if name in held)
        kind, needed = config["model_type"], " with ".join(files)
        raise Problem(f"{where} is of the model_type {kind} and has {other}, not {needed}: {REMEDY}.")
    try:
        path = folder / TOKENIZER_CONFIG
        beside = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        said = {TOKENIZER_CONFIG: beside.get("tokenizer_class"), "config.json": config.get("tokenizer_class")}
    except (OSError, ValueError, AttributeError) as error:
        raise Problem(f"{TOKENIZER_CONFIG} of {where} cannot be read ({error}): get it anew.") from None
    file, name = next(((file, name) for file, name in said.items() if name), ("", classes[0]))
    if name not in classes:
        raise Problem(
            f"{file} of {where} has the tokenizer_class {name}, and without a tokenizer.json {files[0]} is read by"
            f" the rules of {classes[0]}: {REMEDY}."
        )
