"""The tools that show and stop jobs."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code, Failure
from tests.support.tools.tagging import scene

GET, LIST, CANCEL = "archive_mcp_get_job", "archive_mcp_list_jobs", "archive_mcp_cancel_job"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_job_is_named_by_its_id_under_either_name() -> None:
    async with scene() as here:
        done = await here.start(itemIds=(await here.items())[:2], collectionNames=["Empty Shelf"])
        for tool in (GET, CANCEL):
            by_id = (await here.calls.call(tool, {"id": done["jobId"]}, here.people[-1])).structured
            by_name: Any = await here.calls.call(tool, {"jobId": done["jobId"]}, here.people[-1])
            filled: Any = await here.calls.call(
                tool, {"id": "", "jobId": done["jobId"]}, here.people[-1]
            )

            assert by_id["jobId"] == done["jobId"]
            assert by_name.structured == filled.structured == by_id


async def test_two_ids_that_clash_are_refused() -> None:
    async with scene() as here:
        with pytest.raises(Failure) as caught:
            await here.calls.call(GET, {"id": "job_1", "jobId": "job_2"}, None)  # type: ignore[arg-type]  # nobody is asked

    assert caught.value.code is Code.INVALID_ARGUMENT
    assert "`jobId`" in caught.value.message


async def test_a_list_of_jobs_is_short() -> None:
    async with scene() as here:
        await here.start(itemIds=(await here.items())[:2], collectionNames=["Empty Shelf"])
        (row,) = (await here.calls.call(LIST, {}, here.people[-1])).structured["nodes"]

    assert (row["state"], row["records"]) == ("done", {"total": 2, "done": 2})
    assert "result" not in row
