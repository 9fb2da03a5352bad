"""Types of config keys."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

T = TypeVar("T")


def _unique(values: list[T]) -> list[T]:
    """A list without repetition."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("unique", "{values} has non-unique elements", {"values": str(values)})
    return values


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
