"""Types of config keys."""

import math
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from cascadebert.names import one_line, plain, read_alike

T = TypeVar("T")


def _unique(values: list[T]) -> list[T]:
    """A list without repetition."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("unique", "{values} has non-unique elements", {"values": str(values)})
    return values


def taken_for_one(one: float | int, other: float | int) -> bool:
    """Whether two numbers are one in a file's name, with six digits, or where a table looks them up."""
    return math.isclose(one, other, rel_tol=2e-5)


def _told_apart(values: list[float]) -> list[float]:
    """Numbers of which none is taken for another."""
    for one, other in pairwise(sorted(values)):
        if taken_for_one(one, other):
            raise PydanticCustomError("alike", "{one} and {other} are taken for one", {"one": one, "other": other})
    return values


def _classes(names: list[str]) -> list[str]:
    """Names of classes, each on one line, each of which a label can mean."""
    if empty := [name for name in names if not plain(name)]:
        raise PydanticCustomError("nameless", "{name} has nothing to be read", {"name": repr(empty[0])})
    if alike := read_alike(names):
        one, other = map(repr, alike)
        raise PydanticCustomError("alike", "{one} and {other} are read as one", {"one": one, "other": other})
    return [one_line(name) for name in names]


UNUSABLE = "{}<>\n"
"""What Snakemake takes for its own in the path of a file."""


def _expanded(path: str) -> str:
    """A path with the user's home and variables filled in; one that is there as it stands stays."""
    whole = path
    if not os.path.lexists(path):
        whole = os.path.expandvars(os.path.expanduser(path))
        if unset := re.search(r"\$\w+|\$\{\w+\}", whole):
            raise PydanticCustomError("unset", "{name} is not set", {"name": unset[0]})
    if odd := set(whole) & set(UNUSABLE):
        raise PydanticCustomError("unusable", "Snakemake takes {name} for its own", {"name": " and ".join(sorted(odd))})
    return whole


def _not_the_projects(folder: str) -> str:
    """A folder of results that is none of the project's own, no file, and no link to nothing."""
    first = folder.partition("/")[0]
    if first in OWN:
        raise PydanticCustomError("own", "{name} holds files of the project", {"name": first})
    for path in (folder, *map(str, Path(folder).parents)):
        if os.path.isfile(path):
            raise PydanticCustomError("file", "{name} is a file", {"name": path})
        if os.path.islink(path) and not os.path.isdir(path):
            raise PydanticCustomError("dangling", "{name} is a link to a folder that is not there", {"name": path})
    return folder


OWN = {"benchmarks", "config", "docs", "envs", "profiles", "rules", "slurm", "tests", "workflow"}
"""Folders of the project."""

_PART = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
ResultsFolder = Annotated[
    str, Field(pattern=f"^{_PART}(/{_PART})*$", max_length=100), AfterValidator(_not_the_projects)
]
HubName = Annotated[str, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)?$")]
LocalPath = Annotated[str, Field(min_length=1), AfterValidator(_expanded)]
Unique = Annotated[list[T], AfterValidator(_unique)]
Classes = Annotated[Unique[str], Field(min_length=2), AfterValidator(_classes)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Seeds = Annotated[Unique[Seed], Field(min_length=1)]
Members = Annotated[Unique[str], Field(min_length=2)]
Ratios = Annotated[list[Annotated[float, Field(gt=1)]], AfterValidator(_told_apart)]
Epochs = Annotated[int, Field(ge=1, le=10_000)]
Rates = Annotated[list[Annotated[float, Field(gt=0, le=1)]], Field(min_length=1), AfterValidator(_told_apart)]
Margins = Annotated[list[Annotated[float, Field(gt=0, lt=10)]], AfterValidator(_told_apart)]
Part = Literal["movieReviewSnippets", "amazonReviewSnippets", "nytEditorialSnippets", "tweets"]


class Section(BaseModel):
    """Some keys; a key that is null is as one that is not there."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
