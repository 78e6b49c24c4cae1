from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.errors import Failure
from server.jobs import (
    RecordState,
)
from server.sandbox import Answer
from tests.support.jobs.imports import LOST, answers, arrives, links
from tests.support.tools.working import (
    Json,
    worker,
)
from tools.archive.jobs.imports import StartImport


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
