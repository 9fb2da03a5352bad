"""Kinds of sources; which files a data set or a checkpoint is made of, and what the checkpoint says of itself."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any, Literal, get_args

DATA_KEYS = {
    "package": {"pool", "mismatched", "neutral_band", "pairs"},
    "path": {"splits"},
    "hub": {"name", "revision", "splits"},
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
    "train": ("train", "training"),
    "report": ("validation_matched", "validation", "dev_matched", "dev", "val_matched", "val", "valid"),
    "mismatched": ("validation_mismatched", "dev_mismatched", "val_mismatched"),
    "test": ("test_matched", "test"),
    "test_mismatched": ("test_mismatched",),
}
"""Names, without ending, of a data set's files, by split, capital or not. The last is a part of test."""

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
"""Of files with data; each may be gzipped, and then ends in .gz as well."""

Part = Literal["training", "report", "test"]
"""Parts of a task that are prepared, and made again, apart: training depends on no row that is only answered."""

PARTS: dict[str, tuple[str, ...]] = {
    "training": ("train", "selection"),
    "report": ("report", "mismatched"),
    "test": ("test",),
}
"""Splits of each part."""

READ: dict[str, tuple[str, ...]] = {
    "training": ("train", "selection", "report", "mismatched"),
    "report": ("train", "selection", "report", "mismatched"),
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

WITH_OLDER = (TOKENIZER_CONFIG, "added_tokens.json", "special_tokens_map.json")
"""Read beside a tokenizer's older files, as far as they are there."""

INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Say which of several files has which tensor; such checkpoints are not read."""

CHECKPOINT_NAMES = {name for forms in CHECKPOINT for form in forms for name in form} | {*WITH_OLDER, *INDICES}
"""All names that files of a checkpoint may have, but for those that say its pooling."""

ARCHITECTURES = ("bert", "roberta")
"""Values of model_type; a checkpoint that is older than that key may say it by its architectures, else it is a BERT."""

SIZES = ("hidden_size", "intermediate_size", "max_position_embeddings", "num_hidden_layers", "vocab_size")
"""Keys of config.json that are read before an encoder is made of it."""

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


def ending_of(name: str) -> str:
    """The last of a file's endings in small letters; of a gzipped file the one before."""
    return PurePosixPath(name.lower().removesuffix(".gz")).suffix


def files_of(path: Path, part: Part | None = None, splits: Mapping[str, str] | None = None) -> dict[str, Path]:
    """Files of a local data set by split, or those that a part of a task depends on; empty where there is none.

    A single file is the train split.

    Args:
        path: of the file or folder.
        part: of the task.
        splits: as of `which_split`.

    Raises:
        Problem: as `which_split`.
    """
    if path.is_file():
        return {"train": path}
    names = [file.name for file in path.iterdir() if file.is_file()] if path.is_dir() else []
    named = which_split([name for name in names if is_data(name)], splits, str(path))
    return {split: path / name for split, name in named.items() if part is None or split in READ[part]}


def is_data(name: str) -> bool:
    """Whether a file is taken for data by its name."""
    return ending_of(name) in ENDINGS and not name.startswith(".")


def which_split(names: Collection[str], splits: Mapping[str, str] | None, where: str) -> dict[str, str]:
    """Which of a source's files, or of a hub's splits, is which of ours.

    Args:
        names: of what there is, with or without endings.
        splits: our splits whose file is told, with or without ending; what is told is no other split.
        where: the source, for messages.

    Raises:
        Problem: when two files may be the same split, or one that is told is not there.
    """

    def called(*stems: str) -> list[str]:
        folded = {stem.casefold() for stem in stems}
        return sorted(name for name in names if {name.casefold(), _stem(name)} & folded)

    fits = {split: called(name) for split, name in (splits or {}).items()}
    told = {name for of_split in fits.values() for name in of_split}
    for split, stems in FILES.items():
        fits.setdefault(split, [name for name in called(*stems) if name not in told])
    for split, name in (splits or {}).items():
        if not fits[split]:
            raise Problem(f"{where} has no {name}, which splits names as {split}: it has {', '.join(sorted(names))}.")
    for split, several in fits.items():
        if len(several) > 1:
            raise Problem(
                f"{where} has {' and '.join(several)}, each of which may be the {split} split: remove all but one, or"
                " say which under splits, beside its path."
            )
    return {split: of_split[0] for split, of_split in fits.items() if of_split}


def _stem(name: str) -> str:
    """A file's name without its endings, in small letters."""
    return name.casefold().removesuffix(".gz").removesuffix(ending_of(name))


def positions(config: Mapping[str, Any]) -> int:
    """Tokens of the longest text that an encoder of a configuration takes; RoBERTa counts from its padding's id."""
    unused = config.get("pad_token_id", 1) + 1 if config.get("model_type") == "roberta" else 0
    return int(config.get("max_position_embeddings", 512)) - int(unused)


def configuration(folder: Path, where: str) -> dict[str, Any]:
    """config.json of a checkpoint, once what is read of it is of its type.

    Args:
        folder: of the checkpoint.
        where: the same, for messages.

    Raises:
        Problem: when it cannot be read, or is of no BERT and no RoBERTa.
    """
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config = {"model_type": _type_by_class(said.get("architectures"))} | said
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Problem(f"config.json of {where} cannot be read ({error}): get it anew.") from None
    if config["model_type"] not in ARCHITECTURES:
        said = config["model_type"]
        raise Problem(f"config.json of {where} has the model_type {said}: members are BERT or RoBERTa encoders.")
    least = dict.fromkeys(SIZES, 1) | ({"pad_token_id": 0} if config["model_type"] == "roberta" else {})
    for key in least:
        if key in config and (type(config[key]) is not int or config[key] < least[key]):
            said = json.dumps(config[key])
            rule = f"a whole number of {least[key]} or more"
            raise Problem(f"config.json of {where} has {said} for {key}, which has to be {rule}: get it anew.")
    return config


def _type_by_class(architectures: Any) -> str:
    """model_type by the class that a checkpoint was saved from, as RobertaForMaskedLM; a BERT's where none is named."""
    named = re.search(r"(\w+?)(For[A-Z]|LMHeadModel|PreTrainedModel|Model)", str(architectures))
    return named[1].lower() if named else "bert"


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
        Problem: when one is missing in all its forms, or tensors are in several files.
    """
    files: list[str] = []
    for forms in CHECKPOINT:
        form = next((form for form in forms if set(form) <= set(held)), None)
        if form is None:
            if index := next((name for name in INDICES if name in held and forms == CHECKPOINT[1]), None):
                raise Problem(
                    f"{where} has its tensors in several files, as {index} says: save them as one, in a folder with its"
                    " tokenizer, by AutoModel.from_pretrained(...).save_pretrained(FOLDER, max_shard_size='100GB')."
                )
            named = " or ".join(" with ".join(form) for form in forms)
            raise Problem(f"{where} has no {named}: save the checkpoint and its tokenizer there.")
        files += form
    beside = [] if "tokenizer.json" in files else [name for name in WITH_OLDER if name in held]
    return files + beside + sorted(filter(says_pooling, held))


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
