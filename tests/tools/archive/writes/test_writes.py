"""Every tool that changes Archive does what it says and nothing else, and tells what Archive
refuses."""

from __future__ import annotations

import pytest
from mcp import Client

from tests.support.tools.fronts import (
    WORKSPACE,
    WRITES,
    error_of,
    front,
    holds,
    points_somewhere,
    pretty,
)
from tests.support.tools.watched import differences, resolved
from tests.support.tools.write_cases import Case, Refusal, person_for
from tests.support.tools.write_cases_views import CASES

REFUSALS = [
    pytest.param(each, refusal, id=f"{each.tool}-{number}")
    for each in CASES.values()
    for number, refusal in enumerate(each.refusals)
]
NOT_TODAY = {"userErrors": [{"field": ["input", "part"], "message": "Not <b>today</b>"}]}
each_write = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_every_tool_but_one_is_seen_to_be_refused_for_a_reason_of_its_own() -> None:
    # Archive takes any name for a group but a blank one, which is not sent.
    assert {name for name, case in CASES.items() if not case.refusals} == {
        "archive_create_view_group"
    }


@each_write
async def test_it_does_what_it_says_and_nothing_else(case: Case) -> None:
    async with front() as desk:
        before = await desk.sandbox.saved()
        person = person_for(case)
        answer = await desk.call(case.tool, case.given, asker=person)
        desk.clock.now += case.later
        after = await desk.sandbox.saved()
        shown = [await desk.call(each.tool, each.given, before, after) for each in case.looks]

    assert holds(answer, resolved(case.says, before, after)), pretty(answer)
    assert differences(before, after) == case.changes
    for look, answered in zip(case.looks, shown, strict=True):
        assert holds(answered, resolved(look.shows, before, after)), pretty(answered)
    assert desk.sandbox.arrived == [WRITES[case.tool]]
    assert [each.message for each in person.questions] == (
        [case.asks.format(**before.words)] if case.asks else []
    )


@pytest.mark.parametrize(("case", "refusal"), REFUSALS)
async def test_what_archive_refuses_is_told_in_its_words_and_changes_nothing(
    case: Case, refusal: Refusal
) -> None:
    async with front() as desk:
        before = await desk.sandbox.saved()
        failure = await desk.refused(case.tool, refusal.given, asker=person_for(case))
        after = await desk.sandbox.saved()

    assert failure.code == refusal.code
    assert refusal.words in failure.message
    points_somewhere(failure)
    assert refusal.points_to in failure.hint
    assert differences(before, after) == {}


@each_write
async def test_user_errors_become_an_error_result_and_are_not_tried_again(case: Case) -> None:
    async with front() as desk:
        desk.sandbox.instead = NOT_TODAY
        before = await desk.sandbox.saved()
        arguments = {"workspace": WORKSPACE, **resolved(case.given, before)}
        async with Client(desk.server, mode="legacy") as client:
            if case.asks:
                arguments["confirm"] = error_of(await client.call_tool(case.tool, arguments))[
                    "confirm"
                ]
            error = error_of(await client.call_tool(case.tool, arguments))

    assert error["code"] == "REJECTED"
    assert error["message"] == f"Archive refused {WRITES[case.tool]}: input.part: Not today"
    assert error["hint"].startswith("Nothing was changed.")
    assert error["retryable"] is False
    assert desk.sandbox.arrived == [WRITES[case.tool]]
