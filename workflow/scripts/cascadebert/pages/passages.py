"""An easy instance that a shallow off-ramp gets wrong and the complete small member right (Figure 1).

The instance is chosen by `instances.RULE`, which the CSV states with the number of candidates. Its texts are drawn
above, and beneath them the bars of three classifiers.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea, VPacker

from cascadebert.files import read_examples
from cascadebert.metrics.predictions import read_predictions
from cascadebert.pages.figures import figure_of, legend_outside, save, sentence, width_of
from cascadebert.pages.instances import easy_instance, words
from cascadebert.pages.kinds import EasyInstance
from cascadebert.pages.styles import CLASSES, SHARED, brief

LINE_HEIGHT = 0.165
"""Of a line of text, in inches."""

Run = tuple[str, bool]
"""Words, and whether both texts share them."""


def render(page: EasyInstance, out: Path) -> None:
    """Draw the first task with pairs, or else the first."""
    texts = [read_examples(path) for path in page.examples]
    i = next((i for i, table in enumerate(texts) if "text_pair" in table), 0)
    deebert, small, base = (read_predictions(files[i])[page.seed] for files in (page.deebert, page.small, page.base))
    frame = easy_instance(deebert, small, base, texts[i], page.layer)
    frame.insert(0, "task", page.names[i])
    if "id" in frame:
        figure = instance_figure(frame)
    else:
        figure = sentence(f"{page.names[i]}: no instance is wrong at the off-ramp and right in the complete member.")
    save(figure, frame, out)


def instance_figure(frame: pd.DataFrame) -> Figure:
    """Figure 1: the texts, the bars beneath them, and the classes at the foot; of `easy_instance`, with an instance."""
    lines = lines_of(frame, inches=5.6)
    above, below = LINE_HEIGHT * len(lines), 1.7
    figure, axes = figure_of(2, per_row=1, height=(above + below) / 2, height_ratios=[above, below])
    plot_texts(axes[0], lines)
    plot_probabilities(axes[1], frame)
    shown, held = len(axes[1].containers), frame["class"].nunique()
    title = f"{shown} of {held} classes: the right one and the likeliest" if shown < held else None
    legend_outside(figure, axes[1:], "lower", title)
    return figure


def wrapped(text: str, shared: set[str], inches: float, size: float = 8.0) -> list[list[Run]]:
    """A text cut into lines that fit a width, each a list of runs of shared and of other words.

    Args:
        text: as it is written.
        shared: words in lower case.
        inches: width of a line.
        size: of the font, in points.
    """
    lines: list[list[Run]] = [[]]
    used = 0.0
    for token in re.findall(r"\S{1,60}", text):  # longer ones, addresses mostly, are cut
        bold = bool(words(token)) and words(token) <= shared
        width = width_of(f"{token}\N{NO-BREAK SPACE}", size, "bold" if bold else "normal")
        if lines[-1] and used + width > inches:
            lines.append([])
            used = 0.0
        if lines[-1] and lines[-1][-1][1] == bold:
            lines[-1][-1] = (f"{lines[-1][-1][0]} {token}", bold)
        else:
            lines[-1].append((token, bold))
        used += width
    return lines


def lines_of(frame: pd.DataFrame, inches: float) -> list[list[Run]]:
    """The lines above Figure 1's bars: both texts, and where they are from.

    Args:
        frame: of `easy_instance`, with an instance.
        inches: width of a line.
    """
    row = frame.iloc[0]
    about = f"Instance {row['id']}, gold label: {row['gold']}"
    if not row["text_pair"]:
        texts = wrapped(row["text"], set(), inches)
    else:
        shared = words(row["text"]) & words(row["text_pair"])
        texts = []
        for name in ("text", "text_pair"):
            lines = wrapped(row[name], shared, inches - 0.15)
            texts += [[("–" if i == 0 else "\N{EN SPACE}", False), *line] for i, line in enumerate(lines)]
        about += f"; {100 * row['overlap']:.0f} % of the words in both texts"
    return [*texts, *wrapped(f"{about}; {row['candidates']} candidates", set(), inches)]


def plot_texts(ax: Axes, lines: list[list[Run]]) -> None:
    """Lines of text, words that both texts share in colour and bold."""
    ax.set_axis_off()
    styles = {False: {}, True: {"color": SHARED, "weight": "bold"}}
    rows: list[Artist] = [
        HPacker(
            children=[TextArea(run, textprops=styles[bold] | {"parse_math": False}) for run, bold in line],
            align="baseline",
            pad=0,
            sep=2.5,
        )
        for line in lines
    ]
    block = VPacker(children=rows, align="left", pad=0, sep=2)
    box = AnchoredOffsetbox("upper left", child=block, frameon=False, pad=0, borderpad=0)
    box.set_in_layout(False)
    ax.add_artist(box)


def percent(share: float) -> str:
    """A share in per cent without decimals; 0 and 100 are said of nothing and of all alone.

    Example:
        >>> [percent(share) for share in (0.0, 0.004, 0.511, 0.996, 1.0)]
        ['0', '<1', '51', '>99', '100']
    """
    if 0 < share < 0.005 or 0.995 <= share < 1:
        return "<1" if share < 0.5 else ">99"
    return f"{100 * share:.0f}"


def plot_probabilities(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 1's bars: for each model the probability of every class.

    Args:
        ax: to draw on.
        frame: of `easy_instance`, with an instance.
    """
    models, gold = list(frame["model"].unique()), frame["gold"].iloc[0]
    likely = frame.groupby("class", sort=False)["probability"].max().sort_values(ascending=False, kind="stable").index
    kept = {gold, *likely[: len(CLASSES) - 1]}
    classes = [name for name in frame["class"].unique() if name in kept]
    width = 0.8 / len(classes)
    for i, name in enumerate(classes):
        color, _, hatch = CLASSES[i % len(CLASSES)]
        shares = frame.loc[frame["class"] == name, "probability"]
        places = np.arange(len(models)) + (i - (len(classes) - 1) / 2) * width
        label = f"{brief(name)} (gold)" if name == gold else brief(name)
        bars = ax.bar(places, 100 * shares, 0.9 * width, color=color, hatch=hatch, edgecolor="white", label=label)
        ax.bar_label(bars, [percent(share) for share in shares], fontsize=7, padding=1)
    ax.set_xticks(range(len(models)), models)
    ax.grid(visible=False)
    ax.set(ylabel="probability (%)", ylim=(0, 108))
