"""Verdicts on claims: a world in which the paper is right, its mirror image, and numbers written out by hand."""

import numpy as np
import pandas as pd
import pytest
from page_builders import cells_of, paper, rendered, tasks_of

from cascadebert.pages.claims import NOT_RUN, claims
from cascadebert.pages.kinds import Verdicts
from cascadebert.pages.verdicts import UNDECIDED, Claim, Evidence, judged

SEEDS = (1, 2, 3)
COLUMNS = ("mnli", "mnli-mm", "sst2")
DEPTHS = [10, 8, 6, 4, 2]
SPEC = {"speed_ups": [2.0, 3.0, 4.0], "high": [3.0, 4.0], "static": 3.0, "depths": DEPTHS, "full": 12}

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

ESTIMATES = {  # of every claim's statistic, by hand
    "off-ramps-accuracy-bert_complete": 0.07,  # at the mean depth 6: 0.76 - 0.69
    "off-ramps-accuracy-bert_kl": 0.03,
    "off-ramps-dis-bert_complete": 0.06,  # at the mean depth 4 of 2, 4 and 6: 0.74 - 0.68
    "off-ramps-dis-bert_kl": 0.04,
    "beats-deebert-2x": 0.053,
    "beats-deebert-3x": 0.089,
    "beats-deebert-4x": 0.132,
    "gap-grows-deebert": 0.079,
    "beats-pabee-2x": 0.022,
    "beats-pabee-3x": 0.035,
    "beats-pabee-4x": 0.080,
    "gap-grows-pabee": 0.058,
    "headline-columns": 0.782 / 0.650 - 1.155,
    "headline-tasks": 0.782 / ((0.650 - 0.015 + 0.650 + 0.03) / 2) - 1.119,
    "beats-distilbert": 0.025,
    "beats-bert_pkd": 0.021,
    "beats-theseus": 0.032,
    "beats-bert_pd": 0.017,
    "dar-helps-3x": 0.006,
    "dar-helps-4x": 0.009,
    "dar-dis": 0.015,
    "dar-accuracy": -0.007,
    "dar-ece": -0.059,
    "dar-ece-temperature": -0.016,
    "labels-matter-3x": 0.011,
    "labels-matter-4x": 0.012,
    "beats-fastbert-3x": 0.003,
    "beats-fastbert-4x": 0.004,
    "third-member": 0.014,
    "third-member-fades": 0.013,
    "roberta-roberta_deebert": 0.130,
    "roberta-roberta_pabee": 0.068,
    "roberta-kd": 0.008,
}
CONTROLS = {"dar-ece-temperature", "labels-matter-3x", "labels-matter-4x"}
NEGATIVE = {"dar-accuracy", "dar-ece", "dar-ece-temperature"}


def world(noise=2e-5, seeds=SEEDS):
    """Frames of points and measures in which the paper is right; rows in no order, noise that averages to 0."""
    rng = np.random.default_rng(0)
    drift = np.linspace(-1, 1, len(seeds)) * noise
    points = [
        {
            "system": system,
            "target": float(target),
            "task": column.removesuffix("-mm"),
            "column": column,
            "seed": seed,
            "score": level + BY_COLUMN.get(system, (0, 0, 0))[i] + factor * of_seed,
        }
        for system, levels in SCORES.items()
        for target, level in levels.items()
        for factor in rng.uniform(-1, 1, 1)
        for i, column in enumerate(COLUMNS)
        for seed, of_seed in zip(seeds, drift, strict=True)
    ]
    measured = []
    for column in COLUMNS:
        for seed, of_seed in zip(seeds, drift, strict=True):
            names = {"column": column, "seed": seed}
            for j, (model, (accuracy, dis)) in enumerate(LAYERED.items(), start=1):
                for depth in range(1, 13):
                    if depth in DEPTHS:
                        row = {"accuracy": accuracy[0] + depth * accuracy[1], "dis": dis[0] + depth * dis[1]}
                    elif model == "deebert":  # off-ramps that no complete model is set against
                        row = {"accuracy": 0.2, "dis": 0.99}
                    else:
                        continue
                    row = {name: value + j * of_seed for name, value in row.items()}
                    measured.append(names | {"model": model, "layers": depth, "ece": 0.1} | row)
            for j, (model, values) in enumerate(SMALL.items(), start=1):
                row = dict(zip(("accuracy", "dis", "ece"), values, strict=True))
                measured.append(names | {"model": model, "layers": 2} | {k: v + j * of_seed for k, v in row.items()})
    return tuple(pd.DataFrame(rows).sample(frac=1, random_state=0) for rows in (points, measured))


def verdicts(points, measured, **changes):
    """Judgements by the name of the claim."""
    return judged(claims(**SPEC | changes), Evidence(points, measured), NOT_RUN).set_index("claim")


# --- every claim


def test_every_claim_is_listed_once_with_the_sign_that_the_paper_claims():
    found = claims(**SPEC)
    assert [claim.name for claim in found] == list(ESTIMATES)
    assert {claim.name for claim in found if claim.ours} == CONTROLS
    assert {claim.name for claim in found if claim.claimed == "negative"} == NEGATIVE
    assert {claim.claimed for claim in found} == {"positive", "negative"}


def test_where_the_paper_is_right_every_claim_holds_and_where_it_is_wrong_is_contradicted():
    points, measured = world()
    found = verdicts(points, measured)
    assert found["estimate"].to_dict() == pytest.approx(ESTIMATES, abs=1e-8)
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {"holds"}
    assert (found["n_seeds"] == 3).all()
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()
    mirrored = measured.assign(**{name: 1 - measured[name] for name in ("accuracy", "dis", "ece")})
    found = verdicts(points.assign(score=1.6 - points["score"]), mirrored)
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {"contradicted"}


def test_where_seeds_scatter_every_claim_is_undecided():
    points, measured = world(noise=0)
    scattered = []
    for frame, names in ((points, ["score"]), (measured, ["accuracy", "dis", "ece"])):
        keys = frame.drop(columns=[*names, "seed", "column", "task"], errors="ignore").astype(str).agg("".join, axis=1)
        turned = keys.map({key: (-1) ** i for i, key in enumerate(sorted(set(keys)))})  # neighbours move apart
        frame = frame.assign(**{name: frame[name] + 0.15 * turned * (frame["seed"] - 2) for name in names})
        scattered.append(frame)
    found = verdicts(*scattered)
    differing = found[found["high"] - found["low"] > 0.4]  # of systems that moved apart
    assert len(differing) >= 10
    assert set(differing["verdict"]) == set(differing["verdict_holm"]) == {UNDECIDED}


def test_single_seed_decides_nothing():
    found = verdicts(*world(seeds=(1,)))
    assert set(found["verdict"]) == set(found["verdict_holm"]) == {UNDECIDED}
    assert (found["n_seeds"] == 1).all()
    assert found[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert found["estimate"].notna().all()


# --- not run


LOST = {
    "theseus": {"beats-theseus"},
    "fastbert": {"beats-fastbert-3x", "beats-fastbert-4x"},
    "cascadebert_three": {"third-member", "third-member-fades"},
    "cascadebert_shuffled": {"labels-matter-3x", "labels-matter-4x"},
    "cascaderoberta_kd": {"roberta-kd"},
    "cascaderoberta": {"roberta-kd", "roberta-roberta_deebert", "roberta-roberta_pabee"},
    "deebert": {"gap-grows-deebert", *(f"beats-deebert-{n}x" for n in (2, 3, 4)), "headline-columns", "headline-tasks"},
}


@pytest.mark.parametrize("system", LOST)
def test_claims_on_a_system_that_was_not_run_are_not_run(system):
    points, measured = world()
    found = verdicts(points[points["system"] != system], measured)
    left_out = found[found["verdict"] == NOT_RUN]
    assert set(left_out.index) == LOST[system]
    assert (left_out["n_seeds"] == 0).all()
    assert left_out[["estimate", "low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert (left_out["verdict_holm"] == NOT_RUN).all()
    assert set(found["verdict"]) == {NOT_RUN, "holds"}


def test_claims_on_depths_that_were_not_run_are_not_run():
    points, measured = world()
    lacking = measured[~((measured["model"] == "bert_kl") & (measured["layers"] == 8))]
    found = verdicts(points, lacking)
    assert found.index[found["verdict"] == NOT_RUN].tolist() == ["off-ramps-accuracy-bert_kl"]  # DIS: 2, 4 and 6 alone
    none = verdicts(points, measured[measured["model"].isin(SMALL)], depths=[])
    assert set(none.index[none["verdict"] == NOT_RUN]) == {name for name in ESTIMATES if name.startswith("off-ramps")}
    assert not none["statistic"].str.contains(r"\[|depths$").any()


def test_claims_of_all_systems_absent_are_all_not_run():
    found = verdicts(*(frame[frame["seed"] > 3] for frame in world()))
    assert found["verdict"].tolist() == [NOT_RUN] * len(ESTIMATES)


def test_ratios_are_those_of_the_config_and_with_one_nothing_grows_or_fades():
    found = verdicts(*world(), speed_ups=[4.0], high=[4.0])
    gone = {"gap-grows-deebert", "gap-grows-pabee", "third-member-fades"}
    assert set(found.index) == {name for name in ESTIMATES if not name.endswith(("-2x", "-3x"))} - gone
    assert found.loc["third-member", "estimate"] == pytest.approx(0.007)
    found = verdicts(*world(), speed_ups=[2.0, 3.0], high=[3.0], static=3.0)["estimate"]
    assert found["gap-grows-deebert"] == pytest.approx(0.036)
    assert found["headline-columns"] == pytest.approx(0.800 / 0.711 - 1.155, abs=1e-6)
    assert found["third-member-fades"] == pytest.approx(0.005)


# --- evidence


def test_undefined_dis_leaves_its_claims_undecided():
    points, measured = world()
    where = (measured["model"] == "deebert") & (measured["layers"] == 4) & (measured["seed"] == 2)
    found = verdicts(points, measured.assign(dis=measured["dis"].mask(where & (measured["column"] == "sst2"))))
    undefined = found.index.str.startswith("off-ramps-dis")
    assert (found.loc[undefined, ["verdict", "verdict_holm"]] == UNDECIDED).all(axis=None)
    assert found.loc[undefined, "estimate"].isna().tolist() == [True, True]
    assert (found.loc[~undefined, "verdict"] == "holds").all()


def test_seeds_that_a_column_lacks_are_left_out():
    points, measured = world()
    whole = verdicts(points[points["seed"] < 3], measured[measured["seed"] < 3])
    lacking = [frame[(frame["seed"] < 3) | (frame["column"] != "sst2")] for frame in (points, measured)]
    assert (whole["n_seeds"] == 2).all()
    pd.testing.assert_frame_equal(verdicts(*lacking), whole)


def test_each_seed_is_paired_with_itself():
    points, measured = world()
    swing = points["seed"].map({1: -0.1, 2: 0.0, 3: 0.1})  # the seed moves all systems alike
    found = verdicts(points.assign(score=points["score"] + swing), measured)
    assert (found.drop(index=["headline-columns", "headline-tasks"])["verdict"] == "holds").all()  # those are ratios


def paper_evidence():
    """The paper's own Table 2 as evidence of one seed."""
    printed = pd.read_csv(paper(2))
    cells = printed[(printed["task"] != "AVG") & printed["score"].notna()]
    task = cells["task"].str.removesuffix("-mm")
    points = cells.assign(column=cells["task"], task=task, score=cells["score"] / 100, seed=1)
    return Evidence(points, pd.DataFrame(columns=["model", "layers", "column", "seed", "accuracy", "dis", "ece"]))


@pytest.mark.parametrize(("tasks_once", "gain"), [(False, 15.5), (True, 11.9)])
def test_headline_of_the_papers_own_table_2(tasks_once, gain):
    (found,) = paper_evidence().relative("cascadebert", "deebert", 4.0, tasks_once)
    assert round(100 * found, 1) == gain


@pytest.mark.parametrize(
    ("system", "target", "average"), [("cascadebert", 4, 78.3), ("deebert", 2, 77.5), ("pabee", 3, 75.9)]
)
def test_score_is_the_papers_average_of_columns(system, target, average):
    (found,) = paper_evidence().score(system, float(target))
    assert round(100 * found, 1) == average


def test_papers_own_headline_is_reached_by_the_paper_and_no_more():
    found = judged(claims(**SPEC), paper_evidence(), NOT_RUN).set_index("claim")["estimate"]
    assert 0 <= found["headline-columns"] < 0.0005
    assert 0 <= found["headline-tasks"] < 0.0005
    assert found["gap-grows-deebert"] == pytest.approx((548.2 - 474.5 - 567.4 + 542.4) / 700)


# --- Holm


def claim(name, values, claimed="positive"):
    """A claim with given values by seed."""
    return Claim(name, "here", f"{name} is so", "values", lambda _: np.array(values), claimed)


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
    found = judged(listed, Evidence(*world()), NOT_RUN).set_index("claim")
    p = found["p"].to_dict()
    assert 0 < p["sure"] < 1e-4 < p["likely"] < 0.05 < p["unlikely"]
    assert np.isnan([p["absent"], p["alone"]]).all()
    by_hand = {"sure": 3 * p["sure"], "likely": 2 * p["likely"], "unlikely": p["unlikely"]}
    assert found["p_holm"].dropna().to_dict() == pytest.approx(by_hand)
    assert found["verdict"].to_dict() == {
        "likely": "holds",
        "sure": "contradicted",
        "absent": NOT_RUN,
        "unlikely": UNDECIDED,
        "alone": UNDECIDED,
    }
    assert by_hand["likely"] > 0.05
    assert found["verdict_holm"].to_dict() == found["verdict"].to_dict() | {"likely": UNDECIDED}


def test_interval_alone_and_t_test_agree():
    found = verdicts(*world(noise=5e-3))
    assert set(found["verdict"]) == {"holds", UNDECIDED}
    assert ((found["p"] < 0.05) == (found["verdict"] == "holds")).all()
    assert (found["p_holm"] >= found["p"]).all()


# --- the page


def page(folder, noise=2e-5, seeds=SEEDS):
    """CSV, lines of the Markdown table by claim, and the text below it, of the world as files of the workflow."""
    points, measured = (
        frame.assign(split=np.where(frame["column"] == "mnli-mm", "mismatched", "report"), n=9)
        for frame in world(noise, seeds)
    )
    points = points.assign(measure="layers").drop(columns="column")
    other = points.assign(measure="flops", score=0.1)  # not what claims are about
    chosen = points.assign(split="selection", score=0.1)
    pd.concat([points, other, chosen]).to_csv(folder / "sweeps.csv", index=False)
    names = {"with DAR": "small_dar", "without DAR": "small", "temperature scaling": "small_tempered"}
    names |= {"deebert": "deebert_base", "bert_kl": "base_first{}", "bert_complete": "complete{}"}
    run = [names[m].format(d) for m, d in zip(measured["model"], measured["layers"], strict=True)]
    measured = measured.assign(run=run, task=measured["column"].str.removesuffix("-mm"))
    models = {name: tuple(sorted(own["model"].unique())) for name, own in measured.groupby("run")}
    measured.drop(columns=["column", "model"]).to_csv(folder / "measures.csv", index=False)
    told = Verdicts(
        name="Verdicts",
        tasks=tasks_of("mnli", "sst2"),
        decimals=1,
        notes=("A note.",),
        sweeps=(folder / "sweeps.csv",),
        measures=(folder / "measures.csv",),
        models=models,
        speed_ups=(2.0, 3.0, 4.0),
        high=(3.0, 4.0),
        static=3.0,
        depths=tuple(DEPTHS),
        full_layers=12,
        left_out=("table6 cannot be made.",),
    )
    out = rendered(told, folder / "claims.csv")
    return pd.read_csv(out), *cells_of(out)


def test_page_says_what_the_frame_holds(tmp_path):
    frame, rows, caption = page(tmp_path)
    assert frame.set_index("claim")["estimate"].to_dict() == pytest.approx(ESTIMATES, abs=1e-8)
    assert rows[0] == ["Claim", "Where", "Statistic", "Claimed", "Estimate", "p", "Verdict", "after Holm"]
    found = {row[0]: row for row in rows[1:]}
    assert len(found) == len(ESTIMATES)
    row = found["CascadeBERT beats DeeBERT at 4x"]
    where, statistic = "section 4.3, Table 2", "score of CascadeBERT - DeeBERT, AVG"
    assert row[1:4] + row[6:] == [where, statistic, "> 0", "holds", "holds"]
    assert row[4].startswith("13.2 [13.2, 13.2]")
    assert found["DAR lowers ECE"][3:5] == ["< 0", "-5.9 [-5.9, -5.9]"]
    assert sum("(control)" in name for name in found) == len(CONTROLS)
    assert caption.startswith(
        "Verdicts on 30 tests of the paper's claims: holds 30, contradicted 0, undecided at this size 0, not run 0."
    )
    assert "Columns averaged: mnli, mnli-mm, sst2" in caption
    assert "over 3 model seeds" in caption
    assert "33 tests are made at once" in caption
    assert caption.rstrip().endswith("table6 cannot be made. A note.")


def test_csv_is_unrounded(tmp_path):
    frame, _, _ = page(tmp_path, noise=5e-3)
    assert pd.read_csv(tmp_path / "claims.csv", dtype=str)["low"].str.len().max() > 12
    assert frame["p"].notna().all()


def test_page_of_one_seed_has_estimates_without_intervals(tmp_path):
    _, rows, caption = page(tmp_path, seeds=(1,))
    assert {row[4] for row in rows[1:]} >= {"13.2", "-5.9"}
    assert {(row[5], row[6]) for row in rows[1:]} == {("-", UNDECIDED)}
    assert "one model seed" in caption
    assert "1 model seeds" not in caption
    assert "tests are made" not in caption
