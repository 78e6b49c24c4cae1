"""What belongs to items: media, transcripts, history; and items found by their URL."""

from __future__ import annotations

from typing import Any

import pytest

from server.sandbox import OUTDOOR
from tests.server.sandbox.archive.conftest import Client, Json

MEDIA = (
    "query($items: [ID!], $brands: [ID!]) { mediaContents(itemIds: $items, "
    "competitorBrandItemIds: $brands) {"
    " __typename ... on Image { id mediaItemId deleted type }"
    " ... on Video { id mediaItemId deleted type videoDuration } } }"
)


async def test_media_contents_join_their_items(shared: Client) -> None:
    items = (await shared.ask("{ items(first: 50) { nodes { id mediaItemId } } }"))["nodes"]
    contents = await shared.ask(MEDIA, {"items": [item["id"] for item in items] + ["unknown"]})
    assert {content["mediaItemId"] for content in contents} == {
        item["mediaItemId"] for item in items
    }
    assert {(c["__typename"], c["type"]) for c in contents} == {
        ("Image", "IMAGE"),
        ("Video", "VIDEO"),
    }


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"items": ["a"], "brands": ["b"]},
        {"items": []},
        {"items": ["a"] * 101},
        {"brands": ["a"] * 101},
    ],
)
async def test_media_contents_take_exactly_one_list_of_at_most_100(
    shared: Client, given: Json
) -> None:
    await shared.error(MEDIA, given)


async def test_a_hundred_ids_are_not_too_many(shared: Client) -> None:
    assert await shared.ask(MEDIA, {"items": ["a"] * 100}) == []


SPEECH = (
    "query($items: [ID!], $contents: [ID!]) { transcriptions(itemIds: $items, "
    "mediaContentIds: $contents) {"
    " mediaContentId transcript } }"
)


async def test_transcriptions_are_found_by_item_and_by_media_content(shared: Client) -> None:
    query = (
        "{ items(filter: {itemTypes: [REEL]}) { nodes { id transcriptions { mediaContentId "
        "transcript } } } }"
    )
    reels = (await shared.ask(query))["nodes"]
    inline = [entry for item in reels for entry in item["transcriptions"]]
    assert await shared.ask(SPEECH, {"items": [item["id"] for item in reels]}) == inline
    contents = [entry["mediaContentId"] for entry in inline[:3]]
    assert await shared.ask(SPEECH, {"contents": [*contents, "unknown"]}) == inline[:3]


@pytest.mark.parametrize(
    "given",
    [{}, {"items": ["a"], "contents": ["b"]}, {"items": ["a"] * 1001}, {"contents": ["a"] * 21}],
)
async def test_transcriptions_take_exactly_one_list_within_its_bound(
    shared: Client, given: Json
) -> None:
    await shared.error(SPEECH, given)


LOOKUP = "query($urls: [String!]!) { itemIdsByUrl(urls: $urls) { url status itemId } }"


async def statuses(client: Client, *urls: str, **how: Any) -> list[tuple[str, str | None]]:
    answer = await client.ask(LOOKUP, {"urls": list(urls)}, **how)
    assert [entry["url"] for entry in answer] == list(urls)
    return [(entry["status"], entry["itemId"]) for entry in answer]


async def test_items_are_found_by_every_public_url(shared: Client) -> None:
    items = (await shared.ask("{ items(first: 100) { nodes { id originalUrl } } }"))["nodes"]
    public = [item for item in items if item["originalUrl"]]
    answer = await statuses(shared, *(item["originalUrl"] for item in public))
    assert answer == [("FOUND", item["id"]) for item in public]


async def test_the_recognised_shapes_of_a_url_lead_to_the_same_item(shared: Client) -> None:
    home = shared.sandbox.world.workspaces[0]
    first = {
        kind: next(i for i in map(home.item, range(500)) if i.kind == kind)
        for kind in ("REEL", "TIKTOK")
    }
    video = next(i for i in map(home.item, range(500)) if i.kind == "YOUTUBE")
    reel, tiktok = first["REEL"], first["TIKTOK"]
    shapes = {
        f"https://instagram.com/p/{reel.external_id}": reel.id,
        f"http://www.instagram.com/reels/{reel.external_id}/?igsh=abc": reel.id,
        f"https://m.tiktok.com/@somebody/photo/{tiktok.external_id}": tiktok.id,
        f"https://youtu.be/{video.external_id}?t=3": video.id,
        f"https://www.youtube.com/watch?t=1&v={video.external_id}": video.id,
        f"https://www.youtube.com/shorts/{video.external_id}": video.id,
    }
    assert await statuses(shared, *shapes) == [("FOUND", name) for name in shapes.values()]


async def test_public_urls_that_lead_nowhere_are_not_found(shared: Client) -> None:
    home = shared.sandbox.world.workspaces[0]
    story, reel = (
        next(i for i in map(home.item, range(99)) if i.kind == kind) for kind in ("STORY", "REEL")
    )
    urls = (
        "https://vm.tiktok.com/ZMabc/",
        "https://www.instagram.com/stories/somebody/123/",
        f"https://www.tiktok.com/@somebody/video/{story.external_id}",
        "https://www.instagram.com/p/DAAAAAAAAAA/",
        "https://www.instagram.com/northwindskincare/",
        "https://example.com/blog",
        "https://youtu.be/",
        f"https://youtu.be/{reel.external_id}",
        f"https://www.instagram.com/p/X{reel.external_id[1:]}/",
        "https://www.youtube.com/watch",
    )
    assert await statuses(shared, *urls) == [("NOT_FOUND", None)] * len(urls)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "instagram.com/p/abc",
        "ftp://instagram.com/p/abc",
        "http://localhost/p/abc",
        "http://127.0.0.1/p/abc",
        "http://10.0.0.8/x",
        "http://[::1]/x",
        "http://nas.local/x",
        "http://intranet/x",
        "http://[broken/x",
        "https://instagram.com:99999/p/abc",
    ],
)
async def test_malformed_foreign_scheme_and_private_urls_are_invalid(
    shared: Client, url: str
) -> None:
    assert await statuses(shared, url) == [("INVALID_URL", None)]


async def test_items_of_another_workspace_are_not_found_by_url(shared: Client) -> None:
    url = next(
        u for i in map(shared.sandbox.world.workspaces[0].item, range(9)) if (u := i.original_url)
    )
    assert await statuses(shared, url, workspace=OUTDOOR) == [("NOT_FOUND", None)]


@pytest.mark.parametrize("count", [0, 101])
async def test_one_to_a_hundred_urls_are_looked_up(shared: Client, count: int) -> None:
    await shared.error(LOOKUP, {"urls": ["https://example.com/"] * count})


HISTORY = (
    "query($id: ID!, $window: EngagementHistoryFilterInput) { "
    "engagementHistory(itemId: $id, filter: $window, first: 3)"
    " { totalCount nodes { at likes followers linearViralityScore } pageInfo { hasNextPage } } }"
)


async def test_history_comes_newest_first_and_can_be_cut_to_a_window(shared: Client) -> None:
    item = next(
        i
        for i in map(shared.sandbox.world.workspaces[0].item, range(900, 999))
        if len(i.history) == 5
    )
    whole = await shared.ask(HISTORY, {"id": item.id})
    moments = [entry["at"] for entry in whole["nodes"]]
    assert (whole["totalCount"], len(moments), whole["pageInfo"]["hasNextPage"]) == (5, 3, True)
    assert moments == sorted(moments, reverse=True)
    window = {"capturedAt": {"from": moments[2], "to": moments[1]}}
    cut = await shared.ask(HISTORY, {"id": item.id, "window": window})
    assert [entry["at"] for entry in cut["nodes"]] == moments[1:]


async def test_history_of_an_unknown_item_is_an_error(shared: Client) -> None:
    _, code = await shared.error(HISTORY, {"id": "unknown"})
    assert code == "NOT_FOUND"
