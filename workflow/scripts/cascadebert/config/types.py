"""Types of config keys."""

import os
import re
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

T = TypeVar("T")


def _unique(values: list[T]) -> list[T]:
    """A list without repetition."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("unique", "{values} has non-unique elements", {"values": str(values)})
    return values


def _expanded(path: str) -> str:
    """A path with the user's home and variables filled in; one that is there as it stands stays."""
    whole = path
    if not os.path.lexists(path):
        whole = os.path.expandvars(os.path.expanduser(path))
        if unset := re.search(r"\$\w+|\$\{\w+\}", whole):
            raise PydanticCustomError("unset", "{name} is not set", {"name": unset[0]})
    if odd := set(whole) & set("{}<>\n"):
        raise PydanticCustomError("unusable", "Snakemake takes {name} for its own", {"name": " and ".join(sorted(odd))})
    return whole


LocalPath = Annotated[str, Field(min_length=1), AfterValidator(_expanded)]
Unique = Annotated[list[T], AfterValidator(_unique)]
Seeds = Annotated[Unique[Annotated[int, Field(ge=0)]], Field(min_length=1)]
Members = Annotated[Unique[str], Field(min_length=2)]
Ratios = Unique[Annotated[float, Field(gt=1)]]
Part = Literal["movieReviewSnippets", "amazonReviewSnippets", "nytEditorialSnippets", "tweets"]


class Section(BaseModel):
    """Some keys; a key that is null is as one that is not there."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
