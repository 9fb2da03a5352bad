"""What it does to a finished run's intervals that some sentences are answered twice, alone and as half of a pair.

    python benchmarks/shared_sentences.py results config/config.yaml

First the folder of results, then the preset that was run, after what it stands on. Verdicts take the instances of one
column for independent of another's. `movies` and `pairs` draw on one pool of sentences, and so do their mismatched
halves: where a sentence stands in two columns, what it adds to a statistic in one may go with what it adds in the
other. Printed for each claim: how much the standard error over instances grows, in per cent, when that is counted.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import tyro
from finished import finished
from tyro.conf import Positional

from cascadebert.metrics.crossed import Crossed


def growth(statistic: Crossed, ids: dict[str, list[str]]) -> float:
    """Standard error over instances that share sentences, over that of independent ones, less 1."""
    of_sentence = defaultdict(list)
    for column, influence in statistic.influence.items():
        for name, added in zip(ids[column], influence.mean(axis=0) / influence.shape[1], strict=True):
            for sentence in name.split("+"):
                of_sentence[sentence].append(added)
    alone = sum(np.square(of.mean(axis=0) / of.shape[1]).sum() for of in statistic.influence.values())
    twice = sum(sum(added) ** 2 - np.square(added).sum() for added in of_sentence.values())
    return float(np.sqrt(max(alone + twice, 0) / alone) - 1)


def main(results: Positional[Path], presets: Positional[tuple[Path, ...]]) -> None:
    """Print a line for each claim that ran.

    Args:
        results: folder of the finished run.
        presets: that were run, in their order.
    """
    listed, evidence, _ = finished(results, presets)
    ids = {column: of.id.tolist() for column, of in evidence.baselines.items()}
    sentences = {column: {part for name in of for part in name.split("+")} for column, of in ids.items()}
    for one, other in (("movies", "pairs"), ("movies-mm", "pairs-mm")):
        if one in ids and other in ids:
            shared = sum(any(part in sentences[one] for part in name.split("+")) for name in ids[other])
            print(f"{shared} of {len(ids[other])} instances of {other} hold a sentence of {one}")
    found = {}
    for claim in listed:
        try:
            statistic = claim.values(evidence)
        except LookupError:
            continue
        if statistic.influence:
            found[claim.name] = 100 * growth(statistic, ids)
    print(pd.Series(found, name="per cent").to_markdown(floatfmt=".1f"))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
