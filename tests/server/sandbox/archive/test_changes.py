"""What callers change: collections and refreshed metrics."""

from __future__ import annotations

from typing import Any

import pytest

from server.sandbox import COFFEE, MAIN, OUTDOOR
from server.sandbox.archive.data.metrics import measure
from server.sandbox.archive.data.posts import STORY_KINDS
from tests.server.sandbox.archive.conftest import NOW, Client, Json

MOVE = (
    "mutation($item: ID!, $names: [String!] = [], $ids: [ID!] = []) { %s(itemId: $item, "
    "collectionNames: $names,"
    " collectionIds: $ids%s) { item { id } userErrors { field message } } }"
)
ADD, ADD_NEW, REMOVE = (
    MOVE % ("addItemToCollections", ""),
    MOVE % ("addItemToCollections", ", autoCreate: true"),
    MOVE % ("removeItemFromCollections", ""),
)
REFETCH = (
    "mutation($ids: [ID!]!) { refetchEngagementBulk(itemIds: $ids) {"
    " operationId processedCount skippedItemIds userErrors { field message } } }"
)
OPERATION = (
    "query($id: ID!) { operation(id: $id) { id operationType status total processed createdAt "
    "completedAt"
    " succeededItemIds failedItemIds pendingItemIds } }"
)


async def presets(client: Client) -> dict[str, str]:
    return {p["name"]: p["id"] for p in await client.ask("{ filterPresets { id name } }")}


async def members(client: Client, preset: str) -> list[str]:
    return [item["id"] for item in await client.every("items", "id", f', presetId: "{preset}"')]


def item_ids(client: Client, *numbers: int) -> list[str]:
    return [client.sandbox.world.workspaces[0].item(number).id for number in numbers]


async def test_an_item_is_put_into_collections_by_name_and_by_id(small: Client) -> None:
    known, (item,) = await presets(small), item_ids(small, 3)
    given = {"item": item, "names": ["Empty Shelf"], "ids": [known["Q3 Report"]]}
    assert await small.ask(ADD, given) == {"item": {"id": item}, "userErrors": []}
    assert await members(small, known["Empty Shelf"]) == [item]
    assert item in await members(small, known["Q3 Report"])


async def test_adding_twice_changes_nothing(small: Client) -> None:
    known, (item,) = await presets(small), item_ids(small, 3)
    for _ in range(2):
        await small.ask(ADD, {"item": item, "names": ["Empty Shelf"]})
    assert await members(small, known["Empty Shelf"]) == [item]


async def test_an_unknown_name_is_refused_and_nothing_is_added(small: Client) -> None:
    known, (item,) = await presets(small), item_ids(small, 3)
    answer = await small.ask(ADD, {"item": item, "names": ["Empty Shelf", "Q4 Report"]})
    assert answer["item"] is None
    assert [error["field"] for error in answer["userErrors"]] == [["collectionNames"]]
    assert await members(small, known["Empty Shelf"]) == []
    assert "Q4 Report" not in await presets(small)


async def test_auto_create_makes_the_collection_once(small: Client) -> None:
    first, second = item_ids(small, 3, 4)
    for item in (first, second, first):
        assert (await small.ask(ADD_NEW, {"item": item, "names": ["Q4 Report", "Q4 Report"]}))[
            "userErrors"
        ] == []
    known = await small.ask("{ filterPresets { id name accessor } }")
    (made,) = [preset for preset in known if preset["name"] == "Q4 Report"]
    assert made["accessor"] == "COLLECTIONS"
    assert await members(small, made["id"]) == [first, second]


async def test_names_are_compared_exactly(small: Client) -> None:
    answer = await small.ask(ADD, {"item": item_ids(small, 3)[0], "names": ["q3 report"]})
    assert answer["userErrors"]


async def test_one_foreign_collection_rejects_the_whole_call(small: Client) -> None:
    known, (item,) = await presets(small), item_ids(small, 3)
    foreign = small.sandbox.world.workspaces[1].collections[0].id
    answer = await small.ask(
        ADD_NEW, {"item": item, "names": ["New"], "ids": [known["Empty Shelf"], foreign]}
    )
    assert (answer["item"], len(answer["userErrors"])) == (None, 1)
    assert await members(small, known["Empty Shelf"]) == []
    assert "New" not in await presets(small)


@pytest.mark.parametrize(
    "given", [{}, {"names": [" "]}, {"names": ["Empty Shelf"], "item": "unknown"}]
)
@pytest.mark.parametrize("mutation", [ADD, ADD_NEW, REMOVE])
async def test_incomplete_calls_are_refused(small: Client, mutation: str, given: Json) -> None:
    answer = await small.ask(mutation, {"item": item_ids(small, 3)[0], **given})
    assert answer["userErrors"]


async def test_removing_takes_the_item_out_and_leaves_it_in_the_archive(small: Client) -> None:
    known = await presets(small)
    before = await members(small, known["Website Gallery"])
    answer = await small.ask(REMOVE, {"item": before[0], "names": ["Website Gallery"]})
    assert answer == {"item": {"id": before[0]}, "userErrors": []}
    assert await members(small, known["Website Gallery"]) == before[1:]
    assert before[0] in [item["id"] for item in await small.every("items", "id")]
    assert (await small.ask(REMOVE, {"item": before[0], "ids": [known["Website Gallery"]]}))[
        "userErrors"
    ] == []


async def test_removing_from_an_unknown_collection_is_refused(small: Client) -> None:
    assert (await small.ask(REMOVE, {"item": item_ids(small, 3)[0], "names": ["Q4 Report"]}))[
        "userErrors"
    ]


async def test_paging_goes_on_where_it_was_when_items_join_meanwhile(small: Client) -> None:
    known = await presets(small)
    page = (
        "query($p: ID, $after: String) { items(first: 2, presetId: $p, after: $after) {"
        " nodes { id } pageInfo { endCursor } } }"
    )
    whole = await members(small, known["Website Gallery"])
    first = await small.ask(page, {"p": known["Website Gallery"]})
    newest = next(text for text in item_ids(small, 0, 1) if text not in whole)
    await small.ask(ADD, {"item": newest, "names": ["Website Gallery"]})
    after = first["pageInfo"]["endCursor"]
    second = await small.ask(page, {"p": known["Website Gallery"], "after": after})
    assert [item["id"] for item in second["nodes"]] == whole[2:4]


async def test_a_stale_cursor_leads_to_an_empty_page(small: Client) -> None:
    known = await presets(small)
    page = (
        "query($p: ID, $after: String) { items(first: 1, presetId: $p, after: $after) {"
        " nodes { id } pageInfo { endCursor hasNextPage } } }"
    )
    first = await small.ask(page, {"p": known["Website Gallery"]})
    await small.ask(REMOVE, {"item": first["nodes"][0]["id"], "names": ["Website Gallery"]})
    after = first["pageInfo"]["endCursor"]
    second = await small.ask(page, {"p": known["Website Gallery"], "after": after})
    assert (second["nodes"], second["pageInfo"]["hasNextPage"]) == ([], False)


def refreshable(client: Client, count: int, *, unreachable: bool = False) -> list[str]:
    home = client.sandbox.world.workspaces[0]
    able = (
        i
        for i in map(home.item, range(home.item_count))
        if i.kind not in STORY_KINDS and i.is_unreachable == unreachable
    )
    return [next(able).id for _ in range(count)]


async def test_a_refresh_runs_through_its_states_by_the_clock(client: Client) -> None:
    ids = refreshable(client, 4)
    started = await client.ask(REFETCH, {"ids": ids})
    assert (started["processedCount"], started["skippedItemIds"], started["userErrors"]) == (
        4,
        [],
        [],
    )
    seen: list[Json] = [
        await client.ask(OPERATION, {"id": started["operationId"]}, pause=p)
        for p in (0.5, 2.0, 2.0)
    ]
    assert [operation["status"] for operation in seen] == ["QUEUED", "PROCESSING", "COMPLETED"]
    assert [operation["processed"] for operation in seen] == [0, 2, 4]
    assert [len(operation["pendingItemIds"]) for operation in seen] == [4, 2, 0]
    assert seen[0]["completedAt"] is None
    assert seen[2]["completedAt"] == "2026-11-21T06:30:05Z"
    assert {operation["operationType"] for operation in seen} == {"refetch_engagement"}
    assert (seen[2]["succeededItemIds"], seen[2]["failedItemIds"]) == (ids, [])


@pytest.mark.parametrize(("reachable", "status"), [(2, "PARTIAL"), (0, "FAILED")])
async def test_items_out_of_reach_fail(client: Client, reachable: int, status: str) -> None:
    lost = refreshable(client, 1, unreachable=True)
    started = await client.ask(REFETCH, {"ids": refreshable(client, reachable) + lost})
    operation = await client.ask(OPERATION, {"id": started["operationId"]}, pause=10)
    assert (operation["status"], operation["failedItemIds"]) == (status, lost)


async def test_a_finished_refresh_adds_a_snapshot(client: Client) -> None:
    (item,) = refreshable(client, 1)
    history = f'{{ engagementHistory(itemId: "{item}") {{ nodes {{ at impressions }} }} }}'
    before = (await client.ask(history))["nodes"]
    await client.ask(REFETCH, {"ids": [item]})
    assert (await client.ask(history))["nodes"] == before
    after = (await client.ask(history, pause=10))["nodes"]
    assert after[1:] == before
    assert after[0]["at"] == "2026-11-21T06:30:06Z"


async def test_sorting_notices_refreshed_metrics(client: Client) -> None:
    home = client.sandbox.world.workspaces[0]
    everything = [
        (item, known.impressions or 0)
        for item in map(home.item, range(800))
        if (known := item.current_engagement)
    ]
    young, then, now = next(
        (item, then, measure(item, NOW).impressions or 0)
        for item, then in everything
        if len(item.history) == 1 and item.kind == "POST"
    )
    rival = next(item for item, shown in everything if then < shown < now)
    query = (
        "query($ids: [ID!]) { items(filter: {ids: $ids}, sorting: {sortKey: "
        "MERGED_VIEW_PLAY_COUNT, sortOrder: DESC})"
        " { nodes { id } } }"
    )
    given = {"ids": [young.id, rival.id]}
    assert (await client.ask(query, given))["nodes"] == [{"id": rival.id}, {"id": young.id}]
    await client.ask(REFETCH, {"ids": [young.id]})
    assert (await client.ask(query, given, pause=10))["nodes"] == [
        {"id": young.id},
        {"id": rival.id},
    ]


async def test_running_items_are_skipped_and_stories_and_strangers_drop_out(client: Client) -> None:
    home = client.sandbox.world.workspaces[0]
    first, second = refreshable(client, 2)
    story = next(i.id for i in map(home.item, range(99)) if i.kind == "STORY")
    foreign = client.sandbox.world.workspaces[1].item(0).id
    await client.ask(REFETCH, {"ids": [first]})
    again = await client.ask(REFETCH, {"ids": [first, second, second, story, foreign, "unknown"]})
    assert (again["processedCount"], again["skippedItemIds"]) == (1, [first])
    nothing = await client.ask(REFETCH, {"ids": [story, foreign, first]})
    assert nothing == {
        "operationId": None,
        "processedCount": 0,
        "skippedItemIds": [first],
        "userErrors": [],
    }
    later = await client.ask(REFETCH, {"ids": [first]}, pause=10)
    assert later["processedCount"] == 1


async def test_an_empty_wallet_cancels_the_whole_refresh(client: Client) -> None:
    client.sandbox.world.workspaces[0].changes.credits = 5
    answer = await client.ask(REFETCH, {"ids": refreshable(client, 2)})
    assert (answer["operationId"], len(answer["userErrors"])) == (None, 1)
    assert (await client.ask(REFETCH, {"ids": refreshable(client, 1)}))["processedCount"] == 1
    assert client.sandbox.world.workspaces[0].changes.credits == 2


async def test_refreshing_must_be_enabled_for_the_workspace(client: Client) -> None:
    given = {"ids": [client.sandbox.world.workspaces[1].item(0).id]}
    assert (await client.error(REFETCH, given, workspace=OUTDOOR))[1] == "UNAUTHORIZED"
    assert await client.ask(REFETCH, {"ids": []}, workspace=COFFEE)


async def test_operations_are_listed_newest_first(client: Client) -> None:
    started = await client.ask(REFETCH, {"ids": refreshable(client, 1)})
    listed = await client.every("operations", "id operationType status total createdAt")
    assert listed[0]["id"] == started["operationId"]
    moments = [operation["createdAt"] for operation in listed]
    assert moments == sorted(moments, reverse=True)
    assert {"COMPLETED", "PARTIAL", "FAILED"} <= {operation["status"] for operation in listed}
    for operation in listed:
        whole = await client.ask(OPERATION, {"id": operation["id"]})
        assert {name: whole[name] for name in operation} == operation


async def test_an_unknown_operation_is_null(client: Client) -> None:
    foreign = (await client.every("operations", "id", workspace=OUTDOOR))[0]["id"]
    for name in ("unknown", foreign):
        assert await client.ask(OPERATION, {"id": name}) is None


async def test_a_reset_forgets_changes_and_counts(small: Client) -> None:
    await small.ask(ADD_NEW, {"item": item_ids(small, 3)[0], "names": ["Q4 Report"]})
    small.sandbox.reset()
    assert (small.sandbox.requests, small.sandbox.arrivals) == (0, {})
    assert "Q4 Report" not in await presets(small)


async def test_workspaces_show_what_they_track(client: Client) -> None:
    fields = (
        "id name hashtags { id name type provider } mentions { name type } keywords { name "
        "provider }"
    )
    query = (
        f"{{ workspace {{ {fields} integrations {{ id handle provider status connectedAt }} }} }}"
    )
    workspace: Any = await client.ask(query)
    assert (workspace["id"], workspace["name"]) == (MAIN, "Northwind Skincare")
    assert {tag["type"] for tag in workspace["hashtags"]} == {"HASHTAG"}
    assert {tag["type"] for tag in workspace["mentions"]} == {"MENTION"}
    assert {i["status"] for i in workspace["integrations"]} == {
        "CONNECTED",
        "DISCONNECTED",
        "PENDING",
    }
    assert len({i["handle"] for i in workspace["integrations"]}) < len(workspace["integrations"])
