"""Small inputs of pages, and a page rendered from its JSON as the rules do it."""

from pathlib import Path

import numpy as np
import pandas as pd

import page as script
from cascadebert.files import write_json
from cascadebert.metrics.baselines import BASELINES, Baselines, write_baselines
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import Predictions, write_predictions
from cascadebert.pages import kinds

PAPER = Path(__file__).parents[1] / "config/paper"
COLUMNS = ["mnli", "mnli-mm", "mrpc", "qnli", "qqp", "rte", "sst2"]
"""Of the paper's Table 2."""

LEARNED = {"majority": 0.0, "tfidf": 0.0, "alike": 0.0, "apart": 0.0}
"""What a sweep says of the baselines where everything is above them."""

T_OF_2_SEEDS, T_OF_3_SEEDS = 12.706204736432095, 4.302652729911275
"""Student's t with one and two degrees of freedom, 97.5 %."""


def paper(number):
    """What a table of the paper prints."""
    return PAPER / f"table{number}.csv"


def tasks_of(*names, facts=None):
    """Tasks of a page, those of GLUE the paper's, with their JSON in a folder of facts, MNLI of two halves."""
    for name in names if facts else ():
        rows = {"train": 100, "selection": 30, "report": 10, "mismatched": 10 * (name == "mnli"), "test": 0}
        write_json(facts / f"{name}.json", {"metric": "accuracy", "names": ["a", "b"], "rows": rows})
    return tuple(
        kinds.Task(name, name if name in COLUMNS else None, (facts / f"{name}.json",) if facts else ())
        for name in names
    )


def predictions(logits, label, layers, full=6, names=("a", "b")):
    """Predictions of logits (exits, n, classes) that cost as many operations as layers."""
    logits, layers = np.asarray(logits, dtype=np.float32), np.array(layers)
    n = logits.shape[1]
    flops = np.repeat(layers[:, None].astype(float), n, axis=1)
    ids = np.array([f"i{i}" for i in range(n)], dtype=str)
    stack = ExitLogits(logits, layers, full)
    return Predictions(stack, flops, np.full(n, float(full)), np.array(label), ids, np.array(names))


def by_margin(margins, label, layers=None, full=3):
    """Predictions whose logits of yes and no differ by a margin for each exit and instance."""
    margins = np.array(margins, dtype=np.float32)
    logits = np.stack([-margins / 2, margins / 2], axis=-1)
    return predictions(logits, label, layers or range(1, len(margins) + 1), full, ("no", "yes"))


def write_common_sense(path, splits, **answers):
    """A task's baselines of given answers by split; without any they are always wrong.

    Args:
        path: where to.
        splits: predictions by split.
        answers: of a baseline, by split.
    """
    wrong = {split: 1 - of.label for split, of in splits.items()}
    by_split = {
        split: Baselines(of.id, of.label, {name: answers.get(name, wrong)[split] for name in BASELINES})
        for split, of in splits.items()
    }
    write_baselines(path, by_split, 1.0)
    return path


def write_sweeps(path, scores, **columns):
    """A file of sweep_thresholds.py: scores by (system, target, column), a value a seed; each column has 10 instances.

    Further columns are functions of (system, target, column, seed) or constants.
    """
    held = {"run": lambda system, *_: system, "metric": "accuracy", "measure": "layers", "threshold": 0.0}
    held |= LEARNED | {"speed_up_flops": 1.0, "flops": 1e9, "speed_up": lambda _, target, *__: target} | columns
    rows = []
    for key, values in scores.items():
        system, target, column = key
        for seed, score in enumerate(values, start=1):
            split = "mismatched" if column.endswith("-mm") else "report"
            names = {"task": column.removesuffix("-mm"), "system": system, "seed": seed, "split": split}
            names |= {"target": target, "score": score, "n": 10}
            rows.append(names | {k: v(*key, seed) if callable(v) else v for k, v in held.items()})
    frame = pd.DataFrame(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.concat([frame, frame.assign(split="selection", score=0.123)]).to_csv(path, index=False)  # never printed
    return path


def write_answers(folder, scores, n=100):
    """Predictions for `write_sweeps`, a file of each run and column: at every exit the first ones are answered rightly.

    Args:
        folder: where to.
        scores: as of `write_sweeps`, of a single target each.
        n: instances of a column; scores are rounded to that.
    """
    files = []
    for (system, _, column), values in scores.items():
        task, split = column.removesuffix("-mm"), "mismatched" if column.endswith("-mm") else "report"
        files.append(kinds.File(task, system, folder / system / f"{task}_{split}.npz", split))
        right = {seed: np.arange(n) < round(n * score) for seed, score in enumerate(values, start=1)}
        logits = {seed: np.stack([~of, of], axis=-1) * 3.0 for seed, of in right.items()}
        label = np.ones(n, dtype=int)
        write_predictions(files[-1].path, {seed: predictions([of, of], label, [1, 6]) for seed, of in logits.items()})
    return tuple(files)


def rendered(page, out):
    """Render a page from its JSON, and check that the JSON is all of it."""
    text = kinds.to_json(page)
    assert kinds.from_json(text, type(page)) == page
    script.main(text, out)
    return out


def cells_of(out):
    """Lines of Markdown cells, and the caption."""
    table, caption = out.with_suffix(".md").read_text(encoding="utf-8").split("\n\n")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len({len(line) for line in lines}) == 1
    assert "nan" not in (table + caption).lower()
    return [lines[0], *lines[2:]], caption


def read_table(out):
    """Tidy frame as text, lines of Markdown cells, caption, LaTeX; all three files are there and none says nan."""
    lines, caption = cells_of(out)
    tex = out.with_suffix(".tex").read_text(encoding="utf-8")
    assert "nan" not in tex.lower()
    assert all(rule in tex for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}"))
    assert tex.isascii()
    assert tex.count(r"\\") == len(lines)  # the head and a row each
    return pd.read_csv(out, dtype=str, keep_default_na=False), lines, caption, tex
