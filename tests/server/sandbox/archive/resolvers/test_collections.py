"""Collections: made, renamed, deleted and grouped, and the two ways in which a workspace keeps
them."""

from __future__ import annotations

from typing import Any

import pytest

from server.sandbox import COFFEE, MAIN, OUTDOOR
from server.sandbox.archive.scalars import utc
from tests.server.sandbox.archive.conftest import NOW, Client, Json
from tests.support.sandbox.calls import (
    COLLECTION,
    change,
    done,
    everything,
    id_of,
    read,
    refusal,
)

WRAPPED = f"collection {{ {COLLECTION} }}"
ADD = ("addItemToCollections", "item { id }")
REMOVE = ("removeItemFromCollections", "item { id }")


async def make(client: Client, name: str, **how: Any) -> Json:
    found: Json = await done(client, "createCollection", WRAPPED, {"input": {"name": name}}, **how)
    return found


async def one(client: Client, text: str, **how: Any) -> Any:
    return await read(client, "collection", COLLECTION, {"id": text}, **how)


async def total(client: Client, collection: str, **how: Any) -> int:
    page = await read(client, "items", "totalCount", {"presetId": collection}, **how)
    return int(page["totalCount"])


async def preset_names(client: Client) -> list[str]:
    return [preset["name"] for preset in await read(client, "filterPresets", "name")]


def item(client: Client, number: int, workspace: int = 0) -> str:
    return client.sandbox.world.workspaces[workspace].item(number).id


@pytest.mark.parametrize("workspace", [MAIN, OUTDOOR, COFFEE])
async def test_the_count_of_a_collection_is_that_of_its_items(
    shared: Client, workspace: str
) -> None:
    found = await read(shared, "collections", COLLECTION, workspace=workspace)
    assert found
    for collection in found:
        assert collection["itemCount"] == await total(shared, collection["id"], workspace=workspace)


async def test_a_count_follows_what_is_put_in_and_taken_out(small: Client) -> None:
    gallery = await id_of(small, "collections", "Website Gallery")
    page = await read(
        small, "items", "totalCount nodes { id }", {"presetId": gallery, "first": 100}
    )
    inside, before = page["nodes"][0]["id"], page["totalCount"]
    outside = next(
        text for n in range(300) if (text := item(small, n)) not in {i["id"] for i in page["nodes"]}
    )
    counts = []
    for call, text in (
        (ADD, inside),
        (ADD, outside),
        (ADD, outside),
        (REMOVE, inside),
        (REMOVE, outside),
    ):
        await change(small, *call, {"itemId": text, "collectionIds": [gallery]})
        counts.append((await one(small, gallery))["itemCount"])
    assert counts == [before, before + 1, before + 1, before, before - 1]
    assert counts[-1] == await total(small, gallery)


async def test_an_uploaded_post_counts_in_its_collection(small: Client) -> None:
    url = "https://www.instagram.com/p/ABCDEFGHIJK/"
    await change(small, "uploadItemFromUrl", "success", {"input": {"url": url}}, pause=1)
    small.clock.seconds += 10
    (found,) = await read(small, "itemIdsByUrl", "itemId", {"urls": [url]})
    shelf = await id_of(small, "collections", "Empty Shelf")
    await change(small, *ADD, {"itemId": found["itemId"], "collectionIds": [shelf]})
    assert (await one(small, shelf))["itemCount"] == await total(small, shelf) == 1


async def test_a_new_collection_is_empty_ungrouped_and_dated_now(client: Client) -> None:
    made = await make(client, "Winter Report")
    assert (made["name"], made["itemCount"], made["group"]) == ("Winter Report", 0, None)
    assert made["createdAt"] == made["updatedAt"] > utc(NOW)
    assert await one(client, made["id"]) == made
    assert (await read(client, "collections", COLLECTION))[-1] == made


async def test_a_new_collection_is_a_preset_that_takes_items(small: Client) -> None:
    made = await make(small, "Winter Report")
    await change(small, *ADD, {"itemId": item(small, 3), "collectionIds": [made["id"]]})
    await change(small, *ADD, {"itemId": item(small, 5), "collectionNames": ["Winter Report"]})
    page = await read(small, "items", "nodes { id }", {"presetId": made["id"]})
    assert [i["id"] for i in page["nodes"]] == [item(small, 3), item(small, 5)]
    assert "Winter Report" in await preset_names(small)


@pytest.mark.parametrize("name", ["", "  ", "Q3 Report"])
async def test_a_blank_or_taken_name_is_refused(client: Client, name: str) -> None:
    other = await id_of(client, "collections", "Q2 Report")
    assert await refusal(client, "createCollection", WRAPPED, {"input": {"name": name}}) == "name"
    assert (
        await refusal(client, "updateCollection", WRAPPED, {"id": other, "input": {"name": name}})
        == "name"
    )


async def test_names_are_taken_in_their_own_workspace_only(client: Client) -> None:
    assert (await make(client, "Catalogue 2026"))["name"] == "Catalogue 2026"


async def test_a_collection_that_an_item_brought_along_takes_its_name(client: Client) -> None:
    given = {"itemId": item(client, 0), "collectionNames": ["Winter Report"], "autoCreate": True}
    await done(client, *ADD, given)
    assert (
        await refusal(client, "createCollection", WRAPPED, {"input": {"name": "Winter Report"}})
        == "name"
    )
    assert (await one(client, await id_of(client, "collections", "Winter Report")))[
        "itemCount"
    ] == 1


async def test_renaming_keeps_the_items_and_the_date_of_creation(client: Client) -> None:
    before = await one(client, await id_of(client, "collections", "Q3 Report"))
    given = {"id": before["id"], "input": {"name": "Third Quarter"}}
    after = await done(client, "updateCollection", WRAPPED, given)
    assert after == {**before, "name": "Third Quarter", "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > utc(NOW) > before["updatedAt"]
    names = await preset_names(client)
    assert "Third Quarter" in names
    assert "Q3 Report" not in names
    assert (
        await change(client, *ADD, {"itemId": item(client, 0), "collectionNames": ["Q3 Report"]})
    )["userErrors"]


async def test_a_collection_may_be_given_the_name_that_it_has(client: Client) -> None:
    known = await id_of(client, "collections", "Q3 Report")
    given = {"id": known, "input": {"name": "Q3 Report"}}
    assert (await done(client, "updateCollection", WRAPPED, given))["name"] == "Q3 Report"


async def test_a_deleted_collection_is_gone_and_its_items_stay(small: Client) -> None:
    gallery = await id_of(small, "collections", "Website Gallery")
    page = await read(small, "items", "nodes { id }", {"presetId": gallery})
    ids = [i["id"] for i in page["nodes"]]
    narrowed = {"filter": {"collectionsIds": [gallery]}}
    assert (await read(small, "items", "totalCount", narrowed))["totalCount"] == len(ids) > 0
    assert await done(small, "deleteCollection", "deletedCollectionId", {"id": gallery}) == gallery
    assert await one(small, gallery) is None
    assert "Website Gallery" not in await preset_names(small)
    assert "Website Gallery" not in [c["name"] for c in await read(small, "collections", "name")]
    assert (await read(small, "items", "totalCount", narrowed))["totalCount"] == 0
    kept = await read(small, "items", "nodes { id }", {"filter": {"ids": ids}})
    assert [i["id"] for i in kept["nodes"]] == ids
    query = "query($id: ID) { items(presetId: $id) { totalCount } }"
    assert (await small.error(query, {"id": gallery}))[1] == "WRONG_VIEW_TYPE_FOR_ITEMS"


async def test_a_deleted_collection_leaves_its_group_and_takes_no_items(client: Client) -> None:
    report = await id_of(client, "collections", "Q3 Report")
    await done(client, "deleteCollection", "deletedCollectionId", {"id": report})
    groups = await read(client, "viewGroups", "name collections { name }")
    assert groups[0] == {"name": "Reporting", "collections": [{"name": "Q2 Report"}]}
    for call in (ADD, REMOVE):
        for where in ({"collectionIds": [report]}, {"collectionNames": ["Q3 Report"]}):
            assert (await change(client, *call, {"itemId": item(client, 0), **where}))["userErrors"]


async def test_deleting_what_does_not_exist_answers_null_without_an_error(client: Client) -> None:
    shelf = await id_of(client, "collections", "Empty Shelf")
    await done(client, "deleteCollection", "deletedCollectionId", {"id": shelf})
    foreign = client.sandbox.world.workspaces[1].collections[0].id
    before = await everything(client)
    for text in (shelf, foreign, "unknown"):
        payload = await change(client, "deleteCollection", "deletedCollectionId", {"id": text})
        assert payload == {"deletedCollectionId": None, "userErrors": []}
    assert await everything(client) == before
    assert await one(client, foreign, workspace=OUTDOOR)


async def test_the_id_of_a_deleted_collection_is_never_given_out_again(client: Client) -> None:
    first = await make(client, "Winter Report")
    await change(client, *ADD, {"itemId": item(client, 0), "collectionIds": [first["id"]]})
    await done(client, "deleteCollection", "deletedCollectionId", {"id": first["id"]})
    second = await make(client, "Winter Report")
    assert second["id"] != first["id"]
    assert second["itemCount"] == 0


async def test_what_does_not_exist_is_neither_read_nor_renamed_nor_moved(client: Client) -> None:
    foreign = client.sandbox.world.workspaces[1].collections[0].id
    view = await id_of(client, "contentViews", "All Reels")
    for text in ("unknown", foreign, view):
        assert await one(client, text) is None
        renaming = {"id": text, "input": {"name": "New"}}
        assert await refusal(client, "updateCollection", WRAPPED, renaming) == "id"
        moving = {"collectionId": text, "groupId": None}
        assert await refusal(client, "moveCollectionToGroup", WRAPPED, moving) == "collectionId"


async def test_a_collection_is_put_into_a_group_and_out_of_it(client: Client) -> None:
    known, group = (
        await id_of(client, "collections", "Empty Shelf"),
        await id_of(client, "viewGroups", "Website"),
    )
    moved = await done(
        client, "moveCollectionToGroup", WRAPPED, {"collectionId": known, "groupId": group}
    )
    assert moved["group"] == {"id": group, "name": "Website"}
    assert moved["updatedAt"] > utc(NOW)
    assert await one(client, known) == moved
    found = await read(client, "viewGroup", "collections { name }", {"id": group})
    assert found["collections"] == [{"name": "Website Gallery"}, {"name": "Empty Shelf"}]
    out = await done(
        client, "moveCollectionToGroup", WRAPPED, {"collectionId": known, "groupId": None}
    )
    assert out["group"] is None


async def test_an_unknown_group_takes_no_collection(client: Client) -> None:
    known = await id_of(client, "collections", "Q3 Report")
    foreign = client.sandbox.world.workspaces[1].library.groups.oldest_first()[0].id
    for group in ("unknown", foreign):
        given = {"collectionId": known, "groupId": group}
        assert await refusal(client, "moveCollectionToGroup", WRAPPED, given) == "groupId"


async def test_collections_in_the_older_format_cannot_be_managed(client: Client) -> None:
    menu = await id_of(client, "collections", "Menu Photos", workspace=COFFEE)
    group = await done(
        client,
        "createViewGroup",
        "viewGroup { id }",
        {"input": {"name": "Kitchen"}},
        workspace=COFFEE,
    )
    calls: dict[str, Json] = {
        "createCollection": {"input": {"name": "New"}},
        "updateCollection": {"id": menu, "input": {"name": "New"}},
        "deleteCollection": {"id": menu},
        "moveCollectionToGroup": {"collectionId": menu, "groupId": group["id"]},
    }
    for operation, given in calls.items():
        fields = "deletedCollectionId" if operation == "deleteCollection" else WRAPPED
        assert await refusal(client, operation, fields, given, workspace=COFFEE)
    assert (await one(client, menu, workspace=COFFEE))["group"] is None


async def test_items_are_put_into_collections_of_the_older_format_too(client: Client) -> None:
    given = {
        "itemId": item(client, 0, 2),
        "collectionNames": ["Window Display"],
        "autoCreate": True,
    }
    await done(client, *ADD, given, workspace=COFFEE)
    made = await id_of(client, "collections", "Window Display", workspace=COFFEE)
    assert (await one(client, made, workspace=COFFEE))["itemCount"] == 1


async def test_a_list_ends_after_a_thousand_rows_without_a_word(client: Client) -> None:
    home = client.sandbox.world.workspaces[0]
    for number in range(1_000):
        home.library.collections.create(name=f"Collection {number}")
    assert len(home.collections) == 1_006
    assert len(await read(client, "collections", "name")) == 1_000
    assert len(await preset_names(client)) == 1_000
    last = home.collections[-1]
    assert (await one(client, last.id))["name"] == last.name
    assert (
        await refusal(client, "createCollection", WRAPPED, {"input": {"name": last.name}}) == "name"
    )


async def test_a_reset_forgets_every_change(client: Client) -> None:
    before = await everything(client)
    await make(client, "Winter Report")
    for name in ("Q3 Report", "Empty Shelf"):
        known = await id_of(client, "collections", name)
        await done(client, "deleteCollection", "deletedCollectionId", {"id": known})
    assert await everything(client) != before
    client.sandbox.reset()
    assert await everything(client) == before
