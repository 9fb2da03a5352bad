"""What keys of a config say of each other, each mistake in one sentence that names the key and the remedy."""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import Any

from cascadebert.config.local import checkpoint_problems, data_problems, known_of, same_text
from cascadebert.config.types import taken_for_one
from cascadebert.layouts import DATA_KEYS, REQUIRED, WEIGHTS_KEYS, Problem, kind_of, positions
from cascadebert.systems import SYSTEMS

RESERVED = ("avg", "method", "dataset", "task", "mean")
"""Columns of tables that have one for each task, too."""

GROUPS = ("cascade", "larger_cascade", "complete", "roberta_cascade")
"""Keys that list members in ascending depth."""


RATIOS = ("speed_ups", "ablation_speed_ups", "curve")
"""Keys that list ratios at which systems are set against each other."""


def check_references(config: dict[str, Any]) -> None:
    """Check what keys say of each other, defaults filled in.

    Raises:
        Problem: for the first thing that is not as it must be.
    """
    for sentence in _contradictions(config):
        raise Problem(sentence)


def _contradictions(config: dict[str, Any]) -> Iterator[str]:
    """Everything wrong between keys, most basic first."""
    for i, task in enumerate(config["tasks"]):
        if task.casefold() in RESERVED:
            yield f"config key tasks.{i} is {task}, which is a column of the tables: choose another name."
        yield from _undefined(f"tasks.{i}", task, "data", config)
    for task, n in config["fewer_seeds"].items():
        if task not in config["tasks"]:
            known = ", ".join(config["tasks"])
            yield f"config key fewer_seeds names {task}, which is not among tasks: take one of {known}."
        if n > len(config["seeds"]):
            most = len(config["seeds"])
            yield f"config key fewer_seeds.{task} is {n}, but seeds has {most}: lower it or leave it out."
    for group in (*GROUPS, "stand_ins"):
        for i, member in enumerate(config.get(group, [])):
            yield from _undefined(f"{group}.{i}", member, "members", config)
    for key in ("distilbert", "bert_pd"):
        if key in config:
            yield from _undefined(f"{key}.member", config[key]["member"], "members", config)
    for name, member in config["members"].items():
        yield from _undefined(f"members.{name}.weights", member["weights"], "weights", config)
    for name, definition in config["data"].items():
        yield from _data_problems(f"data.{name}", definition, config)
    for name, weights in config["weights"].items():
        yield from _weights_problems(f"weights.{name}.source", weights["source"], config)
    for i, member in enumerate(config.get("stand_ins", [])):
        if member in config.get("complete", config["cascade"]):
            yield f"config key stand_ins.{i} names {member}, which complete has a row for: leave it out."
    for key in ("complete", "stand_ins"):
        if (member := config.get("distilbert", {}).get("member")) in config.get(key, []):
            yield f"config key distilbert.member is {member}, which {key} has a row for: give it a member of its own."
    if "recipe_grid" in config:
        yield from _grid_problems(config)
    yield from _ratio_problems(config)
    yield from _depth_problems(config)
    yield from _student_problems(config)


def _undefined(key: str, name: str, section: str, config: dict[str, Any]) -> Iterator[str]:
    """A name that nothing in its section defines."""
    if name not in config[section]:
        guess = get_close_matches(name, config[section], 1)
        hint = (
            f"did you mean {guess[0]}?"
            if guess
            else f"define it, or take one of {', '.join(config[section]) or 'none'}."
        )
        yield f"config key {key} names {name}, which {section} does not define: {hint}"


def _kind_problems(key: str, source: dict[str, Any], kinds: dict[str, set[str]]) -> Iterator[str]:
    """A source of no kind, of two kinds, or with another kind's keys."""
    given = [kind for kind in kinds if kind in source]
    if len(given) != 1:
        yield f"config key {key} has {' and '.join(given) or 'no kind'}: give exactly one of {', '.join(kinds)}."
        return
    for other in sorted(set(source) - {given[0]} - kinds[given[0]]):
        default = other == "neutral_band" and not source[other]
        if not default:
            yield f"config key {key}.{other} does not go with {given[0]}: leave it out."


def _read(config: dict[str, Any]) -> set[str]:
    """Keys of the data sets that are read: tasks, and what a distilled checkpoint needs."""
    distilled = [weights["source"] for weights in config["weights"].values() if "distilled" in weights["source"]]
    names = {name for source in distilled for name in [source.get("corpus"), *source.get("held_out", [])]}
    return {f"data.{name}" for name in names | set(config["tasks"])}


def _data_problems(key: str, definition: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    source, labels = definition["source"], definition.get("labels")
    pairs = bool(source.get("pairs"))
    yield from _kind_problems(f"{key}.source", source, DATA_KEYS)
    for made in sorted({"package", "toy"} & set(source)):
        if "columns" in definition or definition["label"] != "label":
            yield f"config key {key} names columns or a label, and {made} has no table: leave columns and label out."
    if "package" in source:
        yield from _undefined(f"{key}.source.package", source["package"], "packages", config)
        if "pool" not in source:
            yield f"config key {key}.source.pool is missing: name the parts of the corpus to draw from."
    elif "toy" not in source and not {"glue", "columns"} & set(definition):
        yield f"config key {key} does not say where the text is: add columns, or glue for a task of the paper."
    if key in _read(config) and "path" in source:
        yield from data_problems(f"{key}.source.path", Path(source["path"]), source.get("splits"))
    if "selection" in source.get("splits", {}) and config["selection"] == "validation":
        yield f"config key {key}.source.splits.selection does not go with selection: validation: leave one of them out."
    if definition["label"] in definition.get("columns", []):
        yield f"config key {key}.label is {definition['label']}, which is one of its columns: name the class's."
    if definition.get("metric") == "f1" and labels is not None and len(labels) != 2:
        yield f"config key {key}.metric is f1, which needs two classes, and labels has {len(labels)}: make it accuracy."
    if "package" in source and labels is not None and len(labels) != 2 + pairs:
        kinds = "pairs have three classes" if pairs else "sentences have two"
        yield f"config key {key}.labels has {len(labels)} names, and this source's {kinds}: give {2 + pairs}."


def _weights_problems(key: str, source: dict[str, Any], config: dict[str, Any]) -> Iterator[str]:
    yield from _kind_problems(key, source, WEIGHTS_KEYS)
    kind = kind_of(source, WEIGHTS_KEYS)
    form = "onnx" if kind == "package" and "onnx" in source else kind
    for missing in sorted(REQUIRED.get(form, set()) - set(source)):
        yield f"config key {key}.{missing} is missing: {form} needs it; see docs/config.md for what it means."
    for other in sorted(({"folder"} if form == "onnx" else {"like"}) & set(source)):
        yield f"config key {key}.{other} does not go with {form}: leave it out."
    if form == "onnx":
        yield from _undefined(f"{key}.like", source["like"], "weights", config)
        if {"onnx", "distilled"} & set(config["weights"][source["like"]]["source"]):
            yield f"config key {key}.like names {source['like']}, itself made of another: name the one it is made of."
    if kind == "package":
        yield from _undefined(f"{key}.package", source["package"], "packages", config)
    if kind == "path":
        yield from checkpoint_problems(f"{key}.path", Path(source["path"]))
    if kind in ("path", "random"):
        limit = positions(known_of(source, config))
        if config["training"]["max_length"] > limit:
            asked = config["training"]["max_length"]
            yield f"config key training.max_length is {asked}, and {key} has positions for {limit} tokens: lower it."
    if kind == "distilled":
        yield from _undefined(f"{key}.distilled", source["distilled"], "weights", config)
        if "distilled" in config["weights"][source["distilled"]]["source"]:
            yield f"config key {key}.distilled names {source['distilled']}, itself distilled: name another checkpoint."
        layers, teacher = source["layers"], config["weights"][source["distilled"]]["source"]
        if layers != sorted(layers):
            yield f"config key {key}.layers is {layers}, which does not ascend: put the lower layer first."
        depth = known_of(teacher, config).get("num_hidden_layers", layers[-1])
        if layers[-1] > depth:
            yield f"config key {key}.layers has {layers[-1]}, but weights {source['distilled']} has {depth}: lower it."
        yield from _undefined(f"{key}.corpus", source["corpus"], "data", config)
        for name in source["held_out"]:
            yield from _undefined(f"{key}.held_out", name, "data", config)
        for task in config["tasks"]:
            shared = same_text(config["data"][task]["source"], config["data"][source["corpus"]]["source"])
            if shared and task not in source["held_out"]:
                yield f"config key {key}.held_out lacks {task}, whose report text is in the corpus: add it."


def _grid_problems(config: dict[str, Any]) -> Iterator[str]:
    """A grid that gives one system more points than another, or a seed that is reported."""
    grid = config["recipe_grid"]
    for i, task in enumerate(grid.get("tasks", [])):
        if task not in config["tasks"]:
            yield f"config key recipe_grid.tasks.{i} names {task}: take one of tasks, {', '.join(config['tasks'])}."
    if len(grid["lr"]) != len(grid["head_lr"]):
        sizes = f"{len(grid['head_lr'])} rates and lr has {len(grid['lr'])}"
        yield f"config key recipe_grid.head_lr has {sizes}: give as many, so that every grid has the same size."
    if shared := set(grid["seeds"]) & set(config["seeds"]):
        yield f"config key recipe_grid.seeds has {min(shared)}, a seed whose results are reported: take another."


def _ratio_problems(config: dict[str, Any]) -> Iterator[str]:
    """Ratios of two keys that tables and figures take for one, although they are written as two."""
    ratios = [(key, ratio) for key in RATIOS for ratio in config[key]]
    for (key, ratio), (other, near) in combinations([("figures.speed_up", config["figures"]["speed_up"]), *ratios], 2):
        if ratio != near and taken_for_one(ratio, near):
            yield f"config key {other} has {near}, which is taken for the {ratio} of {key}: write both alike."


def _depth_problems(config: dict[str, Any]) -> Iterator[str]:
    """Members that cannot be told from a system, or that their checkpoint cannot fill; a cascade that descends."""
    for name, member in config["members"].items():
        if name in SYSTEMS:
            yield f"config key members.{name} is also the name of a system: choose another."
        source = config["weights"][member["weights"]]["source"]
        most = known_of(source, config).get("num_hidden_layers", member["layers"])
        if member["layers"] > most:
            has = f"weights {member['weights']} has {most}"
            yield f"config key members.{name}.layers is {member['layers']}, but {has}: lower it."
    for group in (group for group in GROUPS if group in config):
        layers = [config["members"][name]["layers"] for name in config[group]]
        if any(b <= a for a, b in zip(layers, layers[1:], strict=False)):
            named = ", ".join(f"{name} ({depth})" for name, depth in zip(config[group], layers, strict=True))
            yield f"config key {group} does not ascend in layers: {named}: put the smaller member first."
        for i, name in enumerate(config[group] if group == "roberta_cascade" else []):
            weights = config["members"][name]["weights"]
            if known_of(config["weights"][weights]["source"], config).get("model_type") == "bert":
                yield f"config key {group}.{i} names {name}, whose weights {weights} are a BERT: name one of a RoBERTa."
        base = config["cascade"][-1]
        if group in ("larger_cascade", "complete") and config[group][-1] != base:
            yield f"config key {group} ends in {config[group][-1]}, not in the cascade's base, {base}: add it."
        if group == "larger_cascade" and [*config[group][:-2], base] != config["cascade"]:
            members = ", ".join(config[group])
            yield f"config key {group} is {members}, not the cascade with one more member before the base: make it so."
        if group == "roberta_cascade" and layers[-1] != config["members"][base]["layers"]:
            full = config["members"][base]["layers"]
            yield f"config key roberta_cascade ends in {layers[-1]} layers, the cascade in {full}: take equal depths."


def _student_problems(config: dict[str, Any]) -> Iterator[str]:
    """Students whose depth is not known, not the one that they have, or does not divide the base's."""
    if ("fastbert" in config) != ("fastbert_teacher" in config):
        yield "config keys fastbert and fastbert_teacher go together: give both stages or neither."
    if "fastbert_origins" in config and "fastbert" not in config:
        yield "config key fastbert_origins takes FastBERT apart, and fastbert is missing: add that, or leave this out."
    students = [key for key in ("bert_pkd", "theseus", "distilbert", "bert_pd") if key in config]
    if students and "student_layers" not in config:
        yield f"config key student_layers is missing: {students[0]} needs it; it is the depth of the static students."
    if "student_layers" not in config:
        return
    depth, full = config["student_layers"], config["members"][config["cascade"][-1]]["layers"]
    for key in ("distilbert", "bert_pd"):
        if key in config and config["members"][config[key]["member"]]["layers"] != depth:
            has = config["members"][config[key]["member"]]["layers"]
            yield f"config key {key}.member has {has} layers and student_layers is {depth}: make them equal."
    if full % depth or depth >= full:
        yield f"config key student_layers is {depth}, which does not divide the base's {full} layers: take a divisor."
