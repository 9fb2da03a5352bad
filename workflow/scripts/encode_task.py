"""The token ids of one task, once for each checkpoint's tokenizer."""

from pathlib import Path

import tyro

from cascadebert.encoding import encode, write_encoded
from cascadebert.records import read_examples, read_json


def main(examples: Path, task: Path, tokenizer: Path, max_length: int, out: Path) -> None:
    """Tokenise all splits.

    Args:
        examples: of prepare_task.py.
        task: of prepare_task.py.
        tokenizer: tokenizer.json.
        max_length: word pieces in an instance, special tokens included.
        out: .npz.
    """
    write_encoded(out, encode(read_examples(examples), read_json(task)["names"], tokenizer, max_length))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
