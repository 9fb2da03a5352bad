"""Kinds of sources; which files a data set or a checkpoint is made of, and what the checkpoint says of itself."""

import re
from collections.abc import Collection
from pathlib import Path
from posixpath import normpath
from typing import Any, Literal, get_args

DATA_KEYS = {
    "package": {"pool", "mismatched", "neutral_band", "pairs"},
    "path": set(),
    "hub": {"name", "revision"},
    "toy": {"pairs"},
}
"""Kinds of a data source, and the keys that go with each."""

WEIGHTS_KEYS = {
    "package": {"folder", "onnx", "like", "sha256"},
    "path": {"sha256"},
    "hub": {"revision", "sha256"},
    "random": {"hidden", "architecture"},
    "distilled": {"layers", "corpus", "held_out", "rows", "epochs", "lr", "batch_size", "masked"},
}
"""Kinds of a weights source, and the keys that go with each."""

REQUIRED = {
    "package": {"folder"},
    "onnx": {"like"},
    "random": {"hidden"},
    "distilled": WEIGHTS_KEYS["distilled"] - {"masked"},
}
"""Those of them that a kind cannot do without; a package with the key onnx is of the kind onnx here."""

FILES = {
    "train": ("train",),
    "report": ("validation_matched", "validation"),
    "mismatched": ("validation_mismatched",),
    "test": ("test_matched", "test"),
    "test_mismatched": ("test_mismatched",),
}
"""Names, without ending, of a data set's files, by split; the first that exists is read. The last is a part of test."""

ENDINGS = (".jsonl", ".csv", ".parquet")

Part = Literal["training", "report", "test"]
"""Parts of a task that are prepared, and made again, apart: training depends on no row that is only answered."""

PARTS: dict[str, tuple[str, ...]] = {
    "training": ("train", "selection"),
    "report": ("report", "mismatched"),
    "test": ("test",),
}
"""Splits of each part."""

READ: dict[str, tuple[str, ...]] = {
    "training": ("train", "report", "mismatched"),
    "report": ("train", "report", "mismatched"),
    "test": ("train", "test", "test_mismatched"),
}
"""Files that a part depends on: no text is in two splits, and class names are those of the training rows."""

CHECKPOINT = (
    (("config.json",),),
    (("model.safetensors",), ("pytorch_model.bin",)),
    (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt")),
)
"""Configuration, tensors and tokenizer of a checkpoint, each in its forms; the first that is there is read."""

TOKENIZER_CONFIG = "tokenizer_config.json"
"""Says, where there is one, whether a vocab.txt is of lower-cased text."""


Pooling = Literal["cls", "mean"]
"""How classifiers read a checkpoint's sentences: the state of [CLS] (<s>), or the mean of all tokens' states."""

MODULES = "modules.json"
"""Names the parts of a checkpoint of sentence-transformers; one of them pools, and has a folder of its own."""

POOLING_CONFIG = "*_Pooling/config.json"
"""Says, where there is one, how a checkpoint of sentence-transformers was trained to be read."""


class Problem(ValueError):
    """A mistake of the user's, told in one sentence."""


def kind_of(source: dict[str, Any], kinds: dict[str, set[str]]) -> str:
    """Which of the kinds a checked source is of."""
    return next(kind for kind in kinds if kind in source)


def files_of(path: Path, part: Part | None = None) -> dict[str, Path]:
    """Files of a local data set by split, or those that a part of a task depends on; empty where there is none.

    A single file is the train split.
    """
    if path.is_file():
        return {"train": path}
    found = {
        split: [path / f"{stem}{end}" for stem in stems for end in ENDINGS if (path / f"{stem}{end}").is_file()]
        for split, stems in FILES.items()
    }
    return {split: files[0] for split, files in found.items() if files and (part is None or split in READ[part])}


def names_in(folder: Path) -> set[str]:
    """Names of a folder's files, and what it says of its pooling; none where there is no folder."""
    files = [*folder.iterdir(), *folder.glob(POOLING_CONFIG)] if folder.is_dir() else []
    return {file.relative_to(folder).as_posix() for file in files if file.is_file()}


def checkpoint_files(held: Collection[str], where: str) -> list[str]:
    """Those of a folder's files that are its checkpoint.

    Args:
        held: names of the files there.
        where: the folder, for the message.

    Raises:
        Problem: when one is missing in all its forms.
    """
    found: list[str] = []
    for forms in CHECKPOINT:
        form = next((form for form in forms if set(form) <= set(held)), None)
        if form is None:
            named = " or ".join(" with ".join(form) for form in forms)
            raise Problem(f"{where} has no {named}: save the checkpoint and its tokenizer there.")
        found += form
    tokenizer = [TOKENIZER_CONFIG] if TOKENIZER_CONFIG in held and "tokenizer.json" not in found else []
    return found + tokenizer + sorted(filter(says_pooling, held))


def says_pooling(name: str) -> bool:
    """Whether a file can say how a checkpoint's sentences are read; it lies in its folder or in one of that folder."""
    return name == MODULES or re.fullmatch(r"[^/\\]+_Pooling/config\.json", name) is not None


def declared_pooling(files: dict[str, Any], where: str) -> Pooling:
    """How a checkpoint says that its sentences are read; [CLS] where it says nothing.

    Args:
        files: its config.json and, of a checkpoint of sentence-transformers, its modules.json and the configuration of
            its pooling, by name, as JSON holds them.
        where: the checkpoint, for the message.

    Raises:
        Problem: when it declares a pooling that is neither of the two, or in a form that is not known.
    """
    try:
        mode = _declared(files)
    except (KeyError, TypeError, AttributeError) as error:
        raise unreadable_pooling(where, error) from error
    if mode not in get_args(Pooling):
        raise Problem(
            f"{where} declares the pooling {mode or 'none'}, and classifiers read {' or '.join(get_args(Pooling))}:"
            " choose one with the key pooling, beside its source."
        )
    return mode


def unreadable_pooling(where: str, error: Exception) -> Problem:
    """What is said of a declaration that is not as sentence-transformers writes it."""
    reason = " ".join(repr(error).split())
    return Problem(
        f"{where} does not say in a known form how its sentences are read ({reason}): mend its {MODULES} and"
        f" {POOLING_CONFIG}, or choose with the key pooling, beside its source."
    )


def _declared(files: dict[str, Any]) -> Any:
    """The pooling's name, whatever it is."""
    modules = [module for module in files.get(MODULES, []) if module["type"].rsplit(".")[-1] == "Pooling"]
    configs = [name for name in files if name != MODULES and says_pooling(name)]
    if modules:
        configs = [f"{normpath(modules[0]['path'])}/config.json"]
        if not says_pooling(configs[0]):
            raise KeyError(f"a folder of pooling that is called {modules[0]['path']}")
    said = files.get(configs[0]) if len(configs) == 1 else None
    if modules and not said:
        return "mean"  # that library's default
    if said is None:
        return files.get("config.json", {}).get("pooling", "cls")
    if "pooling_mode" in said:
        mode = said["pooling_mode"]
        return mode[0] if isinstance(mode, list) and len(mode) == 1 else mode
    on = [key for key, value in said.items() if key.startswith("pooling_mode_") and value]
    return "+".join(key.removeprefix("pooling_mode_").removesuffix("s").removesuffix("_token") for key in on)
