"""What each edit of the config and of the code makes Snakemake run again, and what makes it run nothing."""

import pytest
from smoke import FIGURES, ROOT, SMOKE, TABLES, copy_of, once, replace, said, snakemake, would_run

# What stands on a margin: the selection, every run at the selected margin, and all that is drawn or printed of these.
MARGIN = {
    "select_margin": 2,
    "adopt_margin": 3,
    "finetune_dar_selected": 6,
    "finetune_shuffled": 3,
    "finetune_batch_mean": 3,
    "finetune_kd_dar": 3,
    "finetune_as_released": 3,
    "finetune_attending": 3,
    "predict": 16,
    "stack_cascade": 16,
    "sweep_thresholds": 16,
    "extract_states": 2,
    "pack": 4,
    "clock": 2,
    **TABLES,
    **once("figure4", "figure5", "figure5_all", "figure6", "figure8"),
}
LABELS = {"label_difficulty": 6, "shuffle_difficulty": 3, "finetune_dar": 6, **MARGIN, "figure7": 1}
LIBRARY = "workflow/scripts/cascadebert"


def one_seed_more(seeds):
    """What a task's last of some seeds makes run: all of its own, and what stands on the margin for those before."""
    return {
        "finetune": 7,
        "finetune_first_layers": 4,
        "finetune_dar": 2,
        "finetune_dar_selected": 2 * seeds,
        "finetune_shuffled": seeds,
        "finetune_batch_mean": seeds,
        "finetune_kd_dar": seeds,
        "finetune_as_released": seeds,
        "finetune_attending": seeds,
        "finetune_pd": 1,
        "train_deebert": 2,
        "train_pabee": 2,
        "train_fastbert_teacher": 1,
        "train_fastbert": 1,
        "train_deebert_distilled": 1,
        "train_fastbert_labelled": 1,
        "train_pkd": 1,
        "train_theseus": 1,
        "predict_teacher": 2,
        "shuffle_difficulty": 1,
        "scale_temperature": 1,
        "select_margin": 1,
        "adopt_margin": seeds,
        "predict": 30,
        "stack_cascade": 10,
        "sweep_thresholds": 31,
        "measure_exits": 7,
        "extract_states": 1,
        "pack": 18,
        "clock": 1,
        **TABLES,
        **{name: 1 for name in FIGURES if name != "figure7"},
    }


CONFIG_EDITS = {
    "lambda": (replace("dar: {", "dar: {weight: 0.25, "), {"finetune_dar": 6} | MARGIN),
    "one epsilon": (replace("margins: [0.1, 0.5]", "margins: [0.1, 0.6]"), {"finetune_dar": 3} | MARGIN),
    "K": (replace("n_folds: 2", "n_folds: 3"), {"assign_folds": 2, "predict_fold": 18} | LABELS),
    "one difficulty seed more": (
        replace("n_folds: 2, seeds: [1]", "n_folds: 2, seeds: [1, 2]"),
        {"predict_fold": 12} | LABELS,
    ),
    "one model seed more": (replace("\nseeds: [1, 2]", "\nseeds: [1, 2, 3]"), one_seed_more(3)),  # pairs has fewer
    "as many seeds of every task": (replace("\nfewer_seeds: {pairs: 1}\n", "\n"), one_seed_more(2)),
    "one task more": (
        lambda text: text.replace("tasks: [reviews, pairs]", "tasks: [reviews, pairs, more]").replace(
            "\ndata:\n",
            "\ndata:\n  more: {source: {toy: 160, pairs: true}, labels: [entailment, neutral, contradiction]}\n",
        ),
        {
            "prepare_task": 3,
            "fit_baselines": 1,
            "assign_folds": 1,
            "encode_task": 4,
            "predict_fold": 6,
            "label_difficulty": 3,
            "shuffle_difficulty": 2,
            "finetune": 14,
            "finetune_first_layers": 8,
            "finetune_dar": 4,
            "finetune_dar_selected": 4,
            "finetune_shuffled": 2,
            "finetune_batch_mean": 2,
            "finetune_kd_dar": 2,
            "finetune_as_released": 2,
            "finetune_attending": 2,
            "finetune_pd": 2,
            "train_deebert": 4,
            "train_pabee": 4,
            "train_fastbert_teacher": 2,
            "train_fastbert": 2,
            "train_deebert_distilled": 2,
            "train_fastbert_labelled": 2,
            "train_pkd": 2,
            "train_theseus": 2,
            "predict_teacher": 4,
            "predict": 30,
            "scale_temperature": 1,
            "select_margin": 1,
            "adopt_margin": 2,
            "stack_cascade": 10,
            "sweep_thresholds": 31,
            "measure_exits": 7,
            "extract_states": 1,
            "pack": 18,
            "clock": 1,
            **TABLES,
            **{name: 1 for name in FIGURES if name != "figure7"},  # pairs have no rating
        },
    ),
    "one task less": (
        lambda text: text.replace("tasks: [reviews, pairs]", "tasks: [reviews]").replace(
            "fewer_seeds: {pairs: 1}\n", ""
        ),
        {**TABLES, **once("figure1", "figure2", "figure3", "figure4", "figure5", "figure5_all", "figure6", "figure8")},
    ),
    "learning rate of PABEE": (
        replace("pabee: {epochs: 6, lr: 2.0e-3}", "pabee: {epochs: 6, lr: 1.0e-3}"),
        {
            "train_pabee": 6,
            "predict": 4,
            "sweep_thresholds": 4,
            "pack": 2,
            "clock": 2,
            **once("table2", "table6", "table8", "table9", "claims", "figure5_all", "figure8"),
        },
    ),
    "learning rate of FastBERT's students": (
        replace("fastbert: {epochs: 4, lr: 2.0e-3}", "fastbert: {epochs: 4, lr: 1.0e-3}"),
        {
            "train_fastbert": 3,
            "predict": 2,
            "sweep_thresholds": 2,
            "pack": 2,
            "clock": 2,
            **once("table7", "table8", "table9", "table10", "claims", "figure5_all", "figure8"),
        },
    ),
    "learning rate of a RoBERTa member": (
        replace(
            "robertaSmall: {weights: roberta, layers: 1, epochs: 4",
            "robertaSmall: {weights: roberta, layers: 1, epochs: 3",
        ),
        {
            "predict_fold": 4,
            "label_difficulty": 2,
            "finetune_dar_selected": 3,
            "finetune_kd_dar": 3,
            "predict": 4,
            "stack_cascade": 4,
            "sweep_thresholds": 4,
            **once("table6", "claims"),
        },
    ),
    "how a checkpoint is read": (
        replace("base: {source: {random: 6, hidden: 32}}", "base: {source: {random: 6, hidden: 32}, pooling: mean}"),
        {  # all that stands on it; of RoBERTa's, what has the margin that is selected with it
            "import_weights": 1,
            "pretrain_member": 3,
            "pretrain_distilbert": 1,
            "encode_task": 4,
            "predict_fold": 8,
            "label_difficulty": 4,
            "shuffle_difficulty": 3,
            "finetune": 18,
            "finetune_first_layers": 9,
            "finetune_dar": 6,
            "finetune_pd": 3,
            "train_deebert": 3,
            "train_pabee": 3,
            "train_fastbert_teacher": 3,
            "train_fastbert": 3,
            "train_deebert_distilled": 3,
            "train_fastbert_labelled": 3,
            "train_pkd": 3,
            "train_theseus": 3,
            "predict_teacher": 3,
            "scale_temperature": 2,
            **MARGIN,
            "predict": 52,
            "pack": 36,
            "stack_cascade": 20,
            "sweep_thresholds": 54,
            "measure_exits": 14,
            **FIGURES,
        },
    ),
    "no RoBERTa": (replace("roberta_cascade: [robertaSmall, robertaBase]\n", ""), once("claims")),
    "one target speed-up less": (replace("speed_ups: [2, 3, 4]", "speed_ups: [2, 4]"), MARGIN | {"pack": 12}),
    "perplexity": (replace("perplexity: 15", "perplexity: 12"), once("figure4")),
    "format of tables": (lambda text: text + "\ntables: {decimals: 2}\n", TABLES),
}
CODE_EDITS = {
    "how figures look": (f"{LIBRARY}/pages/figures.py", replace('"font.size": 8', '"font.size": 9'), FIGURES),
    "the panels of Figure 1": (
        f"{LIBRARY}/pages/passages.py",
        replace("LINE_HEIGHT = 0.165", "LINE_HEIGHT = 0.2"),
        once("figure1"),
    ),
    "a table's format": (f"{LIBRARY}/pages/tables.py", replace('MISSING = "-"', 'MISSING = "n/a"'), TABLES),
    "the claims": (
        f"{LIBRARY}/pages/claims.py",
        replace('NOT_RUN = "not run"', 'NOT_RUN = "left out"'),
        once("claims"),
    ),
    "PABEE's loss": (
        f"{LIBRARY}/models/pabee.py",
        replace("/ weights.sum()", "/ weights.mean()"),
        {
            "train_pabee": 6,
            "predict": 4,
            "sweep_thresholds": 4,
            "pack": 2,
            "clock": 2,
            **once("table2", "table6", "table8", "table9", "claims", "figure5_all", "figure8"),
        },
    ),
    "DeeBERT's off-ramps": (
        f"{LIBRARY}/models/deebert.py",
        replace("nn.Dropout(DROPOUT)", "nn.Dropout(0.2)"),
        {
            "train_deebert": 6,
            "train_deebert_distilled": 3,
            "train_fastbert_labelled": 3,
            "predict": 8,
            "sweep_thresholds": 8,
            "measure_exits": 2,
            "extract_states": 2,
            "pack": 2,
            "clock": 2,
            **once("table2", "table6", "table8", "table9", "table10", "claims"),
            **once("figure1", "figure2", "figure3", "figure4", "figure5_all", "figure8"),
        },
    ),
    "BERT-of-Theseus": (
        f"{LIBRARY}/models/theseus.py",
        lambda text: text + "\nEDITED = True\n",
        {
            "train_theseus": 3,
            "predict": 2,
            "sweep_thresholds": 2,
            "pack": 2,
            "clock": 2,
            **once("table3", "table8", "table9", "claims", "figure5_all", "figure8"),
        },
    ),
    "the difficulty rule": (
        f"{LIBRARY}/metrics/difficulty.py",
        replace("~np.all(correct, axis=0)", "~np.any(correct, axis=0)"),
        {"assign_folds": 2, "predict_fold": 12} | LABELS | {"measure_exits": 14, "figure3": 1},
    ),
    "how a margin is chosen": (
        "workflow/scripts/select_margin.py",
        replace("np.mean(scores[margin])", "np.min(scores[margin])"),
        MARGIN,
    ),
    "the training loop": (
        f"{LIBRARY}/training/loop.py",
        replace("scaler.scale(loss).backward()", "scaler.scale(2 * loss).backward()"),
        {
            "pretrain_member": 3,
            "pretrain_distilbert": 1,
            "predict_fold": 12,
            "finetune": 21,
            "finetune_first_layers": 12,
            "finetune_pd": 3,
            "train_deebert": 6,
            "train_pabee": 6,
            "train_fastbert_teacher": 3,
            "train_fastbert": 3,
            "train_deebert_distilled": 3,
            "train_fastbert_labelled": 3,
            "train_pkd": 3,
            "train_theseus": 3,
            "predict_teacher": 6,
            "scale_temperature": 2,
        }
        | LABELS
        | {"predict": 60, "stack_cascade": 20, "sweep_thresholds": 62, "measure_exits": 14, "pack": 36}
        | FIGURES,
    ),
}


def test_second_run_has_nothing_to_do(finished):
    assert would_run(finished) == {}


def test_touching_every_file_runs_nothing(finished):
    for path in finished.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts and "results" not in path.parts:
            path.touch()
    assert would_run(finished) == {}


def test_comments_and_docstrings_run_nothing(finished, edited):
    edited("workflow/scripts/cascadebert/training/loop.py", replace('"""Seed everything', '"""Seed, first, everything'))
    edited("workflow/scripts/cascadebert/metrics/exits.py", lambda text: text + "\n# a remark\n")
    edited(SMOKE, lambda text: "# a remark\n" + text)
    assert would_run(finished) == {}


@pytest.mark.parametrize("edit", CONFIG_EDITS)
def test_config_edit_runs_what_depends_on_it_and_nothing_else(finished, edited, edit):
    change, expected = CONFIG_EDITS[edit]
    edited(SMOKE, change)
    assert would_run(finished) == expected


def test_another_machine_runs_nothing(finished, edited):
    edited(SMOKE, replace("process_mb: 1000", "process_mb: 2000"))
    edited(SMOKE, replace("launch_ms: 0.2", "launch_ms: 2"))
    assert would_run(finished) == {}


def test_precision_auto_is_what_the_machine_has_and_another_one_trains_again(finished, edited, monkeypatch):
    edited(SMOKE, replace("max_length: 32}", "max_length: 32, precision: auto}"))
    monkeypatch.setenv("CASCADEBERT_PRECISION", "fp32")
    assert would_run(finished) == {}
    monkeypatch.setenv("CASCADEBERT_PRECISION", "bf16")
    assert would_run(finished)["finetune"] == 21


@pytest.mark.parametrize("edit", CODE_EDITS)
def test_code_edit_runs_what_uses_it_and_nothing_else(finished, edited, edit):
    name, change, expected = CODE_EDITS[edit]
    edited(name, change)
    assert would_run(finished) == expected


def test_choosing_on_validation_draws_new_splits_and_runs_all_that_reads_them(finished, edited, tmp_path):
    everything = would_run(copy_of(ROOT, tmp_path))
    edited(SMOKE, lambda text: text + "\nselection: validation\n")
    assert would_run(finished) == {rule: n for rule, n in everything.items() if rule != "import_weights"}


def test_another_preset_shares_nothing_with_this_one(finished):
    (finished / "config/other.yaml").write_text((finished / SMOKE).read_text().replace("seeds: [1, 2]", "seeds: [1]"))
    try:
        assert sum(would_run(finished, config="config/other.yaml").values()) > 40
        assert would_run(finished) == {}
    finally:
        (finished / "config/other.yaml").unlink()


def test_two_values_that_trade_places_are_noticed(tmp_path):
    folder, target = copy_of(ROOT, tmp_path), "results/smoke/difficulty/reviews/folds.csv"
    preset = folder / SMOKE
    preset.write_text(replace("n_folds: 2, seeds: [1]", "n_folds: 2, fold_seed: 3, seeds: [1]")(preset.read_text()))
    done = snakemake(folder, target)
    assert done.returncode == 0, said(done)
    preset.write_text(replace("n_folds: 2, fold_seed: 3", "n_folds: 3, fold_seed: 2")(preset.read_text()))
    assert would_run(folder, target) == {"assign_folds": 1}
