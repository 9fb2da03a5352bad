"""A packed system on its way: found in a folder or on the model hub, copied, uploaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cascadebert.files import part_of, told
from cascadebert.inference.folder import NAME, Manifest, read_manifest
from cascadebert.layouts import Problem

CARD = "README.md"


def names_of(manifest: Manifest) -> list[str]:
    """Files of a packed system, within its folder."""
    return [*manifest.files, NAME, CARD]


@contextmanager
def _hub(failed: str, remedy: str) -> Iterator[None]:
    """What the hub or the network refuses, in one sentence."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        yield
    except (HTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(getattr(error, "server_message", None) or error).partition("\n")[0].rstrip(". ")
        raise Problem(f"{failed} ({reason}): {remedy}.") from None


def located(source: str | Path, revision: str | None) -> tuple[Path, Path | None]:
    """The folder of a system, fetched from the hub where there is none of that name; and where its links may lead.

    Raises:
        Problem: when it is neither a folder nor a repository that the hub gives.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        if revision:
            raise Problem(f"{source} is a folder and has no revision {revision}: leave the revision out.")
        return folder, None
    if folder.is_file():
        raise Problem(f"{source} is a file: name the folder of a packed system first, then the texts.")
    name = str(source)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise Problem(f"{source} is no folder, and no repository of the hub, which is OWNER/NAME: check the path.")
    from huggingface_hub import snapshot_download

    endings = ["*.json", "*.safetensors", "*.md"]
    with _hub(f"{source} is no folder, and the hub did not give it", "check name, revision and network"):
        held = Path(snapshot_download(name, revision=revision, allow_patterns=endings))
    return held, held.parent.parent


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Whatever a library makes of a system that cannot be read, or is packed anew while it is, in one sentence."""
    before, anew = _described(folder), Problem(f"{folder} was packed anew while it was loaded: load it again.")
    try:
        with told(f"{folder} cannot be loaded"):
            yield
    except Problem:
        if _described(folder) != before:
            raise anew from None
        raise
    if _described(folder) != before:
        raise anew


def _described(folder: Path) -> tuple[bytes, int] | None:
    """What cascade.json says, and since when; None where there is none."""
    try:
        return (folder / NAME).read_bytes(), (folder / NAME).stat().st_mtime_ns
    except OSError:
        return None


def copied(folder: Path, manifest: Manifest, target: Path) -> None:
    """Copy a system to a folder that does not exist yet, whole or not at all.

    Raises:
        Problem: when the folder exists or cannot be made, or what is copied is no longer the system that was loaded.
    """
    exists = Problem(f"{target} exists: name a folder that does not, or remove it.")
    if target.exists():
        raise exists
    part = target
    try:
        with part_of(target) as part:
            for name in names_of(manifest):
                if name != CARD or (folder / CARD).is_file():
                    (part / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(folder / name, part / name)
            if read_manifest(part) != manifest:
                raise Problem(f"{folder} holds another system than the one that was loaded: load it again.")
            part.rename(target)
    except Problem as problem:  # the copy goes, so what is told is of where it came from
        raise Problem(str(problem).replace(str(part), str(folder))) from None
    except OSError as error:
        if target.exists():  # somebody else was faster
            raise exists from None
        named = error.filename if str(error.filename).startswith(str(folder)) else target
        raise Problem(f"{named} cannot be copied ({error.strerror}): check both folders.") from None


def uploaded(folder: Path, manifest: Manifest, repository: str, private: bool | None, token: str | None) -> str:
    """Upload a system to a repository of the hub; members of another system that was there before go.

    Returns:
        The commit.

    Raises:
        Problem: when the hub does not take it.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    with _hub(f"the hub did not take {repository}", "check the name, `hf auth login`, and the network"):
        api.create_repo(repository, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repository, folder_path=folder, allow_patterns=names_of(manifest), delete_patterns=["members/*"]
        )
    return str(done.oid)
