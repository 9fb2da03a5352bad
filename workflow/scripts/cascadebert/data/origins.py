"""Where the bytes of a source are from, for the records of what was made of them."""

import hashlib
import json
import zipfile
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from cascadebert.layouts import Part, checkpoint_files, files_of, names_in
from cascadebert.recipe import needed

ORIGIN = "origin.json"
"""In an archive of the hub's files: repository, revision as asked for, commit, digests."""


def origin_of_data(source: dict[str, Any], archive: Path | None = None, part: Part | None = None) -> dict[str, Any]:
    """What is known of a data set's source, as JSON can hold it.

    Args:
        source: of an entry under data.
        archive: the package's file, or what fetch_dataset.py made, for a package or hub source.
        part: of the task, where only files are meant that it depends on.

    Returns:
        Of the hub - repository, revision as asked for, commit, digests; of a package - name, version, digest; of a
        path - path, digests; else the source itself.
    """
    files = files_of(Path(source["path"]), part, source.get("splits")).values() if "path" in source else ()
    return _origin(source, archive, {file.name: file for file in files})


def origin_of_checkpoint(source: dict[str, Any], archive: Path | None = None) -> dict[str, Any]:
    """The same of an entry under weights."""
    folder = Path(source.get("path", ""))
    names = checkpoint_files(names_in(folder), source["path"]) if "path" in source else []
    return _origin(source, archive, {name: folder / name for name in names})


def _origin(source: dict[str, Any], archive: Path | None, files: dict[str, Path]) -> dict[str, Any]:
    if "hub" in source:
        with zipfile.ZipFile(needed(archive)) as packed:
            return json.loads(packed.read(ORIGIN))
    if "package" in source:
        file = needed(archive)
        return {"package": source["package"], "version": _version(file), "sha256": sha256(file)}
    if "path" in source:
        return {"path": source["path"], "files": {name: sha256(file) for name, file in files.items()}}
    return dict(source)


def _version(archive: Path) -> str | None:
    """Version that a wheel or a source distribution has by its own metadata; None where it has none."""
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            if name.endswith((".dist-info/METADATA", "/PKG-INFO")):
                return BytesHeaderParser().parsebytes(packed.read(name))["Version"]
    return None


def sha256(file: Path) -> str:
    """Digest of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
