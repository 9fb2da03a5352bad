"""A pre-trained checkpoint in one form: config.json, model.safetensors, tokenizer.json (section 4.1)."""

import json
from pathlib import Path

import tyro

from cascadebert.data.origins import origin_of_checkpoint
from cascadebert.layouts import Pooling
from cascadebert.models.checkpoints import read_checkpoint, write_checkpoint


def main(
    source: str, out: Path, archive: Path | None = None, pooling: Pooling | None = None, like: tuple[Path, ...] = ()
) -> None:
    """Bring a checkpoint into the form that members are built from.

    Args:
        source: the config's entry weights.NAME.source, as JSON.
        out: model.safetensors; config.json and tokenizer.json go beside it.
        archive: the package's file, or what fetch_weights.py made, where the source is a package or of the hub.
        pooling: how its sentences are read; by default as it declares.
        like: model.safetensors of the checkpoint whose configuration and tokenizer an ONNX file has.
    """
    entry = json.loads(source)
    checkpoint = read_checkpoint(entry, archive, pooling, *like)
    write_checkpoint(out.parent, *checkpoint, origin_of_checkpoint(entry, archive))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
