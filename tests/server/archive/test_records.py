from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archive.records import (
    BigInt,
    Cents,
    Json,
    Record,
    Usd,
    fields_of,
)
from server.archive.selection import (
    MAX_PATH,
    convert_list,
    convert_record,
    render,
    select,
    units,
)
from server.errors import Code, Failure
from tools.archive.schema.objects import Creator, Item, MediaContent


class Metrics(Record):
    instead: ClassVar[dict[str, str]] = {"saves": "There are no saves."}

    likes: BigInt
    value: Cents


class Person(Record):
    default = "id best.id"

    id: str
    full_name: str | None
    best: Post


class Post(Record):
    default = "id caption metrics.likes"

    id: str
    caption: str
    tags: list[str]
    extra: Json
    metrics: Metrics
    people: list[Person]
    reach: Usd | None


class Picture(Record):
    id: str
    width: int


class Film(Record):
    id: str
    size: BigInt


class Media(Record):
    variants = (Picture, Film)


def refused(record: type[Record], *paths: str) -> Failure:
    with pytest.raises(Failure) as caught:
        select(record, list(paths))
    assert caught.value.code is Code.INVALID_ARGUMENT
    return caught.value


def test_fields_are_known_under_the_names_of_the_api() -> None:
    assert list(fields_of(Person)) == ["id", "fullName", "best"]
    assert fields_of(Post)["metrics"].record is Metrics
    assert fields_of(Post)["people"].record is Person
    assert fields_of(Metrics)["likes"].big
    assert not fields_of(Post)["reach"].big
    assert list(fields_of(Media)) == ["id", "width", "size"]


@pytest.mark.parametrize("paths", [None, [], ["*"]])
def test_without_fields_the_defaults_are_selected(paths: list[str] | None) -> None:
    assert select(Post, paths) == {"id": {}, "caption": {}, "metrics": {"likes": {}}}


def test_a_record_without_declared_defaults_gives_all_its_leaves() -> None:
    assert select(Metrics, None) == {"likes": {}, "value": {}}


def test_named_fields_replace_the_defaults_and_a_star_keeps_them() -> None:
    assert select(Post, ["tags"]) == {"tags": {}}
    assert select(Post, ["*", "tags"]) == {
        "id": {},
        "caption": {},
        "metrics": {"likes": {}},
        "tags": {},
    }


def test_a_path_that_names_a_record_selects_that_records_defaults() -> None:
    assert select(Post, ["metrics"]) == {"metrics": {"likes": {}, "value": {}}}
    assert select(Post, ["people"]) == {"people": {"id": {}, "best": {"id": {}}}}


@pytest.mark.parametrize("paths", [["metrics", "metrics.likes"], ["metrics.likes", "metrics"]])
def test_the_order_of_paths_does_not_change_what_is_selected(paths: list[str]) -> None:
    assert select(Post, paths) == {"metrics": {"likes": {}, "value": {}}}


def test_a_selection_is_written_as_graphql() -> None:
    assert (
        render(select(Post, ["id", "metrics.value", "people.id"]), Post)
        == "id metrics { value } people { id }"
    )


def test_a_union_is_written_with_the_fields_of_each_member() -> None:
    assert (
        render(select(Media, None), Media) == "... on Picture { id width } ... on Film { id size }"
    )
    assert (
        render(select(Media, ["width"]), Media)
        == "... on Picture { width } ... on Film { __typename }"
    )


@pytest.mark.parametrize(
    ("paths", "hint"),
    [
        (["captoin"], "Did you mean `caption`?"),
        (["likes"], "Did you mean `metrics.likes`?"),
        (["metrics.saves"], "There are no saves."),
        (["metrics.like"], "Did you mean `likes`?"),
        (["zzz"], "Fields there: id, caption, tags, extra, metrics, people, reach."),
        (["people..id"], "Fields there: id, fullName, best."),
        (["id", "Caption"], "Did you mean `caption`?"),
        ([""], "Fields there:"),
        (["id,caption"], 'Give one path per entry: ["id", "caption"].'),
        (["id caption"], "Give one path per entry"),
    ],
)
def test_an_unknown_path_gets_the_nearest_that_exists(paths: list[str], hint: str) -> None:
    failure = refused(Post, *paths)

    assert hint in failure.hint
    assert f"`fields`: {paths[-1]!r} does not exist." == failure.message


@pytest.mark.parametrize(
    ("record", "path", "hint"),
    [
        (Item, "likes", "`currentEngagement.likes`"),
        (Item, "currentEngagement.saves", "no saves"),
        (Item, "publishedAt", "`takenAt`"),
        (Item, "saves", "no saves"),
        (Item, "platform", "`provider`"),
        (Item, "url", "`archivePublicUrl`"),
        (Item, "followers", "`socialProfile.followers`"),
        (Item, "currentEngagement.emv", "`currentEngagement.earnedMediaValue`"),
        (Item, "socialProfile.username", "`accountName`"),
        (Creator, "emails", "`customAttributes`"),
        (Creator, "followers", "`socialProfiles.followers`"),
        (MediaContent, "url", "`fileUrl`"),
    ],
)
def test_names_that_people_expect_lead_to_those_that_exist(
    record: type[Record], path: str, hint: str
) -> None:
    assert hint in refused(record, path).hint


def test_a_leaf_has_no_fields_of_its_own() -> None:
    failure = refused(Post, "metrics.likes.count")

    assert failure.message == "`fields`: 'likes' in 'metrics.likes.count' has no fields of its own."
    assert failure.hint == "Ask for 'metrics.likes'."


def test_a_path_may_not_go_deeper_than_the_api_allows() -> None:
    deepest = ".".join(["people.best"] * 3 + ["id"])
    assert len(deepest.split(".")) == MAX_PATH
    select(Post, [deepest])

    assert (
        "8 levels deep; Archive allows 7"
        in refused(Post, "people.best.people.best.people.best.metrics.likes").message
    )


def depth(selection: dict[str, Any]) -> int:
    return 1 + max((depth(inner) for inner in selection.values()), default=0) if selection else 0


@pytest.mark.parametrize("length", range(1, MAX_PATH + 1))
def test_the_defaults_behind_a_deep_path_stay_within_the_apis_depth(length: int) -> None:
    path = ".".join((["people", "best"] * MAX_PATH)[:length])

    assert (
        depth(select(Post, [path])) <= 8
    )  # the connection around it takes two more of the API's ten


def test_a_record_at_the_end_of_the_deepest_path_still_gives_its_own_leaves() -> None:
    selection = select(Post, [".".join((["people", "best"] * MAX_PATH)[:MAX_PATH])])
    for _ in range(MAX_PATH):
        (selection,) = selection.values()

    assert selection == {"id": {}}


@pytest.mark.parametrize(
    ("given", "converted"),
    [
        ("123", 123),
        ("-5", -5),
        ("0", 0),
        (str(2**53 - 1), 2**53 - 1),
        (str(2**53), str(2**53)),
        (str(-(2**53)), str(-(2**53))),
        ("9" * 30, "9" * 30),
        (None, None),
        ("1.5", "1.5"),
        (7, 7),
    ],
)
def test_text_numbers_become_numbers_where_json_holds_them_exactly(
    given: Any, converted: Any
) -> None:
    assert convert_record({"likes": given}, Metrics, select(Metrics, ["likes"])) == {
        "likes": converted
    }


@given(st.integers())
def test_no_number_changes_its_value(number: int) -> None:
    found = convert_record({"likes": str(number)}, Metrics, select(Metrics, ["likes"]))["likes"]

    assert int(found) == number
    assert isinstance(found, str) == (abs(number) > 2**53 - 1)


def test_numbers_are_found_below_records_lists_and_unions() -> None:
    answer = {
        "metrics": {"likes": "1"},
        "people": [{"best": {"metrics": {"likes": "2"}}}, {"best": None}],
        "id": "3",
    }
    paths = ["metrics.likes", "people.best.metrics.likes", "id"]

    assert convert_list([answer], Post, select(Post, paths)) == [
        {
            "metrics": {"likes": 1},
            "people": [{"best": {"metrics": {"likes": 2}}}, {"best": None}],
            "id": "3",
        }
    ]
    assert convert_list(
        [{"id": "1", "size": "5"}, {"id": "2", "width": 3}], Media, select(Media, None)
    ) == [
        {"id": "1", "size": 5},
        {"id": "2", "width": 3},
    ]


@pytest.mark.parametrize("nothing", [None, {"id": "1"}, {"id": "1", "metrics": None}])
def test_what_is_missing_stays_missing(nothing: Any) -> None:
    assert convert_record(nothing, Post, select(Post, None)) == nothing


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "text",
        {},
        {"id": None},
        {"id": "1", "metrics": []},
        {"id": "1", "metrics": {"likes": "n/a"}},
        {"id": "1", "metrics": {"likes": "NaN"}},
        {"id": "1", "metrics": {"likes": True}},
        {"id": "1", "caption": 5},
    ],
)
def test_what_the_schema_rules_out_is_a_bad_response(answer: Any) -> None:
    with pytest.raises(Failure) as caught:
        convert_record(answer, Post, select(Post, None))

    assert caught.value.code is Code.BAD_RESPONSE
    assert caught.value.hint


def test_a_null_among_records_is_a_bad_response() -> None:
    with pytest.raises(Failure, match="null in place of a Post"):
        convert_list([{"id": "1"}, None], Post, select(Post, ["id"]))


def test_each_number_with_a_unit_names_it_and_only_where_it_was_asked_for() -> None:
    assert units(select(Post, ["metrics.value", "reach"]), Post) == {
        "value": "cents",
        "reach": "USD",
    }
    assert units(select(Post, ["people.best.metrics.value"]), Post) == {"value": "cents"}
    assert units(select(Post, ["id", "metrics.likes"]), Post) == {}
    assert units(select(Item, None), Item) == {"earnedMediaValue": "cents"}
