"""Instance difficulty d(x) and how well confidence ranks it (paper, sections 2.2 and 3.2)."""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int, Shaped

from cascadebert.files import read_csv
from cascadebert.layouts import Problem
from cascadebert.metrics.predictions import Predictions


def assign_folds(labels: Int[np.ndarray, " n"], n_folds: int, seed: int) -> Int[np.ndarray, " n"]:
    """One stratified split into K folds, drawn once a task and shared by all difficulty seeds (erratum 10).

    Args:
        labels: class of each training instance.
        n_folds: K of section 3.2.
        seed: of this split alone.

    Returns:
        Fold of each instance, 0..K-1.

    Raises:
        Problem: when some class has fewer instances than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold  # a second of start-up, which trainings do without

    rarest = np.unique(labels, return_counts=True)[1].min()
    if rarest < n_folds:
        raise Problem(
            f"{n_folds} folds need {n_folds} training instances of every class and the rarest has {rarest}: "
            "lower difficulty.n_folds or give more rows."
        )
    fold = np.empty(labels.size, dtype=np.int64)
    for k, (_, held_out) in enumerate(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(labels, labels)):
        fold[held_out] = k
    return fold


def difficult(correct: Bool[np.ndarray, "seeds n"]) -> Bool[np.ndarray, " n"]:
    """d(x): True unless the held-out prediction was right in all seeds (section 3.2).

    Example:
        >>> difficult(np.array([[True, True], [True, False]]))
        array([False,  True])
    """
    return ~np.all(correct, axis=0)


def dis(confidence: Float[np.ndarray, " n"], difficult: Bool[np.ndarray, " n"]) -> float:
    """Difficulty inversion score: how often an easy instance is at least as confident as a difficult one.

    Paper Eq. 1-3, with the inequality of Eq. 1 reversed (erratum 1): as printed it makes DIS identically 1.
    Equals AUROC(confidence, easy) plus half the share of tied pairs (erratum 2).

    Args:
        confidence: c(x), the maximum class probability.
        difficult: d(x), True where the model is wrong.

    Returns:
        DIS in [0, 1], higher is better; NaN when all instances are easy or all difficult (erratum 3).

    Example:
        >>> dis(np.array([0.9, 0.8, 0.7]), np.array([False, True, False]))
        0.5
    """
    easy, hard = confidence[~difficult], confidence[difficult]
    if not easy.size or not hard.size:
        return float("nan")
    inversions = np.searchsorted(np.sort(easy), hard, side="left").sum()  # pairs with easy < difficult, strictly
    return float(1 - inversions / (easy.size * hard.size))


def difficulty_table(by_seed: list[list[Predictions]]) -> pd.DataFrame:
    """Out-of-fold predictions of all seeds as one row an instance: id, right (number of seeds), difficult.

    Args:
        by_seed: for each seed, the predictions of every fold; together a seed's folds cover the training split once.

    Raises:
        ValueError: when two seeds cover different instances.
    """
    table = pd.concat(
        [
            pd.Series(
                np.concatenate([fold.stack.logits[-1].argmax(axis=-1) == fold.label for fold in folds]),
                index=np.concatenate([fold.id for fold in folds]),
                name=seed,
            )
            for seed, folds in enumerate(by_seed)
        ],
        axis="columns",
    ).sort_index()
    if table.isna().to_numpy().any():
        raise ValueError("the difficulty seeds cover different instances")
    correct = table.to_numpy(dtype=bool).T  # (seeds, n)
    return pd.DataFrame({"id": table.index, "right": correct.sum(axis=0), "difficult": difficult(correct)})


def read_difficult(
    path: Path, ids: Shaped[np.ndarray, " n"], trained: Bool[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """d(x) of each of a task's instances by id; False for those that are not trained on.

    Args:
        path: of label_difficulty.py or shuffle_difficulty.py.
        ids: of the instances.
        trained: which of them are trained on.

    Raises:
        Problem: when one that is trained on has no label.
    """
    table = read_csv(path)
    if lacking := ids[trained & ~np.isin(ids, table["id"])].tolist():
        raise Problem(f"{path} lacks {len(lacking)} training rows, {lacking[0]} for one: remove it and run again.")
    return np.isin(ids, table.loc[table["difficult"], "id"])


def shuffled(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A difficulty table whose rows are dealt out to other instances: as many difficult ones, and no other meaning."""
    return table.iloc[rng.permutation(len(table))].assign(id=table["id"].to_numpy()).reset_index(drop=True)
