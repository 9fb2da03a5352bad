"""The systems of the paper, each one entry: its run, how its instances leave it, where it is shown."""

from dataclasses import dataclass

from cascadebert.exit_rules import Exits

SPLITS = ("selection", "report", "mismatched", "test")
"""The splits that are predicted: the first chooses thresholds, tables print the next two, a server scores the last."""


@dataclass(frozen=True)
class System:
    """One entry.

    Attributes:
        label: in tables and figures; {k} stands for a depth.
        run: name of its run, a folder of results/. {base} and {roberta} stand for the largest members, {k} for a
            depth, {student} for the students' depth, {complete} and {stand_in} for a complete member, {pd} and
            {distilbert} for the members that the config names. A cascade's run is called as its system.
        exits: how an instance leaves.
        stands_in: tables and figures.
        needs: key of the config without which it is left out.
        cascade: key of the config that lists its members, for a cascade.
        variant: how its members but the largest were made: the end of their runs' names.
        whole: run of its largest member, where that is another than the base; {base} stands for the base.
        as_released: its thresholds are chosen as the released code counts layers.
    """

    label: str
    run: str
    exits: Exits
    stands_in: tuple[str, ...]
    needs: str = "cascade"
    cascade: str = ""
    variant: str = ""
    whole: str = ""
    as_released: bool = False


def _cascades(*entries: tuple[str, str, str, str, tuple[str, ...]]) -> dict[str, System]:
    """Cascades of a name, label, key of the config, variant, and places each."""
    return {
        name: System(label, name, "confidence", stands_in, key, key, variant)
        for name, label, key, variant, stands_in in entries
    }


_ALL = ("table8", "table9", "figure5_all")
_STUDENT, _ROBERTA, _CONTROL = ("table3", *_ALL), ("table6",), ("table4",)
_OURS, _ORIGINS = ("table2", "table3", "table4", "table7", "table10", "figure5", *_ALL), ("table10",)

SYSTEMS = {
    "bert_base": System("BERT-base", "{base}", "last", ("table2", *_ALL)),
    "bert_kl": System("BERT-{k}L", "{base}_first{k}", "last", ("table2", *_ALL)),
    "bert_complete": System("BERT-Complete-{k}L", "{complete}", "last", _ALL),
    "bert_stand_in": System("BERT-Complete-{k}L, stand-in", "{stand_in}", "last", _ALL, "stand_ins"),
    "deebert": System("DeeBERT", "deebert_{base}", "entropy", ("table2", "table10", *_ALL)),
    "deebert_distilled": System(
        "DeeBERT, self-distilled", "deebert_distilled_{base}", "entropy", _ORIGINS, "fastbert_origins"
    ),
    "pabee": System("PABEE", "pabee_{base}", "patience", ("table2", *_ALL)),
    "fastbert": System("FastBERT", "fastbert_{base}", "uncertainty", ("table7", "table10", *_ALL), "fastbert"),
    "fastbert_labelled": System(
        "FastBERT, trained on labels", "fastbert_labelled_{base}", "uncertainty", _ORIGINS, "fastbert_origins"
    ),
    "distilbert": System("DistilBERT", "{distilbert}", "last", _STUDENT, "distilbert"),
    "bert_pkd": System("BERT-PKD", "pkd_{base}", "last", _STUDENT, "bert_pkd"),
    "theseus": System("BERT-of-Theseus", "theseus_{base}", "last", _STUDENT, "theseus"),
    "bert_pd": System("BERT-PD", "{pd}_pd", "last", _STUDENT, "bert_pd"),
    "cascadebert_as_released": System(
        "CascadeBERT, small member as released",
        "cascadebert_as_released",
        "confidence",
        ("table2", "table4"),
        "as_released",
        cascade="cascade",
        variant="_as_released",
        as_released=True,
    ),
    "cascadebert_attending": System(
        "CascadeBERT, FastBERT's classifiers",
        "cascadebert_attending",
        "confidence",
        _ORIGINS,
        "fastbert_origins",
        cascade="cascade",
        variant="_attending",
        whole="fastbert_teacher_{base}",
    ),
    **_cascades(
        ("cascadebert_three", "CascadeBERT, 3 members", "larger_cascade", "_dar", ("figure5", *_ALL)),
        ("cascadebert_tempered", "w/o DAR, temperature scaling", "cascade", "_tempered", _CONTROL),
        ("cascadebert_batch_mean", "batch means in place of difficulty labels", "cascade", "_batch_mean", _CONTROL),
        ("cascadebert_shuffled", "DAR, shuffled difficulty labels", "cascade", "_shuffled", _CONTROL),
        ("cascadebert_without_dar", "CascadeBERT w/o DAR", "cascade", "", ("table4", *_ALL)),
        ("cascadebert", "CascadeBERT", "cascade", "_dar", _OURS),
    ),
    "roberta_base": System("RoBERTa-base", "{roberta}", "last", _ROBERTA, "roberta_cascade"),
    "roberta_kl": System("RoBERTa-{k}L", "{roberta}_first{student}", "last", _ROBERTA, "roberta_cascade"),
    "roberta_deebert": System("DeeBERT", "deebert_{roberta}", "entropy", _ROBERTA, "roberta_cascade"),
    "roberta_pabee": System("PABEE", "pabee_{roberta}", "patience", _ROBERTA, "roberta_cascade"),
    **_cascades(
        ("cascaderoberta", "CascadeRoBERTa", "roberta_cascade", "_dar", _ROBERTA),
        ("cascaderoberta_kd", "CascadeRoBERTa + vanilla KD", "roberta_cascade", "_kd_dar", _ROBERTA),
    ),
}
"""In the order of tables' rows; of one run that two entries would name, the first has it."""


def shown_in(artefact: str) -> list[str]:
    """Systems that stand in a table or figure, in order."""
    return [name for name, system in SYSTEMS.items() if artefact in system.stands_in]
