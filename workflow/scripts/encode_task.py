"""The token ids of one task, once for each checkpoint's tokenizer."""

from pathlib import Path

import tyro

from cascadebert.data.encoding import encode, write_encoded
from cascadebert.files import read_examples, read_json


def main(examples: Path, task: Path, tokenizer: Path, max_length: int, out: Path) -> None:
    """Tokenise all splits.

    Args:
        examples: of prepare_task.py.
        task: of prepare_task.py.
        tokenizer: tokenizer.json.
        max_length: word pieces in an instance, special tokens included.
        out: .arrow.
    """
    about = read_json(task)
    write_encoded(out, encode(read_examples(examples), about["names"], tokenizer, max_length, about.get("origin")))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
