"""What pages have in common as values: tasks, tables, systems at some speed-ups, and the files they are made of."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cascadebert.captions import notes_of
from cascadebert.config.keys import Config
from cascadebert.grid import runs_in
from cascadebert.pages import kinds
from cascadebert.places import Places
from cascadebert.recipes import full_layers
from cascadebert.systems import shown_in

PRINTED = tuple(f"table{number}" for number in range(1, 8))  # in the paper, and in config/paper
HALVES = ("report", "mismatched")  # splits that pages show


def tasks(config: Config, *parts: str, names: Iterable[str] | None = None) -> tuple[kinds.Task, ...]:
    """The tasks of a page, with the facts of some parts."""
    place = Places(config.results).facts
    return tuple(
        kinds.Task(task, config.data[task].glue, tuple(Path(place(task, part)) for part in parts))
        for task in (config.tasks if names is None else names)
    )


def table(config: Config, name: str, *parts: str, notes: Iterable[str] | None = None) -> dict[str, Any]:
    """What every table says: tasks with the facts of some parts, and notes."""
    return {
        "name": name.replace("table", "Table "),
        "tasks": tasks(config, *parts),
        "decimals": config.tables.decimals,
        "paper": Path(f"config/paper/{name}.csv") if name in PRINTED else None,
        "majority": Path("config/paper/majority.csv") if name in PRINTED else None,
        "notes": tuple(notes_of(config, name) if notes is None else notes),
    }


def rows(config: Config, name: str, targets: Iterable[Any], notes: Iterable[str] | None = None) -> dict[str, Any]:
    """What tables of systems at some speed-ups say."""
    return table(config, name, "training", "report", notes=notes) | {
        "systems": tuple(shown_in(name)),
        "targets": tuple(targets),
        "full_layers": full_layers(config),
        "sweeps": sweeps(config, name),
    }


def by_task(config: Config, place: Callable[..., str], *arguments: object) -> tuple[Path, ...]:
    """A file for each task."""
    return tuple(Path(place(task, *arguments)) for task in config.tasks)


def sweeps(config: Config, name: str) -> tuple[Path, ...]:
    """Operating points of what stands in a table or figure."""
    place = Places(config.results).sweep
    return tuple(Path(place(task, run)) for task in config.tasks for run in runs_in(config, name))


def files(config: Config, place: Callable[..., str], called: Iterable[tuple], *splits: str) -> tuple[kinds.File, ...]:
    """Files of some runs, of each split where it counts: run, what it is called, and its depth where that counts."""
    return tuple(
        kinds.File(task, of, Path(place(task, run, *[split][: len(splits)])), split, *depth)
        for split in splits or ["report"]
        for task in config.tasks
        for run, of, *depth in called
    )


def answers(config: Config, name: str) -> tuple[kinds.File, ...]:
    """Predictions of every run that stands in a table, both halves of the report split."""
    return files(config, Places(config.results).predictions, [(run, run) for run in runs_in(config, name)], *HALVES)
