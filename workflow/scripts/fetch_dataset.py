"""A data set of the model hub as one archive, so that no later job needs a network."""

import sys
from pathlib import Path

import tyro

from cascadebert.data.hub import fetch_dataset
from cascadebert.layouts import Problem


def main(data: str, hub: str, out: Path, name: str | None = None, revision: str | None = None) -> None:
    """Download a data set, or take it from the hub's cache.

    Args:
        data: name under data in the config, for messages.
        hub: id on the model hub.
        out: .zip with a folder for each split and origin.json, which says where the files are from.
        name: configuration of the data set.
        revision: branch, tag or commit.
    """
    fetch_dataset(f"data.{data}.source.hub", hub, name, revision, out)


if __name__ == "__main__":
    try:
        tyro.cli(main, description=__doc__)
    except Problem as problem:
        sys.exit(str(problem))
