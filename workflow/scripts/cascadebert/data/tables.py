"""One file as a table, whatever its ending, encoding, separator or compression; cells stay as they are written."""

import csv
import gzip
import io
import json
import logging
import re
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cascadebert.files import is_lfs_pointer
from cascadebert.layouts import ENDINGS, Problem, ending_of

log = logging.getLogger(__name__)

SEPARATORS = ",;\t|"
"""Of the cells of a .csv file; the one that its header has most of."""

BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""First bytes of a file that says how it is encoded; any other is UTF-8."""

GZIP = b"\x1f\x8b"
"""First bytes of a file that is compressed, whatever its ending."""

NO_TEXT = {b"PK\x03\x04": "a zip archive, as spreadsheets are", b"PAR1": "Parquet"}
"""First bytes of files that are not read as text."""

STRICT: dict[str, Any] = {"strict": True}
SPACED = STRICT | {"skipinitialspace": True}
AS_TEXT: dict[str, Any] = {"quoting": csv.QUOTE_NONE}
"""How quotes are read: as those that enclose a cell, be it after a space (CSV) or not, or as part of its text."""

csv.field_size_limit(sys.maxsize)


def read_table(file: Path | zipfile.Path) -> pd.DataFrame:
    """A file of one of the known endings, as it is or gzipped.

    Cells of CSV and TSV are text. A JSON file is an object a line, or one array of objects, or one object of columns.

    Raises:
        Problem: for a file that cannot be read whole, or that has no rows.
    """
    ending = ending_of(file.name)
    try:
        content = file.read_bytes()
        content = gzip.decompress(content) if content.startswith(GZIP) else content
        if is_lfs_pointer(content):
            raise Problem(f"{file} is a pointer of Git LFS in place of the file: run `git lfs pull` where it is from.")
        if ending == ".parquet":
            table = pd.read_parquet(io.BytesIO(content))
        elif ending in ENDINGS:
            check_form(content, file)
            text = content.decode(encoding_of(content))
            check_characters(text, file)
            table = _cells(text, ending, file) if ending in (".csv", ".tsv") else _objects(text, file)
        else:
            raise Problem(f"{file} has none of the endings {', '.join(ENDINGS)} (or one of them and .gz): convert it.")
    except UnicodeDecodeError as error:
        raise Problem(f"{file} is not UTF-8 at byte {error.start}: convert it first.") from None
    except Problem:
        raise
    except RecursionError:
        raise Problem(f"{file} has values in values, a thousand deep: give rows of plain values.") from None
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = " ".join(str(error).split())
        raise Problem(f"{file} cannot be read ({reason}): check the file.") from None
    if table.empty:
        raise Problem(f"{file} has no rows: give it some, or remove it.")
    return table


def encoding_of(content: bytes) -> str:
    """Of a file, by its first bytes."""
    return next((BOMS[bom] for bom in BOMS if content.startswith(bom)), "utf-8")


def check_form(content: bytes, where: Any) -> None:
    """Raise Problem for what is no text by its first bytes."""
    if form := next((NO_TEXT[start] for start in NO_TEXT if content.startswith(start)), ""):
        raise Problem(f"{where} is {form}, whatever its ending says: save it as .csv, or give it the ending it is of.")


def check_characters(text: str, where: Any) -> None:
    """Raise Problem for text whose every other character is none, as UTF-16 is that is read as UTF-8."""
    if "\0" in text:
        raise Problem(
            f"{where} has NUL characters, as UTF-16 and UTF-32 have: convert it to UTF-8 first, or remove them."
        )


def _cells(text: str, ending: str, file: Path | zipfile.Path) -> pd.DataFrame:
    """Rows of separated cells, blank lines apart; every row must have a cell for each name in the header."""
    header = next(iter(text.lstrip().splitlines()), "")
    if told_separator(header):
        raise Problem(f"{file} begins with {header}, which a spreadsheet wrote: remove that line.")
    separator = separator_of(header, ending)
    read = partial(io.StringIO, text, newline="")
    try:
        names, *rows = separated(
            read(), separator, file, quotes_of(read) if ending == ".tsv" else spaced(header, separator)
        )
    except csv.Error as error:
        raise Problem(
            f"{file} cannot be read ({error}): put texts with quotes in quotes, and double them there."
        ) from None
    return pd.DataFrame(rows, columns=pd.Index(names, dtype=object), dtype=object)


def separator_of(header: str, ending: str) -> str:
    """Of a file's cells, by its ending or its header."""
    bare = re.sub(r'"[^"]*"', "", header)
    return "\t" if ending == ".tsv" else max(SEPARATORS, key=bare.count)


def spaced(header: str, separator: str) -> dict[str, Any]:
    """How quotes of a CSV are read: where its header has spaces after separators, they may come before a quote."""
    return SPACED if f"{separator} " in re.sub(r'"[^"]*"', '""', header) else STRICT


def told_separator(line: str) -> bool:
    """Whether a line says which separator follows, as spreadsheets write and read it."""
    return bool(re.fullmatch(r'"?sep=.?"?', line.strip()))


class _Shape(NamedTuple):
    """What a way to read quotes makes of a file: its rows, whether all are as long, whether a cell holds other rows."""

    rows: int = 0
    even: bool = False
    swallowed: bool = False


def quotes_of(read: Callable[[], Iterable[str]]) -> dict[str, Any]:
    """How quotes of a TSV are read: as part of its text, as in GLUE, unless all of them enclose whole cells."""
    quoted, plain = _shape(read(), STRICT), _shape(read(), AS_TEXT)
    if quoted.even != plain.even:
        return STRICT if quoted.even else AS_TEXT
    return STRICT if quoted.rows == plain.rows or (quoted.even and not quoted.swallowed) else AS_TEXT


def _shape(lines: Iterable[str], quotes: dict[str, Any]) -> _Shape:
    """What one way to read quotes makes of a TSV; nothing where it cannot be read so."""
    rows, names, even, swallowed = 0, 0, True, False
    try:
        for row in csv.reader(lines, delimiter="\t", **quotes):
            if row:
                names = len(row) if not rows else names
                even, rows = even and len(row) == names, rows + 1
                swallowed = swallowed or any("\t" in cell and "\n" in cell for cell in row)
    except csv.Error:
        return _Shape()
    return _Shape(rows, even, swallowed)


def separated(
    lines: Iterable[str], separator: str, where: Any, quotes: dict[str, Any], first: int = 0
) -> Iterator[list[str]]:
    """Names in the header, then each row's cells, one for each name; blank lines and blank cells beyond are left out.

    Args:
        lines: of the file.
        separator: of cells.
        where: the file, for messages.
        quotes: how they are read.
        first: number of the first row, for messages.

    Raises:
        Problem: for a row that has fewer cells than the header, or more.
    """
    rows = (row for row in csv.reader(lines, delimiter=separator, **quotes) if row)
    names = [name.strip() for name in next(rows, [])]
    yield names
    rows = (row for row in rows if len(row) > 1 or len(names) == 1 or row[0].strip())  # a line of spaces is no row
    for number, row in enumerate(rows, first):
        if len(names) > 1 and [cell.strip() for cell in row] == names:
            raise Problem(f"{where} row {number} is the header once more, as in files that were joined: remove it.")
        if any(cell.count("\n") >= 1 and cell.count(separator) >= len(names) - 1 > 0 for cell in row):
            log.warning("%s row %d has lines with cells of their own in one cell: is a quote missing?", where, number)
        if quotes == STRICT and any(re.match(r'\s+"[^"]*"\s*$', cell) for cell in row):
            log.warning("%s row %d has a quote after a space, which is read as text: remove the space", where, number)
        if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :]):
            raise Problem(
                f"{where} row {number} has {len(row)} cells and the header has {len(names)}: put texts with a"
                f" {separator!r} in quotes."
            )
        yield row[: len(names)]


def rows_of(text: str, where: Any) -> list[Any]:
    """Values of a JSON file: line by line, in one array, or rows of an object of columns.

    Raises:
        Problem: for what is not JSON.
    """
    try:
        whole = value_of(text, where)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("[") and error.msg != "Extra data":  # which several arrays are, one a line
            raise Problem(f"{where} is not JSON ({error}): mend its array there.") from None
        whole = None
    columns = list(whole.values()) if isinstance(whole, dict) else []
    if columns and {type(column) for column in columns} in ({dict}, {list}) and len(set(map(len, columns))) == 1:
        table = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in whole.items()})
        return table.to_dict("records")
    if isinstance(whole, list):
        return whole
    rows = []
    for number, line in enumerate(re.split(r"\r\n?|\n", text), 1):
        if line.strip():
            try:
                rows.append(value_of(line, where))
            except json.JSONDecodeError as error:
                raise Problem(f"{where} line {number} is not JSON ({error}): put one object on each line.") from None
    return rows


def _objects(text: str, file: Path | zipfile.Path) -> pd.DataFrame:
    """JSON as a table."""
    rows = rows_of(text, file)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise Problem(f"{file} row {number} is not an object with a name for each value, but {str(row)[:40]!r}.")
    return pd.DataFrame(rows, dtype=object)


def value_of(text: str, where: Any) -> Any:
    """What JSON says; Problem for an object that says a name twice."""
    return json.loads(text, object_pairs_hook=partial(_once, where))


def _once(where: Any, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, each name once."""
    read = dict(pairs)
    if len(read) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise Problem(f"{where} has an object that says {twice!r} twice: leave one of them out.")
    return read
