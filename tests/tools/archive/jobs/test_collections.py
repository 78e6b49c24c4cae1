"""Everything of a source into and out of collections."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio
import pytest

from server.errors import Code
from server.jobs import JobState, RecordState
from server.sandbox import COFFEE, MAIN
from server.tool.elicitation import Nobody, Reply
from tests.support.doubles import Person
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
            {"name": "Winter Report", "id": (await here.collections())["Winter Report"]}
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
            "(16,740 rate credits); items that are in already are skipped. It can be undone. The "
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


async def test_after_a_no_nothing_is_changed_and_the_likely_name_is_offered() -> None:
    async with scene() as here:
        person = Person([Reply("decline")])
        failure = await here.refused(
            person, search={}, collectionNames=["Q3 Reportt"], autoCreate=True
        )

        assert (failure.code, here.sandbox.arrived) == (Code.DECLINED, 0)
        assert failure.hint == (
            "Call again with 'Q3 Report' instead of 'Q3 Reportt' in `collectionNames`, if that "
            "is what is meant."
        )


async def test_a_dry_run_tells_all_that_and_changes_nothing() -> None:
    async with scene() as here:
        found = await here.call(
            TOOL, dryRun=True, collectionNames=["New one"], autoCreate=True, **REELS
        )

        assert found["dryRun"] is True
        assert found["records"] == len(await here.items(filter={"itemTypes": ["REEL"]}))
        assert found["collections"] == [{"name": "New one", "willBeCreated": True}]
        assert found["rateCredits"] == 55 * found["records"] + 60
        assert here.sandbox.arrived == 0
        assert await (await here.jobs()).list() == []


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


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ({"dryRun": True}, "has no dry run"),
        ({"action": "remove"}, "`action` would change them"),
        (
            {"collectionNames": ["Q3 Report"], "itemIds": ["1"]},
            "`itemIds`, `collectionNames` would change them",
        ),
    ],
)
async def test_a_job_goes_on_with_nothing_but_its_own_arguments(
    beside: dict[str, Any], words: str
) -> None:
    async with scene() as here:
        (stranger, *_) = await here.items(COFFEE)
        found = await here.start(itemIds=[stranger], collectionNames=["Empty Shelf"])
        arrived = here.sandbox.arrived
        failure = await here.refused(resume=found["jobId"], **beside)

        assert failure.code is Code.INVALID_ARGUMENT
        assert words in failure.message
        assert here.sandbox.arrived == arrived


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


async def test_nothing_to_work_on_is_said_before_anybody_is_asked() -> None:
    async with scene() as here:
        failure = await here.refused(
            search={"filter": {"accountNames": ["nobody_at_all"]}}, collectionNames=["Empty Shelf"]
        )

        assert (failure.code, failure.message) == (
            Code.NOT_FOUND,
            "The search finds no items, so there is nothing to do.",
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {**REELS, "collectionNames": ["Q3 Reprot"]},
            "There is no collection 'Q3 Reprot'. Did you mean `Q3 Report`?",
        ),
        (
            {**REELS, "collectionNames": ["Q3 Rep"], "action": "remove"},
            "There is no collection 'Q3 Rep'. Did you mean `Q3 Report`?",
        ),
        ({**REELS, "collectionIds": ["nope"]}, "No collection of this workspace has the id nope."),
        (REELS, "Say which collections: pass `collectionNames` or `collectionIds`."),
        ({"collectionNames": ["Q3 Report"]}, "Give exactly one of `search`, `itemIds` and `urls`."),
        (
            {**REELS, "collectionNames": ["x"], "action": "remove", "autoCreate": True},
            "`autoCreate` needs a name, and works only with `action` add.",
        ),
        (
            {**REELS, "undo": "job_1"},
            "`undo` takes items and collections from the job; search cannot be given beside it.",
        ),
        ({"undo": "job_1"}, "There is no job 'job_1'."),
    ],
)
async def test_what_cannot_be_done_is_refused_before_anybody_is_asked(
    arguments: Any, message: str
) -> None:
    async with scene() as here:
        assert (await here.refused(**arguments)).message == message
        assert here.sandbox.arrived == 0


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


async def test_several_requests_are_under_way_at_a_time() -> None:
    async with scene() as here:
        await here.start(search={}, collectionNames=["Empty Shelf"])

        assert 2 <= here.sandbox.most_at_once <= 8


@pytest.mark.parametrize("given", ["resume", "undo"])
async def test_a_job_of_another_workspace_is_refused_with_the_workspace_to_set(given: str) -> None:
    async with scene() as here:
        found = await here.start(itemIds=(await here.items())[:2], collectionNames=["Empty Shelf"])
        failure = await here.refused(workspace=COFFEE, **{given: found["jobId"]})

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.message == f"{found['jobId']} belongs to another workspace: {MAIN}."
    assert "`workspace`" in failure.hint


async def test_a_mistake_in_the_search_is_named_as_an_argument_of_the_tool_that_was_called() -> (
    None
):
    async with scene() as here:
        failure = await here.refused(
            search={"filter": {"bogus": 1}}, collectionNames=["Empty Shelf"]
        )

    assert "`search.filter.bogus`" in failure.message
    assert f"call {TOOL} again" in failure.hint


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


@pytest.mark.parametrize("name", ["Empty Sh", "  empty   SHELF "])
async def test_a_collection_is_found_by_a_unique_part_or_another_spelling(name: str) -> None:
    async with scene() as here:
        row = await here.start(**REELS, collectionNames=[name])

        assert [target["name"] for target in row["result"]["collections"]] == ["Empty Shelf"]
        assert await here.members("Empty Shelf")


async def test_another_spelling_is_enough_to_take_items_out() -> None:
    async with scene() as here:
        row = await here.start(search={}, collectionNames=["q3 REPORT"], action="remove")

        assert [target["name"] for target in row["result"]["collections"]] == ["Q3 Report"]
        assert not await here.members("Q3 Report")


async def test_a_part_of_several_names_lists_the_candidates() -> None:
    async with scene() as here:
        names = {name for name in await here.collections() if "e" in name.casefold()}
        failure = await here.refused(**REELS, collectionNames=["e"])

        assert failure.code is Code.AMBIGUOUS
        assert {row["name"] for row in failure.details["candidates"]} <= names
        assert here.sandbox.arrived == 0


async def test_auto_create_does_not_take_a_part_for_the_name() -> None:
    async with scene() as here:
        row = await here.start(**REELS, collectionNames=["Empty Sh"], autoCreate=True)

        assert [target["name"] for target in row["result"]["collections"]] == ["Empty Sh"]
        assert not await here.members("Empty Shelf")
