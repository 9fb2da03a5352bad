"""The one list of tables and figures: what each is made of under a config, and what it cannot be made without."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from cascadebert import page_parts as parts
from cascadebert.captions import FIGURES, MEANING, Section, precision, title
from cascadebert.config.keys import Config
from cascadebert.grid import (
    before,
    fixed_ratio,
    models,
    of_one_depth,
    rated,
    runs,
    runs_in,
    seeds_of,
    static_ratio,
    unsubmittable,
    variants,
)
from cascadebert.layouts import Problem
from cascadebert.pages import kinds
from cascadebert.places import Places
from cascadebert.recipes import full_layers, recipes
from cascadebert.systems import SYSTEMS, shown_in


@dataclass(frozen=True)
class Artefact:
    """One table or figure.

    Attributes:
        section: of the paper.
        title: what it is called and shows.
        build: its page under a config, by its name.
        needs: keys of the config without which it cannot be made.
    """

    section: Section
    title: str
    build: Callable[[Config, str], kinds.Page]
    needs: tuple[str, ...] = ()


def missing(config: Config, name: str) -> str:
    """Why a table, a figure or the submissions cannot be made, in one sentence; empty where they can."""
    if name == "submissions":
        return unsubmittable(config)
    if name == "figure7" and not rated(config):
        return "figure7 cannot be made, no task's source has human ratings: add one that has to tasks."
    lacking = [key for key in PAGES[name].needs if getattr(config, key) is None]
    keys = "; and ".join(f"{key}, {MEANING[key]}" for key in lacking)
    told = f"{name} cannot be made, the config lacks {keys}: add it, as docs/config.md describes it."
    return told if lacking else ""


def page(config: Config, name: str) -> kinds.Page:
    """A table or figure as a value; raises the Problem that says why it cannot be made."""
    if sentence := missing(config, name):
        raise Problem(sentence)
    caption = f"{FIGURES[name]} {precision(config)}" if name in FIGURES else ""
    return replace(PAGES[name].build(config, name), caption=caption)


def files_of(places: Places, name: str) -> list[str]:
    """Files of a table or figure: what its script is asked for, what a report shows, its caption, and all others."""
    if name.startswith("figure"):
        return [places.figure(name, ending) for ending in ("pdf", "png", "rst", "csv")]
    return [
        places.table(name, ending) for ending in ("csv", "html", "rst", "md", "tex")[: 5 if name[:5] == "table" else 4]
    ]


def artefacts(config: Config) -> list[str]:
    """Of every table and figure that can be made, the file that its script is asked for, and what a report needs."""
    return [file for name in PAGES if not missing(config, name) for file in files_of(Places(config.results), name)[:3]]


def left_out(config: Config) -> list[str]:
    """Why the others are not made, a sentence each."""
    return [sentence for name in PAGES if (sentence := missing(config, name))]


def _task_table(config: Config, name: str) -> kinds.TaskTable:
    places = Places(config.results)
    margins, baselines = (parts.by_task(config, place) for place in (places.margin, places.baselines))
    said = parts.table(config, name, "training", "report", "test", notes=())
    return kinds.TaskTable(**said, margins=margins, baselines=baselines)


def _scores(config: Config, name: str) -> kinds.ScoreTable:
    notes = [precision(config)] if name == "table6" else None
    targets = config.speed_ups if name == "table2" else [static_ratio(config)]
    said = parts.rows(config, name, targets, notes) | {
        "title": title(config, name),
        "predictions": parts.answers(config, name),
    }
    if name != "table2":
        return kinds.ScoreTable(**said)
    systems, entries = runs(config), config.server_scores
    server = tuple(kinds.Returned(systems[entry.run], entry.speed_up, entry.scores) for entry in entries)
    return kinds.ScoreTable(**said, server=server, baselines=True)


def _ablation(config: Config, name: str) -> kinds.Ablation:
    said = parts.rows(config, name, config.ablation_speed_ups) | {"systems": tuple(shown_in(name))[::-1]}  # ours first
    return kinds.Ablation(**said, predictions=parts.answers(config, name))


def _calibration(config: Config, name: str) -> kinds.Calibration:
    files = parts.files(config, Places(config.results).predictions, variants(config).items(), *parts.HALVES)
    return kinds.Calibration(**parts.table(config, name), predictions=files)


def _counts(config: Config, name: str) -> kinds.Rows:
    return kinds.Rows(kind="counts", **parts.rows(config, name, config.ablation_speed_ups))


def _systems(config: Config, name: str) -> kinds.Systems:
    places, known, made_of = Places(config.results), recipes(config), {}
    for run in runs_in(config, name):
        labelled = [known[model].member for model in models(config, run) if known[model].difficulty]
        made_of[run] = kinds.MadeOf(tuple(models(config, run)), tuple(before(config, run)), tuple(labelled))
    trained = dict.fromkeys(model for held in made_of.values() for model in (*held.models, *held.before))
    labels = dict.fromkeys(member for held in made_of.values() for member in held.labelled)
    folds = [*product(config.difficulty.seeds, range(config.difficulty.n_folds))]

    def of_each(names: Iterable[str], paths: Callable[[str, str], Iterable[str]]) -> dict:
        return {name: {task: tuple(map(Path, paths(task, name))) for task in config.tasks} for name in names}

    adaptive = [(run, runs(config)[run]) for run in runs_in(config, name) if fixed_ratio(config, run) is None]
    return kinds.Systems(
        **parts.rows(config, name, config.speed_ups),
        baselines=parts.by_task(config, places.baselines),
        predictions=parts.files(config, places.predictions, adaptive, *parts.HALVES),
        made_of=made_of,
        records=of_each(trained, lambda task, run: [places.record(task, run, seed) for seed in seeds_of(config, task)]),
        folds=of_each(labels, lambda task, member: [f"{places.fold(task, member, *of)[:-4]}.json" for of in folds]),
    )


def _timed(config: Config) -> dict[str, str]:
    """Runs that are timed, with their systems."""
    return {run: runs(config)[run] for run in runs_in(config, "table9")}


def _clock(config: Config, name: str) -> kinds.Clock:
    times = parts.by_task(config, Places(config.results).clock)
    return kinds.Clock(**parts.table(config, name, notes=()), times=times, runs=_timed(config))


def _clocked(config: Config, name: str) -> kinds.Clocked:
    times = parts.by_task(config, Places(config.results).clock)
    return kinds.Clocked(tasks=parts.tasks(config), times=times, runs=_timed(config))


def _theory(config: Config, name: str) -> kinds.Theory:
    place = Places(config.results).predictions
    two, three = (parts.by_task(config, place, run, "report") for run in ("cascadebert", "cascadebert_three"))
    files: dict[str, Any] = {"sweeps": parts.sweeps(config, "figure5"), "two": two, "three": three}
    return kinds.Theory(**parts.table(config, "Appendix C", notes=()), targets=tuple(config.speed_ups), **files)


def _claims(config: Config, name: str) -> kinds.Verdicts:
    places, models = Places(config.results), [*variants(config).items(), *of_one_depth(config)]
    systems = [(run, name) for run, name in runs(config).items() if "{k}" not in SYSTEMS[name].label]
    return kinds.Verdicts(
        **parts.table(config, "Verdicts", "training") | {"effects": Path("config/paper/effects.csv")},
        baselines=parts.by_task(config, places.baselines),
        systems=parts.files(config, places.predictions, systems, *parts.HALVES),
        models=parts.files(config, places.predictions, models, *parts.HALVES),
        speed_ups=tuple(config.speed_ups),
        high=tuple(config.ablation_speed_ups),
        static=static_ratio(config),
        depths=tuple(layers for _, model, layers in of_one_depth(config) if model == "bert_complete"),
        full_layers=full_layers(config),
        times=parts.by_task(config, places.clock) if config.clock else (),
        runs=_timed(config),
        left_out=tuple(left_out(config)),
    )


def _easy_instance(config: Config, name: str) -> kinds.EasyInstance:
    places, (small, *_, base) = Places(config.results), config.cascade
    of = {"deebert": f"deebert_{base}", "small": small, "base": base}
    files: dict[str, Any] = {name: parts.by_task(config, places.predictions, run, "report") for name, run in of.items()}
    return kinds.EasyInstance(
        tasks=parts.tasks(config),
        **files,
        examples=parts.by_task(config, places.examples, "report"),
        seed=config.seeds[0],
        layer=config.members[small].layers,
    )


def _accuracy_by_layer(config: Config, name: str) -> kinds.AccuracyByLayer:
    return kinds.AccuracyByLayer(
        tasks=parts.tasks(config),
        runs=parts.files(config, Places(config.results).predictions, of_one_depth(config), "report"),
        sweeps=parts.by_task(config, Places(config.results).sweep, f"deebert_{config.cascade[-1]}"),
        target=config.figures.speed_up,
        min_subset=config.figures.min_subset,
    )


def _inversions(config: Config, name: str) -> kinds.Runs:
    runs_of = parts.files(config, Places(config.results).measures, of_one_depth(config))
    return kinds.Runs(kind="inversions", tasks=parts.tasks(config), runs=runs_of)


def _states(config: Config, name: str) -> kinds.States:
    states = parts.by_task(config, Places(config.results).states, config.seeds[0])
    drawn: dict[str, Any] = config.figures.model_dump(include={"perplexity", "instances"})
    return kinds.States(tasks=parts.tasks(config), states=states, **drawn, seed=0)


def _trade_off(config: Config, name: str) -> kinds.TradeOff:
    at = static_ratio(config) if name == "figure5_all" else None
    return kinds.TradeOff(
        tasks=parts.tasks(config), sweeps=parts.sweeps(config, name), systems=tuple(shown_in(name)), ratio=at
    )


def _reliability(config: Config, name: str) -> kinds.Runs:
    files = parts.files(config, Places(config.results).predictions, [*variants(config).items()][:3], "report")
    return kinds.Runs(kind="reliability", tasks=parts.tasks(config), runs=files)


def _ratings(config: Config, name: str) -> kinds.Ratings:
    places, tasks = Places(config.results), rated(config)
    return kinds.Ratings(
        tasks=parts.tasks(config, names=tasks),
        labels=tuple(Path(places.labels(task, config.cascade[0])) for task in tasks),
        examples=tuple(Path(places.examples(task, "training")) for task in tasks),
    )


PAGES = {
    "table1": Artefact(Section.EXPERIMENTS, "Table 1: the tasks", _task_table),
    "table2": Artefact(Section.EXPERIMENTS, "Table 2: early exit against the cascade", _scores),
    "table3": Artefact(Section.EXPERIMENTS, "Table 3: static distillation", _scores, ("student_layers",)),
    "table4": Artefact(Section.ANALYSIS, "Table 4: with and without DAR", _ablation),
    "table5": Artefact(Section.ANALYSIS, "Table 5: calibration", _calibration),
    "table6": Artefact(Section.ANALYSIS, "Table 6: RoBERTa", _scores, ("roberta_cascade", "student_layers")),
    "table7": Artefact(Section.APPENDIX, "Table 7: FastBERT", _counts, ("fastbert",)),
    "table8": Artefact(Section.BEYOND, "Table 8: what each system costs", _systems),
    "table9": Artefact(Section.BEYOND, "Table 9: the clock", _clock, ("clock",)),
    "table10": Artefact(Section.BEYOND, "Table 10: FastBERT taken apart", _counts, ("fastbert", "fastbert_origins")),
    "theory": Artefact(Section.APPENDIX, "Appendix C: what a third member gains", _theory, ("larger_cascade",)),
    "claims": Artefact(Section.CLAIMS, "Verdicts on the paper's claims", _claims),
    "figure1": Artefact(Section.EXITING, "Figure 1: an easy instance", _easy_instance),
    "figure2": Artefact(Section.EXITING, "Figure 2: accuracy by layer", _accuracy_by_layer, ("complete",)),
    "figure3": Artefact(Section.EXITING, "Figure 3: DIS by layer", _inversions, ("complete",)),
    "figure4": Artefact(Section.ANALYSIS, "Figure 4: representations", _states),
    "figure5": Artefact(Section.ANALYSIS, "Figure 5: two members against three", _trade_off, ("larger_cascade",)),
    "figure6": Artefact(Section.BEYOND, "Figure 6: reliability", _reliability),
    "figure7": Artefact(Section.BEYOND, "Figure 7: difficulty against human ratings", _ratings),
    "figure8": Artefact(Section.BEYOND, "Figure 8: the clock against what is counted", _clocked, ("clock",)),
    "figure5_all": Artefact(Section.BEYOND, "Figure 5, every system", _trade_off),
}
"""In the order in which what is left out is told."""
