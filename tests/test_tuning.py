"""The grid of learning rates and epochs: as many points for every system, the best one chosen, written as keys."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

import choose_recipes
from cascadebert.config import read
from cascadebert.files import write_json
from cascadebert.pages.recipes import by_point, layout, overlay
from cascadebert.places import Places
from cascadebert.recipes import recipes
from cascadebert.tuning import HEADS, points, trainings, tried

SMOKE = yaml.safe_load((Path(__file__).parents[1] / "config/smoke.yaml").read_text())


def config(**changes):
    return read(SMOKE | changes)


def test_every_system_has_as_many_points_and_a_section_of_the_config():
    asked = config()
    by_run = pd.DataFrame(points(asked)).groupby("run")[["epochs", "lr"]].size()
    assert set(by_run) == {4}
    held = json.loads(asked.model_dump_json())
    for point in points(asked):
        section = held
        for key in point.section.split("."):
            section = section[key]
        assert {"epochs", "lr"} <= set(section)
    schedules = {run for run, recipe in recipes(asked).items() if not (recipe.difficulty or recipe.dar)}
    assert set(by_run.index) == schedules | {"small_attending", "small_as_released"}
    assert points(config(recipe_grid=None)) == []


def test_point_is_its_runs_recipe_but_for_epochs_rate_and_difficulty():
    asked = config()
    known, found = recipes(asked), tried(asked)
    assert len(found) == len(points(asked))
    for point in points(asked):
        recipe, own = found[point.name], known[point.run]
        assert (recipe.settings.epochs, recipe.settings.lr) == (point.epochs, point.lr)
        assert (recipe.model, recipe.layers, recipe.stands_on) == (own.model, own.layers, own.stands_on)
        assert recipe.dar is recipe.difficulty is None
        grid = asked.recipe_grid
        assert point.lr in (grid.head_lr if own.step in HEADS else grid.lr)


SCORES = [  # section, run, epochs, lr, score
    ("a", "a", 1, 0.1, 0.7),
    ("a", "a", 2, 0.1, 0.8),
    ("a", "a", 2, 0.2, 0.8),
    ("b.c", "x", 1, 0.1, 0.9),
    ("b.c", "y", 1, 0.1, 0.5),
    ("b.c", "x", 2, 0.1, 0.75),
    ("b.c", "y", 2, 0.1, 0.75),
]


def frame():
    return pd.DataFrame(SCORES, columns=["section", "run", "epochs", "lr", "score"]).assign(task="t", seed=1)


def test_best_mean_of_a_sections_runs_is_chosen_and_of_equal_ones_the_shortest_and_slowest():
    scores = by_point(frame())
    assert overlay(scores) == {"a": {"epochs": 2, "lr": 0.1}, "b": {"c": {"epochs": 2, "lr": 0.1}}}
    assert overlay(by_point(frame().assign(score=0.5))) == {
        "a": {"epochs": 1, "lr": 0.1},
        "b": {"c": {"epochs": 1, "lr": 0.1}},
    }


def test_page_shows_every_point_in_its_column_and_the_chosen_one_in_bold():
    table = layout(by_point(frame())).set_index("system")
    assert list(table.columns) == ["1 epochs, 0.1", "2 epochs, 0.1", "2 epochs, 0.2"]
    assert table.loc["a"].tolist() == ["70.0", "**80.0**", "80.0"]
    assert table.loc["b.c"].tolist() == ["70.0", "**75.0**", ""]


@pytest.mark.parametrize("better", [0, 3])
def test_what_is_chosen_is_an_overlay_of_the_preset(tmp_path, monkeypatch, better):
    monkeypatch.chdir(tmp_path)
    asked = config(results="r")
    best = {}
    for point, task, seed in trainings(asked):
        of_run = [other for other in points(asked) if other.run == point.run]
        score = 0.9 if of_run.index(point) == better else 0.5
        best[point.section] = of_run[better]
        record = Path(Places("r").record(task, point.name, seed))
        record.parent.mkdir(parents=True)
        write_json(record, {"history": [{"selection": score}, {"selection": 0.4}]})
    choose_recipes.main(asked.model_dump_json(exclude_none=True), Path("r/recipes.csv"))
    assert set(pd.read_csv("r/recipes.csv")["task"]) == {"reviews"}
    assert "best epoch, mean of the exits, of the tasks reviews" in Path("r/recipes.md").read_text().replace("\n", " ")
    chosen = yaml.safe_load(Path("r/recipes.yaml").read_text())
    for name in ("members", "fastbert_origins"):
        for key, schedule in chosen[name].items():
            point = best[f"{name}.{key}"]
            assert schedule == {"epochs": point.epochs, "lr": point.lr}
    assert chosen["theseus"] == {"epochs": best["theseus"].epochs, "lr": best["theseus"].lr}
