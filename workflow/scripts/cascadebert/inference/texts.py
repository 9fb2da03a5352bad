"""Texts in files as people have them, read row by row."""

import contextlib
import csv
import gzip
import io
import json
import logging
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from cascadebert.data.labels import spelled
from cascadebert.data.tables import (
    GZIP,
    check_characters,
    check_form,
    encoding_of,
    quotes_of,
    rows_of,
    separated,
    separator_of,
    spaced,
    told_separator,
    value_of,
)
from cascadebert.files import count_lines
from cascadebert.glue import GLUE
from cascadebert.layouts import Problem, ending_of
from cascadebert.names import written_otherwise

log = logging.getLogger(__name__)

FORMS = ("txt", "csv", "tsv", "jsonl", "json", "parquet")
NAMES: dict[int, list[Sequence[str]]] = {
    1: [("text",), ("sentence",), ("review",)],
    2: [("text", "text_pair"), ("premise", "hypothesis")],
}
"""Columns that are looked for where none is named, by the number of texts in a row; then those of GLUE's tasks."""

HEAD = 100
"""Rows whose columns are looked at before the first is answered: an object of JSON may leave one out."""


@dataclass(frozen=True)
class Row:
    """One row of a file: its text, or both of a pair, None where there is none; and its label as the file has it."""

    text: Any
    label: Any = ""


def form_of(path: str, said: str | None) -> str:
    """The form of a file of texts: as said, or by its ending; a text a line where there is none.

    Raises:
        Problem: when there is no such file, or its form is not known.
    """
    if path != "-" and not Path(path).exists():
        raise Problem(f"{path} is not there: name a file, or - for standard input.")
    if Path(path).is_dir():
        raise Problem(f"{path} is a folder: name a file of texts, or - for standard input.")
    form = said or ending_of(path).removeprefix(".") or "txt"
    if form not in FORMS:
        raise Problem(f"{path} is of the form {form}, which is not known: take one of {', '.join(FORMS)} (--form).")
    return form


def read_rows(
    path: str, form: str, pairs: bool, columns: Sequence[str], label: str | None, trained: Sequence[str] = ()
) -> Iterator[Row]:
    """Rows of a file, or of standard input (-), as they are asked for.

    Args:
        path: of the file; with .gz at its end it is unpacked.
        form: one of FORMS.
        pairs: whether a row is a pair of texts.
        columns: that hold them; found by their names where none is given.
        label: column that holds labels.
        trained: columns of the data that the system was trained on, the first names that are looked for.

    Raises:
        Problem: for what cannot be read, with the row.
    """
    if columns and len(columns) != 1 + pairs:
        raise Problem(
            f"{len(columns)} columns are named, and a row has {1 + pairs} texts: name as many, after the file."
        )
    if len(set(columns)) < len(columns):
        raise Problem(f"--columns names {columns[0]} twice: name the two columns that hold the texts of a pair.")
    records, number = _records(path, form), 0
    head: list[Any] = []
    chosen: Sequence[str] = ()
    try:
        head.extend(islice(records, HEAD))
        names = list(dict.fromkeys(name for record in head if isinstance(record, Mapping) for name in record))
        for number, record in enumerate(chain(head, records), 1):
            if isinstance(record, Mapping):
                chosen = chosen or _columns(path, form, names, pairs, columns, label, trained)
            elif columns or label:
                raise Problem(f"{path} row {number} is no object with columns: leave out --columns and --label.")
            yield _row(path, number, record, pairs, chosen, label)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, csv.Error) as error:
        if isinstance(error, Problem):
            raise
        where = f"after row {max(number, len(head))}"
        if isinstance(error, UnicodeDecodeError):
            raise Problem(f"{path} is not UTF-8 {where} ({error.reason}): convert it first.") from None
        if isinstance(error, RecursionError):
            raise Problem(f"{path} has values in values {where}, a thousand deep: give texts.") from None
        raise Problem(f"{path} cannot be read {where} ({error}): check the file.") from None


def _records(path: str, form: str) -> Iterator[Any]:
    """Each row as the form has it: a mapping of columns, or what a line of JSON or text says."""
    if form == "parquet":
        from pyarrow import parquet

        with _unpacked(path) as raw:
            held = raw if isinstance(raw, io.BufferedReader) and raw.seekable() else io.BytesIO(raw.read())
            table = parquet.ParquetFile(held)
            _check_names(path, table.schema_arrow.names)
            for batch in table.iter_batches(1024):
                yield from batch.to_pylist()
        return
    with _opened(path) as file:
        if form in ("csv", "tsv"):
            yield from _table(path, form, file)
        elif form == "json":
            yield from rows_of("".join(file), path)
        elif form == "jsonl":
            for number, line in enumerate(file, 1):
                if line.strip():
                    try:
                        yield value_of(line, path)
                    except json.JSONDecodeError as error:
                        raise Problem(f"{path} line {number} is not JSON ({error}): put one value on a line.") from None
        else:
            yield from (line.rstrip("\r\n") for line in file)


def _table(path: str, form: str, file: Iterator[str]) -> Iterator[dict[str, str]]:
    """Rows of separated cells, read as those of a data set are; a TSV that comes once alone is read whole first."""
    header = next((line for line in file if line.strip()), "")
    if not header:
        raise Problem(f"{path} is empty: it needs a header and rows.")
    if told_separator(header):
        raise Problem(f"{path} begins with {header.strip()}, which a spreadsheet wrote: remove that line.")
    separator = separator_of(header, f".{form}")
    if form == "csv":
        quotes = spaced(header, separator)
    elif Path(path).is_file():
        quotes = quotes_of(partial(_again, path))
    else:
        lines = list(file)
        file, quotes = iter(lines), quotes_of(partial(chain, [header], lines))
    rows = separated(chain([header], file), separator, path, quotes, first=1)
    names = next(rows)
    _check_names(path, names)
    yield from (dict(zip(names, row, strict=True)) for row in rows)


def _check_names(path: str, names: Sequence[str]) -> None:
    """Raise Problem for a name that several columns have; those without a name are not read."""
    if several := [name for name in names if name and names.count(name) > 1]:
        raise Problem(f"{path} has several columns {several[0]}: rename all but one.")


def _again(path: str) -> Iterator[str]:
    """The lines of a table once more."""
    with _opened(path) as file:
        yield from file


@contextmanager
def _unpacked(path: str) -> Iterator[Any]:
    """Bytes of a file, or of standard input, gzipped or not."""
    with contextlib.ExitStack() as stack:
        raw: Any = stack.enter_context(open(0 if path == "-" else path, "rb", closefd=path != "-"))
        yield stack.enter_context(gzip.open(raw)) if raw.peek(2).startswith(GZIP) else raw


@contextmanager
def _opened(path: str) -> Iterator[Iterator[str]]:
    """Lines of a file, whether they end in LF, CR LF or CR.

    A mark of byte order at its start says how it is encoded and is left out.
    """
    with _unpacked(path) as raw:
        check_form(raw.peek(4), path)
        text = io.TextIOWrapper(raw, encoding_of(raw.peek(3)), newline="")  # ends are seen and kept, as in cells
        with text:
            yield _lines(text, path)


def _lines(file: Iterator[str], path: str) -> Iterator[str]:
    """Each line, once it is seen that it holds characters."""
    for line in file:
        check_characters(line, path)
        yield line


def _columns(
    path: str,
    form: str,
    names: Sequence[str | None],
    pairs: bool,
    columns: Sequence[str],
    label: str | None,
    trained: Sequence[str],
) -> Sequence[str]:
    """The columns of texts: those that are named, or were trained on, or are known by their names, or the only ones.

    Raises:
        Problem: when one is not there, or they cannot be told.
    """
    held, count = [name for name in names if name is not None], 1 + pairs
    for name in [*columns, *([label] if label else [])]:
        if name not in held:
            other = written_otherwise(name, held)
            raise Problem(f"{path} has no column {name}: it has {', '.join(held)}{other}.")
    if columns:
        return columns
    if trained and set(trained) <= set(held) - {label}:
        return trained
    known = [*NAMES[count]]
    known += [task.columns for task in GLUE.values() if len(task.columns) == count]
    rest = [name for name in held if name != label]
    fit = list(dict.fromkeys(tuple(names) for names in known if set(names) <= set(rest)))
    if len(fit) > 1:
        read, *others = (" and ".join(names) for names in fit)
        log.warning("%s: text is read from %s, not from %s: --columns chooses", path, read, " or ".join(others))
    chosen: Sequence[str] | None = fit[0] if fit else rest if len(rest) == count else None
    if chosen is rest:
        what, kind = ("two columns", "pair") if pairs else ("one column", "text")
        named = " and ".join(map(repr, rest))
        other = "if it is one, put a header above it" if form in ("csv", "tsv") else "--columns names another"
        log.warning("%s has the %s %s, read as the %s: %s", path, what, named, kind, other)
    if chosen is None:
        raise Problem(f"{path} has the columns {', '.join(held)}: name {count} of them that hold text (--columns).")
    return list(chosen)


def _row(path: str, number: int, record: Any, pairs: bool, columns: Sequence[str], label: str | None) -> Row:
    """A row of any form."""
    if isinstance(record, Mapping):
        held = [record.get(name) for name in columns]
        texts = [None if isinstance(value, bool) else spelled(value) for value in held]  # a number is its digits
        for name, text, value in zip(columns, texts, held, strict=True):
            if text is None:
                raise Problem(f"{path} row {number} has {value!r} in column {name}: it must be text, or nothing.")
        return Row(tuple(texts) if pairs else texts[0], record.get(label) if label else "")
    if pairs and not (isinstance(record, list) and len(record) == 2):
        raise Problem(f"{path} row {number} is no pair of texts: give .csv, .tsv, .parquet or .jsonl with two columns.")
    if not pairs and not isinstance(record, str):
        raise Problem(f"{path} row {number} is {record!r}: it must be text, or an object with a column of text.")
    return Row(tuple(record) if pairs else record)


def check_plain(path: str, line: str) -> None:
    """Raise Problem for a first line that is no text, of what says by no ending that its lines are something else."""
    known = {name for columns in (*NAMES[1], *NAMES[2]) for name in columns}
    cells = {cell.strip().strip('"') for cell in line.split(separator_of(line, ""))}
    if re.match(r'\s*\{\s*"[^"]*"\s*:', line):
        raise Problem(f"{path} begins with an object of JSON: say --form jsonl, or --form txt if it is a text.")
    if len(cells) > 1 and cells & known:
        raise Problem(f"{path} begins as a table does, with {line!r}: say --form csv, or --form txt if it is a text.")


def rows_in(path: str, form: str) -> int | None:
    """About how many rows a file has, for the time that is left; None where it is not known beforehand."""
    if not Path(path).is_file() or form == "json":
        return None
    with open(path, "rb") as file:
        if file.read(2) == GZIP:
            return None
    if form == "parquet":
        from pyarrow import parquet

        return parquet.read_metadata(path).num_rows
    return count_lines(Path(path))
