"""How names of classes are compared, in a config and in data."""

import math
import re
import unicodedata
from collections.abc import Iterable

JOINERS = "\u200c\u200d"
"""Invisible characters that words of some scripts are written with."""


def whole_characters(text: str) -> str:
    """A text that can be written; half a character (JSON can hold one) is a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def visible(text: str) -> bool:
    """Whether a text has a character that can be seen: no space, no control or format character."""
    return any(unicodedata.category(c) not in ("Cc", "Cf", "Zs", "Zl", "Zp") for c in text)


def one_line(text: str) -> str:
    """A name on one line, so that it can stand in any table: each run of spaces and control characters is one space."""
    return re.sub(r"[\s\0-\x1f\x7f-\x9f]+", " ", whole_characters(text))


def plain(text: str) -> str:
    """A name as it is compared: on one line, composed letters, nothing that cannot be seen; joiners are kept."""
    composed = unicodedata.normalize("NFC", one_line(text))
    return "".join(c for c in composed if c in JOINERS or unicodedata.category(c) != "Cf").strip()


def written_otherwise(name: str, others: Iterable[object]) -> str:
    """What is said of a name that is not among others, and of one that looks like it; nothing where none does."""
    alike = next((other for other in map(str, others) if plain(other) == plain(name)), None)
    return f", of which {ascii(alike)} looks like it: rename it" if alike is not None else ""


def number_of(text: str) -> float | None:
    """A finite number in digits; None for any other text."""
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        return None
    return float(text) if math.isfinite(float(text)) else None


def read_alike(names: Iterable[str]) -> tuple[str, str] | None:
    """Two names that are one where they are compared; None where all are told apart."""
    first: dict[str | float, str] = {}
    for name in names:
        text = plain(name)
        number = number_of(text)
        other = first.setdefault(text if number is None else number, name)
        if other is not name:
            return other, name
    return None
