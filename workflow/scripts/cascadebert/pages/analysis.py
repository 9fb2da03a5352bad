"""What Figures 2 to 7 show, each as a tidy frame made from predictions and measures; nothing here draws."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped

from cascadebert.metrics.calibration import ece, reliability
from cascadebert.metrics.exits import confidence, exits_at
from cascadebert.metrics.intervals import mean_sd, spearman, t_interval, wilson
from cascadebert.metrics.predictions import Predictions
from cascadebert.pages.instances import check_aligned, logits_after
from cascadebert.systems import shown_in

N_RATING_BINS = 8
N_NEIGHBOURS = 10


def _over_seeds(values: Shaped[np.ndarray, " seeds"]) -> dict[str, Any]:
    """Mean of some seeds' fractions, its t interval (NaN for a single seed), and how many there are."""
    low, high = t_interval(values)
    return {"mean": mean_sd(values)[0], "low": low, "high": high, "n_seeds": len(values)}


def deebert_thresholds(sweeps: pd.DataFrame, target: float) -> dict[tuple[str, int], float]:
    """DeeBERT's threshold for a target speed-up in layers, by task and seed.

    Raises:
        ValueError: when the sweeps hold no such target.
    """
    own = sweeps[(sweeps["system"] == "deebert") & (sweeps["measure"] == "layers") & (sweeps["split"] == "report")]
    at = own[np.isclose(own["target"], target)]
    if at.empty:
        raise ValueError(f"no threshold of DeeBERT for {target:g}x; there are {sorted(set(own['target'].tolist()))}")
    return {(row.task, int(row.seed)): float(row.threshold) for row in at.itertuples()}


def emitted_accuracy(
    runs: dict[tuple[str, str, int | None, int], Predictions],
    thresholds: dict[tuple[str, int], float],
    min_subset: int,
) -> pd.DataFrame:
    """Figure 2: models of one depth on the instances that DeeBERT emits there (section 2.1, errata 21 and 22).

    Args:
        runs: report predictions by task, system (deebert, bert_kl, bert_complete), layers (not consulted for DeeBERT)
            and seed.
        thresholds: of `deebert_thresholds`.
        min_subset: a seed whose subset at a layer is smaller is left out there.

    Returns:
        A row a task, layer of the complete members, and system: column, layers, system, n (mean size of the subset),
        mean, low, high (accuracy over seeds), n_seeds. The base's depth, where all three are one model, is left out.
    """
    rows = []
    for (task, system, _, seed), deebert in runs.items():
        if system != "deebert":
            continue
        emitted = deebert.stack.layers[exits_at(deebert.stack, "entropy", thresholds[task, seed])]
        for layer in sorted({k for t, s, k, _ in runs if (t, s) == (task, "bert_complete")}):
            subset = emitted == layer
            if layer == deebert.stack.full_layers or subset.sum() < min_subset:
                continue
            answers = {"deebert": logits_after(deebert, layer).argmax(axis=-1)}
            for other in ("bert_kl", "bert_complete"):
                if (task, other, layer, seed) in runs:
                    check_aligned([deebert, runs[task, other, layer, seed]])
                    answers[other] = runs[task, other, layer, seed].stack.logits[-1].argmax(axis=-1)
            for name, given in answers.items():
                right = float((given == deebert.label)[subset].mean())
                rows.append((task, layer, name, int(subset.sum()), right))
    by_seed = pd.DataFrame(rows, columns=["column", "layers", "system", "n", "accuracy"])
    groups = by_seed.groupby(["column", "layers", "system"], sort=False)
    return pd.DataFrame(
        [
            dict(zip(("column", "layers", "system"), key, strict=True))
            | {"n": own["n"].mean()}
            | _over_seeds(own["accuracy"].to_numpy())
            for key, own in groups
        ],
        columns=["column", "layers", "system", "n", "mean", "low", "high", "n_seeds"],
    )


def dis_by_layer(measures: list[pd.DataFrame], runs: list[tuple[str, str]]) -> pd.DataFrame:
    """Figure 3: DIS of every classifier on the report split (section 2.2).

    Args:
        measures: of measure_exits.py, a frame a run.
        runs: task and system of each.

    Returns:
        A row a classifier: column, system, layers, dis (mean over the seeds where it is defined, a fraction; NaN where
        there is none), n_seeds (where it is defined).
    """
    rows = []
    for (task, system), frame in zip(runs, measures, strict=True):
        for layers, own in frame[frame["split"] == "report"].groupby("layers"):
            names = {"column": task, "system": system, "layers": int(layers)}
            rows.append(names | {"dis": own["dis"].mean(), "n_seeds": int(own["dis"].notna().sum())})
    return pd.DataFrame(rows)


def separation(states: dict[str, np.ndarray], perplexity: float, instances: int, seed: int) -> pd.DataFrame:
    """Figure 4: representations in a plane, and how well classes are apart where they were not squeezed (erratum 32).

    Args:
        states: of extract_states.py.
        perplexity: of t-SNE, cut to a third of the drawn instances.
        instances: drawn at most.
        seed: of their choice, PCA and t-SNE.

    Returns:
        A row a model and drawn instance: model (deebert, member), layers, class, x, y (PCA to at most 50 dimensions,
        then t-SNE); and in every row of a model: accuracy of its classifier, on all instances; in the standardised
        space, on those drawn: silhouette in [-1, 1], NaN where there are not two classes, and neighbours, the accuracy
        of a vote of the 10 nearest others.
    """
    label, frames = states["label"], []
    chosen = np.sort(np.random.default_rng(seed).permutation(label.size)[:instances])
    for model in ("deebert", "member"):
        plane, numbers = _apart(states[model][chosen].astype(np.float64), label[chosen], perplexity, seed)
        numbers |= {"accuracy": float((states[f"{model}_answers"] == label).mean()), "layers": int(states["layer"])}
        classes = pd.Categorical.from_codes(label[chosen], [str(name) for name in states["names"]])
        drawn = {"class": classes, "x": plane[:, 0], "y": plane[:, 1]}
        frames.append(pd.DataFrame(drawn).assign(model=model, **numbers))
    return pd.concat(frames, ignore_index=True)


def _apart(
    states: Float[np.ndarray, "n hidden"], label: Shaped[np.ndarray, " n"], perplexity: float, seed: int
) -> tuple[Float[np.ndarray, "n 2"], dict[str, Any]]:
    """One model's plane and numbers; scikit-learn is imported here, for the other figures do without."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.metrics import silhouette_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    scaled, n = StandardScaler().fit_transform(states), label.size
    vote = KNeighborsClassifier(min(N_NEIGHBOURS, n - 1)).fit(scaled, label)
    numbers = {"neighbours": float(vote.score(None, label)), "silhouette": float("nan")}  # None: each is left out once
    if 1 < len(np.unique(label)) < n:
        numbers["silhouette"] = float(silhouette_score(scaled, label))
    reduced = PCA(min(50, *scaled.shape), random_state=seed).fit_transform(scaled)
    tsne = TSNE(perplexity=max(1.0, min(perplexity, (n - 1) / 3)), random_state=seed, n_jobs=1)
    return tsne.fit_transform(reduced), numbers


def trade_off(points: pd.DataFrame, artefact: str) -> pd.DataFrame:
    """Figure 5: operating points of a figure's systems, over seeds.

    Args:
        points: of `printed_points`.
        artefact: name of the figure in `stands_in`.

    Returns:
        A row a column, system, run and target: speed_up (mean achieved), mean, low, high (score), n_seeds.
    """
    names, rows = ["column", "system", "run", "target"], []
    for key, own in points[points["system"].isin(shown_in(artefact))].groupby(names, sort=False):
        entry = dict(zip(names, key, strict=True)) | {"speed_up": own["speed_up"].mean()}
        rows.append(entry | _over_seeds(own["score"].to_numpy()))
    return pd.DataFrame(rows, columns=[*names, "speed_up", "mean", "low", "high", "n_seeds"])


def calibration_curves(predictions: list[Predictions], runs: list[tuple[str, str]]) -> pd.DataFrame:
    """Figure 6: confidence against accuracy, all seeds pooled.

    Args:
        predictions: of one member on the report split, one a variant and seed.
        runs: task and variant of each.

    Returns:
        A row a task, variant and bin: column, variant, low, high, n, confidence, accuracy (NaN in an empty bin), ece
        (mean over seeds), n_seeds.
    """
    held: dict[tuple[str, str], list[tuple[np.ndarray, np.ndarray]]] = {}
    for run, own in zip(runs, predictions, strict=True):
        right = own.stack.logits[-1].argmax(axis=-1) == own.label
        held.setdefault(run, []).append((confidence(own.stack.logits)[-1], right))
    frames = []
    for (task, variant), seeds in held.items():
        bins = reliability(*(np.concatenate(parts) for parts in zip(*seeds, strict=True)))
        error = float(np.mean([ece(sure, right) for sure, right in seeds]))
        bins = bins.assign(ece=error, n_seeds=len(seeds))
        bins.insert(0, "column", task)
        bins.insert(1, "variant", variant)
        frames.append(bins)
    return pd.concat(frames, ignore_index=True)


def difficulty_by_rating(labels: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """Figure 7: share of difficult training instances against how extreme people rated them.

    Args:
        labels: of label_difficulty.py: id (text), right, difficult.
        examples: the task's; without a rating the frame is empty.

    Returns:
        A row a bin of |rating|, equally full but for ties: rating (mean), n, difficult (share), low, high (Wilson);
        and in every row rho, rho_low, rho_high: Spearman's of |rating| and right, with its bootstrap interval.
    """
    if "rating" not in examples:
        return pd.DataFrame()
    rated = labels.merge(examples.loc[examples["split"] == "train", ["id", "rating"]], on="id").dropna(subset="rating")
    if rated.empty:
        return pd.DataFrame()
    extreme = rated["rating"].abs().to_numpy(dtype=float)
    rho = spearman(extreme, rated["right"].to_numpy(dtype=float), seed=0)
    edges = np.unique(np.quantile(extreme, np.linspace(0, 1, N_RATING_BINS + 1)))
    bin_of = np.maximum(np.searchsorted(edges, extreme, side="left"), 1)
    rows = []
    for k in np.unique(bin_of):
        own = rated["difficult"].to_numpy(dtype=bool)[bin_of == k]
        low, high = wilson(int(own.sum()), own.size)
        numbers = {"rating": extreme[bin_of == k].mean(), "n": own.size, "difficult": own.mean()}
        rows.append(numbers | {"low": low, "high": high} | dict(zip(("rho", "rho_low", "rho_high"), rho, strict=True)))
    return pd.DataFrame(rows)
