"""What a collection job changed is reversed by another, and nothing else is."""

from __future__ import annotations

from typing import Any

import anyio

from server.jobs import JobState, RecordState
from tests.support.tools.fronts import yes
from tests.support.tools.tagging import TOOL, scene

REELS: dict[str, Any] = {"search": {"filter": {"itemTypes": ["REEL"]}}}


async def test_items_that_are_in_already_are_skipped_and_an_undo_leaves_them_in() -> None:
    async with scene() as here:
        shelf, before = await here.collections(), await here.members("Q3 Report")
        everything = set(await here.items())
        done = await here.start(search={}, collectionIds=[shelf["Q3 Report"]])
        after = await here.members("Q3 Report")
        undone = await here.start(undo=done["jobId"])

        assert 0 < len(before) < len(everything)
        assert done["records"] == {
            "total": len(everything),
            "done": len(everything - before),
            "skipped": len(before),
        }
        assert after == everything
        assert undone["records"] == {
            "total": len(everything - before),
            "done": len(everything - before),
        }
        assert await here.members("Q3 Report") == before
        assert f"{len(everything - before)} items that {done['jobId']} put in" in here.question


async def test_only_the_collections_that_an_item_is_not_in_are_named_and_undone() -> None:
    async with scene() as here:
        first, second, third, *_ = await here.items()
        await here.start(itemIds=[first], collectionNames=["Empty Shelf"])
        done = await here.start(
            itemIds=[first, second, third], collectionNames=["Empty Shelf", "Holiday Moodboard"]
        )
        job = await here.jobs()
        details = {row.key: row.detail["collections"] for row in await job.records(done["jobId"])}
        await here.start(undo=done["jobId"])

        ids = await here.collections()
        assert ids["Empty Shelf"] not in details[first]
        assert ids["Empty Shelf"] in details[second]
        assert await here.members("Empty Shelf") == {first}


async def test_items_are_taken_out_and_put_back() -> None:
    async with scene() as here:
        before = await here.members("Q3 Report")
        gone = sorted(before)[:2]
        stranger = next(each for each in await here.items() if each not in before)
        done = await here.start(
            action="remove", itemIds=[*gone, stranger], collectionNames=["Q3 Report"]
        )
        after = await here.members("Q3 Report")
        await here.start(undo=done["jobId"])

        assert done["records"] == {"total": 3, "done": 2, "skipped": 1}
        assert after == before - set(gone)
        assert await here.members("Q3 Report") == before


async def test_a_cancelled_job_is_undone_as_far_as_it_went() -> None:
    async with scene() as here:
        before = await here.members("Q3 Report")

        async def cancel() -> None:
            (job,) = await (await here.jobs()).list()
            await (await here.jobs()).cancel(job.id)

        here.sandbox.before[100] = cancel
        cancelled = await here.start(search={}, collectionNames=["Q3 Report"])
        halfway = await here.members("Q3 Report")
        undone = await here.start(undo=cancelled["jobId"])

        assert cancelled["state"] == "cancelled"
        assert len(before) < len(halfway) < 300
        assert undone["records"]["done"] == len(halfway) - len(before)
        assert await here.members("Q3 Report") == before


async def test_two_jobs_at_once_on_one_collection_are_undone_one_after_the_other_in_any_order() -> (
    None
):
    async with scene() as here:
        before, everything = await here.members("Q3 Report"), await here.items()
        parts = everything[:200], everything[100:]
        jobs: list[dict[str, Any]] = []
        journal = await here.jobs()

        async def tag(ids: list[str]) -> None:
            person = yes()
            jobs.append(await here.call(TOOL, person, itemIds=ids, collectionNames=["Q3 Report"]))

        async with anyio.create_task_group() as group:
            for part in parts:
                group.start_soon(tag, part)
        both = await here.members("Q3 Report")
        first, second = jobs
        one = await here.start(undo=first["jobId"])
        between = await here.members("Q3 Report")
        other = await here.start(undo=second["jobId"])

        rows = {
            each["jobId"]: {
                row.key
                for row in await journal.records(each["jobId"], [RecordState.DONE], limit=500)
            }
            for each in jobs
        }
        assert both == before | set(everything)
        assert rows[first["jobId"]] & rows[second["jobId"]], "they did not run at once"
        assert between == before | rows[second["jobId"]]
        assert await here.members("Q3 Report") == before
        assert (one["state"], other["state"]) == ("done", "done")


async def test_a_job_that_still_runs_is_not_undone() -> None:
    async with scene() as here:
        messages: list[str] = []

        async def undo() -> None:
            (job,) = await (await here.jobs()).list()
            messages.append((await here.refused(undo=job.id)).message.replace(job.id, "It"))

        here.sandbox.before[20] = undo
        await here.start(collectionNames=["Empty Shelf"], **REELS)

        assert messages == ["It still runs."]


async def test_a_collection_that_was_deleted_since_is_left_out_of_an_undo() -> None:
    async with scene() as here:
        done = await here.start(collectionNames=["Empty Shelf"], **REELS)
        deletion = "mutation M($id: ID!) { deleteCollection(id: $id) { deletedCollectionId } }"
        await here.ask(deletion, id=(await here.collections())["Empty Shelf"])
        failure = await here.refused(undo=done["jobId"])

        assert failure.message.endswith("changed nothing that is still there.")


async def test_an_undo_can_be_undone() -> None:
    async with scene() as here:
        done = await here.start(collectionNames=["Empty Shelf"], **REELS)
        tagged = await here.members("Empty Shelf")
        undone = await here.start(undo=done["jobId"])
        empty = await here.members("Empty Shelf")
        await here.start(undo=undone["jobId"])

        assert (empty, await here.members("Empty Shelf")) == (set(), tagged)


async def test_a_job_without_changes_has_nothing_to_undo() -> None:
    async with scene() as here:
        members = sorted(await here.members("Q3 Report"))
        done = await here.start(itemIds=members, collectionNames=["Q3 Report"])
        failure = await here.refused(undo=done["jobId"])

        assert done["state"] == JobState.DONE
        assert failure.message.startswith("There is nothing to undo")
        assert here.sandbox.arrived == 0
