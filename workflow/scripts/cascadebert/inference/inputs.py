"""What is given to a system as a text, checked before it is computed with."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from pandas import isna

from cascadebert.data.encoding import Text
from cascadebert.inference.folder import Task
from cascadebert.layouts import Problem
from cascadebert.names import visible, whole_characters


def listed(given: Any, pairs: bool = False) -> Iterator[Any]:
    """Texts as they are given, once it is seen that they have an order and are no table, which would give its names.

    A single text is a list of one.

    Raises:
        Problem: for a mapping, a frame or a set, and for what is no list at all.
    """
    if isinstance(given, str):
        return iter([given])
    if isinstance(given, Mapping | set | frozenset) or hasattr(given, "columns"):
        kind = type(given).__name__
        what = "both columns, such as df[['a', 'b']].values.tolist()" if pairs else "one column, such as df['text']"
        raise Problem(f"texts are a list, not a {kind}: of a table give {what}.")
    try:
        return iter(given)
    except TypeError:
        raise Problem(f"texts are a list, not {given!r}: give strings in a list.") from None


def checked(given: Any, number: int, task: Task) -> Text | None:
    """A text or, for a task of pairs, a pair; None where there is none: nothing at all, or nothing that can be seen.

    Args:
        given: by the user.
        number: of it, from 1, for messages.
        task: that is answered.

    Raises:
        Problem: for what is neither.
    """
    if task.pairs and isinstance(given, list | tuple | np.ndarray) and len(given) == 2:
        first, second = (_text(part, number) for part in given)
        return None if first is None or second is None else (first, second)
    if task.pairs and isna(given) is not True:
        raise Problem(f"text {number} is no pair, and {task.name} is a task of pairs: give two texts.")
    return _text(given, number)


def _text(given: Any, number: int) -> str | None:
    if isinstance(given, str):
        return whole_characters(given) if visible(given) else None
    if isna(given) is True:  # None, and what tables have for nothing
        return None
    raise Problem(f"text {number} is of type {type(given).__name__}: give a string, or None where there is none.")
