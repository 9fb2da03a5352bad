"""Figure 1's instance: one that the small complete member finds easy and DeeBERT's off-ramp gets wrong."""

import re

import numpy as np
import pandas as pd
from scipy.special import softmax

from cascadebert.metrics.exits import confidence
from cascadebert.metrics.predictions import Predictions, check_aligned, logits_after
from cascadebert.systems import SYSTEMS

RULE = (
    "instances of the report split that DeeBERT's off-ramp gets wrong and the complete small member right; of these "
    "the quarter that the member is surest of; of these the one whose texts share most words, then the surest, then "
    "the shortest, then the first by id"
)
"""How Figure 1's instance is chosen."""

WORD = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> set[str]:
    """Different words of a text, in lower case.

    Example:
        >>> sorted(words("It's good, good!"))
        ['good', "it's"]
    """
    return {word.lower() for word in WORD.findall(text)}


def overlap(text: str, text_pair: str) -> float:
    """Share of the words of two texts that stand in both, in [0, 1]; 0 where there is no word at all.

    Example:
        >>> overlap("A man sleeps.", "The man sleeps")
        0.5
    """
    either = words(text) | words(text_pair)
    return len(words(text) & words(text_pair)) / len(either) if either else 0.0


def easy_instance(
    deebert: Predictions, small: Predictions, base: Predictions, examples: pd.DataFrame, layer: int
) -> pd.DataFrame:
    """Figure 1: an instance chosen by RULE, and the class probabilities that three classifiers give it.

    Args:
        deebert: of the report split.
        small: of the complete small member.
        base: of the largest member, DeeBERT's last layer.
        examples: the task's, with text_pair or without.
        layer: the small member's depth, and DeeBERT's off-ramp that it is set against.

    Returns:
        A row a model and class: candidates (wrong at the off-ramp, right in the member), rule, id, text, text_pair
        (empty for single texts), overlap, gold, model, class, probability. Without a candidate a single row with the
        first two.
    """
    check_aligned([deebert, small, base])
    off_ramp, member = logits_after(deebert, layer), small.stack.logits[-1]
    sure = confidence(small.stack.logits)[-1]
    candidate = (off_ramp.argmax(axis=-1) != deebert.label) & (member.argmax(axis=-1) == deebert.label)
    chosen = {"candidates": int(candidate.sum()), "rule": RULE}
    if not candidate.any():
        return pd.DataFrame([chosen])

    surest = np.flatnonzero(candidate & (sure >= np.quantile(sure[candidate], 0.75)))
    texts = examples[examples["split"] == "report"].set_index("id")
    texts = texts.reindex(columns=["text", "text_pair"], fill_value="")
    candidates = texts.loc[deebert.id[surest]].rename_axis("id").reset_index().assign(row=surest, sure=sure[surest])
    candidates["overlap"] = [overlap(*pair) for pair in zip(candidates["text"], candidates["text_pair"], strict=True)]
    candidates["length"] = candidates["text"].str.len() + candidates["text_pair"].str.len()
    order = {"overlap": False, "sure": False, "length": True, "id": True}
    first = candidates.sort_values(list(order), ascending=list(order.values())).iloc[0]

    chosen |= dict(first[["id", "text", "text_pair", "overlap"]])
    chosen["gold"] = str(deebert.names[deebert.label[first["row"]]])
    depth = int(base.stack.layers[-1])
    models = {
        f"{SYSTEMS['deebert'].label}, layer {layer}": off_ramp,
        SYSTEMS["bert_complete"].label.format(k=small.stack.layers[-1]): member,
        f"{SYSTEMS['deebert'].label}, layer {depth} (the base)": base.stack.logits[-1],
    }
    content = []
    for model, logits in models.items():
        odds = softmax(logits[first["row"]].astype(np.float64))
        for name, probability in zip(deebert.names, odds, strict=True):
            content.append(chosen | {"model": model, "class": str(name), "probability": probability})
    return pd.DataFrame(content)
