"""A checkpoint of the model hub as one archive, so that no later job needs a network."""

import sys
from pathlib import Path

import tyro

from cascadebert.data.hub import fetch_weights
from cascadebert.layouts import Problem


def main(weights: str, hub: str, out: Path, revision: str | None = None) -> None:
    """Download a checkpoint, or take it from the hub's cache.

    Args:
        weights: name under weights in the config, for messages.
        hub: id on the model hub.
        out: .zip with the checkpoint's files and origin.json, which says where they are from.
        revision: branch, tag or commit.
    """
    fetch_weights(f"weights.{weights}.source.hub", hub, revision, out)


if __name__ == "__main__":
    try:
        tyro.cli(main, description=__doc__)
    except Problem as problem:
        sys.exit(str(problem))
