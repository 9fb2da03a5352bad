"""The systems of the paper, each one entry: how tables and figures show it and how its instances leave it."""

from dataclasses import dataclass
from typing import Literal

SPLITS = ("selection", "report", "mismatched", "test")
"""The splits that are predicted: the first chooses thresholds, tables print the next two, a server scores the last."""

Exits = Literal["last", "entropy", "patience", "confidence"]
"""last: no early exit. entropy: below a threshold (DeeBERT). patience: agreeing layers (PABEE). confidence: above."""


@dataclass(frozen=True)
class System:
    """One entry.

    Attributes:
        label: in tables and figures; {k} stands for a depth.
        exits: how an instance leaves.
        color: of its marks in every figure (Okabe and Ito's palette).
        marker: of its marks in every figure.
        line: style of its curve.
    """

    label: str
    exits: Exits
    color: str
    marker: str
    line: str = "-"


SYSTEMS = {
    "bert_base": System("BERT-base", "last", "#000000", "*"),
    "bert_kl": System("BERT-{k}L", "last", "#999999", "D"),
    "deebert": System("DeeBERT", "entropy", "#0072B2", "o"),
    "pabee": System("PABEE", "patience", "#009E73", "^", ":"),
    "cascadebert_without_dar": System("CascadeBERT w/o DAR", "confidence", "#E69F00", "s", "--"),
    "cascadebert": System("CascadeBERT", "confidence", "#D55E00", "s"),
}
