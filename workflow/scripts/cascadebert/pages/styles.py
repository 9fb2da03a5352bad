"""How systems and classes are drawn in every figure: colours of Okabe and Ito's palette and greys, markers, lines."""

from typing import NamedTuple


class Style(NamedTuple):
    """Of one system: the colour and marker of its marks, the line of its curve."""

    color: str
    marker: str
    line: str = "-"


STYLES = {
    "bert_base": Style("#000000", "*"),
    "bert_kl": Style("#999999", "D"),
    "bert_complete": Style("#000000", "P"),
    "bert_stand_in": Style("#999999", "d"),
    "deebert": Style("#0072B2", "o"),
    "pabee": Style("#009E73", "^", ":"),
    "fastbert": Style("#CC79A7", "v", "-."),
    "distilbert": Style("#666666", "X"),
    "bert_pkd": Style("#666666", "<"),
    "theseus": Style("#666666", ">"),
    "bert_pd": Style("#666666", "h"),
    "cascadebert_three": Style("#56B4E9", "p"),
    "cascadebert_tempered": Style("#009E73", "s", "--"),
    "cascadebert_without_dar": Style("#E69F00", "s", "--"),
    "cascadebert": Style("#D55E00", "s"),
}
"""Of every system of the paper's that stands in a figure."""


def style_of(system: str) -> Style:
    """How a system is drawn; one without a style of its own in grey."""
    return STYLES.get(system, Style("#444444", "d", ":"))


CLASSES = (
    ("#0072B2", "o", ""),
    ("#E69F00", "^", "////"),
    ("#009E73", "s", "...."),
    ("#CC79A7", "D", "xxxx"),
    ("#56B4E9", "v", "\\\\\\\\"),
    ("#000000", "P", "++++"),
)
"""Colour, marker and hatch of each class, in turn."""

MOST_CLASSES = 12
"""Named in a legend at most."""


def brief(name: str, most: int = 26) -> str:
    """A class name as a legend has room for."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


SHARED = "#D55E00"
"""Colour of words that both texts of an instance share (Figure 1)."""
