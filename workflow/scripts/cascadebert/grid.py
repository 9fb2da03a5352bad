"""What a config asks for: every run that tables and figures stand on, and what is left out for want of a key."""

from itertools import product
from string import Formatter
from typing import Any

from cascadebert.systems import SYSTEMS, shown_in

NEEDS = {
    "table3": ("student_layers",),
    "table6": ("roberta_cascade", "student_layers"),
    "table7": ("fastbert",),
    "theory": ("larger_cascade",),
    "figure2": ("complete",),
    "figure3": ("complete",),
    "figure5": ("larger_cascade",),
}
"""Keys of the config without which a table or figure cannot be made."""

MEANING = {
    "roberta_cascade": "two RoBERTa members, a shallow one and the base, with their checkpoint under weights",
    "student_layers": "the depth of the static students",
    "fastbert": "the recipe of FastBERT's self-distillation",
    "larger_cascade": "the members of a cascade with one more model",
    "complete": "the complete members of several depths",
}
"""What each of those keys has to say."""


def rated(config: dict[str, Any]) -> list[str]:
    """Tasks whose source has a human rating beside the label (Figure 7)."""
    sources = {task: config["data"][task]["source"] for task in config["tasks"]}
    return [task for task, own in sources.items() if "package" in own or ("toy" in own and not own.get("pairs"))]


def in_glue(config: dict[str, Any]) -> dict[str, str]:
    """Tasks that are the paper's, with their names there."""
    return {task: config["data"][task]["glue"] for task in config["tasks"] if "glue" in config["data"][task]}


def missing(config: dict[str, Any], artefact: str) -> str:
    """Why a table, a figure or the submissions cannot be made, in one sentence; empty where they can."""
    if artefact == "submissions":
        return _unsubmittable(config)
    if artefact == "figure7" and not rated(config):
        return "figure7 cannot be made, no task's source has human ratings: add one that has to tasks."
    lacking = [key for key in NEEDS.get(artefact, ()) if key not in config]
    if not lacking:
        return ""
    wanted = "; and ".join(f"{key}, {MEANING[key]}" for key in lacking)
    return f"{artefact} cannot be made, the config lacks {wanted}: add it, as docs/config.md describes it."


def _unsubmittable(config: dict[str, Any]) -> str:
    """Why nothing can be submitted to the GLUE server; what is in the files of a test set is not looked at."""
    tasks = in_glue(config)
    if not tasks:
        return "submissions cannot be made, no task is one of GLUE's: give its entry under data the key glue."
    twice = [task for task, name in tasks.items() if list(tasks.values()).count(name) > 1]
    if twice:
        return (
            f"submissions cannot be made, {' and '.join(twice)} are the same task of GLUE: leave one of them in tasks."
        )
    capped = [task for task in tasks if "test" in config["data"][task].get("rows", {})]
    if capped:
        key = f"data.{capped[0]}.rows.test"
        return f"submissions cannot be made, {key} leaves rows out and the GLUE server wants all of them: remove it."
    return ""


def full_layers(config: dict[str, Any]) -> int:
    """Layers of the base, the numerator of every speed-up."""
    return config["members"][config["cascade"][-1]]["layers"]


def depths(config: dict[str, Any]) -> list[int]:
    """Depths k of BERT-kL: those with a target speed-up, and those of the complete members that it is set against."""
    full = full_layers(config)
    whole = {int(full / target) for target in config["speed_ups"] if (full / target).is_integer()}
    complete = {config["members"][name]["layers"] for name in config.get("complete", [])}
    return sorted(whole | complete - {full}, reverse=True)


def names(config: dict[str, Any]) -> dict[str, list[str]]:
    """What the places in the runs' names stand for under a config; a place that it does not fill is absent."""
    base = config["cascade"][-1]
    found = {
        "base": [base],
        "k": [str(k) for k in depths(config)],
        "complete": [name for name in config.get("complete", []) if name != base],
    }
    if "roberta_cascade" in config:
        found["roberta"] = [config["roberta_cascade"][-1]]
    if "student_layers" in config:
        found["student"] = [str(config["student_layers"])]
    if "distilbert" in config:
        found["distilbert"] = [config["distilbert"]["member"]]
    if "bert_pd" in config:
        found["pd"] = [config["bert_pd"]["member"]]
    return found


def runs(config: dict[str, Any]) -> dict[str, str]:
    """Every run under a config, by the name of its folder, with its system."""
    known, found = names(config), {}
    for name, system in SYSTEMS.items():
        places = [place for _, place, _, _ in Formatter().parse(system.run) if place]
        if system.needs in config and all(place in known for place in places):
            for values in product(*(known[place] for place in places)):
                found.setdefault(system.run.format(**dict(zip(places, values, strict=True))), name)
    return found


def own_ratio(config: dict[str, Any], run: str) -> float | None:
    """Speed-up of a static run, layers of the base over its own; None where a threshold sets it."""
    system = runs(config)[run]
    if SYSTEMS[system].exits != "last":
        return None
    if run in config["members"]:
        layers = config["members"][run]["layers"]
    else:
        layers = int(run.rpartition("_first")[2]) if system == "bert_kl" else config["student_layers"]
    return full_layers(config) / layers


def table2_ratios(config: dict[str, Any]) -> dict[str, list[float]]:
    """Speed-ups at which each run has a row in Table 2; none for a depth that no target speed-up asks for."""
    found = {}
    for run in (run for run, system in runs(config).items() if system in shown_in("table2")):
        own = own_ratio(config, run)
        static = [own] if own in (1, *config["speed_ups"]) else []
        found[run] = list(config["speed_ups"]) if own is None else static
    return found


def misplaced(config: dict[str, Any]) -> str:
    """Which score of the GLUE server has no cell in Table 2, or one that is taken, in one sentence; empty if none."""
    known, tasks = table2_ratios(config), in_glue(config)
    columns = [column for task, name in tasks.items() for column in (task, f"{task}-mm")[: 1 + (name == "mnli")]]
    entered = set()
    for i, entry in enumerate(config["server_scores"]):
        key, run, ratio = f"config key server_scores.{i}", entry["run"], entry["speed_up"]
        if run not in known:
            return f"{key}.run names {run}, which has no row in Table 2: take one of {', '.join(known)}."
        if ratio not in known[run]:
            asked = ", ".join(f"{own:g}" for own in known[run]) or "none"
            return f"{key}.speed_up is {ratio:g}, and Table 2 has {run} at {asked}: take one, or add it to speed_ups."
        for column in entry["scores"]:
            if column not in columns:
                taken = ", ".join(columns) or "none, since no task has the key glue"
                return f"{key}.scores names {column}, which is no column of a task of GLUE: take one of {taken}."
        if (run, ratio) in entered:
            return f"{key} is the second entry of {run} at {ratio:g}: make one of both."
        entered.add((run, ratio))
    return ""


def cascade_members(config: dict[str, Any], system: str) -> list[str]:
    """Runs that a cascade is stacked from, in ascending depth."""
    *lower, last = config[SYSTEMS[system].cascade]
    return [*(f"{member}{SYSTEMS[system].variant}" for member in lower), last]


def models(config: dict[str, Any], run: str) -> list[str]:
    """Runs whose models are in memory when a run's system answers."""
    system = runs(config)[run]
    return cascade_members(config, system) if SYSTEMS[system].cascade else [run]


def before(config: dict[str, Any], run: str) -> list[str]:
    """Runs that had to be trained before a run, and are not in memory with it."""
    known = {place: values[0] for place, values in names(config).items() if values}
    return [template.format(**known) for template in SYSTEMS[runs(config)[run]].after]
