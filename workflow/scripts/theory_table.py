"""Appendix C: what a third member should gain by Eq. 13, beside what it gains."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tyro

from cascadebert.files import write_csv, write_text
from cascadebert.metrics.exits import answers, exits_at
from cascadebert.metrics.intervals import t_interval
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.sweeps import printed_points
from cascadebert.metrics.theory import condition_residuals, predicted_gain
from cascadebert.pages.tables import intervals_over, sentences, to_markdown, with_interval

TWO, THREE = "cascadebert", "cascadebert_three"


def main(sweeps: list[Path], two: list[Path], three: list[Path], spec: str, decimals: int, csv: Path) -> None:
    """Predict and measure the gain at each target speed-up, task and seed.

    Args:
        sweeps: of sweep_thresholds.py, of both cascades.
        two: report predictions of the cascade of two, tasks outermost, then seeds.
        three: the same of the cascade of three.
        spec: JSON with seeds (pairs of a task and its seeds, in the order of the files), targets.
        decimals: of numbers in per cent.
        csv: tidy, fractions; the page goes beside it as .md.
    """
    wanted = json.loads(spec)
    seeds_of = dict(wanted["seeds"])
    points, _ = printed_points(sweeps, list(seeds_of))
    points = points[points["split"] == "report"].set_index(["task", "seed", "system", "target"])
    rows = []
    pairs = [(task, seed) for task, seeds in seeds_of.items() for seed in seeds]
    for (task, seed), short, long in zip(pairs, two, three, strict=True):
        before, after = read_predictions(short), read_predictions(long)
        right = after.stack.logits.argmax(axis=-1) == after.label  # (members, n)
        layers = np.diff(after.stack.layers, prepend=0)
        new = len(layers) - 2  # the one more member stands before the base
        for target in map(float, wanted["targets"]):
            counts, accuracy = [], []
            for system, whole in ((TWO, before), (THREE, after)):
                threshold = points.loc[(task, seed, system, target), "threshold"]
                exit_of = exits_at(whole.stack, "confidence", threshold)
                counts.append(np.bincount(exit_of, minlength=len(whole.stack.layers)))
                accuracy.append(float((answers(whole.stack, exit_of) == whole.label).mean()))
            predicted = predicted_gain(layers, right.mean(axis=1), new, counts[1])
            _, residual = condition_residuals(layers, new, counts[0], counts[1])
            row = {"task": task, "seed": seed, "target_speed_up": target, "predicted": predicted}
            row |= {"measured": accuracy[1] - accuracy[0], "layers_more": -residual / after.label.size}
            rows.append(row)
    frame = pd.DataFrame(rows)
    write_csv(csv, frame)
    shown = []
    for (task, target), own in frame.groupby(["task", "target_speed_up"], sort=False):
        cells = {
            title: with_interval(own[name].mean(), *t_interval(own[name].to_numpy()), decimals)
            for name, title in (("predicted", "gain by Eq. 13"), ("measured", "gain measured"))
        }
        layers_more = {"layers an instance, three - two": f"{own['layers_more'].mean():+z.2f}"}
        shown.append({"Dataset": task, "speed-up": f"{target:g}×"} | cells | layers_more)
    text = sentences(
        [
            "Appendix C: what a third member gains, accuracy on the report split, in points of per cent,"
            f" {intervals_over({task: len(seeds) for task, seeds in seeds_of.items()})}.",
            "By Eq. 13: from each member's accuracy on the whole split and the exit counts of the cascade of three."
            " Measured: between both cascades at the same target.",
            "Eq. 13 assumes that a member is equally accurate on any subset, although easy instances leave first"
            " (erratum 26), and that both cascades run as many layers, which the last column shows them to do or not.",
        ]
    )
    write_text(csv.with_suffix(".md"), to_markdown(pd.DataFrame(shown), text))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
