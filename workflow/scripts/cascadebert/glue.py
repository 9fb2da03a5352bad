"""The GLUE tasks of the paper as data: columns, label names in the order of their ids, sizes, metric (Table 1)."""

from dataclasses import dataclass

ENTAILMENT = ("entailment", "not_entailment")

TEST_ROWS = {"mnli": (9796, 9847), "mrpc": (1725,), "qnli": (5463,), "qqp": (390965,), "rte": (3000,), "sst2": (1821,)}
"""Rows of each task's unlabelled test set on the GLUE server; MNLI's two halves apart."""


@dataclass(frozen=True)
class GlueTask:
    """One task in the schema of the `glue` data set.

    Attributes:
        columns: of the one or two texts.
        labels: names; index = id.
        rows: of the published splits; test is what the server scores, MNLI's two halves together.
        tokens: mean word pieces of a training row, special tokens included, cut at 128.
        metric: that the paper reports ("accuracy" or "f1").
    """

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    rows: dict[str, int]
    tokens: float
    metric: str = "accuracy"


GLUE = {
    "mnli": GlueTask(
        ("premise", "hypothesis"),
        ("entailment", "neutral", "contradiction"),
        {"train": 392_702, "report": 9_815, "mismatched": 9_832, "test": sum(TEST_ROWS["mnli"])},
        40.1,
    ),
    "mrpc": GlueTask(
        ("sentence1", "sentence2"),
        ("not_equivalent", "equivalent"),
        {"train": 3_668, "report": 408, "test": sum(TEST_ROWS["mrpc"])},
        53.2,
        "f1",
    ),
    "qnli": GlueTask(
        ("question", "sentence"), ENTAILMENT, {"train": 104_743, "report": 5_463, "test": sum(TEST_ROWS["qnli"])}, 49.2
    ),
    "qqp": GlueTask(
        ("question1", "question2"),
        ("not_duplicate", "duplicate"),
        {"train": 363_846, "report": 40_430, "test": sum(TEST_ROWS["qqp"])},
        30.8,
        "f1",
    ),
    "rte": GlueTask(
        ("sentence1", "sentence2"), ENTAILMENT, {"train": 2_490, "report": 277, "test": sum(TEST_ROWS["rte"])}, 66.6
    ),
    "sst2": GlueTask(
        ("sentence",), ("negative", "positive"), {"train": 67_349, "report": 872, "test": sum(TEST_ROWS["sst2"])}, 13.3
    ),
}
"""Tokens were counted with bert-base-uncased's vocabulary on training rows: all of MRPC, RTE and SST-2, 23,537 of QNLI,
28,728 of QQP, 9,999 of MNLI."""
