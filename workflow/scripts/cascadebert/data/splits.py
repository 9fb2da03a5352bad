"""Train, selection and report split of a data set, with no text in two of them (erratum 17)."""

import unicodedata
import zlib

import numpy as np
import pandas as pd

from cascadebert.layouts import Problem


def normalised(frame: pd.DataFrame) -> pd.Series:
    """What makes two examples the same text: Unicode form, case and space do not count; both texts of a pair do."""
    return sentences(frame).agg("\x1f".join, axis=1) if len(frame) else pd.Series(dtype=str)


def sentences(frame: pd.DataFrame) -> pd.DataFrame:
    """The text, or both texts of each pair, in the form that makes two of them the same."""
    columns = [column for column in ("text", "text_pair") if column in frame]
    return frame[columns].map(lambda text: " ".join(unicodedata.normalize("NFKC", text).casefold().split()))


def carve(
    source: dict[str, pd.DataFrame], rows: dict[str, int], seed: int, selection_from: str = "train"
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Divide a data set into the splits that are trained on and reported.

    The report split is the source's own, or a fifth of its only split; the selection split is the source's own, if it
    was told to keep one for thresholds, or a tenth of what remains. Draws are stratified by class. A text of the report
    split, or of the split that it is drawn from where it was published as such, leaves the selection and training
    split; a text of the selection split leaves the training split. Published report splits are not touched; a
    mismatched half drawn beside a carved report split loses its texts.

    Args:
        source: frames by split; train at least.
        rows: how many of each split at most.
        seed: of the draws.
        selection_from: "train", or "validation" for the paper's own way: the report split is the selection split, too.

    Returns:
        All examples with a column split, in the source's order, an instance of two splits twice; and how many rows left
        which split for being repeats.

    Raises:
        Problem: when a split that is needed would be empty.
    """
    pool = source["train"]
    dropped: dict[str, int] = {}
    if published := "report" in source:
        report = _draw(source["report"], rows.get("report"), seed, "report")
    else:
        report = _draw(pool, rows.get("report", max(1, len(pool) // 5)), seed, "report")
        pool = pool.drop(report.index)
    mismatched = source.get("mismatched", report.iloc[:0])
    if not published:
        mismatched = _without(mismatched, report, "mismatched", dropped)
    published_report = source["report"] if published else report
    validation = source.get("selection")
    if validation is not None:
        validation = _without(validation, pd.concat([published_report, mismatched]), "selection", dropped)
        pool = _without(pool, validation, "train (selection)", dropped)
    pool = _without(pool, published_report, "train and selection", dropped)
    if len(mismatched):
        pool = _without(pool, mismatched, "train and selection (mismatched)", dropped)
    if selection_from == "validation":
        selection = report
    elif validation is not None:
        selection = _draw(validation, rows.get("selection"), seed, "selection")
    else:
        selection = _draw(pool, rows.get("selection", max(1, len(pool) // 10)), seed, "selection")
        pool = _without(pool.drop(selection.index), selection, "train", dropped)
    drawn = {
        "train": _draw(pool, rows.get("train"), seed, "train"),
        "selection": selection,
        "report": report,
        "mismatched": _draw(mismatched, rows.get("mismatched"), seed, "mismatched"),
    }
    for name in ("train", "selection", "report"):
        if not len(drawn[name]):
            taken = "" if published else f"the report split takes {len(report)}, "
            raise Problem(
                f"the {name} split is empty: of {len(source['train'])} training rows {taken}the selection split takes"
                f" {len(selection)}, and {sum(dropped.values())} rows repeat a text of another split: give it more rows"
                " of other texts, or lower rows.selection and rows.report."
            )
    return pd.concat([frame.assign(split=name) for name, frame in drawn.items()], ignore_index=True), dropped


def draw_test(source: dict[str, pd.DataFrame], rows: dict[str, int], seed: int) -> pd.DataFrame:
    """The split that is only answered; without rows where the source has none."""
    test = source.get("test", source["train"].iloc[:0])
    return _draw(test, rows.get("test"), seed, "test").assign(split="test")


def _without(frame: pd.DataFrame, other: pd.DataFrame, name: str, dropped: dict[str, int]) -> pd.DataFrame:
    """The rows whose text is not in another frame; how many were is noted under a name."""
    repeated = normalised(frame).isin(set(normalised(other))).to_numpy(dtype=bool)
    dropped[name] = int(repeated.sum())
    return frame[~repeated]


def _draw(frame: pd.DataFrame, n: int | None, seed: int, purpose: str) -> pd.DataFrame:
    """N rows in their order, class proportions kept to a row; all where n is None or not less than there are."""
    if n is None or n >= len(frame):
        return frame
    rng = np.random.default_rng([seed, zlib.crc32(purpose.encode())])
    groups = [rng.permutation(rows) for _, rows in sorted(frame.groupby("label").indices.items())]
    exact = np.array([len(rows) * n / len(frame) for rows in groups])
    sizes = np.floor(exact).astype(int)
    sizes[np.argsort(sizes - exact, kind="stable")[: n - sizes.sum()]] += 1  # the largest remainders
    return frame.iloc[np.sort(np.concatenate([rows[:size] for rows, size in zip(groups, sizes, strict=True)]))]
