"""Writes docs/config.md and config/schema.json from the definition of the config.

python docs/describe_config.py
"""

import json
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from cascadebert.config.keys import Config
from cascadebert.config.types import Section

ROOT = Path(__file__).parents[1]
HEAD = """# Every key of a config

You will find what each key means, what it may be, and what it is if you leave it out.

Written by `python docs/describe_config.py` from `workflow/scripts/cascadebert/config/`; an editor that reads JSON
Schema takes `config/schema.json`. Sections are the paper's, errata those of [method.md](method.md). A key without a
default that is not marked *needed* may be left out. An unknown key is an error.
"""
NAMES = {int: "integer", float: "number", str: "text", bool: "true or false"}


def kind(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Union, UnionType):
        return kind(arguments[0])
    if origin is Literal:
        return ", ".join(arguments)
    if origin is list:
        return f"list of {kind(arguments[0])}"
    if origin is dict:
        return f"by name: {kind(arguments[1])}"
    return NAMES.get(annotation, "keys below")


def inner(annotation: Any) -> type[Section] | None:
    """The section that a type holds."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((held for argument in get_args(annotation) if (held := inner(argument))), None)


def rows(section: type[Section], path: str) -> list[str]:
    """Rows of a section's keys, those of the sections inside it behind each."""
    lines = []
    for name, field in section.model_fields.items():
        held = inner(field.annotation)
        if field.is_required():
            default = "*needed*"
        else:
            given = [] if field.default in (None, PydanticUndefined, {}, []) else [json.dumps(field.default)]
            default = "".join(given).replace('"', "")
        meaning = (field.description or "").replace("\n", " ").replace("|", "\\|")
        lines.append(f"| `{path}{name}` | {kind(field.annotation)} | {default} | {meaning} |")
        if held:
            several = get_origin(field.annotation) in (dict, list)
            lines += rows(held, f"{path}{name}.NAME." if several else f"{path}{name}.")
    return lines


def page() -> str:
    """docs/config.md."""
    table = ["| key | type | default | meaning |", "|---|---|---|---|", *rows(Config, "")]
    return HEAD + "\n" + "\n".join(table) + "\n"


if __name__ == "__main__":
    (ROOT / "docs/config.md").write_text(page())
    (ROOT / "config/schema.json").write_text(json.dumps(Config.model_json_schema(), indent=1) + "\n")
