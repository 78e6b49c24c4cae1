"""Which collections a job means, from names as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from server.tool.elicitation import Reply
from tests.support.doubles import Person
from tests.support.tools.tagging import scene

REELS: dict[str, Any] = {"search": {"filter": {"itemTypes": ["REEL"]}}}


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
