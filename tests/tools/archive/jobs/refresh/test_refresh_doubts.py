from __future__ import annotations

from typing import Any

import pytest

from server.errors import Failure
from server.sandbox import OUTDOOR, Answer
from tests.support.jobs.refreshes import refetched, refresh
from tests.support.tools.engagements import (
    REELS,
    items,
    said,
)
from tests.support.tools.working import Json, Worker
from tools.archive.jobs.engagement import StartEngagementJob


async def test_a_refresh_whose_answer_is_lost_is_not_sent_again_by_itself_nor_when_resumed(
    one: Worker,
) -> None:
    found = [each["id"] for each in await items(one, 20, filter=REELS)]
    lost = said(b"<html>Bad Gateway</html>", 502)
    one.sandbox.meddle = lambda name, _: lost if name == "RefetchEngagementBulk" else None
    told, result = await refresh(one, itemIds=found)
    (record,) = (await one.records(told)).values()

    assert (record.state, record.code) == ("unknown", "OUTCOME_UNKNOWN")
    assert set(refetched(one).values()) == {1}
    assert any("not sent again" in note for note in result["notes"])
    with pytest.raises(Failure, match="can be sent again"):
        await one.call(StartEngagementJob, resume=told["jobId"])
    assert set(refetched(one).values()) == {1}


STARTED: Json = {
    "operationId": "op-1",
    "processedCount": 3,
    "skippedItemIds": [],
    "userErrors": [],
}
LATE: Json = {"message": "A part took too long", "path": ["refetchEngagementBulk", "operationId"]}


def refetch_answer(payload: Any, *errors: Json, status: int = 200) -> Answer:
    more = {"errors": list(errors)} if errors else {}
    return said({"data": {"refetchEngagementBulk": payload}, **more}, status)


def error(code: str) -> Json:
    return {"message": "No", "path": ["refetchEngagementBulk"], "extensions": {"code": code}}


DOUBTS = {
    "data beside an error": refetch_answer(STARTED, LATE),
    "data beside a passing error": refetch_answer(
        {**STARTED, "operationId": None}, error("SERVICE_UNAVAILABLE")
    ),
    "data beside a refusal": refetch_answer(STARTED, error("UNAUTHORIZED")),
    "data beside a word about the limit": refetch_answer(STARTED, error("RATE_LIMIT_EXCEEDED")),
    "data with a 429": refetch_answer(STARTED, status=429),
    "data with a 403": refetch_answer(STARTED, status=403),
    "data with a redirect": refetch_answer(STARTED, status=302),
    "data beside errors as a text": said(
        {"data": {"refetchEngagementBulk": STARTED}, "errors": "Shop not found"}
    ),
    "data beside errors as an object": said(
        {"data": {"refetchEngagementBulk": STARTED}, "errors": LATE}
    ),
    "an error inside a payload that is null": refetch_answer(None, LATE),
    "an error that nothing is known of": refetch_answer(
        None, {"message": "Boom", "path": ["refetchEngagementBulk"]}
    ),
    "an error that is a text": said({"data": {"refetchEngagementBulk": None}, "errors": ["Boom"]}),
    "null": refetch_answer(None),
    "an empty payload": refetch_answer({}),
    "a list": refetch_answer([STARTED]),
    "a text": refetch_answer("done"),
    "a yes": refetch_answer(True),
    "no userErrors": refetch_answer({**STARTED, "userErrors": None}),
    "userErrors as a text": refetch_answer({**STARTED, "userErrors": "No"}),
    "userErrors as an object": refetch_answer({**STARTED, "userErrors": {"message": "No"}}),
    "userErrors as texts": refetch_answer({**STARTED, "userErrors": ["No"]}),
    "userErrors beside what was started": refetch_answer(
        {**STARTED, "userErrors": [{"field": None, "message": "No"}]}
    ),
    "a count as a text": refetch_answer({**STARTED, "processedCount": "three"}),
    "an id as an object": refetch_answer({**STARTED, "operationId": {"id": "op-1"}}),
    "data that is a list": said({"data": [STARTED]}),
    "data that is a text beside an error": said({"data": "done", "errors": [LATE]}),
    "no data": said({}),
}


@pytest.mark.parametrize("answer", DOUBTS.values(), ids=DOUBTS)
async def test_a_paid_refresh_of_which_the_answer_is_odd_is_never_sent_again(
    one: Worker, answer: Answer
) -> None:
    ids = [each["id"] for each in await items(one, 3, filter=REELS)]
    one.sandbox.meddle = lambda name, _: answer if name == "RefetchEngagementBulk" else None
    told, result = await refresh(one, itemIds=ids)
    (record,) = (await one.records(told)).values()

    assert (record.state, record.code) == ("unknown", "OUTCOME_UNKNOWN")
    assert not any("nothing spent" in note for note in result["notes"])
    with pytest.raises(Failure, match="can be sent again"):
        await one.call(StartEngagementJob, resume=told["jobId"])
    assert set(refetched(one).values()) == {1}


@pytest.mark.parametrize(
    "answer",
    [
        said({"errors": [{"message": "Boom"}]}),
        said({"data": None, "errors": [{"message": "Boom"}]}, 400),
        refetch_answer(None, error("NOT_FOUND")),
        refetch_answer(
            {**STARTED, "operationId": None, "userErrors": [{"field": None, "message": "No"}]}
        ),
    ],
)
async def test_a_refresh_that_was_refused_before_it_ran_can_be_sent_again(
    one: Worker, answer: Answer
) -> None:
    ids = [each["id"] for each in await items(one, 3, filter=REELS)]
    one.sandbox.meddle = lambda name, _: answer if name == "RefetchEngagementBulk" else None
    told, _ = await refresh(one, itemIds=ids)
    (record,) = (await one.records(told)).values()
    one.sandbox.meddle = None
    again = await one.ended(await one.call(StartEngagementJob, resume=told["jobId"]))

    assert record.state == "failed"
    assert again["summary"]["accepted"] == 3


async def test_a_workspace_where_refreshing_is_not_switched_on_pauses_the_job_and_says_whom_to_ask(
    one: Worker,
) -> None:
    found = [each["id"] for each in await items(one, 3, workspace=OUTDOOR, filter=REELS)]
    told = await one.agreed(StartEngagementJob, mode="refresh", workspace=OUTDOOR, itemIds=found)
    row = await one.jobs.wait(told["jobId"], 1000)

    assert row.state == "paused"
    assert row.error is not None
    assert row.error["code"] == "FORBIDDEN"
    assert "Archive contact" in row.error["hint"]


async def test_where_archive_has_nothing_to_do_that_is_told_and_nothing_waited_for(
    one: Worker,
) -> None:
    found = [each["id"] for each in await items(one, 3, filter=REELS)]
    nothing: Json = {
        "operationId": None,
        "processedCount": 0,
        "skippedItemIds": None,
        "userErrors": [],
    }
    payload = said({"data": {"refetchEngagementBulk": nothing}})
    one.sandbox.meddle = lambda name, _: payload if name == "RefetchEngagementBulk" else None
    _, result = await refresh(one, itemIds=found)

    assert (result["operations"], result["billingCreditsAtMost"]) == ([], 0)
    (group,) = result["leftOutItems"]
    assert (group["reason"], group["count"]) == (
        "Archive left it out without a reason or a charge.",
        3,
    )
