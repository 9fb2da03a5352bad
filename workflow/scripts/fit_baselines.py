"""A task's baselines of common sense, fitted on its training rows: the majority class, TF-IDF + logistic regression."""

from pathlib import Path

import pandas as pd
import tyro

from cascadebert.files import read_examples, read_facts
from cascadebert.metrics.baselines import fit, write_baselines


def main(training: Path, report: Path, facts: Path, out: Path) -> None:
    """Write what both answer to the selection, report and mismatched splits.

    Args:
        training: text of the training and selection rows.
        report: text of the rows that tables print.
        facts: JSON beside the first, with class names and metric.
        out: .npz of `write_baselines`.
    """
    known = read_facts(facts)
    examples = pd.concat([read_examples(training), read_examples(report)], ignore_index=True)
    write_baselines(out, *fit(examples, known["names"], known["metric"]))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
