from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from server.tool.request import ApiType, Input
from server.tool.schema import abbreviate, input_schema, unwrap

Kind = Annotated[Literal["A", "B"], ApiType("Kind")]


class Inner(Input):
    """Nested."""

    from_: int | None = Field(None, alias="from", ge=0, le=9)
    value: Any = Field(None, description="Anything")


class Base(Input):
    """Inherited fields come last."""

    page_size: int = Field(20, ge=1, le=100, description="How many")


class Example(Base):
    """Everything that arguments can be."""

    item_id: Annotated[str, ApiType("ID"), Field(min_length=1)] = Field(description="Id")
    kind: Kind | None = Field(None, description="Which")
    kinds: list[Kind] | None = None
    tags: Annotated[list[str], Field(min_length=1, max_length=5)] = Field(description="Tags")
    more: Annotated[list[str], Field(max_length=7)] | None = None
    inner: Inner | None = None
    inners: list[Inner] | None = Field(None, min_length=2)
    flag: bool = False
    ratio: float | None = None
    shared: Annotated[list[str], Field(description="Said once")] | None = None


def test_a_class_becomes_a_flat_open_schema() -> None:
    inner = {
        "type": "object",
        "properties": {
            "from": {"type": "integer", "minimum": 0, "maximum": 9},
            "value": {"type": "string", "description": "Anything"},
        },
    }
    kind = {"type": "string", "enum": ["A", "B"]}

    assert input_schema(Example) == {
        "type": "object",
        "properties": {
            "itemId": {"type": "string", "description": "Id"},
            "kind": {**kind, "description": "Which"},
            "kinds": {"type": "array", "items": kind},
            "tags": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": 5,
                "description": "Tags",
            },
            "more": {"type": "array", "items": {"type": "string"}, "maxItems": 7},
            "inner": inner,
            "inners": {"type": "array", "items": inner, "minItems": 2},
            "flag": {"type": "boolean", "default": False},
            "ratio": {"type": "number"},
            "shared": {"type": "array", "items": {"type": "string"}, "description": "Said once"},
            "pageSize": {
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
                "default": 20,
                "description": "How many",
            },
        },
        "required": ["itemId", "tags"],
    }


def test_own_arguments_are_listed_before_inherited_ones() -> None:
    assert next(iter(input_schema(Example)["properties"])) == "itemId"
    assert list(input_schema(Example)["properties"])[-1] == "pageSize"


def test_a_union_that_some_hosts_reject_cannot_be_declared() -> None:
    class Either(Input):
        value: int | str

    with pytest.raises(TypeError, match="a union cannot be offered to every host"):
        input_schema(Either)


@pytest.mark.parametrize(
    ("annotation", "bare", "nullable"),
    [
        (str, str, False),
        (str | None, str, True),
        (Annotated[str | None, "x"], str, True),
        (Annotated[str, "x"] | None, str, True),
        (Annotated[Annotated[int, "inner"], "outer"], int, False),
    ],
)
def test_an_annotation_is_taken_apart(annotation: Any, bare: type, nullable: bool) -> None:
    found, _, null = unwrap(annotation)

    assert (found, null) == (bare, nullable)


def test_what_an_annotation_says_is_kept_from_all_its_layers() -> None:
    _, metadata, _ = unwrap(Annotated[Annotated[int, "inner"] | None, "outer"])

    assert metadata == ("outer", "inner")


def test_a_short_form_names_fields_choices_and_what_is_required() -> None:
    schema = input_schema(Example)

    assert abbreviate(schema["properties"]["inner"]) == (
        "{from: integer, value: string (Anything)}"
    )
    assert abbreviate(schema["properties"]["kinds"]) == "(A|B)[]"
    assert abbreviate(schema["properties"]["inners"]).endswith("}[]")
    assert abbreviate(schema).startswith(
        "{itemId!: string (Id), kind: A|B, kinds: (A|B)[], tags!: string[] (Tags)"
    )


@pytest.mark.parametrize(
    ("field", "short"),
    [
        ({"type": "string", "description": "Id or name; not both."}, "string (Id or name)"),
        ({"type": "string", "description": "Key (`a.b`)."}, "string (Key (`a.b`))"),
        ({"type": "string"}, "string"),
        ({"type": "string", "description": "x" * 61}, "string"),
        ({"type": "string", "enum": ["A", "B"], "description": "Which."}, "A|B"),
        ({"type": "integer", "description": "How many."}, "integer"),
        (
            {"type": "array", "items": {"type": "string"}, "description": "Names."},
            "string[] (Names)",
        ),
    ],
)
def test_a_short_form_says_what_free_text_holds(field: dict[str, Any], short: str) -> None:
    assert abbreviate({"type": "object", "properties": {"one": field}}) == f"{{one: {short}}}"
