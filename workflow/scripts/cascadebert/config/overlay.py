"""Several config files as one: a later one says what it changes in those before it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cascadebert.config.keys import Config
from cascadebert.layouts import DATA_KEYS, WEIGHTS_KEYS, Problem
from cascadebert.places import FOLDERS

NEEDED = [name for name, field in Config.model_fields.items() if field.is_required()]
"""Keys that a whole config has."""


def merged(files: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What some files say together, and the command line on top; null removes a key, a source of another kind is whole.

    Args:
        files: contents by name, in the order in which they are given.
        given: what `--config` sets, whose values inside braces Snakemake leaves as text.

    Raises:
        Problem: for a whole config that is not the first, or a change of none.
    """
    config: dict[str, Any] = {}
    for i, (name, content) in enumerate(files.items()):
        if i and all(key in content for key in NEEDED):
            first = next(iter(files))
            raise Problem(
                f"{name} is a whole config and overrides {first}, which is named before it: name {name} first."
            )
        config = _changed(config, content)
    missing = [key for key in NEEDED if key not in config]
    if len(missing) > len(NEEDED) // 2:
        raise Problem(
            f"{' and '.join(files)} does not say {', '.join(missing)}: name the config that it changes before it, as in"
            f" --configfile config/config.yaml {' '.join(files)}."
        )
    return _changed(config, _resolved(given))


ODD = re.compile(r"[-+]?0[0-9_]+|[-+]?[0-9_]+(:[0-9_.]+)+")
"""Numbers that YAML reads in base 8 or 60."""


def check_keys(file: Path) -> None:
    """Raise Problem for what YAML takes without a word: a key twice in one section, a number in base 8 or 60."""
    try:
        nodes = [yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)]
    except yaml.YAMLError:  # JSON that is no YAML
        return
    seen = set()
    while nodes:
        node = nodes.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")) and ODD.fullmatch(node.value):
            read, line = yaml.safe_load(node.value), node.start_mark.line + 1
            raise Problem(f"{file} line {line} says {node.value}, which YAML reads as {read}: write it plainly.")
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        keys = [(key.value, key.start_mark.line + 1) for key, _ in pairs if isinstance(key, yaml.ScalarNode)]
        for i, (key, line) in enumerate(keys):
            if first := [at for other, at in keys[:i] if other == key]:
                raise Problem(f"{file} says {key} twice, in lines {first[0]} and {line}: keep one of them.")
        nodes += node.value if isinstance(node, yaml.SequenceNode) else [value for _, value in pairs]


def folder_of(file: Path) -> str:
    """Name of a preset's folder of results, after its file.

    Raises:
        Problem: for a name that no folder of results can have.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", file.stem):
        raise Problem(
            f"the folder of results cannot be called as {file.name} is: use English letters, digits, _ and -"
            " in its name, or set the key results."
        )
    if file.stem in FOLDERS:
        raise Problem(
            f"results/{file.stem} is a folder of the default's own results: call {file.name} something else, or set the"
            " key results."
        )
    return f"results/{file.stem}"


def _changed(config: Any, change: Any, key: str = "") -> Any:
    """A config with a change made in it."""
    if not isinstance(config, Mapping) or not isinstance(change, Mapping):
        return change
    if key == "source" and set(change) & (set(DATA_KEYS) | set(WEIGHTS_KEYS)):
        return dict(change)
    made = dict(config) | {name: _changed(config.get(name), value, name) for name, value in change.items()}
    return {name: value for name, value in made.items() if value is not None}


def _resolved(value: Any) -> Any:
    """Texts of the command line as YAML has them: numbers, truth values, null."""
    if isinstance(value, Mapping):
        return {key: _resolved(held) for key, held in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_resolved(held) for held in value]
    try:
        return yaml.safe_load(value) if isinstance(value, str) else value
    except (yaml.YAMLError, ValueError):  # a text after all, which the check of its key tells of
        return value
