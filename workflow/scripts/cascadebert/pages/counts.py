"""Table 7, FastBERT and CascadeBERT, and Table 10, FastBERT taken apart, speed-up by layers and by operations."""

from pathlib import Path

import pandas as pd

from cascadebert.metrics.sweeps import MEASURES, printed_points
from cascadebert.pages import common_sense, summaries, tables
from cascadebert.pages.kinds import Rows

COUNTED = {"layers": "by layers", "flops": "by FLOPs"}


def render(page: Rows, out: Path) -> None:
    """Set systems against each other under both counts; the paper's scores, where there are, stand under the first."""
    rows, frames = summaries.entries(page.systems, page.targets, page.full_layers), []
    columns: list[str] = []
    for measure in MEASURES:
        points, columns = printed_points(page.sweeps, page.names, measure)
        tidy = summaries.summarised(points, rows, columns)
        if measure == "flops":
            other = summaries.summarised(points.assign(speed_up=points["speed_up_flops"]), rows, columns)
            tidy["achieved_speed_up"] = other["achieved_speed_up"]
        tidy["method"] += f", {COUNTED[measure]}"
        frames.append(tidy.assign(measure=measure))
    order = [f"{row.label}, {counted}" for row in rows for counted in COUNTED.values()]
    tidy = pd.concat(frames).sort_values("method", key=lambda methods: methods.map(order.index), kind="stable")
    if page.paper:
        tidy = summaries.beside_paper(page, tidy)
        tidy.loc[tidy["measure"] != "layers", ["paper", "paper_unlearned"]] = [float("nan"), False]
    said = [
        "FastBERT's classifiers read all tokens and cost more than a linear one.",
        *summaries.facts_of(page.tasks, columns),
        "Report split, in per cent.",
        tables.means_over(tables.seeds_by(tidy)),
        summaries.average_note(columns),
        "By layers: thresholds for a ratio of layers, that ratio in brackets. By FLOPs: thresholds for a ratio of"
        " floating-point operations, classifiers and attention products included, that ratio in brackets.",
        "The paper does not say which it means (erratum 29); its values stand under the first." if page.paper else "",
        summaries.server_note(tidy),
        common_sense.note(tidy),
    ]
    table = summaries.layout(tidy, set(), page.decimals, "{}")
    tables.write_table(page, out, tidy, table, said)
