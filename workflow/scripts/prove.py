"""A packed system against the tables: each instance leaves where it left there, and is answered alike.

It reads the text of the report split, in its folder's own tokenizers, and skips; the tables rest on the logits of
all exits. In the precision of the evaluation its answers are held against these logits, in fp32 against the same full
compute made anew.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro

from cascadebert.data.encoding import encode, texts_of
from cascadebert.files import read_examples, write_csv
from cascadebert.inference.adaptive import Adaptive
from cascadebert.inference.equality import TOLERANCE, compare
from cascadebert.inference.folder import TOKENIZER, read_manifest
from cascadebert.layouts import Problem
from cascadebert.metrics.exits import ExitLogits
from cascadebert.metrics.predictions import check_same, read_predictions
from cascadebert.training.loop import predict, start

log = logging.getLogger(__name__)

BATCHES = (1, 7, 32, 256)


def full_compute(system: Adaptive, examples: pd.DataFrame) -> ExitLogits:
    """All exits' logits of all rows, by the models of a system, as a training evaluates them, in fp32."""
    about, logits = system.manifest, []
    for member, model in zip(about.members, system.engine.models, strict=True):
        data = encode(examples, about.task.classes, system.folder / member.tokenizer / TOKENIZER, about.max_length)
        logits.append(predict(model, data, np.arange(len(examples))))
    return ExitLogits(np.concatenate(logits), np.array(system.layers), about.full_layers)


def rows_of(folder: Path, examples: pd.DataFrame, printed: ExitLogits, batches: Sequence[int]) -> list[dict[str, Any]]:
    """A row for each precision and batch size, at the speed-up that a system takes where nothing is asked for."""
    texts, about, rows = texts_of(examples), read_manifest(folder), []
    threshold = min(about.speed_ups, key=lambda point: abs(point.target - about.default_speed_up)).threshold
    for precision in dict.fromkeys([about.precision, "fp32"]):
        system = Adaptive.from_pretrained(folder, precision=precision)
        stack = printed if precision == about.precision else full_compute(system, examples)
        for batch in batches:
            left, *_ = system.left(texts, threshold, batch)
            comparison = compare(left, stack, about.exits, threshold)
            where = {"task": about.task.name, "run": about.run, "precision": precision, "batch": batch}
            rows.append(where | {"threshold": threshold} | asdict(comparison))
            rows[-1]["holds"] = comparison.holds(precision)
            log.info("%s", rows[-1])
    return rows


def main(
    folder: Path, examples: Path, predictions: Path, threads: int, out: Path, batches: tuple[int, ...] = BATCHES
) -> None:
    """Compare one system.

    Args:
        folder: a packed system with exits.
        examples: text of the report part of its task.
        predictions: of it on the report split, all seeds.
        threads: of this process.
        out: CSV, a row for each precision and batch size.
        batches: sizes to answer in.

    Raises:
        Problem: when float error does not explain a difference.
    """
    start(0, threads)
    told = read_predictions(predictions)[read_manifest(folder).origin["seed"]]
    read = read_examples(examples)
    read = read[read["split"] == "report"].reset_index(drop=True)
    check_same(read["id"].to_numpy(dtype=str), told.id)
    table = pd.DataFrame(rows_of(folder, read, told.stack, batches))
    if len(wrong := table[~table["holds"]]):
        first = wrong.iloc[0]
        raise Problem(
            f"{first['run']} on {first['task']} does not answer as the tables' full compute in {first['precision']},"
            f" batches of {first['batch']}: {first['exits_differ']} of {first['n']} instances leave elsewhere, up to"
            f" {first['nearest']:.3g} from the threshold, and logits differ by up to {first['logits_differ']:.3g};"
            f" float error explains {TOLERANCE[first['precision']]:g}; so {len(wrong)} of {len(table)} comparisons."
        )
    write_csv(out, table)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
