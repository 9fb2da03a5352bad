"""Tables as pages of HTML, captions as reStructuredText: what Snakemake's report shows."""

import re

from markdown_it import MarkdownIt

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid; margin-bottom: 1rem; }
th { border-bottom: 1px solid; cursor: pointer; vertical-align: bottom; }
th, td { padding: .2rem .7rem; font-variant-numeric: tabular-nums; }
tbody tr:hover { background: #f0f0f0; }
p { max-width: 70rem; }
"""
SORT = """
document.querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
  const body = document.querySelector("tbody");
  const cell = row => row.cells[column].textContent;
  const ascending = head.dataset.ascending !== "true";
  head.dataset.ascending = ascending;
  const compare = (a, b) => cell(a).localeCompare(cell(b), "en", { numeric: true });
  const number = row => parseFloat(cell(row));
  body.append(...[...body.rows].sort((a, b) => (ascending ? 1 : -1) * (number(a) - number(b) || compare(a, b))));
}));
"""
"""A click on a head sorts by its column: by the number that each cell begins with, else as text."""


def to_html(markdown: str, title: str) -> str:
    """A page of HTML that needs no other file; tags in the text are shown, not followed.

    Args:
        markdown: one table and paragraphs.
        title: of the page.
    """
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en">\n{head}\n{body}<script>{SORT}</script>\n</html>\n'


def to_rst(text: str) -> str:
    r"""Text as reStructuredText that says just that: no sign of it is markup, nor to Jinja, which a report runs.

    >>> print(to_rst("{{ a*b_ }}"), end="")
    \{\{ a\*b\_ \}\}
    """
    return re.sub(r"([^\w\s]|_)", r"\\\1", text) + "\n"
