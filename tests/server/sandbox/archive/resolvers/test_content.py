"""Items and what belongs to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox import COFFEE, OUTDOOR
from server.sandbox.archive.scalars import utc
from server.sandbox.ids import Kind
from tests.server.sandbox.archive.conftest import NOW, Client, Json

ITEMS = (
    "query($first: Int, $after: String, $filter: ItemFilterInput, $sorting: "
    "[ItemSortingInput!], $preset: ID,"
    " $conditions: [CustomAttributeConditionInput!] = []) { items(first: $first, after: $after, "
    "filter: $filter,"
    " sorting: $sorting, presetId: $preset, customAttributeConditions: $conditions) { "
    "totalCount nodes { %s } } }"
)
DETAILS = """
    id type provider caption takenAt hashtags mentions customAttributes
    location { city state country }
    socialProfile { id accountName followers verified } creator { id customAttributes }
    currentEngagement {
      likes comments shares views impressions earnedMediaValue linearViralityScore
    }
    transcriptions { mediaContentId transcript }
"""


async def found(client: Client, filter_: Any = None, **variables: Any) -> Json:
    answer: Json = await client.ask(
        ITEMS % DETAILS, {"first": 100, "filter": filter_ or {}, **variables}
    )
    assert answer["totalCount"] >= len(answer["nodes"])
    return answer


async def nodes(client: Client, filter_: Any = None, **variables: Any) -> list[Json]:
    """The first page; there must be something on it, or a test of all its records would prove
    nothing."""
    page = (await found(client, filter_, **variables))["nodes"]
    assert page
    return list(page)


async def test_items_come_newest_first_with_the_documented_spelling(shared: Client) -> None:
    page = await nodes(shared)
    moments = [item["takenAt"] for item in page]
    assert len(page) == 100
    assert moments == sorted(moments, reverse=True)
    assert all(moment.endswith("Z") for moment in moments)


async def test_large_numbers_are_sent_as_strings(shared: Client) -> None:
    page = await nodes(
        shared,
        {"itemTypes": ["TIKTOK"], "engagement": [{"field": "LIKE_COUNT", "range": {"from": 1}}]},
    )
    assert all(isinstance(item["currentEngagement"]["likes"], str) for item in page)


async def test_every_item_is_met_once_when_paging_to_the_end(small: Client) -> None:
    ids = [item["id"] for item in await small.every("items", "id")]
    assert len(ids) == len(set(ids)) == 300
    liked = await small.every("items", "id", ", sorting: {sortKey: LIKE_COUNT, sortOrder: DESC}")
    assert {item["id"] for item in liked} == set(ids)


@pytest.mark.parametrize(
    ("item_type", "answer_type", "provider"),
    [
        ("POST", "POST", "INSTAGRAM"),
        ("REEL", "REEL", "INSTAGRAM"),
        ("STORY", "STORY", "INSTAGRAM"),
        ("TIKTOK", "POST", "TIKTOK"),
        ("TIKTOK_STORY", "STORY", "TIKTOK"),
        ("YOUTUBE", "POST", "YOUTUBE"),
        ("YOUTUBE_SHORT", "SHORT", "YOUTUBE"),
    ],
)
async def test_item_types_are_answered_with_fewer_names(
    shared: Client, item_type: str, answer_type: str, provider: str
) -> None:
    page = await nodes(shared, {"itemTypes": [item_type]})
    assert {(item["type"], item["provider"]) for item in page} == {(answer_type, provider)}


async def test_ids_choose_items_and_unknown_ones_choose_nothing(shared: Client) -> None:
    some = [item["id"] for item in (await nodes(shared))[3:6]]
    assert [item["id"] for item in await nodes(shared, {"ids": some[::-1]})] == some
    assert (await found(shared, {"ids": ["nonsense"]}))["totalCount"] == 0


async def test_taken_at_includes_both_ends(shared: Client) -> None:
    page = await nodes(shared)
    window = {"from": page[20]["takenAt"], "to": page[10]["takenAt"]}
    assert [item["id"] for item in await nodes(shared, {"takenAt": window})] == [
        item["id"] for item in page[10:21]
    ]


async def test_empty_lists_do_not_narrow(shared: Client) -> None:
    assert (await found(shared, {"accountNames": [], "ids": [], "itemTypes": []}))[
        "totalCount"
    ] == 4000


async def test_accounts_are_found_by_name_and_by_profile_id(shared: Client) -> None:
    profile = (await nodes(shared))[0]["socialProfile"]
    for wanted in (
        {"accountNames": [profile["accountName"]]},
        {"socialProfileIds": [profile["id"]]},
    ):
        assert {item["socialProfile"]["id"] for item in await nodes(shared, wanted)} == {
            profile["id"]
        }


async def test_account_types_exist_on_instagram_only(shared: Client) -> None:
    page = await nodes(shared, {"socialProfileAccountTypes": ["BUSINESS", "CREATOR", "PERSONAL"]})
    assert {item["provider"] for item in page} == {"INSTAGRAM"}


async def test_followers_and_verification_narrow(shared: Client) -> None:
    page = await nodes(
        shared, {"verified": [True], "followersCount": {"from": 200_000, "to": 400_000}}
    )
    assert {item["socialProfile"]["verified"] for item in page} == {True}
    assert all(200_000 <= item["socialProfile"]["followers"] <= 400_000 for item in page)


async def test_engagement_ranges_leave_out_items_without_the_figure(shared: Client) -> None:
    ranges = [
        {"field": "SHARE_COUNT", "range": {"from": 0}},
        {"field": "EARNED_MEDIA_VALUE", "range": {"to": 90_000}},
    ]
    page = await nodes(shared, {"engagement": ranges})
    assert {item["provider"] for item in page} == {"TIKTOK"}
    assert all(int(item["currentEngagement"]["earnedMediaValue"]) <= 90_000 for item in page)


async def test_virality_narrows(shared: Client) -> None:
    page = await nodes(shared, {"viralityScore": ["HIGH", "MEDIUM"]})
    assert {item["currentEngagement"]["linearViralityScore"] for item in page} == {"HIGH", "MEDIUM"}


async def test_places_must_fit_in_all_parts_of_one_entry(shared: Client) -> None:
    berlin_or_france = [{"country": "Germany", "city": "Berlin"}, {"country": "France"}]
    page = await nodes(shared, {"ugcLocations": berlin_or_france})
    assert {item["location"]["city"] for item in page} == {"Berlin", "Paris"}
    homes = await nodes(shared, {"creatorLocations": berlin_or_france})
    assert {i["creator"]["customAttributes"]["location"] for i in homes} == {
        "Berlin, Germany",
        "Paris, France",
    }
    assert (await found(shared, {"ugcLocations": [{"city": "berlin"}]}))["totalCount"] == 0


async def test_tags_are_hashtags_or_mentions(shared: Client) -> None:
    page = await nodes(shared, {"tagsNames": ["#GlowUp"]})
    assert all("glowup" in item["hashtags"] for item in page)
    mentioned = await nodes(shared, {"tagsNames": ["northwindskincare"]})
    assert all("northwindskincare" in item["hashtags"] + item["mentions"] for item in mentioned)


@pytest.mark.parametrize(
    "part",
    [
        {"provider": "YOUTUBE"},
        {"contentTypes": ["IMAGE"]},
        {"importType": "MANUAL"},
        {"usageRightsStatus": ["APPROVED"]},
        {"tiktokSparkCodeStatus": ["REQUESTED"]},
        {"instagramWhitelistingStatus": ["REJECTED", "EXPIRED"]},
        {"tiktokWhitelistingEligibility": "ALL"},
        {"shopifyProductsIds": ["8000000102"]},
    ],
)
async def test_other_parts_narrow_to_some_items(shared: Client, part: Json) -> None:
    assert 0 < (await found(shared, part))["totalCount"] < 4000


async def test_campaigns_sources_and_collections_narrow_by_id(shared: Client) -> None:
    home = shared.sandbox.world.workspaces[0]
    wanted = {"campaignsIds": [c.id for c in home.campaigns]}, {"sourcesIds": home.source_ids[:1]}
    for part in (*wanted, {"collectionsIds": [home.collections[0].id]}):
        assert 0 < (await found(shared, part))["totalCount"] < 4000
        assert (await found(shared, {next(iter(part)): ["unknown"]}))["totalCount"] == 0


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ("LIKE_COUNT", lambda item: int(item["currentEngagement"]["likes"])),
        ("COMMENT_COUNT", lambda item: int(item["currentEngagement"]["comments"])),
        ("SHARE_COUNT", lambda item: int(item["currentEngagement"]["shares"])),
        ("EARNED_MEDIA_VALUE", lambda item: int(item["currentEngagement"]["earnedMediaValue"])),
        ("MERGED_VIEW_PLAY_COUNT", lambda item: int(item["currentEngagement"]["impressions"])),
        ("FOLLOWERS_COUNT", lambda item: item["socialProfile"]["followers"]),
        ("ACCOUNT_NAME", lambda item: item["socialProfile"]["accountName"]),
        ("TAKEN_AT", lambda item: item["takenAt"]),
    ],
)
async def test_items_are_sorted_by_any_key(shared: Client, key: str, read: Any) -> None:
    narrow = {
        "itemTypes": ["TIKTOK"],
        "engagement": [{"field": "LIKE_COUNT", "range": {"from": 0}}],
    }
    up = await nodes(shared, narrow, sorting=[{"sortKey": key, "sortOrder": "ASC"}])
    down = await nodes(shared, narrow, sorting=[{"sortKey": key, "sortOrder": "DESC"}])
    rising, falling = [read(item) for item in up], [read(item) for item in down]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > rising[0]


@pytest.mark.parametrize("key", ["LINEAR_VIRALITY", "EXPONENTIAL_VIRALITY"])
async def test_sorting_by_virality_puts_the_viral_first(shared: Client, key: str) -> None:
    page = await nodes(shared, sorting=[{"sortKey": key, "sortOrder": "DESC"}])
    assert page[0]["currentEngagement"]["linearViralityScore"] == "HIGH"


@pytest.mark.parametrize("order", ["ASC", "DESC"])
async def test_items_without_the_figure_come_last_in_either_order(
    small: Client, order: str
) -> None:
    everybody = await small.every(
        "items",
        "currentEngagement { likes }",
        f", sorting: {{sortKey: LIKE_COUNT, sortOrder: {order}}}",
    )
    known = [
        bool(item["currentEngagement"] and item["currentEngagement"]["likes"]) for item in everybody
    ]
    assert known == sorted(known, reverse=True)
    assert set(known) == {True, False}


async def test_a_second_key_orders_what_the_first_leaves_equal(shared: Client) -> None:
    keys = [
        {"sortKey": "ACCOUNT_NAME", "sortOrder": "ASC"},
        {"sortKey": "TAKEN_AT", "sortOrder": "ASC"},
    ]
    page = await nodes(shared, sorting=keys)
    order = [(item["socialProfile"]["accountName"], item["takenAt"]) for item in page]
    assert order == sorted(order)


async def test_captions_and_transcripts_are_searched_for_all_words(shared: Client) -> None:
    caption = {"superSearch": {"mode": "FUZZY_CAPTION", "searchQuery": "glacier SERUM"}}
    assert all("Glacier Serum" in item["caption"] for item in await nodes(shared, caption))
    speech = {"superSearch": {"mode": "FUZZY_TRANSCRIPTION", "searchQuery": "patch test"}}
    for item in await nodes(shared, speech):
        assert any("patch test" in (entry["transcript"] or "") for entry in item["transcriptions"])


@pytest.mark.parametrize(
    "source",
    [{"searchQuery": "balm"}, {"imageUrl": "https://x.example/a.jpg"}, {"fileName": "a.jpg"}],
)
async def test_pictures_are_searched_by_words_or_by_example(shared: Client, source: Json) -> None:
    total = (await found(shared, {"superSearch": {"mode": "EMBEDDING_CONTENT", **source}}))[
        "totalCount"
    ]
    assert 0 < total < 4000


async def test_pictures_are_searched_by_a_media_content(shared: Client) -> None:
    content = shared.sandbox.world.workspaces[0].item(5).media_content_id(0)
    search = {"mode": "EMBEDDING_CONTENT", "similarMediaContentId": content}
    assert (await found(shared, {"superSearch": search}))["totalCount"] > 0


@pytest.mark.parametrize(
    "search",
    [
        {"searchQuery": "balm"},
        {"mode": "FUZZY_CAPTION"},
        {"mode": "FUZZY_CAPTION", "searchQuery": " "},
        {"mode": "FUZZY_TRANSCRIPTION", "searchQuery": "x", "fileName": "y"},
        {"mode": "EMBEDDING_CONTENT"},
        {"mode": "EMBEDDING_CONTENT", "searchQuery": "x", "imageUrl": "y"},
        {"mode": "EMBEDDING_CONTENT", "similarMediaContentId": "unknown"},
    ],
)
async def test_a_search_that_breaks_the_rules_of_its_mode_is_refused(
    shared: Client, search: Json
) -> None:
    await shared.error(ITEMS % "id", {"filter": {"superSearch": search}, "first": 1})


async def test_a_preset_silences_order_filter_and_conditions(shared: Client) -> None:
    presets = {p["name"]: p["id"] for p in await shared.ask("{ filterPresets { id name } }")}
    alone = await nodes(shared, preset=presets["TikTok Top Earners"])
    broken = [{"field": "no_such_field", "operator": "IS", "type": "TEXT", "value": "x"}]
    loaded = await nodes(
        shared,
        {"provider": "YOUTUBE"},
        preset=presets["TikTok Top Earners"],
        sorting=[{"sortKey": "TAKEN_AT", "sortOrder": "ASC"}],
        conditions=broken,
    )
    assert loaded == alone
    assert {item["provider"] for item in alone} == {"TIKTOK"}
    earned = [int(item["currentEngagement"]["earnedMediaValue"]) for item in alone]
    assert earned == sorted(earned, reverse=True)


async def test_presets_are_views_and_collections(shared: Client) -> None:
    presets = await shared.ask("{ filterPresets { id name accessor } }")
    assert {p["accessor"] for p in presets} == {"MEDIA_DECK", "COLLECTIONS"}
    totals = {p["name"]: (await found(shared, preset=p["id"]))["totalCount"] for p in presets}
    assert totals.pop("Empty Shelf") == 0
    assert all(0 < total < 4000 for total in totals.values())
    assert "Q3 Report" in totals
    assert "Q4 Report" not in totals


async def test_a_view_can_hold_conditions_and_a_moving_window(shared: Client) -> None:
    presets = {p["name"]: p["id"] for p in await shared.ask("{ filterPresets { id name } }")}
    five = await nodes(shared, preset=presets["Five-Star Posts"])
    assert {item["customAttributes"]["review_score"] for item in five} == {5}
    stories = await nodes(shared, preset=presets["Stories, last 30 days"])
    assert min(item["takenAt"] for item in stories) >= utc(NOW - timedelta(days=30))


@pytest.mark.parametrize("kind", ["unknown", "foreign", "creator view", "item"])
async def test_a_preset_of_the_wrong_kind_is_refused(shared: Client, kind: str) -> None:
    main, outdoor = shared.sandbox.world.workspaces[:2]
    wrong = {
        "unknown": "unknown",
        "foreign": outdoor.collections[0].id,
        "creator view": main.id_of(Kind.CREATOR_VIEW, 0),
        "item": main.item(0).id,
    }
    _, code = await shared.error(ITEMS % "id", {"first": 1, "preset": wrong[kind]})
    assert code == "WRONG_VIEW_TYPE_FOR_ITEMS"


async def test_each_workspace_has_items_of_its_own(shared: Client) -> None:
    totals = [await shared.ask("{ items { totalCount } }", workspace=w) for w in (OUTDOOR, COFFEE)]
    assert [total["totalCount"] for total in totals] == [900, 350]
