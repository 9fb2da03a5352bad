"""How every table is written: numbers in cells, sentences of captions, tidy CSV, Markdown and LaTeX."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cascadebert.files import write_csv, write_text
from cascadebert.pages.kinds import Table
from cascadebert.pages.web import to_html, to_rst

MISSING = "-"
"""How the paper prints what is not available."""


def with_interval(mean: float, low: float, high: float, decimals: int) -> str:
    """A fraction and its interval in per cent, as in `0.3 [-0.1, 0.7]`; a dash where it is undefined."""
    if np.isnan(mean):
        return MISSING
    span = "" if np.isnan(low) else f" [{100 * low:z.{decimals}f}, {100 * high:z.{decimals}f}]"
    return f"{100 * mean:z.{decimals}f}{span}"


def seeds_by(tidy: pd.DataFrame) -> dict[str, int]:
    """Model seeds of each column of a tidy frame (task, n_seeds)."""
    return tidy[tidy["n_seeds"] > 0].groupby("task", sort=False)["n_seeds"].max().to_dict()


def means_over(seeds: dict[str, int]) -> str:
    """What the numbers are means of.

    Args:
        seeds: how many each column has.
    """
    return f"Mean ± standard deviation (ddof 1) over {_model_seeds(seeds)}." if _most(seeds) > 1 else "One model seed."


def intervals_over(seeds: dict[str, int]) -> str:
    """What the brackets after a number are.

    Args:
        seeds: how many each column has.
    """
    several = f"with 95 % t intervals over {_model_seeds(seeds)}"
    return several if _most(seeds) > 1 else "of one model seed, without intervals"


def two_way_over(seeds: dict[str, int]) -> str:
    """What the brackets after a number are where instances count as well as seeds (`crossed.interval_of`).

    Args:
        seeds: how many each column has.
    """
    several = f"with 95 % intervals over {_model_seeds(seeds)} and the instances, two-way (Hillis 2007)"
    return several if _most(seeds) > 1 else "of one model seed, without intervals"


def _most(seeds: dict[str, int]) -> int:
    """Largest number of seeds; 0 where nothing has any."""
    return max(seeds.values(), default=0)


def _model_seeds(seeds: dict[str, int]) -> str:
    """How many seeds, and which columns have fewer, as in `5 model seeds (3 for qqp, AVG)`."""
    fewer: dict[int, list[str]] = {}
    for column, n in seeds.items():
        if n < _most(seeds):
            fewer.setdefault(n, []).append(column)
    named = "; ".join(f"{n} for {', '.join(columns)}" for n, columns in sorted(fewer.items()))
    return f"{_most(seeds)} model seeds" + (f" ({named})" if named else "")


def sentences(parts: Sequence[str]) -> str:
    """Parts of a caption as one paragraph."""
    return " ".join(part.strip() for part in parts if part)


def to_markdown(table: pd.DataFrame, caption: str) -> str:
    """The table and its caption as Markdown."""
    return f"{table.to_markdown(index=False, disable_numparse=True)}\n\n{caption}\n"


def to_latex(table: pd.DataFrame, caption: str) -> str:
    """The table and its caption as LaTeX (booktabs)."""
    signs = {
        "±": r"$\pm$",
        "×": r"$\times$",
        "ε": r"$\epsilon$",
        "†": r"$^\dagger$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
    }
    signs |= {sign: rf"\{sign}" for sign in "%_#&"}

    def escaped(text: str) -> str:
        for sign, code in signs.items():
            text = text.replace(sign, code)
        return text

    plain = table.rename(columns=escaped).map(escaped)
    style = plain.style.hide(axis="index")
    return style.to_latex(
        hrules=True, caption=escaped(caption), position="t", column_format="l" + "c" * (len(table.columns) - 1)
    )


def write_table(
    page: Table,
    out: Path,
    tidy: pd.DataFrame,
    table: pd.DataFrame,
    said: Sequence[str],
    latex: pd.DataFrame | None = None,
) -> None:
    """Write a table as tidy CSV and, beside it, in its layout as Markdown, HTML and LaTeX.

    Args:
        page: whose name begins the caption of the Markdown, and whose notes end both.
        out: where the tidy frame goes; .md and .tex go beside it.
        tidy: fractions, unrounded.
        table: the layout.
        said: sentences of the caption.
        latex: the layout for LaTeX, where it is another.
    """
    text = sentences([*said, *page.notes])
    write_csv(out, tidy)
    write_layout(out, table, f"{page.name}: {text}")
    write_text(out.with_suffix(".tex"), to_latex(table if latex is None else latex, text))


def write_layout(out: Path, table: pd.DataFrame, caption: str) -> None:
    """Write a table for readers, as Markdown and as a page of HTML, and its caption alone as reStructuredText.

    Args:
        out: the CSV.
        table: the layout.
        caption: stands below the table.
    """
    markdown = to_markdown(table, caption)
    write_text(out.with_suffix(".md"), markdown)
    write_text(out.with_suffix(".html"), to_html(markdown, out.stem))
    write_text(out.with_suffix(".rst"), to_rst(caption))
