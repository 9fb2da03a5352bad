"""Answers in files, written row by row."""

import csv
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from cascadebert.inference.adaptive import Answer
from cascadebert.layouts import Problem, ending_of

WRITTEN = ("jsonl", "csv")


def form_written(path: str) -> str:
    """The form of a file of answers, by its ending; JSON Lines where there is none.

    Raises:
        Problem: for a form that is not known.
    """
    form = ending_of(path).removeprefix(".") or "jsonl"
    if form not in WRITTEN:
        raise Problem(f"{path} has the ending {form}, and answers are written as .jsonl or .csv: name such a file.")
    return form


class Writer:
    """Answers as JSON Lines or CSV, a whole row at a time, so that a run that is broken off leaves whole rows."""

    def __init__(self, file: Any, form: str, classes: Sequence[str]) -> None:
        """Take a file that is open for text; write the header, where the form has one."""
        self.file, self.form, self.number = file, form, 0
        if form == "csv":
            ended = SimpleNamespace(write=lambda row: file.write(row.removesuffix("\r\n") + "\n"))
            self.table = csv.writer(ended, lineterminator="\r\n")  # cells with either of these are quoted
            columns = ["row", "label", "confidence", "member", "cut", "strange"]
            self.table.writerow([*columns, *(f"p({name})" for name in classes)])

    def write(self, answer: Answer, classes: Sequence[str]) -> None:
        """The answer to the next row."""
        self.number += 1
        given = answer.probabilities or {}
        if self.form == "csv":
            cells = [given.get(name) for name in classes]
            flags = int(answer.cut), int(answer.strange)
            self.table.writerow([self.number, answer.label, answer.confidence, answer.member, *flags, *cells])
            return
        said = {"row": self.number, "label": answer.label, "confidence": answer.confidence, "member": answer.member}
        more = {name: True for name in ("cut", "strange") if getattr(answer, name)}
        self.file.write(json.dumps(said | more | {"probabilities": given}, ensure_ascii=False) + "\n")
