"""What a config asks for: every run that tables and figures stand on, its seeds, models and speed-ups."""

from itertools import product
from pathlib import Path
from string import Formatter

from cascadebert.config.keys import Config
from cascadebert.glue import GLUE
from cascadebert.layouts import files_of
from cascadebert.recipes import depths, full_layers, recipes
from cascadebert.systems import SYSTEMS, shown_in


def rated(config: Config) -> list[str]:
    """Tasks whose source has a human rating beside the label (Figure 7)."""
    sources = {task: config.data[task].source for task in config.tasks}
    return [task for task, source in sources.items() if source.package or (source.toy and not source.pairs)]


def in_glue(config: Config) -> dict[str, str]:
    """Tasks that are the paper's, with their names there."""
    return {task: name for task in config.tasks if (name := config.data[task].glue)}


def unsubmittable(config: Config) -> str:
    """Why nothing can be submitted to the GLUE server, in one sentence; files are looked for and not into."""
    tasks = in_glue(config)
    if not tasks:
        return "submissions cannot be made, no task is one of GLUE's: give its entry under data the key glue."
    twice = [task for task, name in tasks.items() if list(tasks.values()).count(name) > 1]
    if twice:
        return (
            f"submissions cannot be made, {' and '.join(twice)} are the same task of GLUE: leave one of them in tasks."
        )
    capped = [task for task in tasks if config.data[task].rows.test]
    if capped:
        key = f"data.{capped[0]}.rows.test"
        return f"submissions cannot be made, {key} leaves rows out and the GLUE server wants all of them: remove it."
    return _unlike_the_servers(config, tasks)


def _unlike_the_servers(config: Config, tasks: dict[str, str]) -> str:
    """Which test set is missing or has other classes than the server's, in one sentence.

    A local source may lack its test set, but not half of it, and not all sources.
    """
    tested = False
    for task, name in tasks.items():
        source, labels, known = config.data[task].source, config.data[task].labels, GLUE[name].labels
        halves = ("test", "test_mismatched")[: 1 + (name == "mnli")]
        there = files_of(Path(source.path), "test", source.model_dump()["splits"]) if source.path else halves
        lacking = [half for half in halves if half not in there]
        if len(lacking) == len(halves):
            continue
        tested = True
        if lacking:
            where = f"data.{task}.source.path has no file {lacking[0]}"
            return f"submissions cannot be made, {where} and the GLUE server wants both halves: add it."
        if labels and set(labels) != set(known):
            said = f"data.{task}.labels is {', '.join(labels)} and the GLUE server knows {', '.join(known)}"
            return f"submissions cannot be made, {said}: leave it out."
    none = f"submissions cannot be made, no source of {', '.join(tasks)} has a test set: add a file test to one."
    return "" if tested else none


def names(config: Config) -> dict[str, list[str]]:
    """What the places in the runs' names stand for under a config; a place that it does not fill is absent."""
    base = config.cascade[-1]
    groups = {
        "base": [base],
        "k": [str(k) for k in depths(config)],
        "complete": [name for name in config.complete or [] if name != base],
    }
    if config.stand_ins:
        groups["stand_in"] = list(config.stand_ins)
    if config.roberta_cascade:
        groups["roberta"] = [config.roberta_cascade[-1]]
    if config.student_layers:
        groups["student"] = [str(config.student_layers)]
    if config.distilbert:
        groups["distilbert"] = [config.distilbert.member]
    if config.bert_pd:
        groups["pd"] = [config.bert_pd.member]
    return groups


def runs(config: Config) -> dict[str, str]:
    """Every run under a config, by the name of its folder, with its system."""
    known = names(config)
    system_of: dict[str, str] = {}
    for name, system in SYSTEMS.items():
        places = [place for _, place, _, _ in Formatter().parse(system.run) if place]
        if getattr(config, system.needs) and all(place in known for place in places):
            for values in product(*(known[place] for place in places)):
                system_of.setdefault(system.run.format(**dict(zip(places, values, strict=True))), name)
    return system_of


def seeds_of(config: Config, task: str) -> list[int]:
    """Model seeds of a task: all of them, or the first few."""
    return config.seeds[: config.fewer_seeds.get(task)]


def targets(config: Config) -> list[float]:
    """Every target speed-up that a table or a figure asks for."""
    asked = [*config.speed_ups, *config.ablation_speed_ups, *config.curve, config.figures.speed_up]
    return sorted({*map(float, asked), *([static_ratio(config)] if config.student_layers else [])})


def static_ratio(config: Config) -> float:
    """Speed-up of the static students (Tables 3 and 6); the paper's where there are none."""
    return full_layers(config) / config.student_layers if config.student_layers else 3.0


def fixed_ratio(config: Config, run: str) -> float | None:
    """Speed-up of a static run, layers of the base over its own; None where a threshold sets it."""
    static = SYSTEMS[runs(config)[run]].exits == "last"
    return full_layers(config) / recipes(config)[run].layers if static else None


def table2_ratios(config: Config) -> dict[str, list[float]]:
    """Speed-ups at which each run has a row in Table 2; none for a depth that no target speed-up asks for."""
    ratios = {}
    for run in (run for run, system in runs(config).items() if system in shown_in("table2")):
        fixed = fixed_ratio(config, run)
        static = [fixed] if fixed in (1, *config.speed_ups) else []
        ratios[run] = list(config.speed_ups) if fixed is None else static
    return ratios


def misplaced(config: Config) -> str:
    """Which score of the GLUE server has no cell in Table 2, or one that is taken, in one sentence; empty if none."""
    known, tasks = table2_ratios(config), in_glue(config)
    columns = [column for task, name in tasks.items() for column in (task, f"{task}-mm")[: 1 + (name == "mnli")]]
    entered = set()
    for i, entry in enumerate(config.server_scores):
        key, run, ratio = f"config key server_scores.{i}", entry.run, entry.speed_up
        if run not in known:
            return f"{key}.run names {run}, which has no row in Table 2: take one of {', '.join(known)}."
        if ratio not in known[run]:
            asked = ", ".join(f"{held:g}" for held in known[run]) or "none"
            return f"{key}.speed_up is {ratio:g}, and Table 2 has {run} at {asked}: take one, or add it to speed_ups."
        for column in entry.scores:
            if column not in columns:
                taken = ", ".join(columns) or "none, since no task has the key glue"
                return f"{key}.scores names {column}, which is no column of a task of GLUE: take one of {taken}."
        if (run, ratio) in entered:
            return f"{key} is the second entry of {run} at {ratio:g}: make one of both."
        entered.add((run, ratio))
    return ""


def label_of(config: Config, run: str) -> str:
    """What a run's system is called, with its depth where the name has one."""
    recipe = recipes(config).get(run)
    return SYSTEMS[runs(config)[run]].label.format(k=recipe.layers if recipe else "")


def cascade_members(config: Config, system: str) -> list[str]:
    """Runs that a cascade is stacked from, in ascending depth."""
    *lower, last = getattr(config, SYSTEMS[system].cascade)
    whole = SYSTEMS[system].whole.format(base=last) or last
    return [*(f"{member}{SYSTEMS[system].variant}" for member in lower), whole]


def counted(config: Config, run: str) -> list[int]:
    """Layers at each exit as the released code counts them, where thresholds are chosen by that; else none."""
    system = SYSTEMS[runs(config)[run]]
    layers = [config.members[name].layers for name in getattr(config, system.cascade)] if system.as_released else []
    return [sum(layers[: i + 1]) for i in range(len(layers))]


def models(config: Config, run: str) -> list[str]:
    """Runs whose models are in memory when a run's system answers."""
    system = runs(config)[run]
    return cascade_members(config, system) if SYSTEMS[system].cascade else [run]


def before(config: Config, run: str) -> list[str]:
    """Runs that had to be trained before a run, as its first stage or its teacher, and are not in memory with it."""
    held, known = models(config, run), recipes(config)
    stood_on = [other for name in held if name in known for other in known[name].stands_on]
    return [name for name in dict.fromkeys(stood_on) if name not in held]


def runs_in(config: Config, name: str) -> list[str]:
    """Runs of the systems that stand in a table or figure."""
    return [run for run, system in runs(config).items() if system in shown_in(name)]


def variants(config: Config) -> dict[str, str]:
    """Runs of the small member in Table 5 and Figure 6, with what they are called there."""
    small = config.cascade[0]
    return {
        f"{small}_dar": "with DAR",
        small: "without DAR",
        f"{small}_tempered": "temperature scaling",
        f"{small}_batch_mean": "batch means",
        f"{small}_shuffled": "shuffled labels",
    }


def of_one_depth(config: Config) -> list[tuple[str, str, int]]:
    """Runs of Figures 2 and 3: run, model there, depth; DeeBERT has all depths."""
    base = config.cascade[-1]
    depths = {name: config.members[name].layers for name in config.complete or [] if name != base}
    return [
        (f"deebert_{base}", "deebert", 0),
        *((f"{base}_first{layers}", "bert_kl", layers) for layers in depths.values()),
        *((name, "bert_complete", layers) for name, layers in depths.items()),
    ]
