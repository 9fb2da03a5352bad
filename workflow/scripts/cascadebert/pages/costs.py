"""Table 8 (not in the paper): every system, what it reaches, what it holds in memory, what it costs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.files import read_json
from cascadebert.metrics.crossed import interval
from cascadebert.metrics.exact import CURVE
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages.common_sense import note, with_baselines
from cascadebert.pages.evidence import Evidence, read_evidence
from cascadebert.pages.kinds import MadeOf, Systems
from cascadebert.pages.summaries import AVERAGE, WHOLE, Entry, average_note, cell, facts_of, summarised
from cascadebert.pages.tables import MISSING, means_over, seeds_by, two_way_over, with_interval, write_table
from cascadebert.systems import SYSTEMS


def render(page: Systems, out: Path) -> None:
    """Write scores, sizes and costs over seeds of every system at each ratio that it has."""
    points, columns = printed_points(page.sweeps, page.names)
    repeats = len(points[["task", "seed"]].drop_duplicates())
    evidence = read_evidence(page.tasks, page.baselines, page.predictions)
    areas = {name: area for name in evidence.systems if (area := _area(evidence, name))}
    rows, shown = [], []
    for (run, target), of_run in points.groupby(["run", "target"], sort=False):
        name = of_run["system"].iloc[0]
        static = SYSTEMS[name].exits == "last"
        if not static and not np.isclose(target, page.targets).any():
            continue
        label = SYSTEMS[name].label.format(k=f"{page.full_layers / target:g}")
        label = label if static else f"{target:g}× {label}"
        tidy = summarised(of_run, [Entry(name, target, label)], columns)
        parameters, seconds = _costs(page, page.made_of[run], repeats)
        operations = {count: of_run.groupby("column")[count].mean().mean() for count in ("flops", "speed_up_flops")}
        numbers = {"parameters": parameters, **operations, "training_seconds": seconds} | areas.get(name, {})
        told = {"recipe": _recipe(page, page.made_of[run])}
        rows += [row | numbers | told for row in tidy.to_dict("records")]
        place = {"target": 0 if name in WHOLE else target, "order": list(SYSTEMS).index(name)}
        shown.append(place | {"Method": label} | _scores(tidy, page.decimals) | _printed(numbers, page.decimals))
    baselines = with_baselines(pd.DataFrame(rows).iloc[:0], points, columns, AVERAGE)
    for i, (label, of) in enumerate(baselines.groupby("method", sort=False)):
        place = {"target": -1, "order": i}
        shown.append(place | {"Method": label} | _scores(of, page.decimals) | _printed({}, page.decimals))
    said = [
        "Every system at each ratio that it has.",
        *facts_of(page.tasks, columns),
        "Report split, in per cent, with the achieved speed-up in layers.",
        means_over(seeds_by(pd.DataFrame(rows))),
        average_note(columns),
        "Parameters are those resident when the system answers, all members of a cascade and frozen embeddings"
        " included. MFLOPs are millions of floating-point operations, the mean of the report split's instances"
        " at their own lengths, layers counted whole; beside them the ratio to the base's. Training is wall time a"
        " task and seed, difficulty labels and teachers included, the selection of the margin and the pre-training"
        " or distillation of checkpoints not; jobs ran side by side, so it is a rough figure.",
        f"Curve is a system's mean score between {CURVE[0]:g}x and {CURVE[1]:g}x, the area under score against log"
        " speed-up with the system at exactly each ratio, as in ELUE's score, averaged over columns,"
        f" {two_way_over(seeds_by(pd.DataFrame(rows)))}; - where a ratio between is out of reach.",
        note(pd.DataFrame(rows)),
    ]
    rows = [*baselines.to_dict("records"), *rows]
    table = pd.DataFrame(shown).sort_values(["target", "order"], kind="stable").drop(columns=["target", "order"])
    write_table(page, out, pd.DataFrame(rows), table, said)


def _costs(page: Systems, made_of: MadeOf, repeats: int) -> tuple[float, float]:
    """Parameters and seconds of a system, means over tasks and seeds; the seeds of a task share difficulty labels."""
    held, before = (_records(page, names) for names in (made_of.models, made_of.before))
    folds = [read_json(path) for task in page.names for name in made_of.labelled for path in page.folds[name][task]]
    seconds = pd.Series([record["seconds"] for record in (*held, *before)]).sum() / repeats
    labels = pd.Series([record["seconds"] for record in folds], dtype=float).sum() / len(page.tasks)
    parameters = sum(record["parameters"] for record in held) / repeats
    return parameters, seconds + labels


def _recipe(page: Systems, made_of: MadeOf) -> str:
    """Epochs and learning rate of each training of a system, the same for every task and seed."""
    first = {name: read_json(page.records[name][page.names[0]][0]) for name in (*made_of.before, *made_of.models)}
    settings = {name: record["settings"] for name, record in first.items()}
    return "; ".join(f"{name} {chosen['epochs']} epochs at {chosen['lr']:g}" for name, chosen in settings.items())


def _records(page: Systems, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Records of some trainings, of every task and seed."""
    return [
        read_json(path)
        for task in page.names
        for of_seed in zip(*(page.records[name][task] for name in names), strict=True)
        for path in of_seed
    ]


def _area(evidence: Evidence, system: str) -> dict[str, float]:
    """A system's mean score over the curve with its interval; nothing where it does not reach both ends."""
    try:
        of = interval(evidence.area(system))
    except LookupError:
        return {}
    return {"curve": of.estimate, "curve_low": of.low, "curve_high": of.high}


def _printed(numbers: dict[str, float], decimals: int) -> dict[str, str]:
    """The last columns of a system, or of a baseline, which has none."""
    mean, low, high = (numbers.get(name, float("nan")) for name in ("curve", "curve_low", "curve_high"))
    shown = {"curve": with_interval(mean, low, high, decimals)} | dict.fromkeys(
        ("parameters (M)", "MFLOPs", "by FLOPs", "training (s)"), MISSING
    )
    if "parameters" not in numbers:
        return shown
    return shown | {
        "parameters (M)": f"{numbers['parameters'] / 1e6:.1f}",
        "MFLOPs": f"{numbers['flops'] / 1e6:.1f}",
        "by FLOPs": f"{numbers['speed_up_flops']:.2f}×",
        "training (s)": f"{numbers['training_seconds']:.0f}",
    }


def _scores(tidy: pd.DataFrame, decimals: int) -> dict[str, str]:
    """A method's scores by column; the average of a single one would say the same again."""
    shown = {row.task: cell(row, decimals) for row in tidy.itertuples()}
    return {task: text for task, text in shown.items() if task != AVERAGE or len(shown) > 2}
