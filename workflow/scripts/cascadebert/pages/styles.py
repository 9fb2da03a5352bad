"""How systems and classes are drawn in every figure: colours of Okabe and Ito's palette and greys, markers, lines."""

from typing import NamedTuple

from cascadebert.systems import SYSTEMS


class Style(NamedTuple):
    """Of one system: the colour and marker of its marks, the line of its curve, its name where room is scarce."""

    color: str
    marker: str
    line: str = "-"
    short: str = ""


STYLES = {
    "bert_base": Style("#000000", "*"),
    "bert_kl": Style("#999999", "D", ":"),
    "bert_complete": Style("#000000", "P", ":", "Complete-kL"),
    "bert_stand_in": Style("#999999", "d", ":", "stand-in-kL"),
    "deebert": Style("#0072B2", "o"),
    "pabee": Style("#009E73", "^", ":"),
    "fastbert": Style("#CC79A7", "v", "-."),
    "distilbert": Style("#666666", "X"),
    "bert_pkd": Style("#666666", "<", short="PKD"),
    "theseus": Style("#666666", ">", short="Theseus"),
    "bert_pd": Style("#666666", "h", short="PD"),
    "cascadebert_three": Style("#56B4E9", "p", short="three members"),
    "cascadebert_tempered": Style("#009E73", "s", "--"),
    "cascadebert_without_dar": Style("#E69F00", "s", "--", "without DAR"),
    "cascadebert": Style("#D55E00", "s"),
}
"""Of every system of the paper's that stands in a figure."""


def style_of(system: str) -> Style:
    """How a system is drawn; one without a style of its own in grey."""
    return STYLES.get(system, Style("#444444", "d", ":"))


COMMON_SENSE = {"majority": "majority", "tfidf": "TF-IDF"}
"""What the baselines of common sense are called in figures."""


def short_name(system: str) -> str:
    """What a system is called beside its mark."""
    return style_of(system).short or SYSTEMS[system].label.format(k="k")


CLASSES = (
    ("#0072B2", "o", ""),
    ("#E69F00", "^", "////"),
    ("#000000", "s", "...."),
    ("#009E73", "D", "xxxx"),
    ("#CC79A7", "v", "\\\\\\\\"),
    ("#56B4E9", "P", "++++"),
)
"""Colour, marker and hatch of each class that a figure tells apart; further ones are drawn in grey, or left out."""


def brief(name: str, most: int = 26) -> str:
    """A class name as a legend has room for; a long one keeps its beginning and its end.

    Example:
        >>> brief("card_payment_not_recognised", most=12)
        'card_p…nised'
    """
    name = f" {name}" if name.startswith("_") else name  # matplotlib leaves out what begins with _
    return name if len(name) <= most else f"{name[: most // 2]}…{name[len(name) - (most - 1) // 2 :]}"


SHARED = "#D55E00"
"""Colour of words that both texts of an instance share (Figure 1)."""
