"""Tools that ask first: nothing is changed without the user's yes to exactly what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.errors import Failure
from server.sandbox import MAIN
from server.sandbox.ids import Kind
from server.tool.elicitation import Asker, Nobody, Reply
from tests.support.doubles import Person
from tests.support.tools.fronts import (
    ROWS,
    Front,
    front,
    yes,
)
from tests.support.tools.watched import Json, Saved, differences
from tests.support.tools.write_cases import REEL, UNKNOWN
from tests.support.tools.write_cases_views import CASES
from tests.support.tools.write_questions import (
    ADD,
    CALLS,
    REFETCH,
    Asked,
)

ASKING = {
    row["tool"]["name"]
    for row in ROWS
    if row["backend"] == "archive"
    and "archive-mcp/operation" in row["tool"]["_meta"]
    and "confirm" in row["tool"]["inputSchema"]["properties"]
    # Of these only emptying is asked about: tests/tools/archive/views/test_base_changes.py.
    and "clear" not in row["tool"]["inputSchema"]["properties"]
}

each_call = pytest.mark.parametrize("asked", CALLS.values(), ids=CALLS)
NO = [Reply("decline"), Reply("accept", {"confirm": False})]


async def unchanged(desk: Front, asked: Asked, asker: Asker | None, **more: Any) -> Failure:
    """The failure of a call that did nothing and sent nothing that would."""
    before, arrived = await desk.sandbox.saved(), list(desk.sandbox.arrived)
    failure = await desk.refused(asked.tool, {**asked.given, **more}, before, asker=asker)
    assert differences(before, await desk.sandbox.saved()) == {}
    assert desk.sandbox.arrived == arrived
    return failure


async def made(desk: Front, asked: Asked, before: Saved, asker: Asker, **more: Any) -> None:
    """The call does what was asked about."""
    now = await desk.sandbox.saved()
    await desk.call(asked.tool, {**asked.given, **more}, before, asker=asker)
    assert differences(now, await desk.sandbox.saved()) == asked.changes


def test_every_tool_that_takes_a_confirmation_is_here_and_every_delete_takes_one() -> None:
    assert CALLS.keys() == ASKING
    assert {name for name in CASES if "_delete_" in name} < ASKING
    assert {name for name, case in CASES.items() if case.asks} == ASKING - {ADD}


@each_call
async def test_the_question_shows_exactly_what_would_change_and_a_yes_makes_it(
    asked: Asked,
) -> None:
    async with front() as desk:
        before, person = await desk.sandbox.saved(), yes()
        await desk.call(asked.tool, asked.given, before, asker=person)
        after = await desk.sandbox.saved()

    assert [each.message for each in person.questions] == [asked.asks.format(**before.words)]
    assert differences(before, after) == asked.changes


@each_call
@pytest.mark.parametrize("reply", NO, ids=["decline", "unticked"])
async def test_a_no_changes_nothing(asked: Asked, reply: Reply) -> None:
    async with front() as desk:
        failure = await unchanged(desk, asked, Person([reply]))

    assert failure.code == "DECLINED"
    assert "confirm" not in failure.details
    assert failure.hint


@each_call
@pytest.mark.parametrize("action", ["cancel", "accept", "unavailable"])
async def test_no_answer_changes_nothing_and_gives_no_token_to_answer_with(
    asked: Asked, action: Any
) -> None:
    async with front() as desk:
        failure = await unchanged(desk, asked, Person([Reply(action)]))

    assert failure.code == "CONFIRMATION_REQUIRED"
    assert "confirm" not in failure.details
    assert failure.details["preview"]


@each_call
async def test_no_answer_gives_a_token_where_the_user_chose_tokens(asked: Asked) -> None:
    async with front(ARCHIVE_MCP_CONFIRM="token") as desk:
        before = await desk.sandbox.saved()
        failure = await unchanged(desk, asked, Person([Reply("cancel")]))
        await made(desk, asked, before, Person(), confirm=failure.details["confirm"])


@each_call
async def test_never_refuses_without_asking(asked: Asked) -> None:
    async with front(ARCHIVE_MCP_CONFIRM="never") as desk:
        failure = await unchanged(desk, asked, Person())
        headless = await unchanged(desk, asked, Nobody(), confirm="guessed")

    assert failure.code == headless.code == "DECLINED"
    assert "ARCHIVE_MCP_CONFIRM=never" in failure.message


@each_call
async def test_who_cannot_ask_gets_the_whole_question_and_a_token_for_this_very_call(
    asked: Asked,
) -> None:
    async with front() as desk:
        before = await desk.sandbox.saved()
        failure = await unchanged(desk, asked, Nobody())
        token = failure.details["confirm"]
        guessed = await unchanged(desk, asked, Nobody(), confirm="guessed")
        stolen = await unchanged(desk, replace(asked, given=asked.other), Nobody(), confirm=token)
        await made(desk, asked, before, Nobody(), confirm=token)

    assert failure.message.endswith(asked.asks.format(**before.words))
    assert "Only after their explicit yes repeat the call with `confirm` added." in failure.hint
    assert guessed.code == stolen.code == "CONFIRMATION_REQUIRED"
    assert stolen.message.startswith(
        "The confirmation token was used already, has expired, or is for another state or call."
    )


PAYLOADS = (
    "item",
    "operationId",
    "processedCount",
    "skippedItemIds",
    "deletedCollectionId",
    "deletedContentViewId",
    "deletedCreatorViewId",
    "deletedSocialProfileViewId",
    "deletedViewGroupId",
    "movedViewIds",
)
"""The fields of the payloads."""


@each_call
async def test_a_token_is_good_for_one_call(asked: Asked) -> None:
    async with front() as desk:
        before = await desk.sandbox.saved()
        token = (await unchanged(desk, asked, Nobody())).details["confirm"]
        # Says yes and does nothing, so that the same can be asked again.
        desk.sandbox.instead = {**dict.fromkeys(PAYLOADS), "userErrors": []}
        await desk.call(asked.tool, {**asked.given, "confirm": token}, before, asker=Nobody())
        again = await unchanged(desk, asked, Nobody(), confirm=token)

    assert again.code == "CONFIRMATION_REQUIRED"
    assert again.details["confirm"] != token
    assert len(desk.sandbox.arrived) == 1


@pytest.mark.parametrize(
    "asked", [each for each in CALLS.values() if each.meanwhile], ids=lambda each: each.tool
)
async def test_a_change_in_between_is_shown_before_anything_is_done(asked: Asked) -> None:
    assert asked.meanwhile
    async with front() as desk:
        before = await desk.sandbox.saved()
        first = await unchanged(desk, asked, Nobody())
        await desk.call(*asked.meanwhile, before)
        second = await unchanged(desk, asked, Nobody(), confirm=first.details["confirm"])
        desk.sandbox.arrived.clear()
        await desk.call(
            asked.tool,
            {**asked.given, "confirm": second.details["confirm"]},
            before,
            asker=Nobody(),
        )

    assert second.code == "CONFIRMATION_REQUIRED"
    assert second.message.startswith(
        "The confirmation token was used already, has expired, or is for another state or call."
    )
    assert second.details["preview"] != first.details["preview"]
    assert len(desk.sandbox.arrived) == 1


async def test_a_deletion_whose_object_is_gone_by_the_time_of_the_yes_is_told_as_that() -> None:
    asked = CALLS["archive_delete_content_view"]
    async with front() as desk:
        before = await desk.sandbox.saved()
        token = (await unchanged(desk, asked, Nobody())).details["confirm"]
        await desk.call(asked.tool, asked.given, before, asker=yes())
        late = await desk.refused(
            asked.tool, {**asked.given, "confirm": token}, before, asker=Nobody()
        )

    assert late.code == "NOT_FOUND"


@pytest.mark.parametrize("given", [{"itemIds": [UNKNOWN]}, {"itemIds": []}])
async def test_nobody_is_asked_to_pay_for_nothing(given: Json) -> None:
    async with front() as desk:
        failure = await desk.refused(REFETCH, given, asker=Person())

    assert failure.code == "INVALID_ARGUMENT"
    assert desk.sandbox.arrived == []


async def test_a_price_that_rises_between_question_and_yes_is_told_anew() -> None:
    async with front() as desk:
        home = desk.sandbox.world.by_id(MAIN)
        assert home
        given = {"itemIds": ["@items/0", home.id_of(Kind.ITEM, -1)]}
        before = await desk.sandbox.saved()
        first = await desk.refused(REFETCH, given, before, asker=Nobody())
        await desk.call("archive_upload_item_from_url", {"input": {"url": REEL}})
        desk.clock.now += 4
        second = await desk.refused(
            REFETCH, {**given, "confirm": first.details["confirm"]}, before, asker=Nobody()
        )

    assert "for at most 3 billing credits" in first.message
    assert second.code == "CONFIRMATION_REQUIRED"
    assert "for at most 6 billing credits" in second.message
    assert desk.sandbox.arrived == ["uploadItemFromUrl"]
