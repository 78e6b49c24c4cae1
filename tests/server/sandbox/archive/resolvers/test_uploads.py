"""Importing posts by their URL."""

from __future__ import annotations

import pytest

from server.sandbox import MAIN, OUTDOOR
from server.sandbox.archive.data.changes import UPLOAD_SECONDS
from server.sandbox.archive.data.items import FRAMES_EACH
from server.sandbox.archive.scalars import utc
from server.sandbox.ids import Kind
from tests.server.sandbox.archive.conftest import NOW, Client, Json

UPLOAD = (
    "mutation($url: String!) { uploadItemFromUrl(input: {url: $url}) { success "
    "userErrors { field message } } }"
)
LOOKUP = "query($urls: [String!]!) { itemIdsByUrl(urls: $urls) { status itemId } }"
ITEMS = (
    "query($first: Int = 20, $after: String, $filter: ItemFilterInput, $sorting: "
    "[ItemSortingInput!], $preset: ID)"
    " { items(first: $first, after: $after, filter: $filter, sorting: $sorting, "
    "presetId: $preset) { totalCount"
    " nodes { id externalId mediaItemId type provider caption takenAt originalUrl "
    "archivePublicUrl hashtags mentions"
    " customAttributes socialProfile { id accountName provider } creator { id } location { city }"
    " currentEngagement { likes earnedMediaValue } transcriptions { mediaContentId transcript } }"
    " pageInfo { endCursor } } }"
)
REEL = "https://www.instagram.com/reel/Cq8fresh_01/"
ACCEPTED = {"success": True, "userErrors": []}


async def upload(client: Client, *urls: str, wait: float = UPLOAD_SECONDS) -> None:
    for url in urls:
        assert await client.ask(UPLOAD, {"url": url}) == ACCEPTED
    client.clock.seconds += wait


async def status(client: Client, url: str, workspace: str = MAIN) -> str:
    (entry,) = await client.ask(LOOKUP, {"urls": [url]}, workspace=workspace)
    found: str = entry["status"]
    return found


async def listed(client: Client, **variables: object) -> list[Json]:
    nodes: list[Json] = (await client.ask(ITEMS, variables))["nodes"]
    return nodes


async def total(client: Client) -> int:
    count: int = (await client.ask(ITEMS))["totalCount"]
    return count


async def test_a_post_arrives_some_seconds_after_it_was_accepted(small: Client) -> None:
    await upload(small, REEL, wait=0)
    assert (await status(small, REEL), await total(small)) == ("NOT_FOUND", 300)
    small.clock.seconds += UPLOAD_SECONDS
    assert (await status(small, REEL), await total(small)) == ("FOUND", 301)


async def test_the_post_that_arrived_is_the_newest_item(small: Client) -> None:
    await upload(small, REEL)
    page = await listed(small)
    assert page[0]["originalUrl"] == REEL
    assert page[0]["takenAt"] > page[1]["takenAt"]
    assert page[0]["takenAt"] <= utc(NOW)


@pytest.mark.parametrize(
    ("url", "provider", "kind"),
    [
        ("https://www.instagram.com/p/Cq8fresh_02/", "INSTAGRAM", "POST"),
        (REEL, "INSTAGRAM", "REEL"),
        ("https://www.instagram.com/reels/Cq8fresh_03", "INSTAGRAM", "REEL"),
        ("https://www.tiktok.com/@someone.new/video/7412345678901234567", "TIKTOK", "POST"),
        ("https://www.tiktok.com/@someone.new/photo/7412345678901234568", "TIKTOK", "POST"),
        ("https://www.youtube.com/watch?v=fresh-00001", "YOUTUBE", "POST"),
        ("https://youtu.be/fresh-00002", "YOUTUBE", "POST"),
        ("https://www.youtube.com/shorts/fresh-00003", "YOUTUBE", "SHORT"),
    ],
)
async def test_every_recognised_shape_arrives_as_what_it_says(
    small: Client, url: str, provider: str, kind: str
) -> None:
    await upload(small, url)
    (item,) = [item for item in await listed(small) if item["originalUrl"] == url]
    assert (item["provider"], item["type"], item["socialProfile"]["provider"]) == (
        provider,
        kind,
        provider,
    )
    assert item["externalId"] in url
    assert await small.ask(LOOKUP, {"urls": [url]}) == [{"status": "FOUND", "itemId": item["id"]}]


async def test_the_account_of_the_url_is_the_poster_if_the_crm_knows_it(small: Client) -> None:
    home = small.sandbox.world.workspaces[0]
    (_, name), profile = next(
        entry for entry in home.profiles_by_account.items() if entry[0][0] == "TIKTOK"
    )
    await upload(small, f"https://www.tiktok.com/@{name}/video/7412345678901234567")
    assert (await listed(small))[0]["socialProfile"]["id"] == profile.id


async def test_a_photo_post_consists_of_images(small: Client) -> None:
    await upload(small, "https://www.tiktok.com/@someone.new/photo/7412345678901234567")
    item = (await listed(small))[0]
    query = (
        "query($ids: [ID!]) { mediaContents(itemIds: $ids) { ... on Image { type mediaItemId } } }"
    )
    media = await small.ask(query, {"ids": [item["id"]]})
    assert media == [{"type": "IMAGE", "mediaItemId": item["mediaItemId"]}] * 3
    assert item["transcriptions"] == []


async def test_transcripts_of_an_upload_are_found_by_item_and_by_media_content(
    small: Client,
) -> None:
    await upload(small, REEL)
    item = (await listed(small))[0]
    query = (
        "query($items: [ID!], $contents: [ID!]) { transcriptions(itemIds: $items, "
        "mediaContentIds: $contents) {"
        " mediaContentId transcript } }"
    )
    assert len(item["transcriptions"]) == 1
    contents = [item["transcriptions"][0]["mediaContentId"]]
    assert await small.ask(query, {"items": [item["id"]]}) == item["transcriptions"]
    assert await small.ask(query, {"contents": contents}) == item["transcriptions"]


async def test_an_upload_is_measured_when_it_arrives(small: Client) -> None:
    await upload(small, REEL)
    item = (await listed(small))[0]
    query = "query($id: ID!) { engagementHistory(itemId: $id) { nodes { at likes } } }"
    (entry,) = (await small.ask(query, {"id": item["id"]}))["nodes"]
    assert entry["at"] > item["takenAt"]
    assert entry["likes"] == item["currentEngagement"]["likes"]


async def test_no_upload_is_without_metrics(small: Client) -> None:
    await upload(small, *(f"https://www.instagram.com/p/Cq8many_{n:03d}/" for n in range(1, 100)))
    page = await listed(small, first=99)
    assert all(item["currentEngagement"] for item in page)


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "ftp://www.instagram.com/p/Cq8fresh_02/",
        "http://localhost/p/1",
        "http://10.0.0.1/p/1",
        "",
        REEL + " ",
    ],
)
async def test_what_is_no_public_url_is_refused_and_nothing_arrives(
    small: Client, url: str
) -> None:
    answer = await small.ask(UPLOAD, {"url": url})
    assert (answer["success"], [error["field"] for error in answer["userErrors"]]) == (
        False,
        [["url"]],
    )
    small.clock.seconds += 60
    assert await total(small) == 300


@pytest.mark.parametrize(
    "url",
    [
        "https://www.example.com/post/1",
        "https://vm.tiktok.com/ZMabc/",
        "https://www.instagram.com/someone/",
        "https://www.instagram.com/reel/Cq8fresh_0x/",
        "https://www.tiktok.com/@someone.new/video/7412345678901234000",
    ],
)
async def test_some_posts_are_accepted_and_never_arrive(small: Client, url: str) -> None:
    await upload(small, url, wait=3600)
    assert (await status(small, url), await total(small)) == ("NOT_FOUND", 300)


async def test_a_post_that_is_in_the_archive_is_accepted_and_not_added_again(small: Client) -> None:
    known = next(item["originalUrl"] for item in await listed(small) if item["originalUrl"])
    await upload(small, known)
    assert await total(small) == 300


async def test_a_post_that_was_uploaded_before_is_not_added_again(small: Client) -> None:
    await upload(small, REEL, REEL.replace("/reel/", "/p/"), wait=0)
    await upload(small)
    await upload(small, REEL + "?igsh=1")
    assert await total(small) == 301


async def test_uploads_come_in_the_order_of_their_requests(small: Client) -> None:
    urls = [f"https://www.instagram.com/p/Cq8fresh_1{n}/" for n in range(4)]
    await upload(small, *urls)
    page = await listed(small, first=5)
    assert [item["originalUrl"] for item in page[:4]] == urls[::-1]
    assert len({item["id"] for item in page}) == 5
    ids = [item["id"] for item in await small.every("items", "id")]
    assert len(ids) == len(set(ids)) == 304


async def test_paging_goes_on_where_it_was_when_a_post_arrives_meanwhile(small: Client) -> None:
    whole = [item["id"] for item in await listed(small, first=8)]
    await upload(small, REEL, wait=0)
    page = await small.ask(ITEMS, {"first": 2})
    small.clock.seconds += UPLOAD_SECONDS
    following = await small.ask(ITEMS, {"first": 2, "after": page["pageInfo"]["endCursor"]})
    assert [item["id"] for item in following["nodes"]] == whole[2:4]


async def test_a_cursor_behind_an_upload_leads_to_what_follows_it(small: Client) -> None:
    await upload(small, REEL)
    first = await small.ask(ITEMS, {"first": 1})
    await upload(small, "https://youtu.be/fresh-00002")
    following = await small.ask(ITEMS, {"first": 2, "after": first["pageInfo"]["endCursor"]})
    whole = [item["id"] for item in await listed(small, first=4)]
    assert [item["id"] for item in following["nodes"]] == whole[2:4]


async def test_filters_find_an_upload(small: Client) -> None:
    await upload(small, REEL)
    item = (await listed(small))[0]
    day: Json = {"takenAt": {"from": item["takenAt"], "to": item["takenAt"]}}
    for wanted in (
        day,
        {"ids": [item["id"]]},
        {"itemTypes": ["REEL"], "importType": "MANUAL", **day},
        {"socialProfileIds": [item["socialProfile"]["id"]], **day},
        {
            "superSearch": {"mode": "FUZZY_CAPTION", "searchQuery": item["caption"].split("#")[0]},
            **day,
        },
    ):
        assert [found["id"] for found in await listed(small, filter=wanted)] == [item["id"]]
    for unwanted in ({"importType": "AUTOMATIC"}, {"itemTypes": ["YOUTUBE"]}):
        assert await listed(small, filter={**unwanted, **day}) == []


async def test_every_upload_counts_as_added_by_hand(small: Client) -> None:
    urls = [f"https://www.instagram.com/p/Cq8fresh_2{n}/" for n in range(6)]
    await upload(small, *urls)
    manual = await listed(small, first=100, filter={"importType": "MANUAL"})
    assert [item["originalUrl"] for item in manual[:6]] == urls[::-1]


@pytest.mark.parametrize(
    "key",
    [
        "TAKEN_AT",
        "LIKE_COUNT",
        "EARNED_MEDIA_VALUE",
        "ACCOUNT_NAME",
        "LINEAR_VIRALITY",
        "MERGED_VIEW_PLAY_COUNT",
    ],
)
async def test_every_order_holds_an_upload_once(small: Client, key: str) -> None:
    await upload(small, REEL)
    found = await small.every(
        "items", "originalUrl", f", sorting: {{sortKey: {key}, sortOrder: ASC}}"
    )
    urls = [item["originalUrl"] for item in found]
    assert (len(urls), urls.count(REEL)) == (301, 1)
    if key == "TAKEN_AT":
        assert urls[-1] == REEL


async def test_presets_hold_an_upload_that_fits_them(small: Client) -> None:
    known = {p["name"]: p["id"] for p in await small.ask("{ filterPresets { id name } }")}
    before = await small.ask(ITEMS, {"preset": known["All Reels"]})
    await upload(small, REEL, "https://youtu.be/fresh-00002")
    after = await small.ask(ITEMS, {"preset": known["All Reels"]})
    assert after["totalCount"] == before["totalCount"] + 1
    assert after["nodes"][0]["originalUrl"] == REEL


async def test_collections_take_an_upload_and_hold_none_of_themselves(small: Client) -> None:
    known = {p["name"]: p["id"] for p in await small.ask("{ filterPresets { id name accessor } }")}
    gallery = known["Website Gallery"]
    before = (await small.ask(ITEMS, {"preset": gallery}))["totalCount"]
    await upload(small, *(f"https://www.instagram.com/p/Cq8many_{n:03d}/" for n in range(1, 111)))
    assert (await small.ask(ITEMS, {"preset": gallery}))["totalCount"] == before
    item = (await listed(small))[0]["id"]
    query = (
        "mutation($item: ID!, $id: ID!) { addItemToCollections(itemId: $item, "
        "collectionIds: [$id]) {"
        " item { id } userErrors { message } } }"
    )
    assert await small.ask(query, {"item": item, "id": gallery}) == {
        "item": {"id": item},
        "userErrors": [],
    }
    assert (await small.ask(ITEMS, {"preset": gallery}))["nodes"][0]["id"] == item


async def test_an_upload_can_be_refreshed(small: Client) -> None:
    await upload(small, REEL)
    item = (await listed(small))[0]["id"]
    query = "mutation($ids: [ID!]!) { refetchEngagementBulk(itemIds: $ids) { processedCount } }"
    assert await small.ask(query, {"ids": [item]}) == {"processedCount": 1}
    small.clock.seconds += 10
    history = "query($id: ID!) { engagementHistory(itemId: $id) { totalCount } }"
    assert (await small.ask(history, {"id": item}))["totalCount"] == 2


async def test_an_upload_that_has_not_arrived_cannot_be_used(small: Client) -> None:
    await upload(small, REEL, wait=0)
    home = small.sandbox.world.workspaces[0]
    item, content = home.id_of(Kind.ITEM, -1), home.id_of(Kind.MEDIA_CONTENT, -FRAMES_EACH)
    speech = "query($ids: [ID!]) { transcriptions(mediaContentIds: $ids) { mediaContentId } }"
    media = "query($ids: [ID!]) { mediaContents(itemIds: $ids) { __typename } }"
    assert await listed(small, filter={"ids": [item]}) == []
    assert await small.ask(media, {"ids": [item]}, pause=0.3) == []
    assert await small.ask(speech, {"ids": [content]}, pause=0.3) == []
    small.clock.seconds += UPLOAD_SECONDS
    assert [found["id"] for found in await listed(small, filter={"ids": [item]})] == [item]
    assert await small.ask(media, {"ids": [item]}) == [{"__typename": "Video"}]
    assert await small.ask(speech, {"ids": [content]}) == [{"mediaContentId": content}]


async def test_uploads_belong_to_their_workspace(small: Client) -> None:
    await upload(small, REEL)
    assert await status(small, REEL, OUTDOOR) == "NOT_FOUND"


async def test_a_reset_forgets_uploads(small: Client) -> None:
    await upload(small, REEL)
    small.sandbox.reset()
    assert (await status(small, REEL), await total(small)) == ("NOT_FOUND", 300)


async def test_the_same_uploads_give_the_same_items(make_client: type[Client]) -> None:
    pages = []
    for _ in range(2):
        client = make_client(items=300)
        await upload(client, REEL, "https://youtu.be/fresh-00002")
        pages.append(await listed(client, first=3))
    assert pages[0] == pages[1]
