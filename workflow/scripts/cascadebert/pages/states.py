"""Representations at the small member's depth, in DeeBERT and in the member (Figure 4).

t-SNE of the report split's sentences: a picture, not a measurement (erratum 32). The numbers beneath each panel count:
accuracy of the classifier there, and how far classes are apart in the space before t-SNE.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cascadebert.pages.figures import figure_of, save
from cascadebert.pages.kinds import States
from cascadebert.pages.styles import CLASSES, brief

N_NEIGHBOURS = 10
NAMES = {"deebert": "DeeBERT", "member": "CascadeBERT"}


def render(page: States, out: Path) -> None:
    """Draw a row for each task: DeeBERT's off-ramp, then the member."""
    frames = {}
    for task, path in zip(page.names, page.states, strict=True):
        with np.load(path) as file:
            frames[task] = separation(dict(file), page.perplexity, page.instances, page.seed)
    save(states_figure(frames), pd.concat(frame.assign(task=task) for task, frame in frames.items()), out)


def states_figure(frames: dict[str, pd.DataFrame]) -> Figure:
    """Figure 4: a row of two panels for each task, of `separation`, and its classes beside it."""
    figure, axes = figure_of(2 * len(frames), per_row=2, height=2.1)
    for (task, frame), *pair in zip(frames.items(), axes[::2], axes[1::2], strict=True):
        for ax, (model, rows) in zip(pair, frame.groupby("model", sort=False), strict=True):
            plot_states(ax, rows)
            ax.set_title(f"{task}: {NAMES[model]}, layer {rows['layers'].iloc[0]}")
        legend = pair[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1)
        for handle in filter(None, legend.legend_handles):
            handle.set(sizes=[16], alpha=1)
    figure.supxlabel("the higher silhouette and share of neighbours, the further classes are apart", fontsize=7)
    return figure


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
        of a vote of the 10 nearest others, or of all where they are fewer.
    """
    label, frames = states["label"], []
    chosen = np.sort(np.random.default_rng(seed).permutation(label.size)[:instances])
    for model in NAMES:
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


def plot_states(ax: Axes, frame: pd.DataFrame) -> None:
    """Figure 4: representations in a plane, with what the classifier and two measures say of them.

    Args:
        ax: to draw on.
        frame: of `separation`, one model.
    """
    names = frame["class"].cat.categories
    frequent = set(frame["class"].value_counts().index[: len(CLASSES)])
    marks: dict[str, Any] = {
        "s": np.clip(4000 / len(frame), 2, 5),
        "alpha": np.clip(30 / len(frame) ** 0.5, 0.4, 0.8),
    }
    rest = frame[~frame["class"].isin(frequent)]
    if left := len(names) - len(frequent):
        ax.scatter(rest["x"], rest["y"], c="#BBBBBB", label=f"{left} more classes", linewidths=0, **marks)
    for name, (color, marker, _) in zip([name for name in names if name in frequent], CLASSES, strict=False):
        rows = frame[frame["class"] == name]
        ax.scatter(rows["x"], rows["y"], c=color, marker=marker, label=brief(name), linewidths=0, **marks)
    row = frame.iloc[0]
    apart = "undefined" if np.isnan(row["silhouette"]) else f"{round(row['silhouette'], 2) + 0.0:.2f}"
    told = f"accuracy {100 * row['accuracy']:.1f} %; silhouette {apart}"
    ax.set_xlabel(
        f"{told},\n{min(N_NEIGHBOURS, len(frame) - 1)} nearest neighbours {100 * row['neighbours']:.1f} %", fontsize=7
    )
    ax.set(xticks=[], yticks=[])
