"""A distribution file from an index: the real pip, and a folder of wheels in place of the index."""

import hashlib
import zipfile

import pytest

import fetch_package
from cascadebert.layouts import Problem


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel that pip finds, as it would on an index."""
    path = tmp_path / "index/toy-1.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("toy/words.txt", "a fine film")
        file.writestr("toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n")
        file.writestr("toy-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("toy-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def digest(path):
    """The digest that a config pins."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_was_pinned_is_fetched_whole_and_without_a_word(wheel, tmp_path, capfd):
    fetch_package.main("toy", "1.0", digest(wheel), tmp_path / "toy.zip")
    assert (tmp_path / "toy.zip").read_bytes() == wheel.read_bytes()
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(("version", "said"), [("1.0", "Got        "), ("2.0", "No matching distribution")])
def test_what_was_not_pinned_is_refused_and_all_that_pip_said_is_shown(wheel, tmp_path, capfd, version, said):
    with pytest.raises(
        Problem, match=f"toy=={version} with sha256 0+ is not to be had from the package index: see pip"
    ):
        fetch_package.main("toy", version, "0" * 64, tmp_path / "toy.zip")
    assert said in capfd.readouterr().out
    assert not (tmp_path / "toy.zip").exists()


def test_a_python_without_pip_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_package, "find_spec", lambda _: None)
    with pytest.raises(Problem, match="pip is needed to fetch toy, and .* has none"):
        fetch_package.main("toy", "1.0", "0" * 64, tmp_path / "toy.zip")
