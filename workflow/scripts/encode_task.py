"""The token ids of one part of a task, once for each checkpoint's tokenizer."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import encode, write_encoded
from cascadebert.files import read_examples, read_json


def main(examples: Path, facts: Path, tokenizer: Path, max_length: int, out: Path) -> None:
    """Tokenise its splits.

    Args:
        examples: of prepare_task.py.
        facts: of prepare_task.py.
        tokenizer: tokenizer.json.
        max_length: word pieces in an instance, special tokens included.
        out: .arrow.
    """
    about = read_json(facts)
    rows = read_examples(examples)
    write_encoded(out, encode(rows, about["names"], tokenizer, max_length, about["origin"], str(examples)))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
