"""Appendix C: what a third member should gain by Eq. 13, beside what it gains."""

from pathlib import Path

import numpy as np
import pandas as pd

from cascadebert.files import write_csv
from cascadebert.metrics.exits import answers, exits_at
from cascadebert.metrics.intervals import t_interval
from cascadebert.metrics.predictions import Predictions, read_predictions
from cascadebert.metrics.sweeps import printed_points
from cascadebert.metrics.theory import condition_residuals, predicted_gain
from cascadebert.pages.kinds import Theory
from cascadebert.pages.tables import intervals_over, sentences, with_interval, write_layout

TWO, THREE = "cascadebert", "cascadebert_three"
SHOWN = {"predicted": "gain by Eq. 13", "measured": "gain measured"}


def render(page: Theory, out: Path) -> None:
    """Predict and measure the gain at each target speed-up, task and seed."""
    points, _ = printed_points(page.sweeps, page.names)
    thresholds = points[points["split"] == "report"].set_index(["task", "seed", "system", "target"])["threshold"]
    rows = []
    for task, short, long in zip(page.names, page.two, page.three, strict=True):
        two, three = read_predictions(short), read_predictions(long)
        for seed in two:
            for target in page.targets:
                at = tuple(float(thresholds[task, seed, system, target]) for system in (TWO, THREE))
                names = {"task": task, "seed": seed, "target_speed_up": target}
                rows.append(names | gains(two[seed], three[seed], *at))
    frame = pd.DataFrame(rows)
    write_csv(out, frame)
    seeds = frame.groupby("task", sort=False)["seed"].nunique().to_dict()
    text = sentences(
        [
            f"{page.name}: what a third member gains, accuracy on the report split, in points of per cent,"
            f" {intervals_over(seeds)}.",
            "By Eq. 13: from each member's accuracy on the whole split and the exit counts of the cascade of three."
            " Measured: between both cascades at the same target.",
            "Eq. 13 assumes that a member is equally accurate on any subset, although easy instances leave first"
            " (erratum 26), and that both cascades run as many layers, which the last column shows them to do or not.",
            *page.notes,
        ]
    )
    write_layout(out, layout(frame, page.decimals), text)


def gains(two: Predictions, three: Predictions, *thresholds: float) -> dict[str, float]:
    """What Eq. 13 predicts, what is measured, and how many layers more an instance runs with a third member.

    Args:
        two: of the cascade of two.
        three: of the cascade of three.
        thresholds: of each.
    """
    correct = three.stack.logits.argmax(axis=-1) == three.label  # (members, n)
    layers = np.diff(three.stack.layers, prepend=0)
    new = len(layers) - 2  # the one more member stands before the base
    counts, accuracy = [], []
    for whole, threshold in zip((two, three), thresholds, strict=True):
        exit_of = exits_at(whole.stack, "confidence", threshold)
        counts.append(np.bincount(exit_of, minlength=len(whole.stack.layers)))
        accuracy.append(float((answers(whole.stack, exit_of) == whole.label).mean()))
    _, residual = condition_residuals(layers, new, *counts)
    predicted = predicted_gain(layers, correct.mean(axis=1), new, counts[1])
    gained = accuracy[1] - accuracy[0]
    return {"predicted": predicted, "measured": gained, "layers_more": -residual / three.label.size}


def layout(frame: pd.DataFrame, decimals: int) -> pd.DataFrame:
    """A line a task and speed-up."""
    shown = []
    for (task, target), of_target in frame.groupby(["task", "target_speed_up"], sort=False):
        cells = {
            title: with_interval(of_target[name].mean(), *t_interval(of_target[name].to_numpy()), decimals)
            for name, title in SHOWN.items()
        }
        layers_more = {"layers an instance, three - two": f"{of_target['layers_more'].mean():+z.2f}"}
        shown.append({"Dataset": task, "speed-up": f"{target:g}×"} | cells | layers_more)
    return pd.DataFrame(shown)
