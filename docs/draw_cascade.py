"""Draws the README's picture of the method, once for a light page and once for a dark one.

python docs/draw_cascade.py         # writes docs/cascade-light.svg and docs/cascade-dark.svg

The files are SVG written as text: the same on every machine, and its words are set in the reader's fonts.
"""

import sys
from html import escape
from pathlib import Path
from typing import NamedTuple

WIDTH, HEIGHT, LINE = 840, 366, 18
FONT = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"


class Colors(NamedTuple):
    """Of one kind of page: words, asides, the small member and easy texts, the base and difficult texts."""

    words: str
    faint: str
    cool: str
    warm: str


THEMES = {
    "light": Colors("#1f2328", "#6e7781", "#0072B2", "#C04F00"),
    "dark": Colors("#e6edf3", "#8b949e", "#56B4E9", "#E69F00"),
}


def text(x: float, y: float, words: str, color: str, anchor: str = "middle", **style: object) -> str:
    """Lines of words; y is the base line of the first."""
    lines = "".join(
        f'<tspan x="{x}" dy="{LINE if i else 0}">{escape(line)}</tspan>' for i, line in enumerate(words.split("\n"))
    )
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x}" y="{y}" fill="{color}" text-anchor="{anchor}"{more}>{lines}</text>'


def arrow(x: float, y: float, to_x: float, to_y: float, color: str, both: bool = False) -> str:
    """A line along an axis with a head at its end, or at both."""
    across, along = (to_x != x), (1 if (to_x, to_y) > (x, y) else -1)
    ends = [(to_x, to_y, along), *([(x, y, -along)] if both else [])]
    heads = ""
    for end_x, end_y, way in ends:
        back, side = -8 * way, 4
        corners = (
            f"{end_x + back},{end_y - side} {end_x + back},{end_y + side}"
            if across
            else f"{end_x - side},{end_y + back} {end_x + side},{end_y + back}"
        )
        heads += f'<polygon points="{end_x},{end_y} {corners}" fill="{color}"/>'
    return f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}" stroke="{color}" stroke-width="1.6"/>{heads}'


def member(x: float, layers: int, name: str, color: str, words: str) -> str:
    """A model as a pile of layers around the line that texts run along, 110 wide, with its name beneath."""
    top = 118 - 5 * layers
    pile = "".join(
        f'<rect x="{x}" y="{top + 10 * i}" width="110" height="7.5" rx="1.5" fill="{color}"/>' for i in range(layers)
    )
    return pile + text(x + 55, top + 10 * layers + 15, name, words)


def inference(colors: Colors) -> list[str]:
    """The upper half: a text leaves at the first member that is sure enough."""
    words, faint, cool, warm = colors
    return [
        text(0, 18, "Answering: each text leaves at the first member that is sure", words, "start", font_weight="bold"),
        text(0, 123, "text", words, "start"),
        arrow(34, 118, 66, 118, words),
        member(72, 2, "small member:\na complete model\nof 2 layers", cool, words),
        arrow(188, 118, 232, 118, words),
        f'<polygon points="236,118 313,74 390,118 313,162" fill="none" stroke="{words}" stroke-width="1.6"/>',
        text(313, 114, "confidence\n> τ ?", words),
        arrow(313, 74, 313, 54, cool),
        text(321, 69, "yes", cool, "start"),
        text(313, 47, "answer, after 2 layers", cool),
        arrow(390, 118, 516, 118, warm),
        text(448, 110, "no", warm),
        text(453, 140, "(here may stand\nmore members)", faint, font_size=13),
        member(522, 12, "base: 12 layers", warm, words),
        arrow(638, 118, 676, 118, warm),
        text(684, 105, "answer,\nafter 2 + 12\nlayers", warm, "start"),
    ]


def regularization(colors: Colors) -> list[str]:
    """The lower half: what difficulty-aware regularization asks of the small member."""
    words, faint, cool, warm = colors
    title = "Training the small member (DAR): less sure of difficult texts than of easy ones"
    triangles = [f'<polygon points="{x},299 {x - 7},312 {x + 7},312" fill="{warm}"/>' for x in (105, 150, 215)]
    circles = [f'<circle cx="{x}" cy="306" r="6.5" fill="{cool}"/>' for x in (345, 392, 440)]
    return [
        text(0, 240, title, words, "start", font_weight="bold"),
        arrow(72, 306, 500, 306, faint),
        *triangles,
        *circles,
        text(157, 334, "difficult", warm),
        text(392, 334, "easy", cool),
        text(500, 334, "its confidence", faint, font_size=13),
        arrow(215, 282, 345, 282, words, both=True),
        text(280, 273, "at least the margin ε", words),
        text(
            566,
            273,
            "Difficult: a model trained without the\ntext gets it wrong. Pairs less than ε\n"
            "apart, or in the wrong order, cost.",
            words,
            "start",
        ),
    ]


def picture(colors: Colors) -> str:
    """The picture on a page of one kind; its background is the page's."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="{FONT}" font-size="15">'
    )
    return "\n".join([head, *inference(colors), *regularization(colors), "</svg>\n"])


def main(folder: Path) -> None:
    """Write both files."""
    for name, colors in THEMES.items():
        (folder / f"cascade-{name}.svg").write_text(picture(colors), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
