"""The paper's claims, each as one statistic, and the controls that stand beside them."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from cascadebert.metrics.crossed import Crossed, mean_of
from cascadebert.metrics.exact import CURVE
from cascadebert.pages.evidence import Evidence
from cascadebert.pages.verdicts import Claim

Statistic = Callable[[Evidence], Crossed]

OURS, WITHOUT, THREE = "cascadebert", "cascadebert_without_dar", "cascadebert_three"
ROBERTA = "cascaderoberta"
SHALLOW = {"bert_complete": "complete models", "bert_kl": "BERT-kL"}
EARLY = {"deebert": "DeeBERT", "pabee": "PABEE"}
STATIC = {"distilbert": "DistilBERT", "bert_pkd": "BERT-PKD", "theseus": "BERT-of-Theseus", "bert_pd": "BERT-PD"}
CURVES = {"deebert": "DeeBERT", "pabee": "PABEE", "fastbert": "FastBERT"}
HEADLINES = {"columns": "as the paper counts", "tasks": "both halves of a task counted once"}


def gain(better: str, worse: str, target: float) -> Statistic:
    """Difference of two systems at a ratio."""
    return lambda evidence: evidence.score(better, target) - evidence.score(worse, target)


def growth(better: str, worse: str, least: float, most: float) -> Statistic:
    """Their difference at one ratio less that at another."""
    return lambda evidence: gain(better, worse, most)(evidence) - gain(better, worse, least)(evidence)


def mean_gain(better: str, worse: str, targets: list[float]) -> Statistic:
    """Mean of their differences at some ratios."""
    return lambda evidence: mean_of([gain(better, worse, target)(evidence) for target in targets])


def relative(target: float, tasks_once: bool) -> Statistic:
    """Relative gain over DeeBERT at a ratio."""
    return lambda evidence: evidence.relative(OURS, "deebert", target, tasks_once)


def change(measure: str, model: str, other: str, layers: list[int] | None = None) -> Statistic:
    """Difference of two models in a measure, at some depths."""
    return lambda evidence: evidence.measure(measure, model, layers) - evidence.measure(measure, other, layers)


def claims(speed_ups: list[float], high: list[float], static: float, depths: list[int], full: int) -> list[Claim]:
    """Every claim that is tested.

    Args:
        speed_ups: target ratios of Table 2.
        high: target ratios of Tables 4 and 7.
        static: ratio of the students.
        depths: of the complete members, the base's left out.
        full: layers of the base.
    """
    shallow = [depth for depth in depths if depth <= full / 2]
    least, most = min(speed_ups), max(speed_ups)
    several = [most] if most > least else []  # nothing grows or fades with a single ratio
    return [
        *(
            Claim(
                f"off-ramps-accuracy-{model}",
                "section 2.1, Figure 2",
                f"{label} answer better than DeeBERT's off-ramps of the same depth",
                f"accuracy of {label} - off-ramps, {_mean_over(depths)}",
                change("accuracy", model, "deebert", depths),
            )
            for model, label in SHALLOW.items()
        ),
        *(
            Claim(
                f"off-ramps-dis-{model}",
                "section 2.2, Figure 3",
                f"shallow off-ramps of DeeBERT have a lower DIS than {label}",
                f"DIS of {label} - off-ramps, {_mean_over(shallow)}",
                change("dis", model, "deebert", shallow),
            )
            for model, label in SHALLOW.items()
        ),
        *(
            claim
            for rival, label in EARLY.items()
            for claim in (
                *(_beats(rival, label, target, "section 4.3, Table 2") for target in speed_ups),
                *(
                    Claim(
                        f"gap-grows-{rival}-{least:g}x-{target:g}x",
                        "section 4.3, Table 2",
                        f"the gap to {label} grows with the speed-up",
                        f"gap at {target:g}x - gap at {least:g}x, AVG",
                        growth(OURS, rival, least, target),
                    )
                    for target in several
                ),
            )
        ),
        *(
            Claim(
                f"headline-{counted}-{most:g}x",
                "abstract, section 4.3",
                f"at {most:g}x CascadeBERT is better than DeeBERT, {note}",
                f"relative gain at {most:g}x, in per cent",
                relative(most, counted == "tasks"),
            )
            for counted, note in HEADLINES.items()
        ),
        *(_beats(rival, label, static, "section 4.3, Table 3") for rival, label in STATIC.items()),
        *(
            Claim(
                f"dar-helps-{target:g}x",
                "section 5.2, Table 4",
                f"DAR helps the cascade at {target:g}x",
                "score with DAR - without, AVG",
                gain(OURS, WITHOUT, target),
            )
            for target in high
        ),
        _dar("dis", "raises DIS", "DIS with DAR - without", "positive"),
        _dar("accuracy", "costs the member a little accuracy", "accuracy with DAR - without", "negative"),
        _dar("ece", "lowers ECE", "ECE with DAR - without", "negative"),
        Claim(
            "dar-ece-temperature",
            "section 5.2, Table 5",
            "DAR lowers ECE, compared with temperature scaling",
            "ECE with DAR - ECE after temperature scaling",
            change("ece", "with DAR", "temperature scaling"),
            "negative",
            ours=True,
        ),
        *(
            Claim(
                f"labels-matter-{target:g}x",
                "section 3.2",
                f"the effect of DAR comes from its labels, at {target:g}x",
                "score with DAR - with shuffled labels, AVG",
                gain(OURS, "cascadebert_shuffled", target),
                ours=True,
            )
            for target in high
        ),
        *(
            Claim(
                f"dar-keeps-{target:g}x",
                "section 5.2",
                f"with DAR fewer of the small member's mistakes leave with it at {target:g}x",
                "share of its mistakes that leave there, with DAR - without",
                partial(_kept, target=target),
                "negative",
                ours=True,
            )
            for target in high
        ),
        *(_beats("fastbert", "FastBERT", target, "Appendix A, Table 7", ", by layers") for target in high),
        *(
            Claim(
                f"curve-{rival}",
                "section 4.3",
                f"CascadeBERT beats {label} over the whole curve",
                f"mean score between {CURVE[0]:g}x and {CURVE[1]:g}x, CascadeBERT - {label}, AVG",
                partial(_above, rival=rival),
                ours=True,
            )
            for rival, label in CURVES.items()
        ),
        Claim(
            "third-member",
            "section 5.3, Figure 5",
            "a third member helps a little",
            f"score of three members - two, AVG, mean over {', '.join(f'{t:g}x' for t in speed_ups)}",
            mean_gain(THREE, OURS, speed_ups),
        ),
        *(
            Claim(
                "third-member-fades",
                "section 5.3, Figure 5",
                "the third member's gain fades at higher speed-ups",
                f"gain at {least:g}x - gain at {target:g}x, AVG",
                growth(THREE, OURS, target, least),
            )
            for target in several
        ),
        *(
            Claim(
                f"roberta-{rival}-{static:g}x",
                "section 5.4, Table 6",
                f"on RoBERTa, too, the cascade beats {label} at {static:g}x",
                f"score of CascadeRoBERTa - {label}, AVG",
                gain(ROBERTA, f"roberta_{rival}", static),
            )
            for rival, label in EARLY.items()
        ),
        Claim(
            f"roberta-kd-{static:g}x",
            "section 5.4, Table 6",
            "vanilla KD improves CascadeRoBERTa",
            "score with KD - without, AVG",
            gain("cascaderoberta_kd", ROBERTA, static),
        ),
    ]


def _mean_over(layers: list[int]) -> str:
    """What depths a statistic is a mean over."""
    return f"mean over depths {', '.join(map(str, sorted(layers)))}" if layers else "mean over depths in common"


def _beats(rival: str, label: str, target: float, where: str, counted: str = "") -> Claim:
    """That the cascade beats a rival at a ratio."""
    says, statistic = f"CascadeBERT beats {label} at {target:g}x{counted}", f"score of CascadeBERT - {label}, AVG"
    return Claim(f"beats-{rival}-{target:g}x", where, says, statistic, gain(OURS, rival, target))


def _dar(measure: str, does: str, statistic: str, claimed: Literal["positive", "negative"]) -> Claim:
    """What DAR does to a measure of the small member."""
    values = change(measure, "with DAR", "without DAR")
    return Claim(f"dar-{measure}", "section 5.2, Table 5", f"DAR {does}", statistic, values, claimed)


def _kept(evidence: Evidence, target: float) -> Crossed:
    """How many more of its mistakes the small member keeps with DAR."""
    return evidence.leaving(OURS, target) - evidence.leaving(WITHOUT, target)


def _above(evidence: Evidence, rival: str) -> Crossed:
    """How far the cascade's curve lies above a rival's."""
    return evidence.area(OURS) - evidence.area(rival)
