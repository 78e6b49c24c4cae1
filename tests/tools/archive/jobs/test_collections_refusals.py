"""What a collection job refuses, and which collections it means by names as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from server.sandbox import COFFEE, MAIN
from server.tool.elicitation import Reply
from tests.support.doubles import Person
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
