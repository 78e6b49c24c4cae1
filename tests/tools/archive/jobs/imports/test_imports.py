from __future__ import annotations

from pathlib import Path

import pytest

from server.errors import Code, Failure
from server.sandbox import Answer
from tests.support.jobs.imports import LOST, MALFORMED, answers, first_collection, links, there
from tests.support.tools.calling import refused as misspelt
from tests.support.tools.working import (
    Json,
    worker,
)
from tools.archive.content.items import SearchItems
from tools.archive.jobs.imports import StartImport


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
        collection = await first_collection(one)
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
        collection = await first_collection(one)
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


@pytest.mark.parametrize("given", [{}, {"urls": []}, {"urls": links(1), "waitMinutes": 500}])
def test_arguments_that_make_no_import_are_refused(given: Json) -> None:
    assert misspelt(StartImport, **given).code is Code.INVALID_ARGUMENT
