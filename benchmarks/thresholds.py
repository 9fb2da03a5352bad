"""What a threshold for each member gains over one for all, in a cascade of three members.

    python benchmarks/thresholds.py results movies
    python benchmarks/thresholds.py results mnli mrpc qnli qqp rte sst2

Both are chosen on the selection split, without labels, at each target speed-up; what they give is measured on the
report split, for every seed. Prints a table: means over seeds, and the paired difference with its 95 % t interval over
them.
"""

from pathlib import Path

import pandas as pd
import tyro
from tyro.conf import Positional

from cascadebert.files import read_json
from cascadebert.inference.settings import exits_under, for_speed_up, setting
from cascadebert.metrics.exits import answers
from cascadebert.metrics.intervals import t_interval
from cascadebert.metrics.predictions import read_predictions
from cascadebert.metrics.scores import score
from cascadebert.places import Places

TARGETS = (2.0, 3.0, 4.0)
RUN = "cascadebert_three"


def rows_of(results: Path, task: str) -> list[dict[str, float | str]]:
    """What each seed of a task gives with both kinds of thresholds at each target, in per cent."""
    at = Places(str(results))
    metric = read_json(Path(at.facts(task, "training")))["metric"]
    chosen_on, told_on = (read_predictions(Path(at.predictions(task, RUN, s))) for s in ("selection", "report"))
    rows: list[dict[str, float | str]] = []
    for seed, told in told_on.items():
        for target in TARGETS:
            row: dict[str, float | str] = {"task": task, "target": target, "seed": seed}
            for kind, each in (("one", False), ("each", True)):
                threshold = for_speed_up(chosen_on[seed].stack, "confidence", target, each).threshold
                given = setting(told.stack, "confidence", threshold)
                answered = answers(told.stack, exits_under(told.stack, "confidence", threshold))
                row |= {f"ratio {kind}": given.speed_up, f"agreement {kind}": 100 * given.agreement}
                row |= {f"score {kind}": 100 * score(metric, told.label, answered)}
            rows.append(row)
    return rows


def difference(group: pd.DataFrame, column: str) -> str:
    """Mean over seeds of what a threshold for each member adds, with its interval."""
    added = (group[f"{column} each"] - group[f"{column} one"]).to_numpy()
    low, high = t_interval(added)
    return f"{added.mean():+.2f} [{low:.2f}, {high:.2f}]"


def main(results: Positional[Path], tasks: Positional[list[str]]) -> None:
    """Print the table; with several tasks also their mean, seed by seed."""
    frame = pd.DataFrame([row for task in tasks for row in rows_of(results, task)])
    if len(tasks) > 1:
        mean = frame.drop(columns="task").groupby(["target", "seed"], as_index=False).mean().assign(task="mean")
        frame = pd.concat([frame, mean])
    table = {}
    for (task, target), group in frame.groupby(["task", "target"], sort=False):
        one, each = group["ratio one"].mean(), group["ratio each"].mean()
        table[f"{task} {target:g}×"] = {
            "seeds": len(group),
            "one: ratio": f"{one:.2f}",
            "one: score": f"{group['score one'].mean():.1f}",
            "each: ratio": f"{each:.2f}",
            "each: score": f"{group['score each'].mean():.1f}",
            "gain, points": difference(group, "score"),
            "gain, agreement": difference(group, "agreement"),
        }
    print(pd.DataFrame(table).T.rename_axis("target").to_markdown(disable_numparse=True))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
