"""The list of tables and figures: what a page reads and says under a config, and that one more is two files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from howto import example

from cascadebert.captions import FIGURES
from cascadebert.catalogue import PAGES, missing, page
from cascadebert.config import read
from cascadebert.layouts import Problem
from cascadebert.pages.kinds import from_json, to_json

ROOT = Path(__file__).parents[1]


def preset(name="smoke", *without, **changes):
    """A preset without some keys and with others."""
    config = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    config["training"] |= {"precision": "fp32"}  # settled before pages are asked for
    return read({key: value for key, value in config.items() if key not in without} | changes)


@pytest.mark.parametrize("name", ["smoke", "config", "paper"])
def test_every_page_is_all_in_its_json_which_fits_a_command_line(name):
    config = preset(name)
    for artefact in (artefact for artefact in PAGES if not missing(config, artefact)):
        value = page(config, artefact)
        text = to_json(value)
        assert from_json(text, type(value)) == value
        assert len(text) < 100_000  # a command is at most 128 KiB
        assert value.files == [*dict.fromkeys(value.files)]
        assert all(file in text for file in value.files)
        assert (ROOT / f"workflow/scripts/cascadebert/pages/{value.kind}.py").is_file()


def test_page_that_cannot_be_made_is_refused_with_the_sentence():
    config = preset("smoke", "roberta_cascade")
    with pytest.raises(Problem, match="table6 cannot be made, the config lacks roberta_cascade, two RoBERTa members"):
        page(config, "table6")
    assert page(config, "claims").left_out == (missing(config, "table6"),)


def test_captions_say_what_a_reader_must_know():
    config = preset(selection="validation")
    distilled = (
        " DistilBERT is an approximation: distilled on 200 rows of the corpus reviews in 1 epochs, not on books and an"
        " encyclopaedia, from a checkpoint whose masked-LM head was fitted on the same texts."
    )
    end = " The paper's DistilBERT and BERT-PKD rows are those of TinyBERT's Table 1."
    start = "Static distillation into 2 layers against the cascade at 3×."
    assert page(config, "table3").title == start + distilled + end
    assert page(preset("smoke", "distilbert"), "table3").title == start + end
    released, precision, optimistic, members = page(config, "table2").notes
    assert page(config, "table4").notes == (released, precision, optimistic, members)
    assert page(config, "table3").notes == (precision, optimistic, members)
    assert released.endswith("Its thresholds are those of that count; in brackets the true ratio.")
    assert page(preset("smoke", "as_released"), "table2").notes[0] == precision
    assert page(config, "table10").notes[0].startswith("DeeBERT and FastBERT differ in")
    assert (precision, page(config, "table6").notes) == ("Precision: fp32.", (precision,))
    assert optimistic.endswith("as in the paper: scores are optimistic.")
    assert page(config, "figure2").caption.endswith("on the instances that DeeBERT emits there. Precision: fp32.")
    assert all(page(config, name).caption.endswith(precision) for name in FIGURES if not missing(config, name))
    assert members.startswith("The members small (1 layer), medium (3 layers), two (2 layers) were taken from the base")
    assert page(config, "table1").notes == page(config, "theory").notes == ()


def test_scores_of_the_server_are_of_table_2_alone():
    scores = [{"run": "deebert_base", "speed_up": 2.0, "scores": {"sst2": 90.0}}]
    data = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())["data"]
    (entry,) = page(preset(server_scores=scores, data=data), "table2").server
    assert (entry.system, entry.target, entry.scores) == ("deebert", 2, {"sst2": 90})
    assert page(preset(), "table2").server == ()
    assert page(preset(), "table3").server is None


def test_costs_of_a_system_are_its_models_what_went_before_and_labels():
    costs = page(preset(), "table8")
    parts = {run: (own.models, own.before, own.labelled) for run, own in costs.made_of.items()}
    assert parts["cascadebert_three"] == (("small_dar", "medium_dar", "base"), (), ("small", "medium"))
    assert parts["cascadebert_without_dar"] == (("small", "base"), (), ())
    assert parts["fastbert_base"] == (("fastbert_base",), ("fastbert_teacher_base",), ())
    assert {task: len(paths) for task, paths in costs.records["base"].items()} == {"reviews": 2, "pairs": 1}
    assert {task: len(paths) for task, paths in costs.folds["medium"].items()} == {"reviews": 2, "pairs": 2}
    assert str(costs.folds["small"]["pairs"][1]) == "results/difficulty/pairs/small/seed1/fold1.json"


LIBRARY = "workflow/scripts/cascadebert"
ASK = """
import yaml
from cascadebert import catalogue
from cascadebert.config import read
from cascadebert.pages.kinds import to_json
config = read(yaml.safe_load(open("smoke.yaml")))
print(catalogue.artefacts(config)[-3])
print(to_json(catalogue.page(config, "table99")))
"""


def test_one_more_table_is_an_entry_and_a_module(tmp_path):
    scripts = tmp_path / "scripts"
    shutil.copytree(ROOT / "workflow/scripts", scripts, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config/smoke.yaml", tmp_path)
    with (scripts / "cascadebert/catalogue.py").open("a") as catalogue:
        catalogue.write("\n\n" + example(f"{LIBRARY}/catalogue.py, at the end"))
    (scripts / "cascadebert/pages/toy.py").write_text(example(f"{LIBRARY}/pages/toy.py"))

    def python(*arguments):
        command = [sys.executable, *arguments]
        told = {"cwd": tmp_path, "env": {"PYTHONPATH": str(scripts)}, "check": True}
        return subprocess.run(command, capture_output=True, text=True, **told).stdout.splitlines()

    target, text = python("-c", ASK)
    assert target == "results/table99.csv"
    assert json.loads(text)["kind"] == "toy"
    python(scripts / "page.py", "--page", text, "--out", target)
    assert (tmp_path / target).read_text() == "Toy: fastbert, cascadebert; reviews, pairs"
