from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from server.errors import Code, Failure
from server.jobs import (
    JobState,
    Leases,
    NewJob,
    Phase,
    RecordState,
)
from server.jobs.lease import LEASE_SECONDS
from server.jobs.model import End
from server.jobs.sqlite import JournalFile
from server.sandbox import MAIN, Answer
from server.sandbox.archive.urls import external_in
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.tools.calling import refused as misspelt
from tests.support.tools.working import (
    Json,
    Watched,
    Worker,
    two_workers,
    worker,
)
from tools.archive.collections import GetCollections
from tools.archive.content.items import SearchItems
from tools.archive.jobs.imports import StartImport

LOST = "https://www.instagram.com/p/Gone000/"
MALFORMED = "not a link"


def links(count: int, *, start: int = 1) -> list[str]:
    """Links of posts that will arrive."""
    return [
        f"https://www.instagram.com/p/Imported{number}a/" for number in range(start, start + count)
    ]


async def there(one: Worker, count: int) -> list[str]:
    """Links of posts that are there."""
    found = await one.call(
        SearchItems, limit=count, fields=["originalUrl"], filter={"itemTypes": ["POST", "REEL"]}
    )
    return [node["originalUrl"] for node in found["nodes"]]


def answers(**what: Any) -> Answer:
    return Answer(200, {"content-type": "application/json"}, json.dumps({"data": what}).encode())


async def test_what_is_there_is_skipped_and_the_rest_arrives(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        known = await there(one, 3)
        told = await one.agreed(
            StartImport, urls=[*links(4), *known, LOST, MALFORMED], waitMinutes=1
        )
        result = await one.ended(told)

    assert one.previews == [
        {"requests": 7, "rateCredits": 285, "upload": 5, "alreadyThere": 3, "malformed": 1}
    ]
    assert [each["url"] for each in result["arrived"]] == links(4)
    assert all(each["itemId"] for each in result["arrived"])
    assert (result["arrivedCount"], result["alreadyThereCount"], result["refusedCount"]) == (
        4,
        3,
        1,
    )
    assert result["notArrived"] == [LOST]
    assert result["refused"][0]["url"] == MALFORMED
    assert "archive_get_item_ids_by_url" in result["notes"][0]
    assert one.sandbox.uploads() == dict.fromkeys([*links(4), LOST], 1)


async def test_a_post_that_never_arrives_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        told = await one.agreed(StartImport, urls=[LOST], waitMinutes=3)
        begun = one.time.now
        await one.ended(told)

    assert 100 < one.time.now - begun < 200
    assert one.sandbox.times("GetItemIdsByUrl") < 20


async def test_what_arrives_and_what_was_there_is_put_into_the_collections(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        known = await there(one, 2)
        one.sandbox.asked.clear()
        collection = await _a_collection(one)
        told = await one.agreed(
            StartImport, urls=[*links(3), *known], collectionNames=[collection["name"]]
        )
        result = await one.ended(told)
        inside = await one.call(
            SearchItems, limit=1000, filter={"collectionsIds": [collection["id"]]}, fields=["id"]
        )

    assert result["inCollections"] == 5
    (filled,) = result["collections"]
    assert (filled["name"], filled["itemCount"]) == (collection["name"], len(inside["nodes"]))
    assert {each["url"] for each in result["alreadyThere"]} == set(known)
    assert {each["itemId"] for each in result["arrived"]} <= {
        each["id"] for each in inside["nodes"]
    }
    assert one.sandbox.times("AddItemToCollections") == 5


async def test_an_import_finds_its_collection_by_a_unique_part(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        row = await one.agreed(StartImport, urls=links(2), collectionNames=["  empty SH"])
        result = await one.ended(row)

    assert result["inCollections"] == 2
    assert not result.get("notPutIn")


async def test_an_item_that_a_collection_does_not_take_is_told_and_the_others_are_put_in(
    tmp_path: Path,
) -> None:
    async with worker(tmp_path) as one:
        collection = await _a_collection(one)
        refusals = iter(
            [answers(addItemToCollections={"item": None, "userErrors": [{"message": "is locked"}]})]
        )
        one.sandbox.meddle = lambda name, _: (
            next(refusals, None) if name == "AddItemToCollections" else None
        )
        told = await one.agreed(StartImport, urls=links(3), collectionIds=[collection["id"]])
        result = await one.ended(told)

    assert result["inCollections"] == 2
    assert "is locked" in result["notPutIn"][0]["reason"]


async def test_a_collection_that_does_not_exist_is_refused_before_anything_is_uploaded(
    tmp_path: Path,
) -> None:
    async with worker(tmp_path) as one:
        with pytest.raises(Failure, match="no collection 'Nowhere'"):
            await one.call(StartImport, urls=links(1), collectionNames=["Nowhere"])
    assert not one.sandbox.uploads()


async def test_a_refusal_is_told_in_archives_words_and_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    refused = links(1)[0]

    def meddle(name: str, given: Json) -> Answer | None:
        if name != "UploadItemFromUrl" or given["input"]["url"] != refused:
            return None
        errors = [{"field": ["url"], "message": "is a private account"}]
        return answers(uploadItemFromUrl={"success": False, "userErrors": errors})

    async with worker(tmp_path) as one:
        one.sandbox.meddle = meddle
        result = await one.ended(await one.agreed(StartImport, urls=links(3)))

    assert [each["url"] for each in result["refused"]] == [refused]
    assert "is a private account" in result["refused"][0]["reason"]
    assert result["arrivedCount"] == 2


async def test_an_upload_whose_answer_was_lost_is_not_repeated_and_known_once_it_arrives(
    tmp_path: Path,
) -> None:
    lost = links(1)[0]

    def meddle(name: str, given: Json) -> Answer | None:
        if name != "UploadItemFromUrl" or given["input"]["url"] != lost:
            return None
        arrives(one.sandbox, lost)
        return Answer(502, {}, b"Bad gateway")

    async with worker(tmp_path) as one:
        one.sandbox.meddle = meddle
        told = await one.agreed(StartImport, urls=links(2))
        result = await one.ended(told)
        records = await one.records(told)

    assert one.sandbox.uploads() == dict.fromkeys(links(2), 1)
    assert result["arrivedCount"] == 2
    assert records[lost].state is RecordState.DONE


async def test_an_upload_that_was_lost_on_its_way_stays_unknown(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        one.sandbox.meddle = lambda name, _: (
            Answer(502, {}, b"") if name == "UploadItemFromUrl" else None
        )
        told = await one.agreed(StartImport, urls=links(1), waitMinutes=1)
        result = await one.ended(told)
        records = await one.records(told)

    assert result["notArrived"] == links(1)
    assert "it is unknown" in result["notes"][1]
    assert records[links(1)[0]].code == "OUTCOME_UNKNOWN"


DONE: Json = {"success": True, "userErrors": []}
LATE: Json = {"message": "A part took too long", "path": ["uploadItemFromUrl", "success"]}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"uploadItemFromUrl": DONE}, "errors": [LATE]},
        {"data": {"uploadItemFromUrl": None}, "errors": [LATE]},
        {"data": {"uploadItemFromUrl": {**DONE, "success": None}}},
        {"data": {"uploadItemFromUrl": {**DONE, "success": "yes"}}},
        {"data": {"uploadItemFromUrl": {**DONE, "userErrors": ["No"]}}},
        {"data": {"uploadItemFromUrl": {}}},
        {"data": {"uploadItemFromUrl": [DONE]}},
    ],
)
async def test_an_upload_of_which_the_answer_is_odd_is_not_sent_again(
    tmp_path: Path, answer: Json
) -> None:
    async with worker(tmp_path) as one:
        one.sandbox.meddle = lambda name, _: (
            Answer(200, {}, json.dumps(answer).encode()) if name == "UploadItemFromUrl" else None
        )
        told = await one.agreed(StartImport, urls=links(1), waitMinutes=1)
        result = await one.ended(told)
        records = await one.records(told)
        with pytest.raises(Failure, match="can be sent again"):
            await one.call(StartImport, resume=told["jobId"])

    assert one.sandbox.uploads() == {links(1)[0]: 1}
    assert result["notArrived"] == links(1)
    assert records[links(1)[0]].code == "OUTCOME_UNKNOWN"


async def test_nothing_is_asked_or_uploaded_where_all_is_there(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        known = await there(one, 3)
        told = await one.call(StartImport, urls=known)

    assert told["state"] == "done"
    assert told["result"]["alreadyThereCount"] == 3
    assert not one.sandbox.uploads()


async def test_a_dry_run_tells_what_it_takes_and_does_nothing(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        told = await one.call(StartImport, urls=[*links(120), links(1)[0]], dryRun=True)

    assert told["dryRun"] is True
    assert (told["records"], told["upload"], told["rateCredits"]) == (120, 120, 120 * 55 + 4 * 5)
    assert one.sandbox.times("GetItemIdsByUrl") == 2
    assert not one.sandbox.uploads()


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


async def test_refused_links_are_sent_again_when_asked_and_waited_for_anew(tmp_path: Path) -> None:
    async with worker(tmp_path) as one:
        refusals = iter([answers(uploadItemFromUrl={"success": False, "userErrors": []})])
        one.sandbox.meddle = lambda name, _: (
            next(refusals, None) if name == "UploadItemFromUrl" else None
        )
        told = await one.agreed(StartImport, urls=[*links(2), LOST], waitMinutes=1)
        assert (await one.ended(told))["refusedCount"] == 1
        again = await one.ended(await one.call(StartImport, resume=told["jobId"]))

    assert (again["refusedCount"], again["arrivedCount"]) == (0, 2)


async def test_an_import_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    async with two_workers(tmp_path) as (one, other):
        collection = await _a_collection(one)
        one.sandbox.meddle = lambda *_: _ended(one, "AddItemToCollections", 10)
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


async def test_the_preview_tells_the_requests_and_that_the_job_pauses_with_the_client(
    tmp_path: Path,
) -> None:
    async with worker(tmp_path) as one:
        with pytest.raises(Failure) as asked:
            await one.call(StartImport, urls=links(2))

    assert asked.value.message.endswith(
        "Have Archive add 2 posts by link? The job pauses when this client is closed."
    )
    assert asked.value.details["preview"]["requests"] == 4


async def test_an_import_that_was_interrupted_while_uploading_uploads_only_the_rest(
    tmp_path: Path,
) -> None:
    async with two_workers(tmp_path) as (one, other):
        one.sandbox.meddle = lambda *_: _ended(one, "UploadItemFromUrl", 20)
        told = await one.agreed(StartImport, urls=links(60), waitMinutes=1)
        assert told["state"] == "paused"
        result = await other.ended(await other.call(StartImport, resume=told["jobId"]))

    assert one.sandbox.uploads() == dict.fromkeys(links(60), 1)
    assert result["arrivedCount"] == 60


def _ended(one: Worker, name: str, count: int) -> None:
    """Let the process end with so many requests of that name."""
    if one.sandbox.asked[-1][0] == name and one.sandbox.times(name) == count:
        for runner in one.jobs._runners.values():
            runner.stop(End(JobState.PAUSED))


@pytest.mark.parametrize("given", [{}, {"urls": []}, {"urls": links(1), "waitMinutes": 500}])
def test_arguments_that_make_no_import_are_refused(given: Json) -> None:
    assert misspelt(StartImport, **given).code is Code.INVALID_ARGUMENT


def arrives(sandbox: Watched, url: str) -> None:
    """Have a post arrive that nobody is told of."""
    home, known = sandbox.world.by_id(MAIN), external_in(url)
    assert home is not None
    assert known is not None
    home.changes.start_upload(url, *known)


async def _a_collection(one: Worker) -> Json:
    nodes = (await one.call(GetCollections, limit=1, fields=["id", "name"]))["nodes"]
    return dict(nodes[0])
