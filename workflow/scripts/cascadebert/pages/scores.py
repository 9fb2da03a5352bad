"""Tables 2, 3 and 6: systems against systems at some speed-ups (sections 4.3 and 5.4)."""

from pathlib import Path

import numpy as np

from cascadebert.metrics.crossed import Crossed
from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages import common_sense, summaries, tables
from cascadebert.pages.chosen import score_of, with_answers
from cascadebert.pages.kinds import ScoreTable


def render(page: ScoreTable, out: Path) -> None:
    """Write means over seeds and the paper's scores, the best in bold."""
    points, columns = printed_points(page.sweeps, page.names)
    systems = [name for name in page.systems if name in set(points["system"])]
    tidy = summaries.summarised(points, summaries.entries(systems, page.targets, page.full_layers), columns)
    tidy = summaries.beside_paper(page, tidy)
    if page.server is not None:
        tidy = summaries.with_server(tidy, page.server)
    said = [
        page.title,
        *summaries.facts_of(page.tasks, columns),
        "Report split, in per cent.",
        tables.means_over(tables.seeds_by(tidy)),
        "In brackets the achieved speed-up in layers. Thresholds are chosen on the selection split for each ratio,"
        " without labels of the report split.",
        summaries.miss_note(tidy),
        summaries.average_note(columns),
        "Bold: the best mean at a ratio, and those not told apart from it (paired, 95 % interval over seeds and"
        " instances).",
        summaries.server_note(tidy),
        common_sense.note(tidy),
        "- : not available.",
    ]
    answered = with_answers(points, page.predictions)

    def score(system: str, target: float, task: str) -> Crossed:
        points = answered[(answered["system"] == system) & np.isclose(answered["target"], target)]
        return score_of(points, columns if task == summaries.AVERAGE else [task])

    bold = summaries.best(tidy, score)
    if page.baselines:
        tidy = common_sense.with_baselines(tidy, points, columns, summaries.AVERAGE)
    markdown, latex = (summaries.layout(tidy, bold, page.decimals, mark) for mark in ("**{}**", r"\textbf{{{}}}"))
    tables.write_table(page, out, tidy, markdown, said, latex)
