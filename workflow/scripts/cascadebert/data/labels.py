"""Class names, however a file writes them: an integer, a real number without a fraction, a truth value, a name."""

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.layouts import Problem
from cascadebert.names import JOINERS, number_of, plain

log = logging.getLogger(__name__)

MISSING = {"nan", "none", "null", "na", "n/a", "<na>", "?", "-"}
"""Names that look as if the label were missing."""

TRUTH = {"true": 1, "yes": 1, "t": 1, "y": 1, "false": 0, "no": 0, "f": 0, "n": 0}
"""Words for a truth value."""


def spelled(value: Any) -> str | None:
    """A cell as text, the same from every kind of file; "" for an empty one, None for what is no single value."""
    if isinstance(value, str):
        return value
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, float | np.floating) and np.isnan(value))
    ):
        return ""
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(value)
    if isinstance(value, float | np.floating | Decimal) and np.isinf(float(value)):
        return None
    if isinstance(value, float | np.floating | Decimal):  # a table's integers beside an empty cell
        return str(int(value)) if float(value).is_integer() else str(value)
    return None


def class_name(value: Any, declared: list[str], where: str) -> str:
    """Class of a cell; "" where it is empty, or -1 and that is not declared.

    Args:
        value: as the file has it. A declared name wins. Where one of these is a number, numbers are compared by their
            value (1.0 is the name 1); else a number without a fraction is an id into the declared names. A truth value
            is the name that means it (1, yes, true), else an id where there are two names. Where none are declared, 1.0
            is the name 1.
        declared: names in the order of their ids; empty where they are found in the data.
        where: file and row, for the message.

    Raises:
        Problem: when it is no class.
    """
    written = spelled(value)
    if written is None:
        raise Problem(f"{where} has a label that is no single value ({str(value)[:40]}): give each row one class.")
    text = plain(written)
    number = number_of(text)
    if not text:
        return ""
    if not declared:
        if number == -1:
            return ""
        return str(int(number)) if number is not None and re.search(r"\.0*$", text) and number.is_integer() else text
    names = {plain(name): name for name in declared}
    values = {value: name for name in declared if (value := number_of(name)) is not None}
    meanings = {TRUTH[name.casefold()]: name for name in declared if name.casefold() in TRUTH}
    if len(meanings) == 1 and len(*meanings.values()) == 1:  # f beside m, n beside p: letters of other words
        meanings = {}
    if text in names:
        return names[text]
    if text.casefold() in ("true", "false"):
        ids = dict(enumerate(declared)) if len(declared) == 2 else {}
        declared_name = (values or meanings or ids).get(TRUTH[text.casefold()])
    else:
        declared_name = None if number is None else (values or dict(enumerate(declared))).get(number)
    if declared_name is not None:
        return declared_name
    if number == -1 or text == "-":  # SNLI, where annotators disagreed
        return ""
    raise Problem(
        f"{where} has label {text}, which is not among {', '.join(declared)}: correct it, or what is declared."
    )


def ordered(names: Iterable[str]) -> list[str]:
    """Class names found in data, in the order of their ids: numbers as numbers, others as text.

    Raises:
        Problem: when they are real numbers, so that the task is no classification.
    """
    names = sorted(set(names) - {""})
    numbers = [number_of(name) for name in names]
    if names and None not in numbers:
        fraction = next((name for name in names if _whole(name) is None), None)
        if fraction is not None:
            raise Problem(
                f"the labels are real numbers ({fraction} is one), and regression is not supported: give classes, for"
                " example by thresholds, or declare these numbers as names under labels."
            )
        return sorted(names, key=lambda name: (int(float(name)), name))
    return names


def look_alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of class names that differ only in case, space, hyphens, quotes or how a number is written."""
    groups: dict[str, list[str]] = {}
    for name in names:
        bare = re.sub(rf"[\s_{JOINERS}\"'-]+", "", unicodedata.normalize("NFKC", name).casefold())
        number = _whole(name)
        groups.setdefault(str(number) if number is not None else bare or name, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def warn_of(names: list[str], train: pd.Series) -> None:
    """Log what is suspicious about the classes, a line each.

    Args:
        names: of the classes.
        train: class names of the training rows.
    """
    for group in look_alike(names):
        log.warning(
            "the classes %s differ in their spelling alone: if they are one, correct the labels", " and ".join(group)
        )
    for name in names:
        if name.casefold() in MISSING and not (name == "-" and "+" in names):
            log.warning("the class %s looks like a label that is missing: leave such cells empty", name)
    if absent := [name for name in names if name not in Counter(train)]:
        log.warning("no training row is of the class %s: nothing can learn it", " or ".join(absent))


def _whole(text: str) -> int | None:
    """A number without a fraction; None for any other text."""
    number = number_of(text)
    return int(number) if number is not None and number.is_integer() else None
