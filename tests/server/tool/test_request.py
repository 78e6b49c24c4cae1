from __future__ import annotations

from typing import ClassVar

import pytest

from server.tool.context import Context
from server.tool.request import (
    Input,
    Request,
    Risk,
    snake_case,
)
from server.tool.result import Result


class Found:
    """What comes back."""


class ListThings(Request[Found, Context]):
    """List things.
    In one line.

    A second
    paragraph."""

    backend = "shop"
    operation_kind = "endpoint"
    operation = "GET /things"
    title = "List things"
    risk: ClassVar[Risk] = "reads"
    repeatable = True

    async def run(self, context: Context) -> Result:
        raise AssertionError("this request is not to be run")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SearchItems", "search_items"),
        ("GetItemIdsByUrl", "get_item_ids_by_url"),
        ("A", "a"),
        ("View2Groups", "view2_groups"),
        ("already_snake", "already_snake"),
    ],
)
def test_a_class_name_becomes_a_tool_name(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_a_tool_is_named_after_its_backend_and_class() -> None:
    assert ListThings.tool_name() == "shop_list_things"


def test_a_description_is_the_docstring_with_each_paragraph_on_one_line() -> None:
    assert ListThings.description() == "List things. In one line.\nA second paragraph."


def test_a_result_type_is_the_type_parameter() -> None:
    assert ListThings.result_type() is Found


def test_a_request_that_does_not_say_what_it_returns_is_a_mistake() -> None:
    class Untyped(Request):  # type: ignore[type-arg]
        """Nothing said."""

    with pytest.raises(TypeError, match="Untyped does not say what it returns"):
        Untyped.result_type()


@pytest.mark.parametrize("module", ["tools.shop.goods", "tools.shop.goods.things"])
def test_the_toolset_is_the_folder_or_file_of_a_tool(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setattr(ListThings, "__module__", module)

    assert ListThings.toolset_name() == "goods"


@pytest.mark.parametrize("kind", ["operation", "endpoint", "workflow"])
def test_coverage_can_be_counted_by_machine(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(ListThings, "operation_kind", kind)

    assert ListThings.meta() == {f"archive-mcp/{kind}": "GET /things"}


@pytest.mark.parametrize(
    ("risk", "read_only", "destructive"),
    [
        ("reads", True, False),
        ("adds", False, False),
        ("changes", False, True),
        ("removes", False, True),
        ("spends", False, True),
    ],
)
@pytest.mark.parametrize("repeatable", [True, False])
def test_the_hints_follow_from_the_declared_risk(
    monkeypatch: pytest.MonkeyPatch,
    risk: Risk,
    read_only: bool,
    destructive: bool,
    repeatable: bool,
) -> None:
    monkeypatch.setattr(ListThings, "risk", risk)
    monkeypatch.setattr(ListThings, "repeatable", repeatable)

    assert ListThings.annotations() == {
        "title": "List things",
        "readOnlyHint": read_only,
        "destructiveHint": destructive,
        "idempotentHint": repeatable,
        "openWorldHint": True,
    }


def test_a_request_refuses_nothing_and_promises_an_object_unless_it_says_more() -> None:
    ListThings().check()

    assert ListThings.output_schema() == {"type": "object"}


def test_an_input_speaks_camel_case_and_is_closed() -> None:
    class Range(Input):
        highest_value: str

    assert Range.model_validate({"highestValue": 5}).highest_value == "5"
    with pytest.raises(ValueError, match="Extra inputs"):
        Range.model_validate({"highestValue": "5", "lowest": 1})


class DeleteThings(ListThings):
    """Delete things."""

    operation = "DELETE /things"
    risk: ClassVar[Risk] = "removes"
    confirmed = True
    search_hint = "throw away, bin"
    always_loaded = True
    most_characters = 90_000


def test_meta_says_to_hosts_only_what_is_not_their_default() -> None:
    assert ListThings.meta() == {"archive-mcp/endpoint": "GET /things"}
    assert DeleteThings.meta() == {
        "archive-mcp/endpoint": "DELETE /things",
        "anthropic/searchHint": "throw away, bin",
        "anthropic/alwaysLoad": True,
        "anthropic/maxResultSizeChars": 90_000,
        "anthropic/requiresUserInteraction": True,
    }
