"""What a complaint about arguments says, and what it leaves out."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any, ClassVar, Literal

import pytest

from server.errors import Failure
from server.tool.arguments import parse
from server.tool.request import ApiType, Input, Risk
from tests.support.doubles import Declared


class One(Input):
    """An object of one field."""

    a: int | None = None


class Six(Input):
    """An object of six fields."""

    a: int | None = None
    b: int | None = None
    c: int | None = None
    d: int | None = None
    e: int | None = None
    f: int | None = None


class Seven(Six):
    """An object of seven fields."""

    g: int | None = None


class Build(Declared):
    """A request of objects."""

    backend = "shop"
    operation_kind = "operation"
    operation = "build"
    title = "Build"
    risk: ClassVar[Risk] = "reads"
    repeatable = True

    one: One | None = None
    six: Six | None = None
    seven: Seven | None = None
    kinds: list[Literal["SMALL", "LARGE"]] | None = None
    types: list[Literal["STORY", "TIKTOK_STORY", "YOUTUBE_SHORT"]] | None = None
    condition: Annotated[One | None, ApiType("JSON")] = None


def message_of(**raw: Any) -> str:
    with pytest.raises(Failure) as caught:
        parse(Build, raw, {"timezone": UTC, "instants": []})
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "fields"), [("one", " of a"), ("six", " of a, b, c, d, e, f"), ("seven", "")]
)
def test_an_object_of_up_to_six_fields_is_described_by_them(name: str, fields: str) -> None:
    assert message_of(**{name: 5}) == f"`{name}` must be an object{fields}; got 5."


def test_five_mistakes_are_told_and_nothing_is_left_to_count() -> None:
    message = message_of(kinds=["X"] * 5)

    assert message.count("must be one of") == 5
    assert "more" not in message


def test_what_hosts_are_offered_as_any_value_is_still_read_by_its_fields() -> None:
    assert message_of(condition={"b": 1}) == ("`condition.b` is not an argument here; known: a.")
    parsed = parse(Build, {"condition": '{"a": "7"}'}, {"timezone": UTC, "instants": []})
    assert parsed.condition == One(a=7)


def test_the_nearest_of_several_names_is_suggested() -> None:
    assert message_of(sixs=1).endswith("Did you mean `six`?")


def test_a_field_of_an_object_is_sent_there() -> None:
    assert message_of(g=1) == "`g` is not an argument here: it belongs in `seven`."


def test_the_value_that_has_the_requested_one_as_a_part_is_suggested() -> None:
    assert message_of(types=["SHORT"]).endswith("Did you mean `YOUTUBE_SHORT`?")
    assert message_of(types=["STORIES"]).endswith("Did you mean `STORY`?")
