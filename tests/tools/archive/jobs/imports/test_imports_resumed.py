from __future__ import annotations

from pathlib import Path

import anyio

from server.jobs import (
    JobState,
    Leases,
    NewJob,
    Phase,
)
from server.jobs.lease import LEASE_SECONDS
from server.jobs.sqlite import JournalFile
from server.sandbox import MAIN
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.jobs.imports import LOST, first_collection, links
from tests.support.tools.working import (
    Json,
    Worker,
    two_workers,
    worker,
)
from tools.archive.jobs.imports import StartImport


async def test_two_imports_of_the_same_links_at_once_upload_each_once(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (one, other):
        results: list[Json] = []

        async def run(who: Worker, urls: list[str]) -> None:
            results.append(await who.ended(await who.agreed(StartImport, urls=urls)))

        async with anyio.create_task_group() as both:
            both.start_soon(run, one, links(40))
            both.start_soon(run, other, links(40, start=21))

    assert one.sandbox.uploads() == dict.fromkeys(links(60), 1)
    assert all(each["arrivedCount"] + each["alreadyThereCount"] == 40 for each in results)


async def test_a_link_that_another_import_uploaded_a_moment_ago_is_only_waited_for(
    tmp_path: Path,
) -> None:
    async with worker(tmp_path) as one:
        first = await one.agreed(StartImport, urls=[LOST], waitMinutes=0)
        await one.ended(first)
        second = await one.agreed(StartImport, urls=[LOST], waitMinutes=0)
        result = await one.ended(second)
        records = await one.records(second)

    assert one.sandbox.uploads() == {LOST: 1}
    assert result["notArrived"] == [LOST]
    assert first["jobId"] in str(records[LOST].reason)


async def test_a_link_that_did_not_arrive_in_an_hour_is_uploaded_again(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        await one.ended(await one.agreed(StartImport, urls=[LOST], waitMinutes=0))
        one.time.now += 2 * 3600
        await one.ended(await one.agreed(StartImport, urls=[LOST], waitMinutes=0))

    assert one.sandbox.uploads() == {LOST: 2}


async def test_an_import_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (one, other):
        collection = await first_collection(one)
        one.end_after("AddItemToCollections", 10)
        told = await one.agreed(
            StartImport, urls=[*links(30), LOST], collectionIds=[collection["id"]], waitMinutes=1
        )
        assert (await other.jobs.wait(told["jobId"], 600)).state is JobState.PAUSED
        looks = one.sandbox.times("GetItemIdsByUrl")
        result = await other.ended(await other.call(StartImport, resume=told["jobId"]))

    assert one.sandbox.uploads() == dict.fromkeys([*links(30), LOST], 1)
    assert result["inCollections"] == result["arrivedCount"] == 30
    assert 30 <= one.sandbox.times("AddItemToCollections") <= 31
    assert one.sandbox.times("GetItemIdsByUrl") == looks


async def test_a_job_whose_owner_died_goes_on_in_the_same_call_once_its_lease_has_run_out(
    tmp_path: Path,
) -> None:
    async with worker(tmp_path) as one:
        scope = (await one.backend.open(MAIN, Caller(Nobody(), 0.0))).scope
        job = NewJob(
            StartImport.tool_name(), "Import", scope.origin, scope.account, MAIN, {"urls": links(2)}
        )
        dead = JournalFile(tmp_path, leases=Leases(clock=one.time.clock), wall=one.time.clock)
        lease = dead.create(job, "dead", writes=True, repeatable=False, phase=Phase.GATHERING)
        dead.start(lease)
        dead.close()
        began = one.time.now
        told = await one.call(StartImport, resume=lease.job)
        assert told["state"] == "done"
        assert LEASE_SECONDS <= one.time.now - began < 45

    assert one.sandbox.uploads() == dict.fromkeys(links(2), 1)
    assert told["result"]["arrivedCount"] == 2


async def test_an_import_that_was_interrupted_while_uploading_uploads_only_the_rest(
    tmp_path: Path,
) -> None:
    async with two_workers(tmp_path) as (one, other):
        one.end_after("UploadItemFromUrl", 20)
        told = await one.agreed(StartImport, urls=links(60), waitMinutes=1)
        assert told["state"] == "paused"
        result = await other.ended(await other.call(StartImport, resume=told["jobId"]))

    assert one.sandbox.uploads() == dict.fromkeys(links(60), 1)
    assert result["arrivedCount"] == 60
