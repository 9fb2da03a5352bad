"""The grid of learning rates and epochs: every system's score at every point, and the point that is chosen."""

from typing import Any

import pandas as pd

AT = ["epochs", "lr"]


def by_point(tried: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of every section at every point, and which is chosen.

    Args:
        tried: a row a training: section, run, epochs, lr, task, seed, score (a fraction, on the selection split).

    Returns:
        section, epochs, lr, score, chosen; sections in their order. The mean is of all runs of a section, tasks and
        seeds. The best score is chosen; of equal ones the fewest epochs, then the lowest rate.
    """
    scores = tried.groupby(["section", *AT], sort=False)["score"].mean().reset_index()
    best = scores.sort_values(["score", *AT], ascending=[False, True, True], kind="stable").groupby("section").head(1)
    return scores.assign(chosen=scores.index.isin(best.index))


def overlay(scores: pd.DataFrame) -> dict[str, Any]:
    """The chosen points as keys of a config."""
    keys: dict[str, Any] = {}
    for row in scores[scores["chosen"]].itertuples():
        *sections, last = row.section.split(".")
        held = keys
        for name in sections:
            held = held.setdefault(name, {})
        held[last] = {"epochs": int(row.epochs), "lr": float(row.lr)}
    return keys


def layout(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a section, a column a point, in per cent, the chosen one in bold."""
    texts = (100 * scores["score"]).map("{:.1f}".format).where(~scores["chosen"], other=None)
    texts = texts.fillna((100 * scores["score"]).map("**{:.1f}**".format))
    columns = [f"{row.epochs} epochs, {row.lr:g}" for row in scores.itertuples()]
    table = scores.assign(text=texts, column=columns).pivot_table("text", "section", "column", "first", sort=False)
    order = scores.assign(column=columns).sort_values(AT)["column"].unique()
    return table[order].fillna("").rename_axis("system").reset_index()
