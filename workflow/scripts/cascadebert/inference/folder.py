"""A packed system on disk: cascade.json says what lies beside it, and every file has the digest that stands there."""

import hashlib
import json
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from cascadebert.exit_rules import Exits
from cascadebert.files import read_json, write_json
from cascadebert.layouts import Pooling, Problem, positions
from cascadebert.recipe import Precision

FORMAT = 1
"""Of cascade.json; a reader refuses what is newer than it."""

NAME = "cascade.json"
ENCODER, HEAD, TOKENIZER = "model.safetensors", "head.safetensors", "tokenizer.json"
SELECTION = "selection.safetensors"

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=STRICT)
class Task:
    """What is answered.

    Attributes:
        name: of the task.
        classes: names, in the order of the logits.
        pairs: whether a pair of texts is answered, not one.
        metric: accuracy or f1.
        columns: that its texts had in the data it was trained on; none where these had no table.
    """

    name: str
    classes: list[str]
    pairs: bool
    metric: Literal["accuracy", "f1"]
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, config=STRICT)
class Member:
    """One model.

    Attributes:
        name: of its run.
        folder: with its config.json, model.safetensors, tokenizer.json and, where transformers has no class for the
            whole of it, head.safetensors.
        architecture: module and class of cascadebert.models.
        layers: of its encoder.
        pooling: how its sentences are read.
        tokenizer: folder of the first member that has the same tokenizer; text is tokenised once for all of them.
        parameters: of the model as it is run.
    """

    name: str
    folder: str
    architecture: str
    layers: int
    pooling: Pooling
    tokenizer: str
    parameters: int


@dataclass(frozen=True, config=STRICT)
class Outcome:
    """What a threshold gave on a split.

    Attributes:
        split: selection (on which it was chosen), report or mismatched.
        speed_up: full layers over executed layers.
        score: the task's metric, a fraction; None where it is undefined.
        low: of its 95 % interval over instances (Wilson's), for an accuracy.
        high: of it.
        n: instances.
    """

    split: str
    speed_up: float
    score: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, config=STRICT)
class SpeedUp:
    """An operating point of the pipeline's tables."""

    target: float
    threshold: float | None  # None where there is nothing to set
    outcomes: list[Outcome]


@dataclass(frozen=True, config=STRICT)
class Agreement:
    """The fastest threshold that keeps a share of the base's answers; where it cannot be shown, the reason."""

    level: float
    threshold: float | None = None
    speed_up: float | None = None
    at_least: float | None = None
    unreachable: str = ""


@dataclass(frozen=True, config=STRICT)
class Manifest:
    """All of cascade.json.

    Attributes:
        format: version of this schema.
        kind: a cascade of several models, or one model, with exits or without.
        run: name of the run, a folder of results/.
        label: name of the system in tables.
        exits: how an instance leaves (cascadebert/exit_rules.py).
        task: what is answered.
        max_length: tokens that are read of a text, special tokens included.
        precision: that it was trained and evaluated in.
        full_layers: layers of the base, the numerator of every speed-up.
        members: models, in ascending depth.
        default_speed_up: the target that is taken where nothing is asked for; a static system has one alone.
        speed_ups: operating points at the targets of the config.
        agreements: the same for some levels of agreement with the last exit.
        origin: config, seed, digests of code, versions, and where text and checkpoints are from.
        files: SHA-256 of every file but this one and README.md.
    """

    format: int
    kind: Literal["cascade", "early_exit"]
    run: str
    label: str
    exits: Exits
    task: Task
    max_length: Annotated[int, Field(ge=8)]  # as training.max_length
    precision: Precision
    full_layers: int
    members: list[Member]
    default_speed_up: float
    speed_ups: list[SpeedUp]
    agreements: list[Agreement]
    origin: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write cascade.json, with the digests of all that lies in the folder."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {name: digest(folder / name) for name in names if name not in (NAME, "README.md")}
    content = TypeAdapter(Manifest).dump_python(manifest, mode="json")
    write_json(folder / NAME, content | {"files": files})


def read_manifest(folder: Path, root: Path | None = None) -> Manifest:
    """Read cascade.json and prove the folder by it: no path leads out of it, and every file is the one that was packed.

    Args:
        folder: of a packed system.
        root: folder that links may lead to, that of the hub's cache; the folder itself if not given.

    Raises:
        Problem: in one sentence, for whatever is missing, altered, newer, or not as it is written here.
    """
    path = folder / NAME
    if not path.is_file():
        raise Problem(f"{folder} holds no {NAME}: name a folder that `snakemake cascades` or save_pretrained made.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{path} is not a description of a packed system ({error!r}): pack the system anew.") from None
    if type(version) is not int:
        raise Problem(f"{path}, key format: {json.dumps(version)} is no whole number; pack the system anew.")
    if version > FORMAT:
        raise Problem(f"{path} is of format {version}, this version reads up to {FORMAT}: install a newer cascadebert.")
    try:
        manifest = TypeAdapter(Manifest).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Problem(f"{path}, key {where}: {first['msg']}; pack the system anew.") from None
    _check_members(path, manifest)
    for name, expected in manifest.files.items():
        _check_file(folder, name, expected, root or folder)
    _check_configurations(path, manifest)
    return manifest


def _check_members(path: Path, manifest: Manifest) -> None:
    """Every file that is read must have a digest, and what is told of the origin must be there."""
    needed = {SELECTION} | {
        f"{member.folder}/{name}"
        for member in manifest.members
        for name in ("config.json", ENCODER, TOKENIZER, HEAD)
        if name != HEAD or (path.parent / member.folder / HEAD).is_file()
    }
    if not manifest.members or (missing := sorted(needed - set(manifest.files))):
        what = "members" if not manifest.members else f"digest of {missing[0]}"
        raise Problem(f"{path} has no {what}: pack the system anew.")
    if strange := [member.tokenizer for member in manifest.members if f"{member.tokenizer}/{TOKENIZER}" not in needed]:
        raise Problem(f"{path} names a tokenizer in {strange[0]}, where no member is: pack the system anew.")
    layers = [member.layers for member in manifest.members]
    if layers != sorted(set(layers)):
        raise Problem(f"{path}, key members: their layers are {layers}, which do not ascend; pack the system anew.")
    if manifest.kind == "cascade" and len(layers) < 2:
        raise Problem(f"{path}, key members: a cascade has two or more, this has one; pack the system anew.")
    if len(set(manifest.task.classes)) < len(manifest.task.classes):
        named = ", ".join(manifest.task.classes)
        raise Problem(f"{path}, key task.classes: it is {named}, where one is named twice; pack the system anew.")
    if type(manifest.origin.get("seed")) is not int:
        raise Problem(f"{path}, key origin.seed: it has to be a whole number; pack the system anew.")


def _check_configurations(path: Path, manifest: Manifest) -> None:
    """Classes must be those of every member, and no more of a text may be read than it has positions for."""
    configs = {member.folder: read_json(path.parent / member.folder / "config.json") for member in manifest.members}
    classes = {str(index): name for index, name in enumerate(manifest.task.classes)}
    for member in manifest.members:
        if (deep := configs[member.folder].get("num_hidden_layers")) != member.layers:
            said = f"it is {member.layers}, and {member.folder}/config.json has {deep}"
            raise Problem(f"{path}, key layers of member {member.name}: {said}; pack the system anew.")
    for folder, config in configs.items():
        if (held := config.get("id2label", classes)) != classes:
            said = f"it is {', '.join(manifest.task.classes)}, and {folder}/config.json has {held} for id2label"
            raise Problem(f"{path}, key task.classes: {said}; pack the system anew.")
    limit = min(map(positions, configs.values()))
    if manifest.max_length > limit:
        said = f"{manifest.max_length}, and its members have positions for {limit} tokens"
        raise Problem(f"{path}, key max_length: it is {said}; pack the system anew.")


def _check_file(folder: Path, name: str, expected: str, root: Path) -> None:
    """One file of a folder."""
    path, plain = folder / name, PurePosixPath(name)
    leads_out = plain.is_absolute() or ".." in plain.parts or "\\" in name
    if leads_out or not path.resolve().is_relative_to(root.resolve()):
        raise Problem(f"{folder / NAME} names {name}, which lies outside of the folder: do not use this folder.")
    if not path.is_file():
        raise Problem(f"{folder} lacks {name}: copy the whole folder, or pack the system anew.")
    if (is_now := digest(path)) != expected:
        raise Problem(
            f"{path} has sha256 {is_now}, {NAME} says {expected}: the file was altered; copy or pack the folder anew."
        )
