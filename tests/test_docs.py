"""What a reader opens: links lead somewhere, versions are those that are needed, the README stays short."""

import re
import tomllib

import pytest
from smoke import ROOT

PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]


def anchors(page):
    """Anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = ROOT / name
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"""\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)\"""", text):
        path, _, anchor = (target[0] or target[1]).partition("#")
        if path.startswith("http"):
            continue
        there = (page.parent / path) if path else page
        assert there.exists(), f"{name} leads to {path}"
        assert not anchor or anchor in anchors(there), f"{name} leads to {path}#{anchor}"


@pytest.mark.parametrize("name", PAGES[1:])
def test_a_page_opens_with_what_the_reader_will_be_able_to_do(name):
    first = (ROOT / name).read_text(encoding="utf-8").split("\n\n")[1]
    assert first.startswith("You will "), name


def test_readme_takes_a_minute():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 1200
    tree = text.split("## Rooms")[1].split("```")[1].strip().splitlines()
    assert len(tree) <= 15


def test_readme_names_the_versions_that_are_needed():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = re.search(r'min_version\("([\d.]+)"\)', (ROOT / "Snakefile").read_text(encoding="utf-8"))[1]
    assert f"`Snakemake ≥ {least}`" in text
    assert f"`{project['license']}`" in text
    python = re.search(r"\d+\.\d+", project["requires-python"])[0]
    assert f"`Python {python}`" in text


@pytest.mark.parametrize("name", [*PAGES, "config/README.md"])
def test_no_option_swallows_the_target_of_a_command(name):
    """--resources and --configfile take as many values as follow: what is asked for stands before them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for command in re.findall(r"^(snakemake [^#`\n]+)", text, re.M) + re.findall(r"`(snakemake [^`]+)`", text):
        for option, values in re.findall(r"--(resources|configfile)((?: [^-]\S*)+)", command):
            part = "=" if option == "resources" else ".yaml"
            assert all(part in value or value == "..." for value in values.split()), command
