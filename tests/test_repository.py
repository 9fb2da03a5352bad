"""What holds of the repository's own files: pins, environments, local GLUE data where there is some."""

import ast
import json
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from cascadebert.glue import GLUE

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared/glue"


def pins(lines):
    """name==version lines, lower case."""
    return {line.strip().lower() for line in lines if "==" in line and not line.startswith("#")}


def test_conda_environment_has_the_pins_of_the_lock():
    environment = yaml.safe_load((ROOT / "envs/paper.yaml").read_text())
    assert pins(environment["dependencies"][-1]["pip"]) == pins((ROOT / "requirements.lock").read_text().splitlines())


def test_lock_holds_every_direct_dependency():
    assert pins((ROOT / "requirements.in").read_text().splitlines()) <= pins(
        (ROOT / "requirements.lock").read_text().splitlines()
    )


COMMANDS = {"check-jsonschema", "codespell", "import-linter", "mypy", "ruff", "setuptools", "snakefmt", "pytest-xdist"}
COMMANDS |= {"snakemake-executor-plugin-slurm", "types-pyyaml", "types-tabulate", "types-tqdm"}
"""Direct dependencies that are run, or loaded by what is run, and imported nowhere."""

UNSEEN = {"beartype", "jinja2"}
"""Those that another package imports for what we ask of it: jaxtyping the first, pandas the other."""


def test_direct_dependencies_are_what_is_imported():
    imported = set()
    for folder in ("workflow/scripts", "rules", "tests", "benchmarks", "docs"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.smk")]:
            imported |= set(re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.M))
    owners = packages_distributions()
    found = {owner.lower().replace("_", "-") for name in imported for owner in owners.get(name, [])} - {"cascadebert"}
    direct = {pin.split("==")[0].replace("_", "-") for pin in pins((ROOT / "requirements.in").read_text().splitlines())}
    assert found == direct - COMMANDS - UNSEEN


def test_package_and_its_extras_need_what_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *chain(*project["optional-dependencies"].values()), "setuptools"]
    direct = {pin.split("==")[0] for pin in pins((ROOT / "requirements.in").read_text().splitlines())}
    assert {name.lower() for name in named} == direct


def test_package_citation_and_changes_are_of_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)[1] == (
        f"{version} ({citation['date-released']})"
    )


def test_every_environment_that_a_rule_names_exists():
    for rules in (ROOT / "rules").glob("*.smk"):
        assert rules.read_text().count("conda:") == rules.read_text().count('"../envs/paper.yaml"')


@pytest.mark.parametrize("script", sorted(path.name for path in (ROOT / "workflow/scripts").glob("*.py")))
def test_every_script_explains_itself(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [script, "--help"])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(ROOT / "workflow/scripts" / script), run_name="__main__")
    assert done.value.code == 0
    assert "usage" in capsys.readouterr().out


def test_picture_of_the_cascade_is_what_its_script_draws(tmp_path):
    runpy.run_path(str(ROOT / "docs/draw_cascade.py"))["main"](tmp_path)
    drawings = sorted(tmp_path.iterdir())
    assert len(drawings) == 2
    for drawing in drawings:
        assert drawing.read_bytes() == (ROOT / "docs" / drawing.name).read_bytes(), "run docs/draw_cascade.py"
        assert ElementTree.parse(drawing).getroot().tag.endswith("svg")


@pytest.mark.skipif(not SHARED.is_dir(), reason="no GLUE data beside the repository")
@pytest.mark.parametrize(
    ("task", "report", "mismatched", "test"),
    [("rte", 277, 0, 3000), ("sst2", 872, 0, 1821), ("mrpc", 408, 0, 1725), ("mnli", 9815, 0, 0), ("qqp", 3000, 0, 0)],
)
def test_glue_folder_is_read_as_it_is(tmp_path, task, report, mismatched, test):
    definition = {
        "source": {"path": str(SHARED / task)},
        "glue": task,
        "label": "label",
        "rows": {"train": 300},
        "seed": 0,
    }
    rows = {}
    for part in ("training", "report", "test"):
        files = ["--examples", tmp_path / "e.jsonl", "--facts", tmp_path / "t.json"]
        call = [sys.executable, ROOT / "workflow/scripts/prepare_task.py", "--definition", json.dumps(definition)]
        rest = ["--metric", GLUE[task].metric, "--selection", "train", "--n-folds", "8", "--part", part]
        subprocess.run([*call, *rest, *files], check=True)
        facts = json.loads((tmp_path / "t.json").read_text())
        assert facts["names"] == list(GLUE[task].labels)
        rows |= facts["rows"]
    assert rows["train"] == 300
    assert (rows["report"], rows["mismatched"], rows["test"]) == (report, mismatched, test)


def test_the_start_up_of_every_step_can_be_measured():
    source = (ROOT / "benchmarks/start_up.py").read_text()
    called_otherwise = ast.literal_eval(re.search(r"^SCRIPTS = (\{.*\})$", source, re.M)[1])
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    steps = re.findall(r'"<logs>/(\w+)/', rules)
    assert "train" in steps
    for step in steps:
        assert (ROOT / f"workflow/scripts/{called_otherwise.get(step, step)}.py").is_file(), step
