"""Downloads from the model hub: each ends as one archive, which the jobs after it read without a network."""

import json
import re
import shutil
import zipfile
from hashlib import sha1
from pathlib import Path
from typing import Any

from datasets.data_files import DataFilesDict, get_data_patterns, sanitize_patterns
from datasets.utils.metadata import MetadataConfigs
from httpx2 import HTTPError
from huggingface_hub import DatasetCard, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from cascadebert.data.origins import ORIGIN, sha256
from cascadebert.files import atomic
from cascadebert.layouts import (
    CHECKPOINT_NAMES,
    MODULES,
    POOLING_CONFIG,
    Problem,
    checkpoint_files,
    names_in,
)

ENDINGS = (".jsonl", ".csv", ".parquet")
"""Of a repository's files that are data; a .json or .tsv beside them may be about it."""


def fetch_weights(key: str, repository: str, revision: str | None, out: Path) -> None:
    """Pack a checkpoint's files; the older form of its tensors only where there is no newer one.

    Args:
        key: of the config, for messages.
        repository: id on the hub.
        revision: branch, tag or commit; None for the default branch.
        out: the archive.

    Raises:
        Problem: when the hub has no such checkpoint, does not give it, or cannot be reached.
    """
    older = "pytorch_model.bin"
    first = CHECKPOINT_NAMES | {MODULES, POOLING_CONFIG}
    folder = _snapshot(key, "model", repository, revision, sorted(first - {older}))
    if "model.safetensors" not in names_in(folder):
        folder = _snapshot(key, "model", repository, folder.name, [older], revision)
    names = checkpoint_files(names_in(folder), f"config key {key} names {repository}, which")
    _pack(out, repository, revision, folder.name, {name: folder / name for name in names})


def fetch_dataset(key: str, repository: str, name: str | None, revision: str | None, out: Path) -> None:
    """Pack the files of one configuration of a data set, a folder for each of its splits.

    The repository's card says which files these are; without a card, their names do, in the folder that is called as
    the configuration.

    Args:
        key: of the config, for messages.
        repository: id on the hub.
        name: configuration; None for the default one.
        revision: branch, tag or commit; None for the default branch.
        out: the archive.

    Raises:
        Problem: when the hub has no such data set, does not give it, or cannot be reached.
    """
    folder = _snapshot(key, "dataset", repository, revision, ["README.md"])
    card = folder / "README.md"
    known: Any = MetadataConfigs.from_dataset_card_data(DatasetCard.load(card).data) if card.is_file() else {}
    chosen = name or (known.get_default_config_name() if known else None)
    if known and chosen not in known:
        raise Problem(f"config key {key.removesuffix('.hub')}.name is {name}: {repository} has {', '.join(known)}.")
    entry = known[chosen] if known else {"data_dir": name or "."}
    patterns = sanitize_patterns(entry["data_files"]) if "data_files" in entry else None
    base = entry.get("data_dir", ".")
    named = (
        [pattern for listed in patterns.values() for pattern in listed]
        if patterns
        else [f"{base}/*{ending}".removeprefix("./") for ending in ENDINGS]
    )
    folder = _snapshot(key, "dataset", repository, folder.name, named, revision)
    try:
        files_of = DataFilesDict.from_patterns(
            patterns or get_data_patterns(str(folder / base)), str(folder / base), allowed_extensions=list(ENDINGS)
        )
    except FileNotFoundError:
        files_of = {}
    files = {
        f"{split}/{'-'.join(Path(file).relative_to(folder).parts)}": Path(file)
        for split, listed in files_of.items()
        for file in listed
    }
    if not any(file.startswith("train/") for file in files):
        raise Problem(
            f"config key {key} names {repository}, which has no split train of {', '.join(ENDINGS)} files"
            f"{f' under the name {name}' if name else ''}: take another data set, or download it and give its path."
        )
    _pack(out, repository, revision, folder.name, files)


def _snapshot(
    key: str, kind: str, repository: str, revision: str | None, patterns: list[str], asked: str | None = None
) -> Path:
    """The hub's local copy of some files, called as its commit is; without a network, what an earlier call left."""
    at = f"{repository} at {asked or revision or constants.DEFAULT_REVISION}"
    try:
        return Path(snapshot_download(repository, repo_type=kind, revision=revision, allow_patterns=patterns))
    except GatedRepoError:
        sentence = f"names {repository}, which is gated: accept its terms on its page at the hub, then `hf auth login`"
    except RepositoryNotFoundError:
        sentence = (
            f"names {repository}, which the hub does not have, or does not show to this account:"
            " correct it, or `hf auth login`"
        )
    except RevisionNotFoundError:
        key = f"{key.removesuffix('.hub')}.revision"
        sentence = f"is {revision}, which {repository} does not have: give a branch, a tag or a commit of it"
    except HFValidationError as error:
        sentence = f"is {repository}, which cannot be an id on the hub ({error}): write it as owner/name"
    except (OSError, HTTPError) as error:
        if constants.is_offline_mode():
            sentence = (
                f"names {at}, which is not whole in the cache {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE is set:"
                " unset it once, where there is a network"
            )
        else:
            reason = str(error.__cause__ or error).split("\n")[0].rstrip(". ")
            sentence = (
                f"names {at}, which {constants.ENDPOINT} did not give ({reason}): give the same command again, where"
                " there is a network"
            )
    raise Problem(f"config key {key} {sentence}.")


def _pack(out: Path, repository: str, revision: str | None, commit: str, files: dict[str, Path]) -> None:
    """Write an archive whose bytes depend on the files and the commit alone."""
    digests = {name: _checked(file, name, repository) for name, file in sorted(files.items())}
    origin = {"repository": repository, "revision": revision, "commit": commit, "files": digests}
    with atomic(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr(zipfile.ZipInfo(ORIGIN), json.dumps(origin, indent=1) + "\n")
        for name in digests:
            entry = zipfile.ZipInfo(name)
            entry.file_size = files[name].stat().st_size
            with files[name].open("rb") as content, archive.open(entry, "w") as packed:
                shutil.copyfileobj(content, packed, 2**20)


def _checked(file: Path, name: str, repository: str) -> str:
    """SHA-256 of a file, which must have the digest that the hub announced: its name in the hub's cache.

    That is the SHA-256 itself of a large file, git's own digest of a small one. Downloads are compared by size alone.
    """
    digest, announced = sha256(file), file.resolve().name
    if re.fullmatch("[0-9a-f]{40}", announced):
        content = file.read_bytes()
        sha = sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()
    elif re.fullmatch("[0-9a-f]{64}", announced):
        sha = digest
    else:  # a cache without links
        return digest
    if sha != announced:
        file.resolve().unlink()
        file.unlink()
        raise Problem(
            f"{name} of {repository} has the digest {sha} and the hub announces {announced}: the copy was damaged and"
            " has been removed, so give the same command again."
        )
    return digest
