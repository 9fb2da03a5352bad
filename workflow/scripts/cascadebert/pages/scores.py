"""Tables 2, 3 and 6: systems against systems at some speed-ups (sections 4.3 and 5.4)."""

from pathlib import Path

import pandas as pd

from cascadebert.metrics.sweeps import printed_points
from cascadebert.pages import summaries, tables
from cascadebert.pages.kinds import ScoreTable


def render(page: ScoreTable, out: Path) -> None:
    """Write means over seeds and the paper's scores, the best in bold."""
    points, columns = printed_points(page.sweeps, page.names)
    systems = [name for name in page.systems if name in set(points["system"])]
    tidy, by_seed = summaries.summarised(points, summaries.entries(systems, page.targets, page.full_layers), columns)
    tidy = summaries.with_paper(tidy, pd.read_csv(page.paper), summaries.paper_names(page.tasks))
    if page.server is not None:
        tidy = summaries.with_server(tidy, page.server)
    said = [
        page.title,
        *summaries.facts_of(page.tasks, columns),
        "Report split, in per cent.",
        tables.means_over(tables.seeds_by(tidy)),
        "In brackets the achieved speed-up in layers. Thresholds are chosen on the selection split for each ratio,"
        " without labels of the report split.",
        summaries.average_note(columns),
        "Bold: the best mean at a ratio, and those not told apart from it (paired over seeds, 95 % t interval).",
        summaries.server_note(tidy),
        "- : not available.",
    ]
    bold = summaries.best(tidy, by_seed)
    markdown, latex = (summaries.layout(tidy, bold, page.decimals, mark) for mark in ("**{}**", r"\textbf{{{}}}"))
    tables.write_table(page, out, tidy, markdown, said, latex)
