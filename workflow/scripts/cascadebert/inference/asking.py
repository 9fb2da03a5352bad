"""A file of texts answered by a system: read, answered and written row by row, with a summary at the end."""

import contextlib
import gzip
import logging
import os
import sys
from array import array
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from cascadebert.data.encoding import Text
from cascadebert.data.labels import class_name
from cascadebert.inference.adaptive import Adaptive, Answer
from cascadebert.inference.inputs import checked
from cascadebert.inference.settings import Setting
from cascadebert.inference.texts import Row, check_plain, form_of, read_rows, rows_in
from cascadebert.inference.written import Writer, form_written
from cascadebert.layouts import Problem
from cascadebert.metrics.scores import score


class Counts:
    """What is told at the end: how many rows there were, who answered them, how well."""

    def __init__(self, system: Adaptive) -> None:
        """Start at nothing."""
        self.system, self.start = system, perf_counter()
        self.members: Counter[str] = Counter()
        self.cut = self.blank = self.strange = 0
        self.labels, self.answers = array("i"), array("i")

    def add(self, answer: Answer, label: int) -> None:
        """One more row."""
        if answer.label is None or answer.member is None:
            self.blank += 1
            return
        self.members[answer.member] += 1
        self.cut += answer.cut
        self.strange += answer.strange
        if label >= 0:
            self.labels.append(label)
            self.answers.append(self.system.classes.index(answer.label))

    def __str__(self) -> str:
        """In sentences."""
        seconds, answered = perf_counter() - self.start, self.members.total()
        task, layers = (
            self.system.manifest.task,
            dict(zip(self.system.exit_names, self.system.engine.layers, strict=True)),
        )
        executed = sum(layers[name] * count for name, count in self.members.items())
        said = [f"{answered} answered in {seconds:.1f} s, {answered / max(seconds, 1e-9):.0f} a second"]
        if answered:
            by = ", ".join(f"{self.members[name]} by {name}" for name in layers if self.members[name])
            said.append(f"{by}: {self.system.manifest.full_layers * answered / executed:.2f}x in layers")
        if self.cut:
            said.append(f"{self.cut} cut at {self.system.manifest.max_length} tokens")
        if self.strange:
            said.append(f"{self.strange} of which its vocabulary knows nothing: their answers say nothing")
        if self.blank:
            said.append(f"{self.blank} without text {'has' if self.blank == 1 else 'have'} no label")
        if len(self.labels):
            value = score(task.metric, np.array(self.labels), np.array(self.answers))
            said.append(f"{task.metric} {100 * value:.1f} on {len(self.labels)} labelled")
        return "; ".join(said) + "."


def ask(
    system: Adaptive,
    setting: Setting,
    texts: str,
    form: str | None,
    columns: Sequence[str],
    label: str | None,
    out: str,
    batch_size: int,
) -> Counts:
    """Answer a file and write the answers; the summary of it.

    Args:
        system: that answers.
        setting: at which.
        texts: the file, - for standard input.
        form: of it, by its ending if None.
        columns: that hold the texts; found by their names where none is given.
        label: column that holds labels.
        out: the file of answers, - for standard output.
        batch_size: texts in a batch.

    Raises:
        Problem: for what cannot be read or written, before anything is answered where it can be known.
    """
    written = form_written(out)
    kind = form_of(texts, form)
    _check_out(out, texts)
    task = system.manifest.task
    reading = partial(read_rows, texts, kind, task.pairs, columns, label, task.columns)
    if label and Path(texts).is_file():
        _check_labels(reading(), system.classes, texts)
    rows, counts = reading(), Counts(system)
    labels: deque[int] = deque()  # of the rows that are read and not yet answered

    def fed() -> Iterator[Any]:
        for number, row in enumerate(rows, 1):
            name = class_name(row.label, system.classes, f"{texts} row {number}")  # an unknown one stops it
            labels.append(system.classes.index(name) if name else -1)
            yield row.text

    read = fed()
    first = list(islice(read, 100))  # a wrong column or label is told before a file is made
    if kind == "txt" and form is None and not texts.lower().endswith((".txt", ".txt.gz")) and first:
        check_plain(texts, first[0])
    threshold = None if system.manifest.exits == "last" else setting.threshold  # which has none
    answers = system.stream(chain(first, read), threshold=threshold, batch_size=batch_size)
    with contextlib.ExitStack() as stack:
        file: TextIO = sys.stdout
        if out != "-":
            opened = gzip.open if out.lower().endswith(".gz") else open
            file = stack.enter_context(opened(out, "wt", encoding="utf-8", newline=""))
        writer = Writer(file, written, system.classes)
        total = rows_in(texts, kind)
        for answer in tqdm(answers, total=total, unit=" texts", disable=None, file=sys.stderr):
            counts.add(answer, labels.popleft())
            writer.write(answer, system.classes)
    return counts


def _check_out(out: str, texts: str) -> None:
    """Raise Problem for a file that cannot be written, or that is the one that is read, be it as standard input."""
    for path, stream, what in ((texts, sys.stdin, "input"), (out, sys.stdout, "output")):
        if path == "-" and stream is None:
            raise Problem(f"standard {what} is closed: name a file.")
    if out == "-":
        return
    if not out or Path(out).is_dir():
        raise Problem(f"{out or 'an empty name'} is no file that can be written: name one after --out.")
    if Path(out).is_file() and os.path.samestat(os.stat(0 if texts == "-" else texts), os.stat(out)):
        raise Problem(f"{out} is the file that is read: write the answers to another one.")
    if not Path(out).resolve().parent.is_dir():
        raise Problem(f"{out} cannot be written, its folder is not there: make it first.")


def _check_labels(rows: Iterable[Row], classes: list[str], texts: str) -> None:
    """Raise Problem for a label that is no class, before anything is answered; the second reading tells the rest."""
    logging.disable(logging.WARNING)
    try:
        for number, row in enumerate(rows, 1):
            class_name(row.label, classes, f"{texts} row {number}")
    finally:
        logging.disable(logging.NOTSET)


def read_texts(system: Adaptive, path: str, columns: Sequence[str], rows: int) -> list[Text]:
    """The first texts of a file; rows without text are left out.

    Raises:
        Problem: when there is none, or a row is not as it must be.
    """
    if rows < 1:
        raise Problem(f"{rows} texts cannot be read: take 1 or more.")
    kind = form_of(path, None)
    task = system.manifest.task
    held = read_rows(path, kind, task.pairs, columns, None, task.columns)
    rows_checked = (checked(row.text, number, task) for number, row in enumerate(held, 1))
    texts = list(islice((text for text in rows_checked if text is not None), rows))
    if not texts:
        raise Problem(f"{path} has no text: name a file that has some.")
    return texts
