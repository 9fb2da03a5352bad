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

LABELS = {False: ["negative", "positive"], True: ["first", "second", "equal"]}
"""Class names of sentences, and of pairs, where none are declared."""

PAIRING = 20211107
"""Seed of the draw of pairs: which sentences meet does not depend on how a task is divided."""


def read_corpus(source: dict[str, Any], archive: Path, labels: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """Parts of the corpus as frames of sentences, or of pairs, with a label and a rating.

    A sentence's rating is the mean that people gave it, in [-4, 4], its label the sign of it. A pair's label says which
    of both was rated higher, or that they are about equal: `equal_band` apart at most. Its rating is by how much they
    are further apart than that, below 0 for an equal pair. So the absolute rating is always the distance from the
    border between classes, and 0, on the border, has the label "".

    Args:
        source: an entry of the config's data, its source: pool, mismatched, pairs, equal_band.
        archive: the source distribution.
        labels: class names: negative, positive; of pairs first, second, equal.

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
        return _pairs(frames, source["equal_band"], names)
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


def _pairs(frames: dict[str, pd.DataFrame], band: float, names: list[str]) -> dict[str, pd.DataFrame]:
    """Sentences two by two at random, each text in one pair of one split at most."""
    drawn: dict[str, pd.DataFrame] = {}
    met: set[str] = set()
    for split, frame in frames.items():
        texts = normalised(frame)
        once = frame[~(texts.duplicated() | texts.isin(met))]
        met |= set(texts)
        order = np.random.default_rng(PAIRING).permutation(len(once))[: len(once) // 2 * 2]
        first, second = (once.iloc[order[start::2]].reset_index(drop=True) for start in (0, 1))
        apart = (first["rating"] - second["rating"]).round(6)  # means of whole numbers: a border is met exactly
        distance = (apart.abs() - band).round(6)
        classes = [(distance > 0) & (apart > 0), (distance > 0) & (apart < 0), distance < 0]
        drawn[split] = pd.DataFrame(
            {
                "id": first["id"] + "+" + second["id"],
                "rating": distance,
                "text": first["text"],
                "text_pair": second["text"],
                "label": np.select(classes, names, default=""),
            }
        )
    return drawn
