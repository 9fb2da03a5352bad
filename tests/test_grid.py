"""The runs that a config asks for, written out by hand for both presets, and what each key that may be absent takes."""

from pathlib import Path

import pytest
import yaml

from cascadebert import grid
from cascadebert.captions import MEANING
from cascadebert.catalogue import PAGES, artefacts, left_out, missing
from cascadebert.config.keys import Config
from cascadebert.grid import before, cascade_members, counted, models, names, runs
from cascadebert.pages.styles import STYLES
from cascadebert.recipes import depths, full_layers, recipes
from cascadebert.systems import SPLITS, SYSTEMS, System, shown_in

CONFIG = Path(__file__).parents[1] / "config"

CASCADES = ("three", "tempered", "batch_mean", "shuffled", "without_dar")
BERT_RUNS = {
    **{"base": "bert_base", "base_first3": "bert_kl", "base_first2": "bert_kl", "base_first1": "bert_kl"},
    **dict.fromkeys(("small", "two", "medium"), "bert_complete"),
    **{"deebert_base": "deebert", "pabee_base": "pabee", "fastbert_base": "fastbert", "distilled": "distilbert"},
    **{"pkd_base": "bert_pkd", "theseus_base": "theseus", "two_pd": "bert_pd"},
    **{name: name for name in (*(f"cascadebert_{end}" for end in CASCADES), "cascadebert")},
}
CONTROLS = {
    "standIn": "bert_stand_in",
    "deebert_distilled_base": "deebert_distilled",
    "fastbert_labelled_base": "fastbert_labelled",
    **{name: name for name in ("cascadebert_as_released", "cascadebert_attending")},
}
ROBERTA_RUNS = {
    **{"robertaBase": "roberta_base", "robertaBase_first2": "roberta_kl", "deebert_robertaBase": "roberta_deebert"},
    **{
        "pabee_robertaBase": "roberta_pabee",
        "cascaderoberta": "cascaderoberta",
        "cascaderoberta_kd": "cascaderoberta_kd",
    },
}
AFTER = {
    "deebert",
    "deebert_distilled",
    "fastbert",
    "fastbert_labelled",
    "bert_pkd",
    "theseus",
    "bert_pd",
    "roberta_deebert",
}  # trained on top of another run


def preset(name, *without, **changes):
    """A config as it stands in its file, without some keys and with others."""
    config = yaml.safe_load((CONFIG / f"{name}.yaml").read_text())
    return Config.model_validate({key: value for key, value in config.items() if key not in without} | changes)


# --- runs


def test_runs_of_both_presets_are_in_the_order_of_the_systems():
    assert runs(preset("smoke")) == BERT_RUNS | CONTROLS | ROBERTA_RUNS
    assert runs(preset("config")) == BERT_RUNS | {"distilledMedium": "bert_stand_in"}
    assert list(dict.fromkeys(runs(preset("smoke")).values())) == list(SYSTEMS)


@pytest.mark.parametrize(
    ("keys", "gone"),
    [
        (["roberta_cascade"], set(ROBERTA_RUNS)),
        (["student_layers"], {"robertaBase_first2"}),
        (["fastbert"], {"fastbert_base"}),
        (["fastbert_origins"], {"deebert_distilled_base", "fastbert_labelled_base", "cascadebert_attending"}),
        (["as_released"], {"cascadebert_as_released"}),
        (["stand_ins"], {"standIn"}),
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
    entry = System("New", "new_{base}_first{k}", "entropy", ("table2",), needs="theseus")
    monkeypatch.setitem(SYSTEMS, "new", entry)
    config = preset("smoke")
    assert runs(config) == BERT_RUNS | CONTROLS | ROBERTA_RUNS | {f"new_base_first{k}": "new" for k in (3, 2, 1)}
    assert (models(config, "new_base_first2"), before(config, "new_base_first2")) == (["new_base_first2"], [])
    assert shown_in("table2")[-1] == "new"
    assert "new" not in runs(preset("smoke", "theseus")).values()


def test_of_two_systems_with_one_run_the_first_has_it():
    config = preset("smoke", distilbert={"member": "two"})
    assert runs(config)["two"] == "bert_complete"
    assert runs(preset("smoke", "complete", distilbert={"member": "two"}))["two"] == "distilbert"


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
    members = {f"m{k}": k for k in (complete or [])} | {"base": layers, "small": 1}
    members = {name: {"weights": "base", "layers": k, "epochs": 1, "lr": 0.1} for name, k in members.items()}
    asked = {"members": members, "cascade": ["small", "base"], "speed_ups": targets}
    asked["complete"] = complete and [f"m{k}" for k in complete[:-1]] + ["base"]
    assert depths(preset("smoke", **asked)) == expected
    assert full_layers(preset("smoke", **asked)) == layers


def test_names_of_what_the_config_lacks_are_absent():
    assert names(preset("smoke")) == {
        "base": ["base"],
        "k": ["3", "2", "1"],
        "complete": ["small", "two", "medium"],
        "stand_in": ["standIn"],
        "roberta": ["robertaBase"],
        "student": ["2"],
        "distilbert": ["distilled"],
        "pd": ["two"],
    }
    bare = preset("smoke", "roberta_cascade", "student_layers", "distilbert", "bert_pd", "complete", "stand_ins")
    assert names(bare) == {"base": ["base"], "k": ["3", "2"], "complete": []}


# --- what a run is made of


MEMBERS = {
    "cascadebert": "small_dar base",
    "cascadebert_without_dar": "small base",
    "cascadebert_shuffled": "small_shuffled base",
    "cascadebert_batch_mean": "small_batch_mean base",
    "cascadebert_tempered": "small_tempered base",
    "cascadebert_three": "small_dar medium_dar base",
    "cascadebert_as_released": "small_as_released base",
    "cascadebert_attending": "small_attending fastbert_teacher_base",
    "cascaderoberta": "robertaSmall_dar robertaBase",
    "cascaderoberta_kd": "robertaSmall_kd_dar robertaBase",
}
FIRST = {  # what is trained before a run of one model
    **dict.fromkeys(("base", "base_first2", "two", "distilled", "pabee_base", "pabee_robertaBase"), []),
    **dict.fromkeys(("deebert_base", "pkd_base", "theseus_base", "two_pd"), ["base"]),
    **{"fastbert_base": ["fastbert_teacher_base"], "deebert_robertaBase": ["robertaBase"]},
    **{"fastbert_labelled_base": ["fastbert_teacher_base"], "deebert_distilled_base": ["base"]},
}


@pytest.mark.parametrize("system", MEMBERS)
def test_members_of_every_cascade(system):
    config, members = preset("smoke"), MEMBERS[system].split()
    assert cascade_members(config, system) == members
    assert (models(config, system), before(config, system)) == (members, [])
    assert SYSTEMS[system].run == system


def test_these_are_all_cascades():
    assert set(MEMBERS) == {name for name, system in SYSTEMS.items() if system.cascade}
    assert set(MEMBERS) == {name for name, system in SYSTEMS.items() if system.exits == "confidence"}


@pytest.mark.parametrize("run", FIRST)
def test_runs_of_one_model_and_what_is_trained_before_them(run):
    assert (models(preset("smoke"), run), before(preset("smoke"), run)) == ([run], FIRST[run])


@pytest.mark.parametrize(
    "absent", [[], ["complete"], ["complete", "roberta_cascade"], ["student_layers", "bert_pkd", "theseus"]]
)
def test_every_run_of_every_config_has_models(absent):
    config = preset("smoke", *absent, speed_ups=[4])  # of which no first layers are made, without complete members
    for run, system in runs(config).items():
        assert (run in models(config, run)) != bool(SYSTEMS[system].cascade)
        assert len(before(config, run)) == (system in AFTER)


def test_controls_that_take_fastbert_apart_exchange_one_half_of_it():
    known = recipes(preset("smoke"))
    for run, model, objective in (
        ("deebert_distilled_base", known["deebert_base"], known["fastbert_base"]),
        ("fastbert_labelled_base", known["fastbert_base"], known["deebert_base"]),
    ):
        assert (known[run].model, known[run].stage1) == (model.model, model.stage1)
        assert known[run].objective == objective.objective
    attending = known["small_attending"]
    assert attending.model == known["fastbert_teacher_base"].model
    assert (attending.layers, attending.dar) == (known["small_dar"].layers, known["small_dar"].dar)


def test_thresholds_of_the_member_as_released_are_chosen_by_the_count_of_the_released_code():
    config = preset("smoke")
    assert counted(config, "cascadebert_as_released") == [1, 7]
    assert {run for run in runs(config) if counted(config, run)} == {"cascadebert_as_released"}
    assert recipes(config)["small_as_released"].layers == 6


# --- what cannot be made


def test_what_each_preset_makes():
    assert left_out(preset("smoke")) == []
    assert artefacts(preset("smoke", results="r"))[::3] == [
        *(f"r/table{n}.csv" for n in range(1, 11)),
        *("r/theory.csv", "r/claims.csv"),
        *(f"r/figures/figure{n}.pdf" for n in (*range(1, 9), "5_all")),
    ]
    assert left_out(preset("config")) == [missing(preset("config"), name) for name in ("table6", "table10")]
    assert f"{preset('config').results}/table6.csv" not in artefacts(preset("config"))


@pytest.mark.parametrize(
    ("key", "lost"),
    [
        ("roberta_cascade", ["table6"]),
        ("student_layers", ["table3", "table6"]),
        ("fastbert", ["table7", "table10"]),
        ("fastbert_origins", ["table10"]),
        ("larger_cascade", ["theory", "figure5"]),
        ("complete", ["figure2", "figure3"]),
        ("clock", ["table9", "figure8"]),
    ],
)
def test_absent_key_is_told_with_its_meaning_in_one_sentence(key, lost):
    config = preset("smoke", key)
    found = {artefact: sentence for artefact in PAGES if (sentence := missing(config, artefact))}
    assert list(found) == lost
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
    needed = {key for artefact in PAGES.values() for key in artefact.needs}
    assert needed == set(MEANING)
    assert needed <= {name for name, field in Config.model_fields.items() if not field.is_required()}
    assert {system.needs for system in SYSTEMS.values()} <= set(Config.model_fields)


# --- the entries themselves


def test_systems_of_one_artefact_are_told_apart():
    artefacts = {artefact for system in SYSTEMS.values() for artefact in system.stands_in}
    assert artefacts == {*(f"table{n}" for n in (2, 3, 4, 6, 7, 8, 9, 10)), "figure5", "figure5_all"}
    for artefact in artefacts:
        shown = [SYSTEMS[name] for name in shown_in(artefact)]
        labels = [system.label for system in shown]
        assert len(set(labels)) == len(labels), artefact
        if artefact.startswith("figure"):
            styles = [STYLES[name] for name in shown_in(artefact)]
            assert len(set(styles)) == len(styles), artefact
            curves = [STYLES[name].color for name in shown_in(artefact) if SYSTEMS[name].exits != "last"]
            assert len(set(curves)) == len(curves), artefact  # a curve is known by its colour alone


@pytest.mark.parametrize(
    ("artefact", "systems"),
    [
        ("table2", ["bert_base", "bert_kl", "deebert", "pabee", "cascadebert_as_released", "cascadebert"]),
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
    controls = {"cascadebert_tempered", "cascadebert_batch_mean", "cascadebert_shuffled", *CONTROLS} - {"standIn"}
    controls |= {"deebert_distilled", "fastbert_labelled"}
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
    assert (missing(preset("smoke"), "figure7"), grid.rated(preset("smoke"))) == ("", ["reviews"])
    without = missing(preset("smoke", tasks=["pairs"]), "figure7")
    assert "no task's source has human ratings" in without
