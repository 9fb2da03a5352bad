"""The GLUE tasks of the paper as data: columns, label names in the order of their ids, metric (Table 1)."""

from dataclasses import dataclass

ENTAILMENT = ("entailment", "not_entailment")


@dataclass(frozen=True)
class GlueTask:
    """One task in the schema of the `glue` data set.

    Attributes:
        columns: of the one or two texts.
        labels: names; index = id.
        metric: that the paper reports ("accuracy" or "f1").
    """

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    metric: str = "accuracy"


GLUE = {
    "mnli": GlueTask(("premise", "hypothesis"), ("entailment", "neutral", "contradiction")),
    "mrpc": GlueTask(("sentence1", "sentence2"), ("not_equivalent", "equivalent"), "f1"),
    "qnli": GlueTask(("question", "sentence"), ENTAILMENT),
    "qqp": GlueTask(("question1", "question2"), ("not_duplicate", "duplicate"), "f1"),
    "rte": GlueTask(("sentence1", "sentence2"), ENTAILMENT),
    "sst2": GlueTask(("sentence",), ("negative", "positive")),
}

TEST_ROWS = {"mnli": (9796, 9847), "mrpc": (1725,), "qnli": (5463,), "qqp": (390965,), "rte": (3000,), "sst2": (1821,)}
"""Rows of each task's unlabelled test set on the GLUE server; MNLI's two halves apart."""
