"""The result of a collection job names what changed, what did not and why, and counts what the
collections hold now."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from server.sandbox import COFFEE
from tests.support.tools.tagging import TOOL, Scene, scene
from tools.archive.jobs.outcomes import MOST_NAMED


async def accounts(here: Scene) -> dict[str, str]:
    """Whose the items of the workspace are."""
    rows: dict[str, str] = {}
    query = (
        "query Q($after: String) { items(first: 100, after: $after) { nodes { id socialProfile "
        "{ accountName } } pageInfo { endCursor hasNextPage } } }"
    )
    info: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while info["hasNextPage"]:
        more = {"after": info["endCursor"]} if info["endCursor"] else {}
        page = (await here.ask(query, **more))["items"]
        rows |= {node["id"]: node["socialProfile"]["accountName"] for node in page["nodes"]}
        info = page["pageInfo"]
    return rows


def read_rows(path: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(Path(path).read_text("utf-8-sig").splitlines()))


async def test_what_was_taken_out_and_what_was_not_in_are_named_with_their_accounts() -> None:
    async with scene() as here:
        whose = await accounts(here)
        members = sorted(await here.members("Q3 Report"))
        stranger = next(item for item in whose if item not in members)
        done = await here.start(
            action="remove", itemIds=[members[0], stranger], collectionNames=["Q3 Report"]
        )
        result = done["result"]

    assert result["changed"] == 1
    assert result["changedItems"] == [{"id": members[0], "account": whose[members[0]]}]
    assert result["skippedItems"] == [
        {
            "reason": "It was not in.",
            "count": 1,
            "items": [{"id": stranger, "account": whose[stranger]}],
        }
    ]
    (collection,) = result["collections"]
    assert (collection["name"], collection["itemCount"]) == ("Q3 Report", len(members) - 1)
    assert "file" not in result


async def test_items_that_archive_refused_are_named_with_its_words() -> None:
    async with scene() as here:
        (stranger, *_), (mine, *_) = await here.items(COFFEE), await here.items()
        done = await here.start(itemIds=[stranger, mine], collectionNames=["Empty Shelf"])

    assert done["result"]["failedItems"] == [
        {
            "reason": "Archive refused addItemToCollections: itemId: Item not found",
            "count": 1,
            "items": [{"id": stranger}],
        }
    ]
    assert any("`resume`" in note for note in done["result"]["notes"])


async def test_of_many_items_some_are_named_and_all_are_in_a_file() -> None:
    async with scene() as here:
        whose = await accounts(here)
        chosen = list(whose)
        half = chosen[: len(chosen) // 2]
        await here.start(itemIds=half, collectionNames=["Empty Shelf"])
        done = await here.start(search={}, collectionNames=["Empty Shelf"])
        result = done["result"]
        rows = read_rows(result["file"])

    assert len(half) > MOST_NAMED
    assert result["changed"] == len(chosen) - len(half)
    assert "changedItems" not in result
    (group,) = result["skippedItems"]
    assert (group["count"], len(group["items"])) == (len(half), MOST_NAMED)
    assert {row["item"]: row["account"] for row in rows} == whose
    assert {row["item"] for row in rows if row["outcome"] == "skippedItems"} == set(half)
    assert result["resource"]["name"] == Path(result["file"]).name
    assert result["collections"][0]["itemCount"] == len(chosen)
    assert result["notes"][-1] == (
        f"All {len(chosen)} items are in `file`; at most {MOST_NAMED} of a kind are named here."
    )


async def test_where_nothing_is_named_the_note_speaks_of_the_file_alone() -> None:
    async with scene() as here:
        done = await here.start(search={}, collectionNames=["Empty Shelf"])
        result = done["result"]
        rows = read_rows(result["file"])

    assert not [key for key in result if key.endswith("Items")]
    assert result["notes"][-1] == f"All {len(rows)} items are in `file`."


async def test_what_a_filter_that_was_not_applied_let_through_is_left_out_and_counted() -> None:
    async with scene() as here:
        provider: dict[str, Any] = {"filter": {"provider": "TIKTOK"}}
        right = set(await here.items(**provider))
        rest = len(await here.items()) - len(right)
        here.sandbox.ignored = {"provider"}
        done = await here.start(search=provider, collectionNames=["Empty Shelf"])
        here.sandbox.ignored = set()
        inside = await here.members("Empty Shelf")

    assert inside == right
    assert done["result"]["notes"][0].startswith(
        f"Archive did not apply filter.provider: {rest} items that do not fit are left out."
    )


async def test_who_is_asked_learns_that_a_filter_may_not_have_been_applied() -> None:
    async with scene() as here:
        here.sandbox.ignored = {"verified"}
        search = {"filter": {"verified": [True]}}
        plan = await here.call(TOOL, dryRun=True, search=search, collectionNames=["Empty Shelf"])
        await here.start(search=search, collectionNames=["Empty Shelf"])

    (note,) = plan["notes"]
    assert note.startswith("As many (300) came as without filter.verified")
    assert note in here.question


async def test_an_undo_names_the_items_too() -> None:
    async with scene() as here:
        whose = await accounts(here)
        (item, *_) = whose
        done = await here.start(itemIds=[item], collectionNames=["Empty Shelf"])
        undone = await here.start(undo=done["jobId"])

    assert undone["result"]["changedItems"] == [{"id": item, "account": whose[item]}]
    assert undone["result"]["collections"][0]["itemCount"] == 0


async def test_a_file_that_cannot_be_written_fails_no_job() -> None:
    async with scene() as here:
        folder = here.services.exports().path
        folder.rmdir()
        folder.write_text("in the way")
        done = await here.start(search={}, collectionNames=["Empty Shelf"])
        folder.unlink()
        folder.mkdir()

    assert done["state"] == "done"
    assert "file" not in done["result"]
    assert any("could not be written" in note for note in done["result"]["notes"])
