"""What a collection job refuses before anybody is asked or anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from server.sandbox import COFFEE, MAIN
from tests.support.tools.tagging import TOOL, scene

REELS: dict[str, Any] = {"search": {"filter": {"itemTypes": ["REEL"]}}}


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
