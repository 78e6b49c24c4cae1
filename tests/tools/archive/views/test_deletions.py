"""What is deleted is named by its id or its exact name, never by a part of one, and the result says
what became of what it held."""

from __future__ import annotations

from typing import Any

import pytest

from server.errors import Code
from server.tool.elicitation import Reply
from tests.support.doubles import Person
from tests.support.tools.through_sandbox import Desk, desk
from tools.archive.collections import CreateCollection, DeleteCollection, GetCollections
from tools.archive.views.content import DeleteContentView, GetContentViews
from tools.archive.views.creators import DeleteCreatorView, GetCreatorViews
from tools.archive.views.groups import DeleteViewGroup, GetViewGroups
from tools.archive.views.social_profiles import DeleteSocialProfileView, GetSocialProfileViews


def yes() -> Person:
    return Person([Reply("accept", {"confirm": True})])


async def names(front: Desk, listing: Any) -> list[str]:
    return [row["name"] for row in (await front.call(listing))["nodes"]]


@pytest.mark.parametrize(
    ("listing", "delete", "name"),
    [
        (GetCollections, DeleteCollection, "Q3 Report"),
        (GetCollections, DeleteCollection, "  holiday   MOODBOARD "),
        (GetContentViews, DeleteContentView, "tiktok top earners"),
        (GetCreatorViews, DeleteCreatorView, "VIP Creators"),
        (GetSocialProfileViews, DeleteSocialProfileView, "Favourites by Audience"),
        (GetViewGroups, DeleteViewGroup, "Reporting"),
    ],
)
async def test_a_thing_is_deleted_by_its_name_however_it_is_written(
    listing: Any, delete: Any, name: str
) -> None:
    async with desk() as front:
        before = await names(front, listing)
        deleted = await front.call(delete, yes(), id=name)
        after = await names(front, listing)

    (gone,) = set(before) - set(after)
    assert gone.casefold() == " ".join(name.split()).casefold()
    assert deleted["deleted"]["name"] == gone


async def test_a_deleted_collection_says_how_much_it_held_and_what_became_of_it() -> None:
    async with desk() as front:
        held = {
            row["name"]: row["itemCount"] for row in (await front.call(GetCollections))["nodes"]
        }
        deleted = await front.call(DeleteCollection, yes(), id="Q3 Report")

    assert deleted["deleted"] == {"name": "Q3 Report", "itemCount": held["Q3 Report"]}
    assert deleted["kept"] == "The items stay in Archive; which of them were in it is lost."


@pytest.mark.parametrize("name", ["Q3", "Report", "Q3 Reports", "Moodboard"])
async def test_a_part_of_a_name_or_a_similar_one_deletes_nothing(name: str) -> None:
    async with desk() as front:
        before = await names(front, GetCollections)
        failure = await front.refused(DeleteCollection, Person(), id=name)
        after = await names(front, GetCollections)

    assert failure.code is Code.NOT_FOUND
    assert before == after


async def test_the_closest_name_is_suggested() -> None:
    async with desk() as front:
        failure = await front.refused(DeleteCollection, Person(), id="Holiday Moodbord")

    assert "Did you mean `Holiday Moodboard`?" in failure.message


async def test_of_two_names_that_differ_in_case_alone_neither_is_chosen() -> None:
    async with desk() as front:
        await front.call(CreateCollection, input={"name": "q3 report"})
        failure = await front.refused(DeleteCollection, Person(), id="Q3 REPORT")

    assert failure.code is Code.AMBIGUOUS
    assert {entry["name"] for entry in failure.details["candidates"]} == {"Q3 Report", "q3 report"}
