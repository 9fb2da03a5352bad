"""Every kind of page as a value: what it says, what it is drawn from, which module of pages renders it."""

from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class Task:
    """A task that a page shows."""

    name: str
    glue: str | None  # the paper's name of it, where it is one of the paper's
    facts: tuple[Path, ...] = ()  # JSON on its parts


@dataclass(frozen=True, config=STRICT)
class File:
    """A file of one run, all seeds."""

    task: str
    of: str  # what the page calls the run
    path: Path
    split: str = "report"
    layers: int = 0  # of the model; 0 where all its exits count


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Page:
    """What all pages have."""

    kind: str  # the module of pages that renders it
    tasks: tuple[Task, ...]  # in the order of columns, rows or panels
    caption: str = ""  # of a figure; a table composes its own from what it shows

    @property
    def names(self) -> list[str]:
        """Names of the tasks."""
        return [task.name for task in self.tasks]

    @property
    def files(self) -> list[str]:
        """Every file that the page reads, once."""
        return list(dict.fromkeys(map(str, _paths(self))))


def _paths(value: object) -> Iterator[Path]:
    """The paths within a value."""
    if isinstance(value, Path):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _paths(getattr(value, field.name))
    elif isinstance(value, dict | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _paths(part)


PageKind = TypeVar("PageKind", bound=Page)


def to_json(page: Page) -> str:
    """A page as one line of JSON."""
    return TypeAdapter(type(page)).dump_json(page).decode()


def from_json(text: str, kind: type[PageKind]) -> PageKind:
    """What `to_json` wrote, checked.

    Raises:
        pydantic.ValidationError: for a field that is unknown or missing, or a value of another type.
    """
    return TypeAdapter(kind).validate_json(text)


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Table(Page):
    """What all tables have."""

    name: str  # as in "Table 2"; it begins the caption
    decimals: int  # of scores in per cent; tidy frames are unrounded
    notes: tuple[str, ...] = ()  # sentences at the end of the caption
    paper: Path | None = None  # what the paper prints, where it does
    majority: Path | None = None  # beside it, what the majority class scores on GLUE's test sets


@dataclass(frozen=True, config=STRICT, kw_only=True)
class TaskTable(Table):
    """Table 1: the tasks, their metric, the margin that was selected for each."""

    kind: str = "tasks"
    margins: tuple[Path, ...]  # one a task
    baselines: tuple[Path, ...]  # of common sense, one a task


@dataclass(frozen=True, config=STRICT)
class Returned:
    """What the GLUE server returned for one submission: scores by column, in per cent."""

    system: str
    target: float
    scores: dict[str, float]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Rows(Table):
    """Tables whose rows are systems at some speed-ups, Table 7 among them."""

    systems: tuple[str, ...]  # in the order of rows
    targets: tuple[float, ...]  # speed-ups
    full_layers: int  # of the base; a depth is this over a speed-up
    sweeps: tuple[Path, ...]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class ScoreTable(Rows):
    """Tables 2, 3 and 6: systems against systems; server is None where there is nothing to submit."""

    kind: str = "scores"
    title: str
    predictions: tuple[File, ...]  # of each run and split
    baselines: bool = False  # whether those of common sense have rows
    server: tuple[Returned, ...] | None = None


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Ablation(Rows):
    """Table 4: the cascade with and without DAR, and its controls; predictions are of each run and split."""

    kind: str = "ablation"
    predictions: tuple[File, ...]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Calibration(Table):
    """Table 5: the small member and its variants, called by their methods; predictions are of each run and split."""

    kind: str = "calibration"
    predictions: tuple[File, ...]


@dataclass(frozen=True, config=STRICT)
class MadeOf:
    """Trainings in memory when a system answers, those that went before, members whose difficulty labels it had."""

    models: tuple[str, ...]
    before: tuple[str, ...]
    labelled: tuple[str, ...]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Systems(Rows):
    """Table 8: what each run's system is made of, and the records of each training, or labelled member, and task."""

    kind: str = "costs"
    baselines: tuple[Path, ...]  # of common sense, one a task
    predictions: tuple[File, ...]  # of the adaptive systems, both halves of the report split
    made_of: dict[str, MadeOf]
    records: dict[str, dict[str, tuple[Path, ...]]]
    folds: dict[str, dict[str, tuple[Path, ...]]]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Clock(Table):
    """Table 9: times of every packed system on one machine, one file a task."""

    kind: str = "clock"
    times: tuple[Path, ...]
    runs: dict[str, str]  # the system of each run


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Theory(Table):
    """Appendix C: the gain of a third member; report predictions of both cascades, one a task."""

    kind: str = "theory"
    targets: tuple[float, ...]
    sweeps: tuple[Path, ...]
    two: tuple[Path, ...]
    three: tuple[Path, ...]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Verdicts(Table):
    """What became of the paper's claims."""

    kind: str = "claims"
    effects: Path  # the sizes that the paper gives to claims
    baselines: tuple[Path, ...]  # of common sense, one a task
    systems: tuple[File, ...]  # predictions of every run, called by its system
    models: tuple[File, ...]  # of those that are compared exit by exit, called as claims do
    speed_ups: tuple[float, ...]  # of Table 2
    high: tuple[float, ...]  # of Tables 4 and 7
    static: float  # of the students
    depths: tuple[int, ...]  # of the complete members but the base
    full_layers: int
    left_out: tuple[str, ...]  # sentences on what this config does not make
    times: tuple[Path, ...] = ()  # of packed systems on one machine, one file a task; none where nothing is timed
    runs: dict[str, str] = field(default_factory=dict)  # the system of each run


@dataclass(frozen=True, config=STRICT, kw_only=True)
class EasyInstance(Page):
    """Figure 1: report predictions of three models and the texts, one a task, and the depth that is compared."""

    kind: str = "passages"
    deebert: tuple[Path, ...]
    small: tuple[Path, ...]
    base: tuple[Path, ...]
    examples: tuple[Path, ...]
    seed: int
    layer: int


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Runs(Page):
    """Figure 3, of measures of every model of one depth, and Figure 6, of predictions of the member's variants."""

    runs: tuple[File, ...]


@dataclass(frozen=True, config=STRICT, kw_only=True)
class AccuracyByLayer(Runs):
    """Figure 2: report predictions of models of one depth, and DeeBERT's sweeps; target is where DeeBERT emits."""

    kind: str = "accuracy_by_layer"
    sweeps: tuple[Path, ...]
    target: float
    min_subset: int


@dataclass(frozen=True, config=STRICT, kw_only=True)
class States(Page):
    """Figure 4: representations, one file a task; seed is that of the projection."""

    kind: str = "states"
    states: tuple[Path, ...]
    perplexity: float
    instances: int
    seed: int


@dataclass(frozen=True, config=STRICT, kw_only=True)
class TradeOff(Page):
    """Figure 5: score against speed-up of some systems."""

    kind: str = "trade_off"
    systems: tuple[str, ...]
    sweeps: tuple[Path, ...]
    ratio: float | None = None  # at which all systems and the better baseline are set side by side, with intervals


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Clocked(Page):
    """Figure 8: the clock's speed-up against the counted one; times are of Table 9, one file a task."""

    kind: str = "clocked"
    times: tuple[Path, ...]
    runs: dict[str, str]  # the system of each run


@dataclass(frozen=True, config=STRICT, kw_only=True)
class Ratings(Page):
    """Figure 7: difficulty labels and texts, one file a task."""

    kind: str = "ratings"
    labels: tuple[Path, ...]
    examples: tuple[Path, ...]
