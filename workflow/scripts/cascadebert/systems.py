"""The systems of the paper, each one entry: its run, how its instances leave it, where and how it is shown."""

from dataclasses import dataclass
from typing import Literal

SPLITS = ("selection", "report", "mismatched", "test")
"""The splits that are predicted: the first chooses thresholds, tables print the next two, a server scores the last."""

Exits = Literal["last", "entropy", "uncertainty", "patience", "confidence"]
"""last: no early exit. entropy: below a threshold (DeeBERT). uncertainty: entropy over its largest value, below a
threshold (FastBERT). patience: agreeing layers (PABEE). confidence: above a threshold (a cascade)."""


@dataclass(frozen=True)
class System:
    """One entry.

    Attributes:
        label: in tables and figures; {k} stands for a depth.
        run: name of its run, a folder of results/. {base} and {roberta} stand for the largest members, {k} for a
            depth, {student} for the students' depth, {complete} for a complete member, {pd} and {distilbert} for the
            members that the config names. A cascade's run is called as its system.
        exits: how an instance leaves.
        stands_in: tables and figures.
        color: of its marks in every figure (Okabe and Ito's palette and greys).
        marker: of its marks in every figure.
        line: style of its curve.
        needs: key of the config without which it is left out.
        after: runs that it is trained on top of.
        cascade: key of the config that lists its members, for a cascade.
        variant: how its members but the largest were made: the end of their runs' names.
    """

    label: str
    run: str
    exits: Exits
    stands_in: tuple[str, ...]
    color: str
    marker: str
    line: str = "-"
    needs: str = "cascade"
    after: tuple[str, ...] = ()
    cascade: str = ""
    variant: str = ""


def _cascade(name: str, label: str, key: str, variant: str, stands_in: tuple[str, ...], *style: str) -> dict:
    """Entry of a cascade."""
    entry = System(label, name, "confidence", stands_in, *style, needs=key, cascade=key, variant=variant)
    return {name: entry}


_ALL = ("table8", "figure5_all")
_STUDENT = ("table3", *_ALL)

SYSTEMS = {
    "bert_base": System("BERT-base", "{base}", "last", ("table2", *_ALL), "#000000", "*"),
    "bert_kl": System("BERT-{k}L", "{base}_first{k}", "last", ("table2", *_ALL), "#999999", "D"),
    "bert_complete": System("BERT-Complete-{k}L", "{complete}", "last", _ALL, "#000000", "P"),
    "deebert": System("DeeBERT", "deebert_{base}", "entropy", ("table2", *_ALL), "#0072B2", "o", after=("{base}",)),
    "pabee": System("PABEE", "pabee_{base}", "patience", ("table2", *_ALL), "#009E73", "^", ":"),
    "fastbert": System(
        "FastBERT",
        "fastbert_{base}",
        "uncertainty",
        ("table7", *_ALL),
        "#CC79A7",
        "v",
        "-.",
        needs="fastbert",
        after=("fastbert_teacher_{base}",),
    ),
    "distilbert": System("DistilBERT", "{distilbert}", "last", _STUDENT, "#666666", "X", needs="distilbert"),
    "bert_pkd": System("BERT-PKD", "pkd_{base}", "last", _STUDENT, "#666666", "<", needs="bert_pkd", after=("{base}",)),
    "theseus": System(
        "BERT-of-Theseus", "theseus_{base}", "last", _STUDENT, "#666666", ">", needs="theseus", after=("{base}",)
    ),
    "bert_pd": System("BERT-PD", "{pd}_pd", "last", _STUDENT, "#666666", "h", needs="bert_pd", after=("{base}",)),
    **_cascade(
        "cascadebert_three", "CascadeBERT, 3 members", "larger_cascade", "_dar", ("figure5", *_ALL), "#56B4E9", "p"
    ),
    **_cascade(
        "cascadebert_tempered",
        "w/o DAR, temperature scaling",
        "cascade",
        "_tempered",
        ("table4",),
        "#009E73",
        "s",
        "--",
    ),
    **_cascade(
        "cascadebert_batch_mean",
        "batch means in place of difficulty labels",
        "cascade",
        "_batch_mean",
        ("table4",),
        "#CC79A7",
        "s",
        "-.",
    ),
    **_cascade(
        "cascadebert_shuffled",
        "DAR, shuffled difficulty labels",
        "cascade",
        "_shuffled",
        ("table4",),
        "#999999",
        "s",
        ":",
    ),
    **_cascade(
        "cascadebert_without_dar", "CascadeBERT w/o DAR", "cascade", "", ("table4", *_ALL), "#E69F00", "s", "--"
    ),
    **_cascade(
        "cascadebert",
        "CascadeBERT",
        "cascade",
        "_dar",
        ("table2", "table3", "table4", "table7", "figure5", *_ALL),
        "#D55E00",
        "s",
    ),
    "roberta_base": System("RoBERTa-base", "{roberta}", "last", ("table6",), "#000000", "*", needs="roberta_cascade"),
    "roberta_kl": System(
        "RoBERTa-{k}L", "{roberta}_first{student}", "last", ("table6",), "#999999", "D", needs="roberta_cascade"
    ),
    "roberta_deebert": System(
        "DeeBERT",
        "deebert_{roberta}",
        "entropy",
        ("table6",),
        "#0072B2",
        "o",
        needs="roberta_cascade",
        after=("{roberta}",),
    ),
    "roberta_pabee": System(
        "PABEE", "pabee_{roberta}", "patience", ("table6",), "#009E73", "^", ":", needs="roberta_cascade"
    ),
    **_cascade("cascaderoberta", "CascadeRoBERTa", "roberta_cascade", "_dar", ("table6",), "#D55E00", "s"),
    **_cascade(
        "cascaderoberta_kd",
        "CascadeRoBERTa + vanilla KD",
        "roberta_cascade",
        "_kd_dar",
        ("table6",),
        "#E69F00",
        "s",
        "--",
    ),
}
"""In the order of tables' rows; of one run that two entries would name, the first has it."""


def shown_in(artefact: str) -> list[str]:
    """Systems that stand in a table or figure, in order."""
    return [name for name, system in SYSTEMS.items() if artefact in system.stands_in]
