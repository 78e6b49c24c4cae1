from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any, ClassVar, Literal, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from server.errors import Code, Failure
from server.tool.arguments import parse
from server.tool.names import suggest
from server.tool.request import Input, Meaning, Request, Risk
from tests.support.doubles import Declared


class Part(Input):
    """A nested object."""

    size: int | None = Field(None, ge=0)
    kind: Literal["SMALL", "LARGE"] | None = None
    value: Annotated[Any, Meaning("null")] = None


class Find(Declared):
    """A request that reads."""

    backend = "shop"
    operation_kind = "operation"
    operation = "find"
    title = "Find"
    risk: ClassVar[Risk] = "reads"
    repeatable = True

    names: list[Annotated[str, Field(min_length=1)]] | None = None
    kinds: list[Literal["SMALL", "LARGE"]] | None = None
    parts: list[Part] | None = Field(None, min_length=1, max_length=2)
    part: Part | None = None
    workspace: str | None = None
    exact: bool = False
    everything: Annotated[dict[str, Any], Meaning("empty")] | None = None
    limit: int = Field(20, ge=1, le=1000)

    def check(self) -> None:
        if self.names and self.part:
            raise Failure(Code.INVALID_ARGUMENT, "Not both.")


class Change(Find):
    """The same, but it changes something."""

    risk: ClassVar[Risk] = "changes"

    item_id: str = Field(min_length=1)


class Sized(Find):
    """One argument must be one of two values."""

    size: Literal["SMALL", "LARGE"]


class Span(Find):
    """Two arguments that depend on each other."""

    first: int
    last: int

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("The last comes before the first.")
        return self


class Show(Declared):
    """A request without a list."""

    backend = "shop"
    operation_kind = "operation"
    operation = "show"
    title = "Show"
    risk: ClassVar[Risk] = "reads"
    repeatable = True

    id: str


def parsed(request: type[Request[Any, Any]] = Find, **raw: Any) -> dict[str, Any]:
    found = parse(request, raw, {"timezone": UTC, "instants": []})
    return found.model_dump(by_alias=True, exclude_unset=True)


def refused(request: type[Request[Any, Any]] = Find, **raw: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        parsed(request, **raw)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert not caught.value.retryable
    return caught.value


@pytest.mark.parametrize(
    ("raw", "understood"),
    [
        ({"names": '["a", "b"]'}, {"names": ["a", "b"]}),
        ({"names": ' [ "a" ] '}, {"names": ["a"]}),
        ({"names": "a"}, {"names": ["a"]}),
        ({"names": "a, b"}, {"names": ["a, b"]}),
        ({"names": 7}, {"names": ["7"]}),
        ({"names": "[not json"}, {"names": ["[not json"]}),
        ({"kinds": "LARGE"}, {"kinds": ["LARGE"]}),
        ({"part": '{"size": 3}'}, {"part": {"size": 3}}),
        ({"part": {"size": "3"}}, {"part": {"size": 3}}),
        ({"parts": {"size": 3}}, {"parts": [{"size": 3}]}),
        ({"parts": '{"size": 3}'}, {"parts": [{"size": 3}]}),
        ({"parts": '[{"size": "3"}]'}, {"parts": [{"size": 3}]}),
        ({"parts": ['{"size": 3}']}, {"parts": [{"size": 3}]}),
        ({"limit": "50"}, {"limit": 50}),
        ({"limit": 50.0}, {"limit": 50}),
        ({"exact": "true"}, {"exact": True}),
        ({"workspace": 12}, {"workspace": "12"}),
        ({"part": {"value": {"from": 1}}}, {"part": {"value": {"from": 1}}}),
    ],
)
def test_what_models_send_is_understood(raw: dict[str, Any], understood: dict[str, Any]) -> None:
    assert parsed(**raw) == understood


def test_mistakes_in_arguments_that_another_tool_holds_are_named_from_there() -> None:
    with pytest.raises(Failure) as caught:
        parse(
            Find,
            {"part": {"sise": 3}},
            {"timezone": UTC, "instants": []},
            inside="search",
            tool="shop_export",
        )

    assert "`search.part.sise`" in caught.value.message
    assert "call shop_export again" in caught.value.hint


def test_a_mistake_of_all_arguments_together_names_none() -> None:
    assert refused(Span, first=3, last=1).message == "The last comes before the first."


NOTHING: tuple[Any, ...] = (None, "", " ", {}, [])


@pytest.mark.parametrize("request_type", [Find, Change])
@pytest.mark.parametrize("name", ["names", "kinds", "parts", "part", "workspace", "exact", "limit"])
@pytest.mark.parametrize("nothing", NOTHING)
def test_nothing_for_an_optional_argument_is_an_argument_left_out(
    request_type: Any, name: str, nothing: Any
) -> None:
    item = {"itemId": "1"} if request_type is Change else {}

    assert parsed(request_type, **item, **{name: nothing}) == parsed(request_type, **item)


@pytest.mark.parametrize(
    ("raw", "understood"),
    [
        ({"limit": 0}, {}),
        ({"limit": "0"}, {}),
        ({"part": {"size": 0}}, {"part": {"size": 0}}),
        ({"part": {"size": None, "kind": ""}}, {}),
        ({"part": '{"size": null}'}, {}),
        ({"parts": [{}]}, {}),
        ({"parts": [{"size": None}, {"size": 1}]}, {"parts": [{}, {"size": 1}]}),
        ({"everything": {}}, {"everything": {}}),
        ({"everything": {"inside": None}}, {"everything": {"inside": None}}),
        ({"everything": None}, {}),
        ({"exact": False}, {"exact": False}),
        ({"part": {"value": None}}, {"part": {"value": None}}),
        ({"part": {"value": ""}}, {}),
    ],
)
def test_what_says_nothing_depends_on_the_field(
    raw: dict[str, Any], understood: dict[str, Any]
) -> None:
    assert parsed(**raw) == understood


@pytest.mark.parametrize("nothing", [None, "", {}, []])
def test_nothing_for_a_required_argument_is_refused(nothing: Any) -> None:
    assert "`itemId`" in refused(Change, itemId=nothing).message


@given(
    st.dictionaries(
        st.sampled_from(
            ["names", "kinds", "parts", "part", "workspace", "exact", "limit", "other"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=6), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )
)
def test_no_arguments_whatever_escape_as_anything_but_a_refusal(raw: dict[str, Any]) -> None:
    found: Failure | None = None
    try:
        parsed(**raw)
    except Failure as failure:
        found = failure

    assert found is None or (found.code is Code.INVALID_ARGUMENT and len(found.message) < 1500)


@given(st.lists(st.text(min_size=1)), st.integers(1, 1000))
def test_json_text_says_the_same_as_json(names: list[str], limit: int) -> None:
    assert parsed(names=json.dumps(names), limit=str(limit)) == parsed(names=names, limit=limit)


def test_text_that_nests_without_end_is_refused_like_any_other() -> None:
    assert "`part` must be an object" in refused(part='{"a":' * 100_000).message


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"limt": 5}, "`limt` is not an argument here. Did you mean `limit`?"),
        ({"LIMIT": 5}, "`LIMIT` is not an argument here. Did you mean `limit`?"),
        (
            {"zzz": 5},
            "`zzz` is not an argument here; known: names, kinds, parts, part, workspace, exact, "
            "everything, limit.",
        ),
        ({"part": {"sizes": 1}}, "`part.sizes` is not an argument here. Did you mean `size`?"),
        (
            {"part": {"exact": True}},
            "`part.exact` is not an argument here: it belongs beside `part`, not in it.",
        ),
        (
            {"parts": [{}, {"q": 1}]},
            "`parts.1.q` is not an argument here; known: size, kind, value.",
        ),
        ({"first": 5}, "`first` is not an argument here: use `limit` (how many records in all)."),
        (
            {"pageSize": 5},
            "`pageSize` is not an argument here: use `limit` (how many records in all).",
        ),
        (
            {"page": 2},
            "`page` is not an argument here: use `limit` and `after` (the last `nextCursor`).",
        ),
        ({"cursor": "x"}, "`cursor` is not an argument here: use `after` (the last `nextCursor`)."),
        (
            {"workspaceId": "x"},
            "`workspaceId` is not an argument here: use `workspace` (an id or a name).",
        ),
        (
            {"kinds": ["LARG"]},
            '`kinds.0` must be one of SMALL, LARGE; got "LARG". Did you mean `LARGE`?',
        ),
        (
            {"kinds": ["large"]},
            '`kinds.0` must be one of SMALL, LARGE; got "large". Did you mean `LARGE`?',
        ),
        ({"kinds": [7]}, "`kinds.0` must be one of SMALL, LARGE; got 7."),
        ({"limit": -1}, "`limit` must be at least 1; got -1."),
        ({"limit": 10**9}, "`limit` must be at most 1000; got 1000000000."),
        ({"limit": "many"}, '`limit` must be a whole number; got "many".'),
        ({"limit": 1.5}, "`limit` must be a whole number; got 1.5."),
        ({"limit": 10**400}, "`limit` must be"),
        ({"exact": "perhaps"}, '`exact` must be true or false; got "perhaps".'),
        ({"part": 5}, "`part` must be an object of size, kind, value; got 5."),
        ({"part": "[1]"}, "`part` must be an object"),
        ({"part": {"size": -1}}, "`part.size` must be at least 0; got -1."),
        ({"parts": [{"size": 1}] * 3}, "`parts` takes at most 2 entries; got 3."),
        ({"names": [""]}, "`names.0` must not be empty"),
        ({"names": [None]}, "`names.0` must not be null"),
        ({"names": [["a"]]}, "`names.0` must be a string"),
        ({"names": {"a": 1}}, "`names.0` must be a string"),
    ],
)
def test_each_mistake_is_named_with_its_remedy(raw: dict[str, Any], words: str) -> None:
    failure = refused(**raw)

    assert words in failure.message
    assert failure.hint == "Correct the arguments and call shop_find again; nothing was sent."


def test_a_replacement_is_only_named_where_it_exists() -> None:
    assert "use `limit`" not in refused(Show, id="1", first=5).message
    assert "`first` is not an argument here; known: id." in refused(Show, id="1", first=5).message
    assert "use `workspace`" in refused(Show, id="1", workspaceId="x").message


def test_a_missing_argument_is_named() -> None:
    assert refused(Change).message == "`itemId` is required."


def test_a_missing_argument_of_few_values_is_named_with_them() -> None:
    assert refused(Sized).message == "`size` is required: one of SMALL, LARGE."


def test_all_mistakes_are_told_at_once() -> None:
    message = refused(Change, limit=-1, kinds=["X"], other=1).message

    assert [
        part in message for part in ("`limit`", "`kinds.0`", "`other`", "`itemId` is required")
    ] == [True] * 4
    assert "more.)" not in message


def test_of_many_mistakes_five_are_told_and_the_rest_counted() -> None:
    message = refused(kinds=["X"] * 8).message

    assert message.count("must be one of") == 5
    assert message.endswith("(3 more.)")


def test_a_long_value_is_not_repeated_at_length() -> None:
    message = refused(limit="x" * 10_000).message

    assert len(message) < 150
    assert message.endswith("....")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("größe", '"größe"'), ("x" * 78, '"' + "x" * 78 + '"'), ("x" * 79, '"' + "x" * 76 + "...")],
)
def test_a_short_value_is_repeated_as_it_was_written(value: str, shown: str) -> None:
    assert refused(limit=value).message == f"`limit` must be a whole number; got {shown}."


def test_combinations_are_checked_after_single_arguments() -> None:
    assert refused(names="a", part={"size": 1}).message == "Not both."
    assert "`limit`" in refused(names="a", part={"size": 1}, limit=-1).message


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("limits", " Did you mean `limit`?"),
        ("FIRST", " Did you mean `first`?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_a_near_miss_gets_a_suggestion(word: str, found: str) -> None:
    assert suggest(word, ["limit", "first"]) == found


def test_what_hosts_add_for_their_own_books_is_ignored_and_only_that() -> None:
    books = {"toolCallId": "c1", "sessionId": "s", "session_id": None, "chatInput": "hello"}
    assert parse(Find, {"names": ["a"], **books}, {}).model_dump(exclude_unset=True) == {
        "names": ["a"]
    }
    with pytest.raises(Failure, match="callId"):
        parse(Find, {"callId": "c1"}, {})
    with pytest.raises(Failure, match="toolCallId"):
        parse(Find, {"part": {"toolCallId": "c1"}}, {})


class ShowByHabit(Show):
    """A request whose argument callers often give another name."""

    synonyms: ClassVar[Mapping[str, str]] = {"itemId": "id"}

    id: str = Field(min_length=1)


@pytest.mark.parametrize(
    "raw",
    [
        {"id": "7"},
        {"itemId": "7"},
        # What clients fill in for an argument that a model left out.
        {"itemId": "7", "id": ""},
        {"itemId": "7", "id": None},
    ],
)
def test_an_argument_counts_under_its_other_name(raw: dict[str, Any]) -> None:
    assert parsed(ShowByHabit, **raw) == {"id": "7"}


def test_two_names_of_one_argument_with_two_values_are_refused() -> None:
    assert "itemId" in refused(ShowByHabit, itemId="7", id="8").message
