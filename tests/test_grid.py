"""The runs that a config asks for, written out by hand for both presets, and what each key that may be absent takes."""

import copy
from pathlib import Path

import pytest
import yaml

from cascadebert import grid
from cascadebert.config.keys import Config
from cascadebert.grid import MEANING, NEEDS, before, cascade_members, depths, full_layers, missing, models, names, runs
from cascadebert.systems import SPLITS, SYSTEMS, System, shown_in

CONFIG = Path(__file__).parents[1] / "config"

BERT_RUNS = {
    "base": "bert_base",
    "base_first3": "bert_kl",
    "base_first2": "bert_kl",
    "base_first1": "bert_kl",
    "small": "bert_complete",
    "two": "bert_complete",
    "medium": "bert_complete",
    "deebert_base": "deebert",
    "pabee_base": "pabee",
    "fastbert_base": "fastbert",
    "distilled": "distilbert",
    "pkd_base": "bert_pkd",
    "theseus_base": "theseus",
    "two_pd": "bert_pd",
    "cascadebert_three": "cascadebert_three",
    "cascadebert_tempered": "cascadebert_tempered",
    "cascadebert_batch_mean": "cascadebert_batch_mean",
    "cascadebert_shuffled": "cascadebert_shuffled",
    "cascadebert_without_dar": "cascadebert_without_dar",
    "cascadebert": "cascadebert",
}
ROBERTA_RUNS = {
    "robertaBase": "roberta_base",
    "robertaBase_first2": "roberta_kl",
    "deebert_robertaBase": "roberta_deebert",
    "pabee_robertaBase": "roberta_pabee",
    "cascaderoberta": "cascaderoberta",
    "cascaderoberta_kd": "cascaderoberta_kd",
}


def preset(name, *without, **changes):
    """A config as it stands in its file, without some keys and with others."""
    config = yaml.safe_load((CONFIG / f"{name}.yaml").read_text())
    return {key: value for key, value in config.items() if key not in without} | changes


# --- runs


def test_runs_of_the_smoke_preset():
    assert runs(preset("smoke")) == BERT_RUNS | ROBERTA_RUNS


def test_runs_of_the_default():
    assert runs(preset("config")) == BERT_RUNS


def test_runs_are_in_the_order_of_the_systems():
    order = list(SYSTEMS)
    found = [order.index(system) for system in runs(preset("smoke")).values()]
    assert found == sorted(found)


def test_every_system_has_a_run_under_the_smoke_preset():
    assert set(runs(preset("smoke")).values()) == set(SYSTEMS)


@pytest.mark.parametrize(
    ("keys", "gone"),
    [
        (["roberta_cascade"], set(ROBERTA_RUNS)),
        (["student_layers"], {"robertaBase_first2"}),
        (["fastbert", "fastbert_teacher"], {"fastbert_base"}),
        (["larger_cascade"], {"cascadebert_three"}),
        (["complete"], {"small", "two", "medium", "base_first1"}),  # the other depths have a target speed-up
        (["distilbert"], {"distilled"}),
        (["bert_pkd"], {"pkd_base"}),
        (["theseus"], {"theseus_base"}),
        (["bert_pd"], {"two_pd"}),
        (["kd"], set()),
    ],
)
def test_what_each_absent_key_takes_away(keys, gone):
    whole = runs(preset("smoke"))
    assert runs(preset("smoke", *keys)) == {run: system for run, system in whole.items() if run not in gone}
    assert gone <= set(whole)


def test_a_new_system_is_one_entry(monkeypatch):
    monkeypatch.setitem(
        SYSTEMS, "new", System("New", "new_{base}_first{k}", "entropy", ("table2",), "#123456", "x", needs="theseus")
    )
    config = preset("smoke")
    assert runs(config) == BERT_RUNS | ROBERTA_RUNS | {f"new_base_first{k}": "new" for k in (3, 2, 1)}
    assert (models(config, "new_base_first2"), before(config, "new_base_first2")) == (["new_base_first2"], [])
    assert shown_in("table2")[-1] == "new"
    assert "new" not in runs(preset("smoke", "theseus")).values()


def test_of_two_systems_with_one_run_the_first_has_it():
    config = preset("smoke", distilbert={"member": "two"})
    assert runs(config)["two"] == "bert_complete"
    assert runs(preset("smoke", "complete", distilbert={"member": "two"}))["two"] == "distilbert"


def test_reading_a_config_leaves_it_as_it_is():
    config = preset("smoke")
    untouched = copy.deepcopy(config)
    for run in runs(config):
        models(config, run), before(config, run)
    assert config == untouched


# --- depths and names


@pytest.mark.parametrize(
    ("layers", "targets", "complete", "expected"),
    [
        (12, [2, 3, 4], [2, 4, 6, 8, 10, 12], [10, 8, 6, 4, 3, 2]),  # the paper's
        (12, [2, 3, 4], None, [6, 4, 3]),
        (6, [2, 3, 4], None, [3, 2]),  # 6 / 4 is not whole
        (6, [2, 3, 4], [1, 6], [3, 2, 1]),
        (12, [2.4, 5, 1.5], None, [8, 5]),  # 12 / 2.4 is 5, although 12 % 2.4 is not 0 in binary
        (6, [4], None, []),
    ],
)
def test_depths_are_those_with_a_target_and_those_of_complete_members(layers, targets, complete, expected):
    members = {f"m{k}": {"layers": k} for k in (complete or [])} | {"base": {"layers": layers}, "small": {"layers": 1}}
    config = {"members": members, "cascade": ["small", "base"], "speed_ups": targets}
    if complete:
        config["complete"] = [f"m{k}" for k in complete[:-1]] + ["base"]
    assert depths(config) == expected
    assert full_layers(config) == layers


def test_names_of_what_the_config_lacks_are_absent():
    assert names(preset("smoke")) == {
        "base": ["base"],
        "k": ["3", "2", "1"],
        "complete": ["small", "two", "medium"],
        "roberta": ["robertaBase"],
        "student": ["2"],
        "distilbert": ["distilled"],
        "pd": ["two"],
    }
    bare = preset("smoke", "roberta_cascade", "student_layers", "distilbert", "bert_pd", "complete")
    assert names(bare) == {"base": ["base"], "k": ["3", "2"], "complete": []}


# --- what a run is made of


@pytest.mark.parametrize(
    ("system", "members"),
    [
        ("cascadebert", ["small_dar", "base"]),
        ("cascadebert_without_dar", ["small", "base"]),
        ("cascadebert_shuffled", ["small_shuffled", "base"]),
        ("cascadebert_batch_mean", ["small_batch_mean", "base"]),
        ("cascadebert_tempered", ["small_tempered", "base"]),
        ("cascadebert_three", ["small_dar", "medium_dar", "base"]),
        ("cascaderoberta", ["robertaSmall_dar", "robertaBase"]),
        ("cascaderoberta_kd", ["robertaSmall_kd_dar", "robertaBase"]),
    ],
)
def test_members_of_every_cascade(system, members):
    config = preset("smoke")
    assert cascade_members(config, system) == members
    assert (models(config, system), before(config, system)) == (members, [])


def test_these_are_all_cascades():
    assert [name for name, system in SYSTEMS.items() if system.cascade] == [
        name for name, system in SYSTEMS.items() if system.exits == "confidence"
    ]
    assert sum(bool(system.cascade) for system in SYSTEMS.values()) == 8
    assert all(system.run == name for name, system in SYSTEMS.items() if system.cascade)


@pytest.mark.parametrize(
    ("run", "first"),
    [
        ("base", []),
        ("base_first2", []),
        ("two", []),
        ("distilled", []),
        ("pabee_base", []),
        ("deebert_base", ["base"]),
        ("pkd_base", ["base"]),
        ("theseus_base", ["base"]),
        ("two_pd", ["base"]),
        ("fastbert_base", ["fastbert_teacher_base"]),
        ("deebert_robertaBase", ["robertaBase"]),
        ("pabee_robertaBase", []),
    ],
)
def test_runs_of_one_model_and_what_is_trained_before_them(run, first):
    config = preset("smoke")
    assert (models(config, run), before(config, run)) == ([run], first)


@pytest.mark.parametrize("absent", [[], ["complete"], ["complete", "roberta_cascade"], ["student_layers"]])
def test_every_run_of_every_config_has_models(absent):
    config = preset("smoke", *absent, speed_ups=[4])  # of which no first layers are made, without complete members
    for run, system in runs(config).items():
        assert (run in models(config, run)) != bool(SYSTEMS[system].cascade)
        assert len(before(config, run)) == len(SYSTEMS[system].after)


# --- what cannot be made


def test_both_presets_make_what_they_name_the_keys_of():
    assert [artefact for artefact in NEEDS if missing(preset("smoke"), artefact)] == []
    assert [artefact for artefact in NEEDS if missing(preset("config"), artefact)] == ["table6"]


@pytest.mark.parametrize(
    ("key", "lost"),
    [
        ("roberta_cascade", ["table6"]),
        ("student_layers", ["table3", "table6"]),
        ("fastbert", ["table7"]),
        ("larger_cascade", ["theory", "figure5"]),
        ("complete", ["figure2", "figure3"]),
    ],
)
def test_absent_key_is_told_with_its_meaning_in_one_sentence(key, lost):
    config = preset("smoke", key)
    artefacts = [f"table{n}" for n in range(1, 9)] + [f"figure{n}" for n in range(1, 8)] + ["theory", "claims"]
    found = {artefact: sentence for artefact in artefacts if (sentence := missing(config, artefact))}
    assert sorted(found) == sorted(lost)
    for artefact, sentence in found.items():
        assert sentence == (
            f"{artefact} cannot be made, the config lacks {key}, {MEANING[key]}:"
            " add it, as docs/config.md describes it."
        )


def test_two_absent_keys_are_told_in_one_sentence():
    sentence = missing(preset("smoke", "roberta_cascade", "student_layers"), "table6")
    assert "lacks roberta_cascade, two RoBERTa members" in sentence
    assert "; and student_layers, the depth of the static students: add it" in sentence
    assert sentence.count(".") == 2  # the page's name and the end


def test_keys_that_artefacts_need_may_be_absent_and_are_known():
    needed = {key for keys in NEEDS.values() for key in keys}
    assert needed == set(MEANING)
    assert needed <= {name for name, field in Config.model_fields.items() if not field.is_required()}
    assert {system.needs for system in SYSTEMS.values()} <= set(Config.model_fields)


# --- the entries themselves


def test_systems_of_one_artefact_are_told_apart():
    artefacts = {artefact for system in SYSTEMS.values() for artefact in system.stands_in}
    assert artefacts == {*(f"table{n}" for n in (2, 3, 4, 6, 7, 8)), "figure5", "figure5_all"}
    for artefact in artefacts:
        shown = [SYSTEMS[name] for name in shown_in(artefact)]
        styles = [(system.color, system.marker, system.line) for system in shown]
        assert len(set(styles)) == len(styles), artefact
        labels = [system.label for system in shown]
        assert len(set(labels)) == len(labels), artefact
        curves = [system.color for system in shown if system.exits != "last"]
        assert len(set(curves)) == len(curves), artefact  # a curve is known by its colour alone


@pytest.mark.parametrize(
    ("artefact", "systems"),
    [
        ("table2", ["bert_base", "bert_kl", "deebert", "pabee", "cascadebert"]),
        ("table3", ["distilbert", "bert_pkd", "theseus", "bert_pd", "cascadebert"]),
        (
            "table6",
            ["roberta_base", "roberta_kl", "roberta_deebert", "roberta_pabee", "cascaderoberta", "cascaderoberta_kd"],
        ),
        ("table7", ["fastbert", "cascadebert"]),
        ("figure5", ["cascadebert_three", "cascadebert"]),
    ],
)
def test_systems_of_the_papers_artefacts_are_the_papers_in_its_order(artefact, systems):
    assert shown_in(artefact) == systems


def test_table_8_and_the_whole_figure_5_show_every_system_of_bert_but_controls():
    controls = {"cascadebert_tempered", "cascadebert_batch_mean", "cascadebert_shuffled"}
    of_bert = [name for name in SYSTEMS if "roberta" not in name and name not in controls]
    assert shown_in("table8") == shown_in("figure5_all") == of_bert


def test_splits_are_chosen_on_printed_and_handed_in():
    assert SPLITS == ("selection", "report", "mismatched", "test")


def test_grid_reads_the_registry_as_it_is(monkeypatch):
    assert grid.SYSTEMS is SYSTEMS
    fewer = {name: system for name, system in SYSTEMS.items() if name != "theseus"}  # their order counts: no delitem
    monkeypatch.setattr(grid, "SYSTEMS", fewer)
    assert "theseus_base" not in runs(preset("smoke"))


def test_figure_7_needs_a_task_with_ratings():
    config = preset("smoke")
    assert (missing(config, "figure7"), grid.rated(config)) == ("", ["reviews"])
    assert "no task's source has human ratings" in missing(config | {"tasks": ["pairs"]}, "figure7")
