"""What an instance costs in floating-point operations, counted from the architecture (erratum 18)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real


@dataclass(frozen=True)
class Shape:
    """Of an encoder's layers.

    Attributes:
        hidden: width of a token's state.
        intermediate: width of the feed-forward network.
    """

    hidden: int
    intermediate: int


def layer_flops(shape: Shape, tokens: Real[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """One whole transformer layer, attention products included; a multiplication and an addition are two operations.

    The paper's figure for BERT-base at 128 tokens, 1809.9 M, is FastBERT's and leaves the attention products out
    (erratum 18). Layers are counted whole, as published, although a last layer is computed for [CLS] alone here.

    Args:
        shape: of the layer.
        tokens: in each instance, special tokens included, padding not.

    Example:
        >>> layer_flops(Shape(768, 3072), np.array([128])) / 1e6
        array([1862.270976])
    """
    h, wide, t = shape.hidden, shape.intermediate, tokens.astype(np.float64)
    return 2 * t * (4 * h * h + 2 * h * wide) + 4 * t * t * h


def pooled_classifier_flops(shape: Shape, n_classes: int) -> float:
    """Pooler and linear classifier on [CLS]: of a member, an off-ramp of DeeBERT, an exit of PABEE."""
    return float(2 * shape.hidden * (shape.hidden + n_classes))


def member_flops(shape: Shape, layers: int, n_classes: int, tokens: Real[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """A complete member with its classifier; of the base, the numerator of a speed-up in operations."""
    return layers * layer_flops(shape, tokens) + pooled_classifier_flops(shape, n_classes)


def exit_flops(
    shape: Shape, layers: list[int], classifier: float | Float[np.ndarray, " n"], tokens: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "exits n"]:
    """A model with exits: the layers so far, and every classifier that was asked on the way.

    Args:
        shape: of the layers.
        layers: executed when leaving at each exit, ascending.
        classifier: cost of one, for each instance.
        tokens: in each instance.
    """
    asked = np.arange(1, len(layers) + 1)[:, None]
    return np.array(layers)[:, None] * layer_flops(shape, tokens) + asked * classifier


def attention_classifier_flops(
    shape: Shape, size: int, n_classes: int, tokens: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """A classifier of FastBERT: projection, attention over all tokens, then two linear layers on [CLS].

    As published the projection, the query, key, value and output layers work on every token; here [CLS] alone has a
    query and an output (`AttentionClassifier`), which is not deducted. FastBERT's figure, 46.1 M at 128 tokens, leaves
    the attention products out, as its figure for a layer does (erratum 18), and takes the 4.2 M of the first linear
    layer for all tokens.

    Args:
        shape: of the encoder's layers.
        size: width of the classifier.
        n_classes: of the task.
        tokens: in each instance, special tokens included, padding not.

    Example:
        >>> attention_classifier_flops(Shape(768, 3072), 128, 2, np.array([128])) / 1e6
        array([50.364928])
    """
    t = tokens.astype(np.float64)
    return 2 * t * (shape.hidden * size + 4 * size * size) + 4 * t * t * size + 2 * size * (size + n_classes)
