"""A change whose answer is lost is made again only where twice is the same as once; else the caller
is told to look."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from tests.support.tools.fronts import (
    ROWS,
    WRITES,
    Front,
    front,
    front_over_http,
    holds,
    points_somewhere,
    pretty,
)
from tests.support.tools.watched import Fate, Json, differences, resolved
from tests.support.tools.write_cases import Case, person_for
from tests.support.tools.write_cases_views import CASES

CLASSES: dict[str, Any] = {
    row["tool"]["name"]: getattr(importlib.import_module(row["module"]), row["class_name"])
    for row in ROWS
    if row["tool"]["name"] in CASES
}
ONCE = {
    "archive_create_collection",
    "archive_create_content_view",
    "archive_create_creator_view",
    "archive_create_social_profile_view",
    "archive_create_view_group",
    "archive_refetch_engagement_bulk",
    "archive_upload_item_from_url",
}
"""Twice is not the same as once: each call makes another thing, is refused, or costs again."""
AMBIGUOUS: list[Fate] = ["lost", "502", "504"]
DONE: list[Fate] = ["lost", "504"]
once = pytest.mark.parametrize("case", [CASES[each] for each in sorted(ONCE)], ids=sorted(ONCE))
again = pytest.mark.parametrize(
    "case",
    [each for each in CASES.values() if each.tool not in ONCE],
    ids=[each for each in CASES if each not in ONCE],
)
each_write = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.http.retry.FIRST_PAUSE", 0.0)


def test_what_may_be_sent_twice_is_declared_and_told_to_hosts() -> None:
    hints = {row["tool"]["name"]: row["tool"]["annotations"]["idempotentHint"] for row in ROWS}

    assert {name for name, each in CLASSES.items() if not each.repeatable} == ONCE
    assert {name for name in CASES if not hints[name]} == ONCE


@once
@pytest.mark.parametrize("fate", AMBIGUOUS)
async def test_it_is_sent_once_and_the_caller_is_told_where_to_look(case: Case, fate: Fate) -> None:
    async with front_over_http() as desk:
        before = await desk.sandbox.saved()
        desk.sandbox.fates = [fate]
        failure = await desk.refused(case.tool, case.given, before, asker=person_for(case))
        desk.clock.now += case.later
        changes = differences(before, await desk.sandbox.saved())

    assert desk.sandbox.arrived == [WRITES[case.tool]]
    assert failure.code == "OUTCOME_UNKNOWN"
    assert failure.message.endswith("The change may or may not have been made.")
    assert not failure.retryable
    assert (
        failure.hint
        == f"Do not repeat it blindly: {desk.surface.render_hint(CLASSES[case.tool].verify)}"
    )
    points_somewhere(failure)
    assert "archive_" in failure.hint
    assert changes == (case.changes if fate in DONE else {})


@again
@pytest.mark.parametrize("fate", AMBIGUOUS)
async def test_it_is_sent_again_and_ends_as_if_sent_once(case: Case, fate: Fate) -> None:
    async with front_over_http() as desk:
        before = await desk.sandbox.saved()
        desk.sandbox.fates = [fate]
        answer = await desk.call(case.tool, case.given, before, asker=person_for(case))
        after = await desk.sandbox.saved()

    assert desk.sandbox.arrived == [WRITES[case.tool]] * 2
    assert differences(before, after) == case.changes
    if "_delete_" in case.tool and fate in DONE:
        (note,) = answer["notes"]
        assert note.startswith("It is gone"), note
    else:
        assert holds(answer, resolved(case.says, before, after)), pretty(answer)


@again
async def test_where_it_stays_lost_the_caller_is_told_where_to_look(case: Case) -> None:
    async with front_over_http() as desk:
        before = await desk.sandbox.saved()
        desk.sandbox.fates = ["502", "lost", "504", "502", "502"]
        failure = await desk.refused(case.tool, case.given, before, asker=person_for(case))

    assert len(desk.sandbox.arrived) == 4
    assert failure.code == "OUTCOME_UNKNOWN"
    assert (
        failure.hint
        == f"Do not repeat it blindly: {desk.surface.render_hint(CLASSES[case.tool].verify)}"
    )
    points_somewhere(failure)
    assert "archive_" in failure.hint


async def made_after(desk: Front, case: Case, *fates: Fate) -> None:
    """The call is made as if nothing had been in its way."""
    before = await desk.sandbox.saved()
    desk.sandbox.fates = list(fates)
    answer = await desk.call(case.tool, case.given, before, asker=person_for(case))
    desk.clock.now += case.later
    after = await desk.sandbox.saved()
    assert holds(answer, resolved(case.says, before, after)), pretty(answer)
    assert differences(before, after) == case.changes


@each_write
async def test_a_429_did_not_happen_and_is_sent_again(case: Case) -> None:
    async with front_over_http() as desk:
        await made_after(desk, case, "429", "429")

    assert desk.sandbox.arrived == [WRITES[case.tool]] * 3


@each_write
async def test_a_refused_connection_did_not_happen_and_is_tried_again(case: Case) -> None:
    async with front() as desk:
        await made_after(desk, case, "unreachable", "unreachable")

    assert desk.sandbox.arrived == [WRITES[case.tool]]


@each_write
async def test_what_never_left_is_not_told_as_unknown(case: Case) -> None:
    async with front() as desk:
        before = await desk.sandbox.saved()
        desk.sandbox.fates = ["unreachable"] * 4
        failure = await desk.refused(case.tool, case.given, before, asker=person_for(case))
        after = await desk.sandbox.saved()

    assert failure.code == "UNAVAILABLE"
    assert "Nothing was sent." in failure.message
    assert differences(before, after) == {}


@once
async def test_a_lost_answer_after_a_429_is_still_unknown(case: Case) -> None:
    async with front_over_http() as desk:
        before = await desk.sandbox.saved()
        desk.sandbox.fates = ["429", "lost"]
        failure = await desk.refused(case.tool, case.given, before, asker=person_for(case))

    assert failure.code == "OUTCOME_UNKNOWN"
    assert len(desk.sandbox.arrived) == 2


GONE: dict[str, Json] = {
    "by userErrors": {
        "data": {"deleteIt": {"userErrors": [{"field": ["id"], "message": "is not found"}]}}
    },
    "by an error": {
        "data": {"deleteIt": None},
        "errors": [{"message": "not found", "extensions": {"code": "NOT_FOUND"}}],
    },
}
DELETIONS = [case for name, case in CASES.items() if "_delete_" in name]


@pytest.mark.parametrize("case", DELETIONS, ids=lambda case: case.tool)
@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
async def test_a_deletion_that_finds_nothing_after_a_lost_answer_may_have_been_made(
    case: Case, gone: Json
) -> None:
    async with front_over_http() as desk:
        before = await desk.sandbox.saved()
        desk.sandbox.fates = ["lost"]
        desk.sandbox.later = json.loads(json.dumps(gone).replace("deleteIt", WRITES[case.tool]))
        failure = await desk.refused(case.tool, case.given, before, asker=person_for(case))
        desk.sandbox.later = None
        changes = differences(before, await desk.sandbox.saved())

    assert changes == case.changes
    assert failure.code == "OUTCOME_UNKNOWN"
    assert "Nothing was changed" not in f"{failure.message} {failure.hint}"
    points_somewhere(failure)
