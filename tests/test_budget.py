"""What jobs ask for: sums by hand, a real encoder's parameters, measured peaks, splits as they are carved."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_grid import preset
from transformers import BertConfig, BertModel

from cascadebert.cluster.budget import (
    FORWARD,
    THROUGH,
    TRAINED,
    Architecture,
    Machine,
    Work,
    activations_mb,
    data_mb,
    difficulty_share,
    logits_mb,
    minutes,
    naming,
    passing,
    prediction_mb,
    seconds,
    split_rows,
    text_mb,
    training_mb,
)
from cascadebert.cluster.jobs import Jobs, counted
from cascadebert.cluster.progress import Progress
from cascadebert.config.sources import DataSource
from cascadebert.data.splits import carve, draw_test
from cascadebert.glue import GLUE
from cascadebert.metrics.costs import Shape
from cascadebert.recipes import recipes

BASE = Architecture(Shape(768, 3072), 12, 30522)
MACHINE = Machine(tflops=10.0, utilisation=0.5, launch_ms=1.0, start_minutes=5.0, process_mb=700, slack=3.0)
PROCESS = 700
"""MB of a process on a CPU, as the schema advises."""

MEASURED = {  # docs/cost.md: layers of 768, peak MB of a job on a CPU; batches of 16 rows of 128 tokens, float32
    "finetune, 2 layers": (2, 1620),
    "finetune, 12 layers": (12, 4381),
    "PABEE, 12 layers": (12, 4249),
    "FastBERT's teacher, 12 layers": (12, 4429),
    "FastBERT, 12 layers": (12, 1831),
    "DeeBERT, 12 layers": (12, 1818),
    "BERT-PKD, 4 layers": (4, 1934),
    "BERT-of-Theseus, 12 layers in 4": (12, 2263),
    "a fold, 2 layers": (2, 1486),
    "finetune, 4 layers, resumed after a kill": (4, 2340),
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"reviews.csv": 101}, {"train": 101}),
        ({"train.jsonl": 40, "dev.tsv": 20, "test.csv": 10}, {"train": 40, "report": 20, "test": 10}),
        ({"train.csv.gz": 40}, {}),
        ({"train.parquet": 40}, {}),
        ({"train.json": 1}, {}),  # all of it in one line
    ],
)
def test_rows_of_ones_own_files_are_counted_before_they_are_read(tmp_path, files, expected):
    for name, lines in files.items():
        (tmp_path / name).write_text("a fine film,good\n" * lines)
    path = tmp_path / next(iter(files)) if len(files) == 1 else tmp_path
    assert counted(DataSource(path=str(path))) == expected


@pytest.mark.parametrize(("layers", "hidden", "vocabulary"), [(1, 16, 50), (3, 24, 101), (4, 8, 7)])
def test_parameters_are_those_of_a_real_encoder(layers, hidden, vocabulary):
    widths = {"vocab_size": vocabulary, "hidden_size": hidden, "intermediate_size": 3 * hidden}
    config = BertConfig(num_hidden_layers=layers, num_attention_heads=2, **widths)
    counted = sum(tensor.numel() for tensor in BertModel(config).parameters())
    assert Architecture(Shape(hidden, 3 * hidden), layers, vocabulary).parameters == counted


def test_a_row_is_its_layers_and_a_classifier_once_forward_twice_through_three_times_in_training():
    work = passing(BASE, 1, 128, 1)
    assert work.flops == pytest.approx(12 * 1862.270976e6 + 2 * 768 * 770)
    assert work.launches == 12
    once = passing(BASE, 1000, 40.5, 16, FORWARD)
    assert once.launches == 12 * 1000 / 16
    for passes, kind in ((2, THROUGH), (3, TRAINED)):
        work = passing(BASE, 1000, 40.5, 16, kind)
        assert (work.flops, work.launches) == (passes * once.flops, passes * once.launches)


def test_words_are_named_by_one_product_with_all_of_them():
    assert naming(Architecture(Shape(4, 16), 1, 10), 3, TRAINED) == Work(3 * 3 * 2 * 4 * 10, 0.0)


def test_seconds_are_arithmetic_and_launches_and_minutes_are_rounded_up():
    assert seconds(Work(10e12, 500), MACHINE) == 2.0 + 0.5  # 5 TFLOP/s; a millisecond each
    assert seconds(Work(10e12, 500) + Work(10e12, 0), MACHINE) == 4.5
    assert [minutes(each, MACHINE) for each in (0.0, 60.0, 61.0)] == [5, 8, 9]


def test_parameters_take_28_bytes_and_activations_27_vectors_at_128_tokens():
    assert activations_mb(BASE, 16, 128) == pytest.approx(12 * 16 * 128 * 27 * 768 * 4 / 1e6)
    assert training_mb(BASE, 16, 128) == pytest.approx(109.48224 * 28 + activations_mb(BASE, 16, 128))


@pytest.mark.parametrize("job", MEASURED)
def test_no_measured_job_exceeds_what_is_asked_for_and_whole_trainings_come_near_it(job):
    layers, peak = MEASURED[job]
    asked = PROCESS + training_mb(dataclasses.replace(BASE, layers=layers), 16, 128)
    assert peak < asked
    if job in ("finetune, 2 layers", "finetune, 12 layers"):
        assert asked < 1.34 * peak, "no more than a third above"


def test_predictions_and_text_are_below_what_is_asked_for():
    assert PROCESS + prediction_mb(BASE, 64, 128) > 1329  # predict_teacher on the base
    for peak in (1388, 1087, 1196):  # prepare_task, encode_task, assign_folds on 795,241 rows of QQP's text
        assert 1000 + text_mb(795_241, GLUE["qqp"].tokens) > peak


sizes = st.tuples(
    st.integers(1, 10**6), st.integers(1, 512), st.integers(1, 24), st.integers(1, 64), st.integers(1, 256)
)


def demands(size):
    """Everything that is asked for a training of some rows, tokens, layers, hidden over 8 and batch."""
    rows, tokens, layers, width, batch = size
    encoder = Architecture(Shape(8 * width, 32 * width), layers, 1000)
    return (
        passing(encoder, rows, tokens, 16, TRAINED).flops,
        seconds(passing(encoder, rows, tokens, 16), MACHINE),
        training_mb(encoder, batch, tokens),
        prediction_mb(encoder, batch, tokens),
        data_mb(rows, tokens),
        text_mb(rows, tokens),
        logits_mb(rows, layers, 3),
    )


@given(sizes, sizes)
def test_more_of_anything_never_asks_for_less(one, other):
    small, large = (tuple(map(pick, one, other)) for pick in (min, max))
    assert all(less <= more for less, more in zip(demands(small), demands(large), strict=True))


@given(
    st.integers(40, 120),
    st.dictionaries(st.sampled_from(["report", "mismatched", "test"]), st.integers(4, 30)),
    st.dictionaries(st.sampled_from(["train", "selection", "report", "mismatched", "test"]), st.integers(4, 20)),
    st.sampled_from(["train", "validation"]),
)
def test_rows_are_those_that_are_carved(train, others, caps, selection):
    published = {"train": train, **others}

    def frame(split, n):
        return pd.DataFrame({"text": [f"{split} {i}" for i in range(n)], "label": [str(i % 2) for i in range(n)]})

    source = {split: frame(split, n) for split, n in published.items()}
    parts = [carve(source, caps, 0, selection)[0], draw_test(source, caps, 0)]
    counted = pd.concat(parts)["split"].value_counts().to_dict()
    assert {split: n for split, n in split_rows(published, caps, selection).items() if n} == counted


def test_glue_has_the_papers_sizes():
    held_out = {name: task.rows["report"] + task.rows.get("mismatched", 0) for name, task in GLUE.items()}
    assert held_out == {"mnli": 19_647, "mrpc": 408, "qnli": 5_463, "qqp": 40_430, "rte": 277, "sst2": 872}
    assert sum(task.rows["train"] for task in GLUE.values()) == 934_798


def test_difficulty_runs_cost_one_split_less_than_folds_for_each_seed():
    assert difficulty_share(8, 5, 8, 5) == 1
    assert difficulty_share(8, 5, 2, 1) == pytest.approx(1 / 35)
    trained_on = [sum(1 - np.isin(np.arange(80) % 8, fold).mean() for fold in range(8)), 1 - 0.5 + 1 - 0.5]
    assert difficulty_share(8, 1, 2, 1) == pytest.approx(trained_on[1] / trained_on[0])


def test_a_fold_is_trained_on_the_others_and_never_scored_on_the_way():
    config = preset("smoke", results="nowhere")  # nothing is prepared: rows as they will be carved
    jobs, recipe = Jobs(config), recipes(config)["small"]
    train, tokens, encoder = jobs.rows("reviews")["train"], jobs.tokens("reviews"), jobs.encoder(recipe)
    work = passing(encoder, recipe.settings.epochs * train / 2, tokens, recipe.settings.batch_size, TRAINED)
    work += passing(encoder, train / 2, tokens, 64)  # of two folds one is answered
    assert recipe.settings.keep == "best"
    assert jobs.fold("reviews", recipe).seconds == pytest.approx(seconds(work, jobs.machine))


def test_what_is_left_follows_the_model_and_then_the_pace():
    progress = Progress({job: 100.0 for job in range(40)}, cores=2, begun=1000.0)
    assert progress.left(1000.0) == 2000
    progress.end(0)
    assert progress.left(1500.0) == 1950, "one of forty says little"
    for job in range(1, 20):
        progress.end(job)
    progress.end(5)  # told twice, counted once
    assert progress.left(1500.0) == 500, "half took 500 seconds"
