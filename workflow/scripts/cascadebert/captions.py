"""What is told of pages and of the config that makes them: sections, captions, notes, keys that it lacks."""

from enum import StrEnum

from cascadebert.config.keys import Config
from cascadebert.grid import static_ratio


class Section(StrEnum):
    """Of the paper, as the report divides pages."""

    CLAIMS = "1 Claims and verdicts"
    EXITING = "2 Investigations into early exiting"
    EXPERIMENTS = "4 Experiments"
    ANALYSIS = "5 Analysis"
    APPENDIX = "Appendix"
    BEYOND = "Beyond the paper"


MEANING = {
    "roberta_cascade": "two RoBERTa members, a shallow one and the base, with their checkpoint under weights",
    "student_layers": "the depth of the static students",
    "fastbert": "the recipe of FastBERT's self-distillation",
    "fastbert_origins": "the recipes of controls that take FastBERT apart",
    "larger_cascade": "the members of a cascade with one more model",
    "complete": "the complete members of several depths",
    "clock": "what is timed on this machine",
}
"""What each key has to say that some table or figure needs."""

TITLES = {
    "table2": "Early exit against the cascade; BERT-kL needs a whole number of layers.",
    "table3": "Static distillation into {layers} layers against the cascade at {ratio:g}×.{distilled} The paper's"
    " DistilBERT and BERT-PKD rows are those of TinyBERT's Table 1.",
    "table6": "RoBERTa in the cascade: its first layers stand for a complete small model.",
}
"""How captions begin."""

DISTILBERT = (
    " DistilBERT is an approximation: distilled on {rows} rows of the corpus {corpus} in {epochs} epochs, not on books"
    " and an encyclopaedia, from a checkpoint whose masked-LM head was fitted on the same texts."
)
OPTIMISTIC = (
    "Epoch, margin and thresholds were chosen on the report split itself, as in the paper: scores are optimistic."
)
DISTILLED = (
    "The members {} were taken from the base and distilled from it on unlabelled text: they are complete in the sense"
    " that they were trained to represent a whole sentence, but they were not pre-trained from scratch as the paper's"
    " small BERTs were."
)


RELEASED = (
    "Small member as released: as deep as the base, its upper layers random and trained, which the released code"
    " neither counts nor leaves out. Its thresholds are those of that count; in brackets the true ratio."
)
ORIGINS = (
    "DeeBERT and FastBERT differ in their classifiers (linear on the sentence's state; attention over all tokens) and"
    " in their training (labels; the last exit's answers): each row between them changes one of the two, and the last"
    " gives the cascade FastBERT's classifiers. DeeBERT's frozen encoder keeps its dropout while it teaches."
)
SAID_OF = {"table2": RELEASED, "table4": RELEASED, "table10": ORIGINS}
"""What a table says of controls that the paper lacks, where the config has them."""


FIGURES = {
    "figure1": "Figure 1: an instance that DeeBERT's off-ramp at the small member's depth gets wrong and the small"
    " complete member right, chosen by the rule of pages/instances.py.",
    "figure2": "Figure 2: accuracy by layer on the instances that DeeBERT emits there.",
    "figure3": "Figure 3: DIS of every classifier, higher is better.",
    "figure4": "Figure 4: t-SNE at the small member's depth; the numbers are computed before the projection.",
    "figure5": "Figure 5: a cascade of two members and of three; bars are 95 % t intervals over seeds.",
    "figure5_all": "Figure 5, every system: at all ratios, and at that of the static students with names and 95 % t"
    " intervals over seeds (an arrow: further than shown). In brackets the ratio of one that has none so near; the grey"
    " line is the better baseline of common sense; three members, and without DAR: of the cascade.",
    "figure6": "Figure 6 (not in the paper): reliability of the small member.",
    "figure7": "Figure 7 (not in the paper): difficulty labels against how far the mean human rating is from neutral.",
    "figure8": "Figure 8 (not in the paper): the clock against what is counted; bars: least and most of the turns.",
}
"""Captions of figures."""


def title(config: Config, name: str) -> str:
    """How a caption begins."""
    if name != "table3":
        return TITLES[name]
    member = config.distilbert and config.members[config.distilbert.member]
    source = config.weights[member.weights].source if member else None
    told = DISTILBERT.format(**source.model_dump()) if source and source.distilled else ""
    return TITLES[name].format(layers=config.student_layers, ratio=static_ratio(config), distilled=told)


def notes_of(config: Config, table: str = "") -> list[str]:
    """What a reader must know of the precision, the choices and the members, and of a table's controls."""
    named = dict.fromkeys([*config.cascade, *(config.larger_cascade or []), *(config.complete or [])])
    members = {name: config.members[name] for name in named}
    distilled = [
        f"{name} ({member.layers} layer{'s' if member.layers > 1 else ''})"
        for name, member in members.items()
        if config.weights[member.weights].source.distilled
    ]
    controls = {RELEASED: config.as_released, ORIGINS: config.fastbert_origins}
    note = SAID_OF.get(table, "")
    return [
        *([note] if controls.get(note) else []),
        precision(config),
        *([OPTIMISTIC] if config.selection == "validation" else []),
        *([DISTILLED.format(", ".join(distilled))] if distilled else []),
    ]


def precision(config: Config) -> str:
    """What layers were computed in."""
    return f"Precision: {config.training.precision}."
