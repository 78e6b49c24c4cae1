"""Everything of a source into and out of collections."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio

from server.errors import Code
from server.sandbox import COFFEE
from server.tool.elicitation import Nobody
from tests.support.tools.fronts import yes
from tests.support.tools.tagging import TOOL, scene

REELS: dict[str, Any] = {"search": {"filter": {"itemTypes": ["REEL"]}}}


async def test_everything_of_a_view_is_put_into_a_new_collection_that_is_made_once() -> None:
    async with scene() as here:
        views = {
            each["name"]: each["id"]
            for each in (await here.ask("{ contentViews { id name } }"))["contentViews"]
        }
        found = await here.start(
            search={"presetId": views["All Reels"]},
            collectionNames=["Winter Report"],
            autoCreate=True,
        )

        reels = set(await here.items(presetId=views["All Reels"]))
        names = [
            each["name"] for each in (await here.ask("{ collections { name } }"))["collections"]
        ]
        assert (found["state"], found["records"]) == (
            "done",
            {"total": len(reels), "done": len(reels)},
        )
        assert found["result"]["changed"] == len(reels) > 20
        assert found["result"]["collections"] == [
            {
                "name": "Winter Report",
                "id": (await here.collections())["Winter Report"],
                "itemCount": len(reels),
            }
        ]
        assert await here.members("Winter Report") == reels
        assert names.count("Winter Report") == 1
        assert here.sandbox.created == ["Winter Report"]
        assert here.sandbox.arrived == len(reels)


async def test_the_user_is_asked_with_source_collections_requests_credits_and_minutes() -> None:
    async with scene() as here:
        members = len(await here.members("Q3 Report"))
        person = yes()
        await here.call(
            TOOL, person, search={}, collectionNames=["Q3 Report", "Q3 Reportt"], autoCreate=True
        )

        assert [each.message for each in person.questions] == [
            'Northwind Skincare: Put all 300 items of the workspace into "Q3 Report", "Q3 '
            'Reportt"? "Q3 Report" exists '
            f'({members} items); "Q3 Reportt" will be created, though there is "Q3 Report". At '
            "most 304 requests "
            "(16,800 rate credits); items that are in already are skipped. It can be undone. The "
            "job pauses when this client is closed. It takes about 1 min."
        ]


async def test_without_a_yes_nothing_is_changed_and_the_token_of_the_preview_is_one() -> None:
    async with scene() as here:
        arguments = {"itemIds": (await here.items())[:3], "collectionNames": ["Empty Shelf"]}
        refused = await here.refused(Nobody(), **arguments)
        arrived = here.sandbox.arrived
        found = await here.call(TOOL, Nobody(), confirm=refused.details["confirm"], **arguments)

        assert (refused.code, arrived) == (Code.CONFIRMATION_REQUIRED, 0)
        assert found["state"] == "done"
        assert await here.members("Empty Shelf") == set(arguments["itemIds"])


async def test_a_dry_run_tells_all_that_and_changes_nothing() -> None:
    async with scene() as here:
        found = await here.call(
            TOOL, dryRun=True, collectionNames=["New one"], autoCreate=True, **REELS
        )

        assert found["dryRun"] is True
        assert found["records"] == len(await here.items(filter={"itemTypes": ["REEL"]}))
        assert found["collections"] == [{"name": "New one", "willBeCreated": True}]
        # A page of items with their accounts costs 80.
        assert found["rateCredits"] == 55 * found["records"] + 80
        assert here.sandbox.arrived == 0
        assert await (await here.jobs()).list() == []


async def test_items_that_archive_refuses_are_reported_one_by_one_and_the_others_go_on() -> None:
    async with scene() as here:
        strangers = (await here.items(COFFEE))[:50]
        mine = (await here.items())[:100]
        mixed = [each for pair in zip(strangers, mine[:50], strict=True) for each in pair] + mine[
            50:
        ]
        found = await here.start(itemIds=mixed, collectionNames=["Empty Shelf"])
        failures = await (await here.jobs()).failures(found["jobId"])

        assert found["records"] == {"total": 150, "done": 100, "failed": 50}
        assert {row.key for row in failures} == set(strangers)
        assert {row.reason for row in failures} == {
            "Archive refused addItemToCollections: itemId: Item not found"
        }
        assert await here.members("Empty Shelf") == set(mine)


async def test_what_failed_can_be_sent_again_alone() -> None:
    async with scene() as here:
        (stranger, *_), (mine, *_) = await here.items(COFFEE), await here.items()
        found = await here.start(itemIds=[stranger, mine], collectionNames=["Empty Shelf"])
        again = await here.call(TOOL, resume=found["jobId"])

        assert again["records"] == {"total": 2, "done": 1, "failed": 1}
        assert here.sandbox.arrived == 3


async def test_links_are_looked_up_and_those_that_lead_to_nothing_are_told() -> None:
    async with scene() as here:
        nodes = (
            await here.ask(
                "{ items(first: 5, filter: {itemTypes: [REEL]}) { nodes { id originalUrl } } }"
            )
        )["items"]["nodes"]
        lost = "https://www.instagram.com/reel/NoSuchCode1/"
        found = await here.start(
            urls=[*(each["originalUrl"] for each in nodes), lost], collectionNames=["Empty Shelf"]
        )
        (failure,) = await (await here.jobs()).failures(found["jobId"])

        assert await here.members("Empty Shelf") == {each["id"] for each in nodes}
        assert (failure.key, failure.code) == (lost, "NOT_FOUND")


async def test_a_collection_that_vanishes_in_the_middle_stops_the_job_after_a_few_refusals() -> (
    None
):
    async with scene() as here:
        ids = await here.collections()

        async def vanish() -> None:
            await here.ask(
                "mutation M($id: ID!) { deleteCollection(id: $id) { deletedCollectionId } }",
                id=ids["Empty Shelf"],
            )

        here.sandbox.before[40] = vanish
        found = await here.start(search={}, collectionNames=["Empty Shelf"])

        assert found["state"] == "paused"
        assert (
            found["error"]["message"]
            == "There is no collection 'Empty Shelf' any more; the rest was not sent."
        )
        assert found["records"]["pending"] > 200
        assert found["records"]["failed"] <= 12


async def test_several_requests_are_under_way_at_a_time() -> None:
    async with scene() as here:
        await here.start(search={}, collectionNames=["Empty Shelf"])

        assert 2 <= here.sandbox.most_at_once <= 8


async def test_a_cancellation_is_answered_when_the_job_has_stopped() -> None:
    async with scene() as here:
        reached = anyio.Event()

        async def at_work() -> None:
            reached.set()

        here.sandbox.before[50] = at_work
        async with anyio.create_task_group() as group:
            group.start_soon(partial(here.start, search={}, collectionNames=["Q3 Report"]))
            await reached.wait()
            (job,) = await (await here.jobs()).list()
            told = (
                await here.calls.call("archive_mcp_cancel_job", {"id": job.id}, Nobody())
            ).structured

    assert told["state"] == "cancelled"
    assert told["records"]["skipped"] > 0
    assert "notes" not in told
