"""Verdicts on claims: a world in which the paper is right, its mirror image, and numbers written out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from page_builders import by_margin, cells_of, paper, rendered, tasks_of, write_common_sense

from cascadebert.metrics.baselines import Baselines, write_baselines
from cascadebert.metrics.crossed import Crossed
from cascadebert.metrics.exact import Exact
from cascadebert.metrics.predictions import read_predictions, write_predictions
from cascadebert.pages import kinds
from cascadebert.pages.claims import NOT_RUN, read_effects
from cascadebert.pages.evidence import Evidence, read_evidence
from cascadebert.pages.statements import claims
from cascadebert.pages.verdicts import UNDECIDED, Claim, Effect, judged

SEEDS = (1, 2, 3)
COLUMNS = ("mnli", "mnli-mm", "sst2")
DEPTHS = [10, 8, 6, 4, 2]
SPEC = {"speed_ups": [2.0, 3.0, 4.0], "high": [3.0, 4.0], "static": 3.0, "depths": DEPTHS, "full": 12}
EFFECTS = read_effects(paper(1).with_name("effects.csv"))

SCORES = {  # averages by system and target
    "deebert": {2: 0.760, 3: 0.711, 4: 0.650},
    "pabee": {2: 0.791, 3: 0.765, 4: 0.702},
    "cascadebert": {2: 0.813, 3: 0.800, 4: 0.782},
    "cascadebert_three": {2: 0.833, 3: 0.815, 4: 0.789},
    "cascadebert_without_dar": {3: 0.794, 4: 0.773},
    "cascadebert_shuffled": {3: 0.789, 4: 0.770},
    "fastbert": {3: 0.797, 4: 0.778},
    "distilbert": {3: 0.775},
    "bert_pkd": {3: 0.779},
    "theseus": {3: 0.768},
    "bert_pd": {3: 0.783},
    "roberta_deebert": {3: 0.680},
    "roberta_pabee": {3: 0.742},
    "cascaderoberta": {3: 0.810},
    "cascaderoberta_kd": {3: 0.818},
}
BY_COLUMN = {"deebert": (-0.02, -0.01, 0.03)}  # how far each column is from the average; the others are level
LAYERED = {  # accuracy, DIS: at depth 0, and more by layer
    "bert_complete": ((0.70, 0.010), (0.70, 0.010)),
    "bert_kl": ((0.66, 0.010), (0.68, 0.010)),
    "deebert": ((0.60, 0.015), (0.60, 0.020)),
}
SMALL = {  # accuracy, DIS, ECE
    "with DAR": (0.853, 0.800, 0.031),
    "without DAR": (0.860, 0.785, 0.090),
    "temperature scaling": (0.860, 0.785, 0.047),
}

AREAS = {"cascadebert": 0.79, "deebert": 0.72, "pabee": 0.76, "fastbert": 0.78}
LEAVING = {"cascadebert": 0.40, "cascadebert_without_dar": 0.45}

ESTIMATES = {  # of every claim's statistic, by hand
    "off-ramps-accuracy-bert_complete": 0.07,  # at the mean depth 6: 0.76 - 0.69
    "off-ramps-accuracy-bert_kl": 0.03,
    "off-ramps-dis-bert_complete": 0.06,  # at the mean depth 4 of 2, 4 and 6: 0.74 - 0.68
    "off-ramps-dis-bert_kl": 0.04,
    "beats-deebert-2x": 0.053,
    "beats-deebert-3x": 0.089,
    "beats-deebert-4x": 0.132,
    "gap-grows-deebert-2x-4x": 0.079,
    "beats-pabee-2x": 0.022,
    "beats-pabee-3x": 0.035,
    "beats-pabee-4x": 0.080,
    "gap-grows-pabee-2x-4x": 0.058,
    "headline-columns-4x": 0.782 / 0.650 - 1,
    "headline-tasks-4x": 0.782 / ((0.650 - 0.015 + 0.650 + 0.03) / 2) - 1,
    "beats-distilbert-3x": 0.025,
    "beats-bert_pkd-3x": 0.021,
    "beats-theseus-3x": 0.032,
    "beats-bert_pd-3x": 0.017,
    "dar-helps-3x": 0.006,
    "dar-helps-4x": 0.009,
    "dar-dis": 0.015,
    "dar-accuracy": -0.007,
    "dar-ece": -0.059,
    "dar-ece-temperature": -0.016,
    "labels-matter-3x": 0.011,
    "labels-matter-4x": 0.012,
    "dar-keeps-3x": -0.05,
    "dar-keeps-4x": -0.05,
    "beats-fastbert-3x": 0.003,
    "beats-fastbert-4x": 0.004,
    "curve-deebert": 0.07,
    "curve-pabee": 0.03,
    "curve-fastbert": 0.01,
    "third-member": 0.014,
    "third-member-fades": 0.013,
    "roberta-deebert-3x": 0.130,
    "roberta-pabee-3x": 0.068,
    "roberta-kd-3x": 0.008,
}
CONTROLS = {"dar-ece-temperature", *(f"labels-matter-{n}x" for n in (3, 4)), *(f"dar-keeps-{n}x" for n in (3, 4))}
CONTROLS |= {"curve-deebert", "curve-pabee", "curve-fastbert"}
NEGATIVE = {"dar-accuracy", "dar-ece", "dar-ece-temperature", "dar-keeps-3x", "dar-keeps-4x"}


class World:
    """Evidence in which the paper is right, by default; a change of every level, and noise of seeds and instances."""

    def __init__(self, noise=2e-5, seeds=SEEDS, change=lambda level: level, lost=(), swing=0.0):
        """Evidence of some seeds, without some systems; a swing moves all systems alike with each seed."""
        self.noise, self.seeds, self.change, self.swing = noise, seeds, change, swing
        self.rng = np.random.default_rng(0)
        exits = {}
        for model, (accuracy, dis) in LAYERED.items():
            for depth in range(1, 13) if model == "deebert" else DEPTHS:
                if depth in DEPTHS:
                    row = {"accuracy": accuracy[0] + depth * accuracy[1], "dis": dis[0] + depth * dis[1], "ece": 0.1}
                else:
                    row = {"accuracy": 0.2, "dis": 0.99, "ece": 0.1}  # that no complete model is set against
                exits.setdefault(model, {})[depth] = self.everywhere(row)
        for model, values in SMALL.items():
            exits[model] = {2: self.everywhere(dict(zip(("accuracy", "dis", "ece"), values, strict=True)))}
        systems = {name: {column: At(self, name, column) for column in COLUMNS} for name in SCORES if name not in lost}
        self.evidence = Evidence(list(COLUMNS), systems, exits)

    def of(self, level, column):
        """A statistic of a level: seeds and instances scatter around it and cancel out."""
        drift = np.linspace(-1, 1, len(self.seeds)) * self.noise * self.rng.uniform(-1, 1)
        luck = self.rng.normal(size=(len(self.seeds), 40)) * self.noise
        values = self.change(level) + drift + self.swing * np.arange(len(self.seeds))
        return Crossed(tuple(self.seeds), values, {column: luck - luck.mean(axis=1, keepdims=True)})

    def everywhere(self, row):
        """Measures of one exit by column and name."""
        return {column: {name: self.of(level, column) for name, level in row.items()} for column in COLUMNS}


class At(Exact):
    """A system of the world in one column."""

    def __init__(self, world, system, column):
        """Of a world."""
        self.world, self.system, self.column = world, system, column

    def score(self, target):
        """Its level at a ratio."""
        if target not in SCORES[self.system]:
            raise LookupError(self.system)
        level = SCORES[self.system][target] + BY_COLUMN.get(self.system, (0, 0, 0))[COLUMNS.index(self.column)]
        return self.world.of(level, self.column)

    def area(self):
        """Its level over the curve."""
        return self.world.of(AREAS[self.system], self.column)

    def leaving(self, target):
        """What leaves early, at any ratio."""
        return self.world.of(LEAVING[self.system], self.column)


HALF, TWICE = ({name: Effect(abs(size) * factor, "") for name, size in ESTIMATES.items()} for factor in (0.5, 2))


def verdicts(evidence, effects=HALF, **changes):
    """Judgements by the name of the claim."""
    return judged(claims(**SPEC | changes), evidence, effects, NOT_RUN).set_index("claim")


# --- every claim


def test_every_claim_is_listed_once_with_the_sign_that_the_paper_claims():
    found = claims(**SPEC)
    assert [claim.name for claim in found] == list(ESTIMATES)
    assert {claim.name for claim in found if claim.ours} == CONTROLS
    assert {claim.name for claim in found if claim.claimed == "negative"} == NEGATIVE
    assert {claim.claimed for claim in found} == {"positive", "negative"}


def test_where_the_paper_is_right_every_claim_holds_and_where_it_is_wrong_is_contradicted():
    found = verdicts(World().evidence)
    assert found["estimate"].to_dict() == pytest.approx(ESTIMATES, abs=1e-6)
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {"holds"}
    assert (found["n_seeds"] == 3).all()
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()
    found = verdicts(World(change=lambda level: 1.6 - level).evidence)
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {"contradicted"}


def test_effects_of_half_the_size_are_smaller_than_claimed_and_no_effect_is_not_of_that_size():
    found = verdicts(World().evidence, TWICE)
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {"holds, smaller than claimed"}
    found = verdicts(World(noise=1e-4, change=lambda _: 0.7).evidence, EFFECTS)
    assert set(found["verdict"]) == {"no effect of the claimed size"}


def test_where_seeds_scatter_every_claim_is_undecided():
    found = verdicts(World(noise=0.4).evidence)
    assert (found["verdict_holm"] == UNDECIDED).mean() > 0.9
    assert (found["verdict"] == UNDECIDED).mean() > 0.8
    assert (found["detectable"] > found["estimate"].abs()).mean() > 0.8


def test_single_seed_decides_nothing():
    found = verdicts(World(seeds=(1,)).evidence)
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {UNDECIDED}
    assert (found["n_seeds"] == 1).all()
    assert found[["low", "high", "p", "p_holm", "detectable"]].isna().all(axis=None)
    assert found["estimate"].notna().all()


# --- the paper's effects


def printed(number):
    """Scores of a table of the paper by system and ratio, a column a task."""
    frame = pd.read_csv(paper(number))
    return frame.pivot_table(index=["system", "target"], columns="task", values="score")


def gap(number, better, worse, target):
    """Difference of two rows of a table: of the printed averages, or where one lacks it of the columns of both."""
    rows = printed(number).loc[[(better, target), (worse, target)]]
    if rows["AVG"].notna().all():
        return rows["AVG"].iloc[0] - rows["AVG"].iloc[1]
    both = rows.drop(columns="AVG").dropna(axis=1)
    return both.iloc[0].mean() - both.iloc[1].mean()


def test_effects_are_those_of_the_papers_tables():
    ours, without = "cascadebert", "cascadebert_without_dar"
    expected = {f"beats-{of}-{t}x": gap(2, ours, of, t) for of in ("deebert", "pabee") for t in (2, 3, 4)}
    expected |= {f"beats-{of}-3x": gap(3, ours, of, 3) for of in ("distilbert", "bert_pkd", "theseus", "bert_pd")}
    expected |= {f"dar-helps-{t}x": gap(4, ours, without, t) for t in (3, 4)}
    expected |= {f"beats-fastbert-{t}x": gap(7, ours, "fastbert", t) for t in (3, 4)}
    expected |= {f"roberta-{of}-3x": gap(6, "cascaderoberta", f"roberta_{of}", 3) for of in ("deebert", "pabee")}
    expected |= {"roberta-kd-3x": gap(6, "cascaderoberta_kd", "cascaderoberta", 3)}
    grows = {(a, b): gap(2, ours, "deebert", b) - gap(2, ours, "deebert", a) for a, b in ((2, 3), (2, 4), (3, 4))}
    expected |= {f"gap-grows-deebert-{a}x-{b}x": size for (a, b), size in grows.items()}
    five = printed(2).loc[("pabee", 4)].dropna().index
    of_five = {t: (printed(2).loc[(ours, t)] - printed(2).loc[("pabee", t)])[five].mean() for t in (2, 3)}
    expected |= {f"gap-grows-pabee-{t}x-4x": expected["beats-pabee-4x"] - of_five[t] for t in of_five}
    expected |= {"gap-grows-pabee-2x-3x": expected["beats-pabee-3x"] - expected["beats-pabee-2x"]}
    change = pd.read_csv(paper(5)).groupby("system")[["dis", "accuracy", "ece"]].mean()
    expected |= {f"dar-{name}": abs(change.loc[ours, name] - change.loc[without, name]) for name in change}
    for t, rows in ((t, printed(2).loc[[(ours, t), ("deebert", t)]]) for t in (2, 3, 4)):
        once = rows.drop(columns=["AVG", "mnli-mm"]).assign(mnli=rows[["mnli", "mnli-mm"]].mean(axis=1)).mean(axis=1)
        for counted, means in (("columns", rows["AVG"]), ("tasks", once)):
            expected[f"headline-{counted}-{t}x"] = round(100 * (means.iloc[0] / means.iloc[1] - 1), 1)
    found = {name: 100 * effect.size for name, effect in EFFECTS.items()}
    assert found == pytest.approx(expected, abs=0.006)
    others = {f"gap-grows-{of}-{a}x-{b}x" for of in ("deebert", "pabee") for a, b in ((2, 3), (3, 4))}
    others |= {f"headline-{counted}-{t}x" for counted in ("columns", "tasks") for t in (2, 3)}
    assert set(EFFECTS) - others <= set(ESTIMATES)
    judgements = verdicts(World().evidence, EFFECTS)
    assert judgements.loc["beats-deebert-4x", "effect_where"].startswith("Table 2, AVG: 78.3 - 67.8")
    assert judgements.loc["dar-accuracy", "effect"] == -0.005
    assert judgements.loc["off-ramps-dis-bert_kl", ["effect", "effect_where"]].tolist() == [
        0.005,
        "no number in the paper: smallest effect of interest",
    ]


@pytest.mark.parametrize("speed_ups", [[2.0], [2.0, 3.0], [3.0, 4.0], [2.0, 4.0], [2.0, 3.0, 4.0]])
def test_every_number_of_table_2_is_an_effect_whatever_ratios_are_compared(speed_ups):
    asked = {claim.name for claim in claims(**SPEC | {"speed_ups": speed_ups}) if "Table 2" in claim.where}
    asked |= {f"headline-{counted}-{max(speed_ups):g}x" for counted in ("columns", "tasks")}
    assert asked <= set(EFFECTS)


# --- not run


LOST = {
    "theseus": {"beats-theseus-3x"},
    "fastbert": {"beats-fastbert-3x", "beats-fastbert-4x", "curve-fastbert"},
    "cascadebert_three": {"third-member", "third-member-fades"},
    "cascadebert_shuffled": {"labels-matter-3x", "labels-matter-4x"},
    "cascaderoberta_kd": {"roberta-kd-3x"},
    "cascaderoberta": {"roberta-kd-3x", "roberta-deebert-3x", "roberta-pabee-3x"},
    "deebert": {
        *("gap-grows-deebert-2x-4x", "curve-deebert", "headline-columns-4x", "headline-tasks-4x"),
        *(f"beats-deebert-{n}x" for n in (2, 3, 4)),
    },
}


@pytest.mark.parametrize("system", LOST)
def test_claims_on_a_system_that_was_not_run_are_not_run(system):
    found = verdicts(World(lost=[system]).evidence)
    left_out = found[found["verdict"] == NOT_RUN]
    assert set(left_out.index) == LOST[system]
    assert (left_out["n_seeds"] == 0).all()
    assert left_out[["estimate", "low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert (left_out["verdict_holm"] == NOT_RUN).all()
    assert set(found["verdict"]) == {NOT_RUN, "holds"}


def test_claims_on_depths_that_were_not_run_are_not_run():
    evidence = World().evidence
    del evidence.exits["bert_kl"][8]["sst2"]
    found = verdicts(evidence)
    assert found.index[found["verdict"] == NOT_RUN].tolist() == ["off-ramps-accuracy-bert_kl"]  # DIS: 2, 4 and 6 alone
    none = verdicts(World().evidence, depths=[])
    assert set(none.index[none["verdict"] == NOT_RUN]) == {name for name in ESTIMATES if name.startswith("off-ramps")}
    assert not none["statistic"].str.contains(r"\[|depths$").any()


def test_claims_without_any_evidence_are_all_not_run():
    assert verdicts(Evidence([], {}, {}))["verdict"].tolist() == [NOT_RUN] * len(ESTIMATES)


def test_ratios_are_those_of_the_config_and_with_one_nothing_grows_or_fades():
    found = verdicts(World().evidence, speed_ups=[4.0], high=[4.0])
    gone = {"gap-grows-deebert-2x-4x", "gap-grows-pabee-2x-4x", "third-member-fades"}
    static = {"beats-distilbert-3x", "beats-bert_pkd-3x", "beats-theseus-3x", "beats-bert_pd-3x"}
    static |= {name for name in ESTIMATES if name.startswith("roberta")}
    kept = {name for name in ESTIMATES if not name.endswith(("-2x", "-3x"))} - gone
    assert set(found.index) == kept | static
    assert found.loc["third-member", "estimate"] == pytest.approx(0.007, abs=1e-6)
    found = verdicts(World().evidence, speed_ups=[2.0, 3.0], high=[3.0], static=3.0)["estimate"]
    assert found["gap-grows-deebert-2x-3x"] == pytest.approx(0.036, abs=1e-6)
    assert found["headline-columns-3x"] == pytest.approx(0.800 / 0.711 - 1, abs=1e-6)
    assert found["third-member-fades"] == pytest.approx(0.005, abs=1e-6)


# --- evidence


def test_undefined_dis_leaves_its_claims_undecided():
    evidence = World().evidence
    held = evidence.exits["deebert"][4]["sst2"]
    held["dis"] = Crossed(SEEDS, np.array([0.7, np.nan, 0.7]), held["dis"].influence)
    found = verdicts(evidence)
    undefined = found.index.str.startswith("off-ramps-dis")
    assert (found.loc[undefined, ["verdict", "verdict_holm"]] == UNDECIDED).all(axis=None)
    assert found.loc[undefined, "estimate"].isna().tolist() == [True, True]
    assert (found.loc[~undefined, "verdict"] == "holds").all()


def test_half_of_the_seeds_is_evidence_of_its_own():
    class Seeded(At):
        def of_seeds(self, seeds):
            """The same in a world of those seeds."""
            return At(World(seeds=seeds), self.system, self.column)

    evidence = World(seeds=(1, 2, 3, 4)).evidence
    evidence.systems = {
        name: {c: Seeded(at.world, name, c) for c, at in held.items()} for name, held in evidence.systems.items()
    }
    found = verdicts(evidence.of_seeds([1, 3]))
    assert (found["n_seeds"] == 2).all()
    assert found["estimate"].to_dict() == pytest.approx(ESTIMATES, abs=1e-4)


def test_each_seed_is_paired_with_itself():
    found = verdicts(World(swing=0.05).evidence)  # the seed moves all systems alike
    assert (found.drop(index=["headline-columns-4x", "headline-tasks-4x"])["verdict"] == "holds").all()  # ratios


class Printed(At):
    """A system of the paper's Table 2 in one column, of one seed."""

    def score(self, target):
        """What the paper prints."""
        value = printed(2).loc[(self.system, target), self.column] / 100
        return Crossed((1,), np.array([value]), {self.column: np.zeros((1, 2))})


def paper_evidence(*columns):
    """The paper's own Table 2 as evidence."""
    systems = ("cascadebert", "deebert", "pabee")
    held = {name: {column: Printed(None, name, column) for column in columns} for name in systems}
    return Evidence(list(columns), held, {})


SEVEN = ("mnli", "mnli-mm", "mrpc", "qnli", "qqp", "rte", "sst2")


@pytest.mark.parametrize(("tasks_once", "gain"), [(False, 15.5), (True, 11.9)])
def test_headline_of_the_papers_own_table_2(tasks_once, gain):
    found = paper_evidence(*SEVEN).relative("cascadebert", "deebert", 4.0, tasks_once)
    assert round(100 * found.values[0], 1) == gain


@pytest.mark.parametrize(
    ("system", "target", "average"), [("cascadebert", 4, 78.3), ("deebert", 2, 77.5), ("pabee", 3, 75.9)]
)
def test_score_is_the_papers_average_of_columns(system, target, average):
    assert round(100 * paper_evidence(*SEVEN).score(system, float(target)).values[0], 1) == average


# --- Holm


def claim(name, values, claimed="positive"):
    """A claim with given values by seed, as of so many instances that these do not count."""
    statistic = Crossed(tuple(range(len(values))), np.array(values), {})
    return Claim(name, "here", f"{name} is so", "values", lambda _: statistic, claimed)


def test_holm_is_over_all_tests_that_were_made():
    def absent(_):
        raise LookupError("nothing")

    sure, likely, unlikely = [0.0100, 0.0101, 0.0102], [0.028, 0.040, 0.052], [-0.02, 0.01, 0.02]
    listed = [
        claim("likely", likely),
        claim("sure", sure, "negative"),
        Claim("absent", "here", "absent is so", "values", absent),
        claim("unlikely", unlikely),
        claim("alone", [0.5]),
    ]
    found = judged(listed, World().evidence, {}, NOT_RUN).set_index("claim")
    p = found["p"].to_dict()
    assert 0 < p["sure"] < 1e-4 < p["likely"] < 0.05 < p["unlikely"]
    assert np.isnan([p["absent"], p["alone"]]).all()
    by_hand = {"sure": 3 * p["sure"], "likely": 2 * p["likely"], "unlikely": p["unlikely"]}
    assert found["p_holm"].dropna().to_dict() == pytest.approx(by_hand)
    said = {"likely": "holds", "sure": "contradicted", "absent": NOT_RUN, "unlikely": UNDECIDED, "alone": UNDECIDED}
    assert found["verdict"].to_dict() == said
    assert by_hand["likely"] > 0.05
    assert found["verdict_holm"].to_dict() == said | {"likely": UNDECIDED}


def test_effect_that_is_excluded_alone_may_not_be_after_holm():
    none, small = [-0.01, 0.0, 0.01], [0.0050, 0.0051, 0.0052]
    listed = [claim("none", none), claim("small", small)]
    effects = {"none": Effect(0.03, ""), "small": Effect(0.0055, "")}
    found = judged(listed, World().evidence, effects, NOT_RUN).set_index("claim")
    assert found["verdict"].to_dict() == {
        "none": "no effect of the claimed size",
        "small": "holds, smaller than claimed",
    }
    assert 0.025 < found.loc["none", "p_effect"] < 0.05
    assert found["verdict_holm"].tolist() == ["no effect of the claimed size", "holds, smaller than claimed"]
    more = judged([*listed, claim("other", none)], World().evidence, effects | {"other": Effect(0.02, "")}, NOT_RUN)
    assert more["verdict_holm"].tolist() == [UNDECIDED, "holds", UNDECIDED]


# --- the page


def page(folder, seeds=SEEDS, learned=True):
    """CSV, lines of the Markdown table by claim, and the text below it, of a cascade and DeeBERT on 60 instances."""
    rng, files, n = np.random.default_rng(0), [], 60
    label = np.arange(n) % 2
    for system, layers, level in (("cascadebert", [1, 7], 2.0), ("deebert", range(1, 7), 0.5)):
        margins = {seed: rng.normal(level, 1, (len(layers), n)) * (2 * label - 1) for seed in seeds}
        files.append(kinds.File("sst2", system, folder / f"{system}.npz"))
        write_predictions(files[-1].path, {seed: by_margin(of, label, layers, 6) for seed, of in margins.items()})
    some = by_margin(np.zeros((1, n)), label, [1], 6)
    told = kinds.Verdicts(
        name="Verdicts",
        tasks=tasks_of("sst2", facts=folder),
        decimals=1,
        notes=("A note.",),
        effects=paper(1).with_name("effects.csv"),
        baselines=(
            write_common_sense(folder / "b.npz", {"report": some}, **({} if learned else {"tfidf": {"report": label}})),
        ),
        systems=tuple(files),
        models=(kinds.File("sst2", "deebert", files[1].path),),
        speed_ups=(2.0, 3.0),
        high=(3.0,),
        static=3.0,
        depths=(1, 2),
        full_layers=6,
        left_out=("table6 cannot be made.",),
    )
    out = rendered(told, folder / "claims.csv")
    return pd.read_csv(out).set_index("claim"), *cells_of(out), told


def by_hand(path, target, entropy):
    """Mean score over seeds at exactly a ratio: instances leave in the order of their certainty, one shared out."""
    scores = []
    for of in read_predictions(path).values():
        certain = -of.stack.entropy if entropy else of.stack.confidence
        best = None
        for tau in [-np.inf, *np.unique(certain[:-1])]:
            above = certain > tau
            above[-1] = True
            exits = above.argmax(axis=0)
            layers = of.stack.layers[exits].mean()
            right = (of.stack.classes[exits, np.arange(60)] == of.label).mean()
            if layers >= 6 / target - 1e-12:
                share = 1.0 if best is None else (6 / target - best[0]) / (layers - best[0])
                scores.append(share * right + (1 - share) * (best or (0, 0))[1])
                break
            best = (layers, right)
    return np.mean(scores)


def test_page_judges_systems_at_exactly_the_ratio_of_the_claim(tmp_path):
    frame, rows, caption, told = page(tmp_path)
    head = ["Claim", "Where", "Statistic", "Claimed", "Estimate", "Detectable", "p", "Verdict", "after Holm"]
    assert rows[0] == head
    found = {row[0]: row for row in rows[1:]}
    assert len(found) == len(frame)
    expected = by_hand(told.systems[0].path, 3.0, False) - by_hand(told.systems[1].path, 3.0, True)
    assert frame.loc["beats-deebert-3x", "estimate"] == pytest.approx(expected)
    row = found["CascadeBERT beats DeeBERT at 3x"]
    assert row[1:4] == ["section 4.3, Table 2", "score of CascadeBERT - DeeBERT, AVG", "+7.5"]
    assert row[4].startswith(f"{100 * expected:.1f} [")
    assert row[7] == "holds"
    assert frame.loc["beats-pabee-3x", "verdict"] == NOT_RUN
    assert frame.loc["dar-helps-3x", "verdict"] == NOT_RUN
    assert caption.startswith("Verdicts on 26 tests of the paper's claims: holds ")
    assert "Columns averaged: sst2, report split" in caption
    assert "over 3 model seeds and the instances, two-way" in caption
    assert caption.rstrip().endswith("table6 cannot be made. A note.")
    assert pd.read_csv(tmp_path / "claims.csv", dtype=str)["low"].str.len().max() > 12  # unrounded


def test_a_single_seed_that_has_not_learned_is_said_to_stand_against_chance(tmp_path):
    assert page(tmp_path, seeds=(1,))[0].loc["beats-deebert-3x", "against_chance"] != "cascadebert at 3x, deebert at 3x"
    frame = page(tmp_path, seeds=(1,), learned=False)[0]  # as in tables, by the estimate
    assert frame.loc["beats-deebert-3x", "against_chance"] == "cascadebert at 3x, deebert at 3x"


def test_claims_on_what_has_not_learned_say_so(tmp_path):
    frame, rows, _, _ = page(tmp_path, learned=False)  # a baseline that is always right
    assert frame.loc["beats-deebert-3x", "against_chance"] == "cascadebert at 3x, deebert at 3x"
    assert frame.loc["headline-columns-3x", "against_chance"] == "cascadebert at 3x, deebert at 3x"
    assert frame.loc["curve-deebert", "against_chance"] == "cascadebert over its curve, deebert over its curve"
    assert {row[0]: row for row in rows[1:]}["CascadeBERT beats DeeBERT at 3x"][7] == "holds (against chance)"


def test_page_of_one_seed_has_estimates_without_intervals(tmp_path):
    _, rows, caption, _ = page(tmp_path, seeds=(1,))
    assert {(row[6], row[7]) for row in rows[1:]} == {("-", UNDECIDED), ("-", NOT_RUN)}
    assert "one model seed" in caption
    assert "1 model seeds" not in caption
    assert "tests are made" not in caption


def of_other_instances():
    """Baselines of 60 instances that no page here has."""
    label = np.arange(60) % 2
    return Baselines(np.array([f"x{i}" for i in range(60)]), label, {"majority": label, "tfidf": label})


def test_files_that_predict_other_instances_are_refused(tmp_path):
    told = page(tmp_path)[-1]
    write_baselines(tmp_path / "b.npz", {"report": of_other_instances()}, 1.0)
    with pytest.raises(ValueError, match="predict different instances"):
        read_evidence(told.tasks, told.baselines, told.systems)


def test_two_runs_with_other_seeds_are_judged_as_one_with_the_seeds_of_both(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    from replication import both

    told, rng, label = page(tmp_path, seeds=(1, 2, 3, 4, 5))[-1], np.random.default_rng(1), np.arange(60) % 2
    complete = {seed: rng.normal(1, 1, (2, 60)) * (2 * label - 1) for seed in (5, 3, 1, 2, 4)}
    models = (*told.models, kinds.File("sst2", "bert_complete", tmp_path / "complete.npz"))
    write_predictions(models[-1].path, {seed: by_margin(of, label, [1, 2], 6) for seed, of in complete.items()})
    whole = read_evidence(told.tasks, told.baselines, told.systems, models)
    first, second = whole.of_seeds([1, 4]), whole.of_seeds([3, 2, 5])
    expected = verdicts(whole, depths=[1, 2])
    assert (expected.loc[["beats-deebert-3x", "off-ramps-accuracy-bert_complete"], "n_seeds"] == 5).all()
    assert (verdicts(first)["n_seeds"].max(), verdicts(second)["n_seeds"].max()) == (2, 3)
    pd.testing.assert_frame_equal(verdicts(both(first, second), depths=[1, 2]), expected)
    pd.testing.assert_frame_equal(verdicts(both(second, first), depths=[1, 2]), expected)
    with pytest.raises(ValueError, match="predict different instances"):
        both(first, replace(second, baselines={"sst2": of_other_instances()}))
