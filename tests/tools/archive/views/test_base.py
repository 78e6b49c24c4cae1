"""Arguments of the tools for collections, views and groups: what is sent, and what is refused
before."""

from __future__ import annotations

from typing import Any

import pytest

from server.tool.schema import input_schema
from tests.support.tools.calling import parsed, refused, sent
from tools.archive.collections import (
    CreateCollection,
    DeleteCollection,
    GetCollections,
    UpdateCollection,
)
from tools.archive.views.content import (
    CreateContentView,
    DeleteContentView,
    GetContentView,
    GetContentViews,
    MoveContentViewToGroup,
    UpdateContentView,
)
from tools.archive.views.creators import (
    CreateCreatorView,
    DeleteCreatorView,
    GetCreatorViews,
    MoveCreatorViewToGroup,
    UpdateCreatorView,
)
from tools.archive.views.groups import (
    CreateViewGroup,
    DeleteViewGroup,
    GetViewGroups,
    MoveCollectionToGroup,
    ReorderViewsInGroup,
    UpdateViewGroup,
)
from tools.archive.views.social_profiles import (
    CreateSocialProfileView,
    DeleteSocialProfileView,
    GetSocialProfileViews,
    MoveSocialProfileViewToGroup,
    UpdateSocialProfileView,
)

CREATES = [CreateContentView, CreateCreatorView, CreateSocialProfileView]
UPDATES = [UpdateContentView, UpdateCreatorView, UpdateSocialProfileView]
LISTS = [GetCollections, GetContentViews, GetCreatorViews, GetSocialProfileViews, GetViewGroups]
MOVES = [
    (MoveContentViewToGroup, "viewId"),
    (MoveCreatorViewToGroup, "viewId"),
    (MoveSocialProfileViewToGroup, "viewId"),
    (MoveCollectionToGroup, "collectionId"),
]
CONDITION = {"field": "favourite", "operator": "IS", "type": "BOOLEAN", "value": True}


@pytest.mark.parametrize("request_type", CREATES)
def test_a_view_is_sent_as_it_was_given(request_type: Any) -> None:
    view = {
        "name": "Mine",
        "filters": {},
        "customAttributeConditions": [CONDITION],
        "showReportingStats": False,
    }

    assert sent(request_type, input=view) == {"input": view}
    assert sent(request_type, input={"name": "Mine", "filters": {}}) == {
        "input": {"name": "Mine", "filters": {}}
    }


@pytest.mark.parametrize("request_type", UPDATES)
def test_an_update_sends_only_what_changes(request_type: Any) -> None:
    assert sent(request_type, id=7, input={"name": "New"}) == {"id": "7", "input": {"name": "New"}}


@pytest.mark.parametrize("request_type", UPDATES)
@pytest.mark.parametrize("nothing", [None, "", {}, [], {"itemTypes": None}])
def test_empty_parts_of_an_update_empty_nothing(request_type: Any, nothing: Any) -> None:
    parts = dict.fromkeys(("filters", "sort", "customAttributeConditions"), nothing)
    # What Archive stores unread in other views may be anything: only nothing at all is left out.
    if isinstance(nothing, dict) and nothing:
        parts = {"filters": nothing}

    variables = sent(request_type, id="7", input={"name": "New", **parts})

    assert variables == {"id": "7", "input": {"name": "New"}}


@pytest.mark.parametrize("request_type", UPDATES)
def test_emptying_on_purpose_is_said_by_name(request_type: Any) -> None:
    emptied = sent(request_type, id="7", input={"name": "New"}, clear=["filters", "sort"])
    both = refused(request_type, id="7", input={"filters": {"a": 1}}, clear=["filters"])

    assert emptied == {"id": "7", "input": {"name": "New", "filters": {}, "sort": []}}
    assert "`filters` is both in `input` and in `clear`" in both.message


@pytest.mark.parametrize("request_type", UPDATES)
def test_an_update_that_changes_nothing_is_refused(request_type: Any) -> None:
    failure = refused(request_type, id="7", input={})

    assert "would change nothing" in failure.message
    for part in ("name", "filters", "sort", "customAttributeConditions", "showReportingStats"):
        assert part in failure.hint


@pytest.mark.parametrize("request_type", CREATES)
@pytest.mark.parametrize(
    ("view", "words"),
    [
        ({"filters": {}}, "`input.name` is required"),
        ({"name": "Mine"}, "`input.filters` is required"),
        ({"name": "", "filters": {}}, "`input.name` must not be empty"),
        ({"name": " \t", "filters": {}}, "`input.name`: must not be blank."),
        ({"name": "Mine", "filters": None}, "`input.filters` must not be null"),
        ({"name": "Mine", "filters": ["REEL"]}, "`input.filters` must be an object"),
        ({"name": "Mine", "filters": {}, "sort": 5}, "`input.sort"),
        (
            {"name": "Mine", "filters": {}, "groupId": "1"},
            "`input.groupId` is not an argument here",
        ),
    ],
)
def test_a_view_that_cannot_be_is_refused(request_type: Any, view: Any, words: str) -> None:
    assert words in refused(request_type, input=view).message


def test_the_filters_of_a_content_view_are_those_of_the_search() -> None:
    instants: list[dict[str, str]] = []
    filters = {
        "takenAt": {"from": "2026-03-01", "to": "2026-03-02"},
        "itemTypes": "REEL",
        "accountNames": ["@mia"],
    }
    request = parsed(
        CreateContentView, instants=instants, input={"name": "March", "filters": filters}
    )

    window = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T23:59:59Z"}
    assert request.variables()["input"]["filters"] == {
        "takenAt": window,
        "itemTypes": ["REEL"],
        "accountNames": ["mia"],
    }
    assert instants == [window]


def test_filters_and_order_may_come_as_json_text_and_with_the_nulls_of_a_view_that_was_read() -> (
    None
):
    view = {
        "name": "Mine",
        "filters": (
            '{"provider": "TIKTOK", "takenAt": null, "followersCount": {"from": 10, "to": null}}'
        ),
        "sort": '[{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}]',
    }

    assert sent(CreateContentView, input=view)["input"] == {
        "name": "Mine",
        "filters": {"provider": "TIKTOK", "followersCount": {"from": 10}},
        "sort": [{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}],
    }


@pytest.mark.parametrize("request_type", [CreateContentView, UpdateContentView])
def test_filters_of_archives_own_app_that_nobody_documents_are_sent_as_they_are_and_told(
    request_type: Any,
) -> None:
    id: dict[str, Any] = {"id": "7"} if request_type is UpdateContentView else {}
    view = {"name": "Mine", "filters": {"provider": "TIKTOK", "boardMode": {"x": 1}}}
    request = parsed(request_type, **id, input=view)

    assert request.variables()["input"]["filters"] == view["filters"]
    assert isinstance(request, CreateContentView | UpdateContentView)
    assert request.present_payload({})["notes"] == ["Sent as they are, unknown here: boardMode."]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            {"filters": {"accountName": ["mia"]}},
            "`input.filters`: `accountName` is no filter. Did you mean",
        ),
        (
            {"filters": {"provider": "tiktok"}},
            "`input.filters.provider` must be one of INSTAGRAM, TIKTOK",
        ),
        (
            {"filters": {"takenAt": {"from": "2026-03-01T10:00"}}},
            "`input.filters.takenAt`: '2026-03-01T10:00' has no",
        ),
        ({"filters": {"viralityScore": ["NOT_VIRAL"]}}, "NOT_VIRAL in input.filters.viralityScore"),
        (
            {"filters": {"superSearch": {"mode": "FUZZY_CAPTION"}}},
            "input.filters.superSearch: FUZZY_CAPTION takes",
        ),
        (
            {"sort": [{"sortKey": "LIKES", "sortOrder": "DESC"}]},
            "`input.sort.0.sortKey` must be one of TAKEN_AT",
        ),
        ({"sort": [{"sortKey": "LIKE_COUNT"}]}, "`input.sort.0.sortOrder` is required"),
    ],
)
def test_filters_that_the_search_would_refuse_are_refused_of_a_view(parts: Any, words: str) -> None:
    assert (
        words in refused(CreateContentView, input={"name": "Mine", "filters": {}, **parts}).message
    )
    assert words in refused(UpdateContentView, id="7", input=parts).message


@pytest.mark.parametrize("request_type", CREATES)
def test_a_condition_is_checked_in_a_view_as_in_a_search(request_type: Any) -> None:
    wrong = {**CONDITION, "operator": "BETWEEN"}

    message = refused(
        request_type, input={"name": "A", "filters": {}, "customAttributeConditions": [wrong]}
    ).message

    assert "BETWEEN takes a value like" in message


@pytest.mark.parametrize("request_type", [CreateCreatorView, CreateSocialProfileView])
def test_other_views_keep_any_filters_and_say_that_these_count_for_nothing(
    request_type: Any,
) -> None:
    kept = parsed(request_type, input={"name": "A", "filters": {"locations": [{"city": None}]}})
    plain = parsed(request_type, input={"name": "A", "filters": {}})

    assert kept.variables()["input"]["filters"] == {"locations": [{"city": None}]}
    assert isinstance(kept, request_type)
    assert isinstance(plain, request_type)
    assert "never applies them" in kept.present_payload({"view": 1})["notes"][0]
    assert plain.present_payload({"view": 1}) == {"view": 1}


@pytest.mark.parametrize("request_type", [UpdateCreatorView, UpdateSocialProfileView])
def test_filters_that_count_for_nothing_are_told_of_in_an_update_too(request_type: Any) -> None:
    kept = parsed(request_type, id="7", input={"filters": {"a": 1}})
    renamed = parsed(request_type, id="7", input={"name": "A"})

    assert isinstance(kept, request_type)
    assert isinstance(renamed, request_type)
    assert "never applies them" in kept.present_payload({})["notes"][0]
    assert renamed.present_payload({}) == {}


@pytest.mark.parametrize(("request_type", "what"), MOVES)
@pytest.mark.parametrize(("group", "variable"), [("9", "9"), (9, "9"), (None, None)])
def test_a_move_says_where_to_and_null_is_out_of_the_group(
    request_type: Any, what: str, group: Any, variable: str | None
) -> None:
    assert sent(request_type, **{what: "7"}, groupId=group) == {what: "7", "groupId": variable}


@pytest.mark.parametrize(("request_type", "what"), MOVES)
@pytest.mark.parametrize("nothing", [{}, {"groupId": ""}, {"groupId": " "}, {"groupId": {}}])
def test_a_move_without_where_to_is_refused(
    request_type: Any, what: str, nothing: dict[str, Any]
) -> None:
    failure = refused(request_type, **{what: "7"}, **nothing)

    assert "`groupId` says where to" in failure.message
    assert "null to take it out" in failure.hint
    assert f"`{what}` is required" in refused(request_type, groupId="9").message
    assert (
        f"`{what}` must not be null" in refused(request_type, groupId="9", **{what: None}).message
    )


def test_an_order_names_each_view_once() -> None:
    assert sent(ReorderViewsInGroup, groupId="1", viewIds=["3", 2]) == {
        "groupId": "1",
        "viewIds": ["3", "2"],
    }
    assert (
        "names some views twice: 2."
        in refused(ReorderViewsInGroup, groupId="1", viewIds=["2", "3", "2"]).message
    )
    assert (
        "needs at least 1 entries" in refused(ReorderViewsInGroup, groupId="1", viewIds=[]).message
    )
    assert "must not be empty" in refused(ReorderViewsInGroup, groupId="1", viewIds=[""]).message
    assert (
        "`groupId` must not be null"
        in refused(ReorderViewsInGroup, groupId=None, viewIds=["2"]).message
    )


@pytest.mark.parametrize("request_type", [CreateCollection, CreateViewGroup])
def test_a_collection_or_group_is_made_of_its_name(request_type: Any) -> None:
    assert sent(request_type, input={"name": " A"}) == {"input": {"name": " A"}}
    assert "must not be blank" in refused(request_type, input={"name": "  "}).message
    assert "`input.name` is required" in refused(request_type, input={}).message
    assert "`input` is required" in refused(request_type).message


@pytest.mark.parametrize("request_type", [UpdateCollection, UpdateViewGroup])
def test_a_collection_or_group_is_renamed(request_type: Any) -> None:
    assert sent(request_type, id="7", input={"name": "A"}) == {"id": "7", "input": {"name": "A"}}
    assert "must not be null" in refused(request_type, id="7", input={"name": None}).message
    assert "`id` is required" in refused(request_type, input={"name": "A"}).message


@pytest.mark.parametrize("request_type", LISTS)
def test_lists_that_archive_ends_without_a_word_are_known(request_type: Any) -> None:
    assert request_type.capped
    assert sent(request_type, limit=5) == {}


@pytest.mark.parametrize("request_type", [GetContentViews, GetCreatorViews, GetSocialProfileViews])
def test_views_are_listed_by_group(request_type: Any) -> None:
    assert sent(request_type, filter={"groupId": 9}) == {"filter": {"groupId": "9"}}
    assert sent(request_type, filter={"groupId": None}) == {}
    assert (
        "`filter.group` is not an argument here"
        in refused(request_type, filter={"group": "9"}).message
    )


def test_a_list_of_views_is_lean_and_one_view_is_whole() -> None:
    assert "filters" not in GetContentViews.record().default
    assert "filters" in GetContentView.record().default


def test_the_fields_of_filters_are_not_told_again_and_yet_known() -> None:
    view = input_schema(CreateContentView)["properties"]["input"]["properties"]
    whole = input_schema(CreateContentView, whole=True)["properties"]["input"]["properties"]

    assert view["filters"] == {
        "type": "object",
        "description": "As `filter` of archive_search_items.",
    }
    assert view["sort"] == {
        "type": "array",
        "items": {"type": "object"},
        "description": "As `sorting` of archive_search_items.",
    }
    assert "superSearch" in whole["filters"]["properties"]
    assert "sortKey" in whole["sort"]["items"]["properties"]


@pytest.mark.parametrize(
    "delete",
    [
        DeleteContentView,
        DeleteCreatorView,
        DeleteSocialProfileView,
        DeleteViewGroup,
        DeleteCollection,
    ],
)
def test_what_somebody_else_deleted_meanwhile_is_told_as_such(delete: Any) -> None:
    request = delete(id="7")
    key = delete.selected.split()[0]

    (note,) = request.present_payload({key: None})["notes"]
    assert (
        note == "It is gone: an earlier attempt of this call, or somebody else, "
        f"deleted the {delete.kind}."
    )
    assert request.present_payload({key: "7"}) == {key: "7"}
