"""What is given to a system as a text, checked before it is computed with."""

from collections.abc import Iterable, Mapping
from typing import Any

from cascadebert.data.encoding import Text
from cascadebert.inference.folder import Task
from cascadebert.layouts import Problem


def listed(given: Iterable[Any]) -> Iterable[Any]:
    """Texts as they are given, once it is seen that they have an order and are no table, which would give its names.

    Raises:
        Problem: for a mapping, a frame or a set.
    """
    if isinstance(given, Mapping | set | frozenset) or hasattr(given, "columns"):
        kind = type(given).__name__
        raise Problem(f"texts are a list, not a {kind}: of a table give one column, such as df['text'].")
    return given


def checked(given: Any, number: int, task: Task) -> Text | None:
    """A text or, for a task of pairs, a pair; None where there is none: nothing at all, or white space alone.

    Args:
        given: by the user.
        number: of it, from 1, for messages.
        task: that is answered.

    Raises:
        Problem: for what is neither.
    """
    if task.pairs and isinstance(given, list | tuple) and len(given) == 2:
        first, second = (_text(part, number) for part in given)
        return None if first is None or second is None else (first, second)
    if task.pairs and given is not None:
        raise Problem(f"text {number} is no pair, and {task.name} is a task of pairs: give two texts.")
    return _text(given, number)


def _text(given: Any, number: int) -> str | None:
    if isinstance(given, float) and given != given:  # NaN is what tables have for nothing
        return None
    if not (given is None or isinstance(given, str)):
        raise Problem(f"text {number} is of type {type(given).__name__}: give a string, or None where there is none.")
    return given.encode("utf-8", "replace").decode() if given and given.strip() else None  # half a character is ?
