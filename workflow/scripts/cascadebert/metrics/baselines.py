"""Baselines of common sense: what is reached without a pre-trained model, so that a reader sees who has learned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped

from cascadebert.files import atomic
from cascadebert.metrics.influence import Influenced, mixed_score
from cascadebert.metrics.scores import score

BASELINES = {"majority": "Majority class", "tfidf": "TF-IDF + logistic regression"}
"""Their names and labels, in the order of tables' rows."""

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""Values of the logistic regression's C, of which the selection split chooses."""


@dataclass(frozen=True)
class Baselines:
    """What the baselines answer to one split; they have no seed.

    Attributes:
        id: of each instance, as in predictions.
        label: class index of each instance, -1 where unknown.
        answers: class index that each baseline gives, by its name.
    """

    id: Shaped[np.ndarray, " n"]
    label: Int[np.ndarray, " n"]
    answers: dict[str, Int[np.ndarray, " n"]]

    def scores(self, metric: str) -> dict[str, float]:
        """The task's score of each, a fraction."""
        return {name: mixed_score(metric, self.label, [(1.0, of)])[0] for name, of in self.answers.items()}

    def better(self, metric: str) -> Influenced:
        """The score of the better one on this split, and its influence at each instance."""
        return max((mixed_score(metric, self.label, [(1.0, of)]) for of in self.answers.values()), key=lambda of: of[0])


def majority(metric: str, label: Int[np.ndarray, " n"]) -> int:
    """The one class that is best given to all: the most frequent, or class 1 where only its F1 counts."""
    return 1 if metric == "f1" else int(np.bincount(label).argmax())


def fit(examples: pd.DataFrame, names: list[str], metric: str) -> tuple[dict[str, Baselines], float]:
    """Fit both on the train split and let them answer to every other.

    Texts are unigrams and bigrams, weighted by TF-IDF with sublinear counts; the two of a pair have words of their own,
    so that it matters in which of them a word stands.

    Args:
        examples: of `files.read_examples`, of all splits.
        names: class names; index = class.
        metric: of the task.

    Returns:
        Baselines by split, and C.
    """
    from sklearn.compose import make_column_transformer  # seconds of start-up, which readers of this module do without
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = [name for name in ("text", "text_pair") if name in examples]
    words = make_column_transformer(
        *(
            (TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]"), name)
            for name in texts
        )
    )
    label = pd.Index(names).get_indexer(examples["label"])
    train, selection = (np.flatnonzero(examples["split"] == split) for split in ("train", "selection"))
    words.fit(examples.iloc[train])
    features = words.transform(examples)
    models = [
        LogisticRegression(C=strength, max_iter=1000).fit(features[train], label[train]) for strength in STRENGTHS
    ]
    chosen = int(np.argmax([score(metric, label[selection], model.predict(features[selection])) for model in models]))
    answers = {
        "majority": np.full(len(examples), majority(metric, label[train])),
        "tfidf": models[chosen].predict(features),
    }
    by_split = {}
    for split, rows in examples.groupby("split").indices.items():
        if split != "train":
            held = {name: of[rows] for name, of in answers.items()}
            by_split[str(split)] = Baselines(examples["id"].to_numpy(dtype=str)[rows], label[rows], held)
    return by_split, STRENGTHS[chosen]


def write_baselines(path: Path, by_split: dict[str, Baselines], strength: float) -> None:
    """Write one .npz: id, label and answers of every split, and C."""
    held: dict[str, Any] = {"strength": np.float64(strength)}
    for split, of in by_split.items():
        held |= {f"{split}_id": of.id, f"{split}_label": of.label}
        held |= {f"{split}_{name}": answers for name, answers in of.answers.items()}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **held)


def read_baselines(path: Path) -> tuple[dict[str, Baselines], float]:
    """Read what `write_baselines` wrote; a split without instances is there, too."""
    by_split = {}
    with np.load(path) as file:
        for split in ("selection", "report", "mismatched"):
            if f"{split}_id" in file:
                answers = {name: file[f"{split}_{name}"] for name in BASELINES}
                by_split[split] = Baselines(file[f"{split}_id"], file[f"{split}_label"], answers)
            else:
                nothing = np.zeros(0, dtype=np.int64)
                by_split[split] = Baselines(nothing.astype(str), nothing, dict.fromkeys(BASELINES, nothing))
        return by_split, float(file["strength"])
