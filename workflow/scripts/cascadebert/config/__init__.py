"""The config: what it may say, and what is told of a mistake, in one sentence with the key and the remedy."""

import math
import re
from difflib import get_close_matches
from inspect import isclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import ValidationError

from cascadebert.config.checks import check_references
from cascadebert.config.keys import Config
from cascadebert.config.types import Section
from cascadebert.layouts import Problem

TYPES = {
    "int_type": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a string",
    "bool_type": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
}
"""What a key wants, by the error that another type makes."""

LIMITS = {
    "greater_than_equal": "{input} is less than the minimum of {ge:.10g}",
    "greater_than": "{input} is not above {gt:.10g}",
    "less_than_equal": "{input} is greater than the maximum of {le:.10g}",
    "less_than": "{input} is not below {lt:.10g}",
    "multiple_of": "{input} is not a multiple of {multiple_of:g}",
    "string_pattern_mismatch": "{input!r} does not match {pattern}",
    "string_too_long": "{input:.20}... is longer than {max_length} characters",
    "string_too_short": "it is empty",
    "too_short": "it needs {min_length} or more and has {actual_length}",
    "too_long": "it takes {max_length} at most and has {actual_length}",
    "unique": "{values} has non-unique elements",
}
"""What is wrong with a value, by the error that it makes."""


def read(config: dict[str, Any]) -> Config:
    """A config as the value that it is, defaults filled in.

    Raises:
        Problem: for the most telling mistake, in one sentence.
    """
    try:
        read_config = Config.model_validate(config)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        raise Problem(_sentence(min(mistakes, key=lambda mistake: mistake["type"] != "extra_forbidden"))) from None
    check_references(plain(read_config))
    return read_config


def plain(config: Config) -> dict[str, Any]:
    """A config as YAML would hold it, without the keys that are not there."""
    return config.model_dump(exclude_none=True)


def _sentence(mistake: Any) -> str:
    """One of pydantic's errors, told with the key and the remedy."""
    kind, loc, value, context = mistake["type"], list(mistake["loc"]), mistake["input"], mistake.get("ctx", {})
    if kind == "invalid_key" or (loc[-1] == "[key]" and kind == "string_type"):  # YAML takes on, no and 1 for values
        key = ".".join(map(str, [part for part in loc if part != "[key]"]))
        return f"config key {key} has a name that YAML does not take for text: write it in quotes."
    if loc[-1] == "[key]":  # a name that cannot be one
        loc = loc[:-2]
    key = ".".join(map(str, loc))
    if kind == "extra_forbidden":
        known = list(_at(loc[:-1])[0].model_fields)
        guess = get_close_matches(loc[-1], known, 1)
        return f"config key {key} is unknown: " + (
            f"did you mean {guess[0]}?" if guess else f"known are {', '.join(known)}."
        )
    if kind == "missing":
        return f"config key {key} is missing: add it, as docs/config.md describes it."
    if kind in ("int_type", "float_type") and isinstance(value, str):
        number = _as_number(value, kind == "int_type")
        return f"config key {key} is the text {value!r}, not a number: write it {number}."
    if kind == "string_type" and not isinstance(value, dict | list):
        return f"config key {key} is no text, since YAML reads it as {value!r}: write it in quotes."
    if kind in TYPES:
        return f"config key {key} is {value!r}: give {TYPES[kind]}."
    if kind == "literal_error":
        choice = ", ".join(re.findall("'(.*?)'", context["expected"]))
        return f"config key {key} is {value!r}: give one of {choice}."
    wrong = LIMITS[kind].format(input=value, **context) if kind in LIMITS else mistake["msg"]
    meaning = (_at(loc)[1] or "see docs/config.md for what it means").rstrip(".").replace("\n", " ")
    return f"config key {key} is not acceptable ({wrong}): {meaning}."


def _at(loc: list[str | int]) -> tuple[Any, str]:
    """Type and description of the key at a place."""
    annotation: Any = Config
    meaning = ""
    for part in loc:
        if isclass(annotation) and issubclass(annotation, Section):
            field = annotation.model_fields[str(part)]
            annotation, meaning = field.annotation, field.description or meaning
        else:  # of an object or an array: its values
            annotation = get_args(annotation)[-1]
        while get_origin(annotation) in (Annotated, Union, UnionType):
            annotation = get_args(annotation)[0]
    return annotation, meaning


def _as_number(text: str, whole: bool) -> str:
    """How YAML wants a number that it took for text (2e-5 lacks a point, 2.0e5 a sign); a hint where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        return "as digits, for example 3 or 2.0e-5"
    mantissa, e, exponent = text.lower().partition("e")
    if whole and value.is_integer() and (e or text.strip()[0] == "0"):
        return f"{value:.0f}"
    point, sign = "" if "." in mantissa else ".0", "" if exponent[:1] in ("+", "-") else "+"
    return f"{mantissa}{point}e{sign}{exponent}" if e else f"without quotes, {text}"
