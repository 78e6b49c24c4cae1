from __future__ import annotations

from typing import Any

import pytest

from tests.support.tools.calling import parsed, refused, sent
from tools.archive.content.items import SearchItems
from tools.archive.content.lookups import (
    GetEngagementHistory,
    GetItemIdsByUrl,
    GetMediaContents,
    GetTranscriptions,
)
from tools.archive.content.refetch import RefetchEngagementBulk
from tools.archive.creators import SearchCreators


def test_a_search_without_arguments_leaves_all_to_archives_defaults() -> None:
    assert sent(SearchItems) == {}


def test_a_whole_search_is_sent_as_it_is() -> None:
    arguments: dict[str, Any] = {
        "filter": {
            "provider": "TIKTOK",
            "itemTypes": ["TIKTOK"],
            "viralityScore": ["HIGH", "MEDIUM"],
            "engagement": [{"field": "LIKE_COUNT", "range": {"from": 1000}}],
            "verified": [True],
            "superSearch": {"mode": "FUZZY_CAPTION", "searchQuery": "serum"},
        },
        "sorting": [{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}],
    }

    assert sent(SearchItems, **arguments, limit=50, fields=["id"], workspace="w") == arguments


def test_a_time_beside_the_filter_is_sent_in_it() -> None:
    window = {"from": "2026-03-01T00:00:00Z"}

    for more in ({}, {"filter": {"takenAt": window}}):
        assert sent(SearchItems, takenAt=window, **more) == {"filter": {"takenAt": window}}
    other = {"filter": {"takenAt": {"from": "2026-04-01"}}}
    assert "takenAt of its own" in refused(SearchItems, takenAt=window, **other).message


def test_lone_values_of_a_search_become_lists() -> None:
    variables = sent(
        SearchItems,
        filter={
            "itemTypes": "REEL",
            "accountNames": "mia",
            "engagement": {"field": "LIKE_COUNT", "range": {"from": 1}},
        },
        sorting={"sortKey": "TAKEN_AT", "sortOrder": "ASC"},
    )

    assert variables == {
        "filter": {
            "itemTypes": ["REEL"],
            "accountNames": ["mia"],
            "engagement": [{"field": "LIKE_COUNT", "range": {"from": 1}}],
        },
        "sorting": [{"sortKey": "TAKEN_AT", "sortOrder": "ASC"}],
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"sorting": [{"sortKey": "LIKE_COUNT"}]},
            "`sorting.0.sortOrder` is required: one of ASC, DESC.",
        ),
        (
            {"sorting": [{"sortKey": "PUBLISHED_AT", "sortOrder": "ASC"}]},
            "`sorting.0.sortKey` must be one of TAKEN_AT",
        ),
        ({"filter": {"provider": "TIK_TOK"}}, "Did you mean `TIKTOK`?"),
        ({"filter": {"itemTypes": ["TIKTOKS"]}}, "Did you mean `TIKTOK`?"),
        ({"filter": {"platform": "TIKTOK"}}, "`filter.platform` is not an argument here"),
        ({"filter": {"creatorLocation": {}}}, "Did you mean `creatorLocations`?"),
        ({"query": "serum"}, "`query` is not an argument here"),
        ({"first": 10}, "use `limit`"),
        (
            {"filter": {"engagement": [{"field": "LIKE_COUNT"}]}},
            "`filter.engagement.0.range` is required.",
        ),
    ],
)
def test_what_a_search_does_not_know_is_named(given: dict[str, Any], words: str) -> None:
    assert words in refused(SearchItems, **given).message


def test_not_viral_is_refused_with_the_way_to_get_it() -> None:
    failure = refused(SearchItems, filter={"viralityScore": ["HIGH", "NOT_VIRAL"]})

    assert "does not accept NOT_VIRAL" in failure.message
    assert "currentEngagement.linearViralityScore" in failure.hint


@pytest.mark.parametrize(
    "search",
    [
        {"mode": "FUZZY_CAPTION", "searchQuery": "serum"},
        {"mode": "FUZZY_TRANSCRIPTION", "searchQuery": "serum"},
        {"mode": "EMBEDDING_CONTENT", "searchQuery": "a red bottle"},
        {"mode": "EMBEDDING_CONTENT", "similarMediaContentId": "5"},
        {"mode": "EMBEDDING_CONTENT", "imageUrl": "https://x.example/a.jpg"},
        {"mode": "EMBEDDING_CONTENT", "fileName": "a.jpg"},
    ],
)
def test_a_search_in_content_has_a_mode_and_one_thing_to_look_for(search: dict[str, str]) -> None:
    assert sent(SearchItems, filter={"superSearch": search}) == {"filter": {"superSearch": search}}


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"searchQuery": "serum"}, "`filter.superSearch.mode` is required: one of FUZZY_CAPTION"),
        ({"mode": "FUZZY_CAPTION"}, "FUZZY_CAPTION takes `searchQuery` and nothing else"),
        (
            {"mode": "FUZZY_TRANSCRIPTION", "imageUrl": "u"},
            "FUZZY_TRANSCRIPTION takes `searchQuery`",
        ),
        ({"mode": "FUZZY_CAPTION", "searchQuery": "a", "imageUrl": "u"}, "nothing else"),
        (
            {"mode": "EMBEDDING_CONTENT"},
            "takes one of searchQuery, similarMediaContentId, imageUrl and fileName",
        ),
        (
            {"mode": "EMBEDDING_CONTENT", "searchQuery": "a", "fileName": "f"},
            "takes one of searchQuery",
        ),
        (
            {"mode": "EMBEDDING_CONTENT", "imageUrl": "u", "fileName": "f"},
            "takes one of searchQuery",
        ),
        ({"mode": "FUZZY_CAPTION", "searchQuery": ""}, "takes `searchQuery` and nothing else"),
        (
            {"mode": "FUZZY_CAPTION", "query": "serum"},
            "`filter.superSearch.query` is not an argument here",
        ),
    ],
)
def test_a_search_in_content_that_looks_for_nothing_clear_is_refused(
    search: dict[str, str], words: str
) -> None:
    assert words in refused(SearchItems, filter={"superSearch": search}).message


@pytest.mark.parametrize(
    "beside",
    [
        {"filter": {"provider": "TIKTOK"}},
        {"customAttributeConditions": [{"field": "a", "operator": "IS_EMPTY", "type": "TEXT"}]},
        {"filter": {"takenAt": {"from": "2026-03-01"}}, "customAttributeConditions": []},
    ],
)
def test_filters_beside_a_preset_are_refused_because_archive_would_ignore_them(
    beside: dict[str, Any],
) -> None:
    failure = refused(SearchItems, presetId="7", **beside)

    assert failure.message == (
        "Archive ignores `filter`, `takenAt` and `customAttributeConditions` beside `presetId`."
    )
    assert "filter.collectionsIds" in failure.hint


def test_a_filter_that_filters_nothing_may_stand_beside_a_preset() -> None:
    beside = {"filter": {"provider": None}, "customAttributeConditions": []}

    assert sent(SearchItems, presetId="7", **beside)["presetId"] == "7"
    assert sent(SearchCreators, presetId="7", **beside | {"filter": {}})["presetId"] == "7"


def test_a_preset_is_sorted_here_and_says_what_decides() -> None:
    request = parsed(
        SearchItems, presetId="7", sorting=[{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}]
    )

    assert isinstance(request, SearchItems)
    assert request.variables() == {
        "presetId": "7",
        "sorting": [{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}],
    }
    assert request.extra_paths() == ["currentEngagement.likes"]
    assert request.notes() == ["The preset's own filters decide what is in it."]
    order = request.order()
    assert order is not None
    assert order([{"currentEngagement": {"likes": n}} for n in (1, 3, 2)])[0] == {
        "currentEngagement": {"likes": 3}
    }


@pytest.mark.parametrize(
    "raw", [{}, {"presetId": "7"}, {"sorting": [{"sortKey": "LIKE_COUNT", "sortOrder": "DESC"}]}]
)
def test_what_archive_sorts_is_not_sorted_here(raw: dict[str, Any]) -> None:
    request = parsed(SearchItems, **raw)

    assert isinstance(request, SearchItems)
    assert (request.order(), request.extra_paths()) == (None, [])


@pytest.mark.parametrize(
    ("request_type", "one", "other", "most"),
    [
        (GetMediaContents, "itemIds", "competitorBrandItemIds", 100),
        (GetMediaContents, "competitorBrandItemIds", "itemIds", 100),
        (GetTranscriptions, "itemIds", "mediaContentIds", 1000),
        (GetTranscriptions, "mediaContentIds", "itemIds", 20),
    ],
)
def test_a_lookup_takes_exactly_one_kind_of_id_and_not_too_many(
    request_type: Any, one: str, other: str, most: int
) -> None:
    ids = [str(n) for n in range(most)]

    assert sent(request_type, **{one: ids}) == {one: ids}
    assert sent(request_type, **{one: "5"}) == {one: ["5"]}
    assert sent(request_type, **{one: [5]}) == {one: ["5"]}
    assert (
        f"`{one}` takes at most {most} entries; got {most + 1}."
        in refused(request_type, **{one: [*ids, "x"]}).message
    )
    # An empty list is what some clients send for what they leave out.
    assert "got neither" in refused(request_type, **{one: []}).message
    assert "got both" in refused(request_type, **{one: ids, other: ["1"]}).message
    neither = refused(request_type).message
    assert "got neither" in neither
    assert f"`{one}`" in neither
    assert f"`{other}`" in neither


def test_links_are_looked_up_a_hundred_at_a_time() -> None:
    links = [f"https://www.instagram.com/p/{n}/" for n in range(101)]

    assert sent(GetItemIdsByUrl, urls=links[:100]) == {"urls": links[:100]}
    assert sent(GetItemIdsByUrl, urls=links[0]) == {"urls": links[:1]}
    assert "takes at most 100 entries; got 101" in refused(GetItemIdsByUrl, urls=links).message
    assert "needs at least 1" in refused(GetItemIdsByUrl, urls=[]).message
    assert "`urls` is required" in refused(GetItemIdsByUrl).message


def test_a_history_is_of_one_item() -> None:
    assert sent(GetEngagementHistory, itemId=5) == {"itemId": "5"}
    assert "`itemId` is required" in refused(GetEngagementHistory).message
    assert "`itemId` must be a string" in refused(GetEngagementHistory, itemId=["5"]).message


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], "needs at least 1"),
        ([str(n) for n in range(1001)], "takes at most 1000"),
        ([""], "must not be empty"),
    ],
)
def test_a_refresh_is_of_some_items_but_not_of_all(ids: list[str], words: str) -> None:
    assert words in refused(RefetchEngagementBulk, itemIds=ids).message


def test_the_token_of_a_refresh_stays_here() -> None:
    assert sent(RefetchEngagementBulk, itemIds=["1"], confirm="token") == {"itemIds": ["1"]}


def test_account_names_are_searched_without_their_at_sign() -> None:
    assert sent(SearchItems, filter={"accountNames": ["@maya", "zoe"]})["filter"][
        "accountNames"
    ] == ["maya", "zoe"]
