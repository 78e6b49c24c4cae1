from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.archive.client import Call
from server.errors import Code
from server.tool.elicitation import (
    Question,
    Reply,
)
from tests.support.archive.scripted_backend import HOME, OTHER, Backend, Json
from tests.support.doubles import Person
from tools.archive.content.refetch import RefetchEngagementBulk


def refetch(*ids: str, **more: Any) -> RefetchEngagementBulk:
    return RefetchEngagementBulk.model_validate({"itemIds": list(ids or ("1", "2")), **more})


def found(call: Call) -> Json:
    """The items of a preview: those whose id is a number, odd hundreds being stories."""
    known = [each for each in call.variables["filter"]["ids"] if each.isdecimal()]
    kinds = {each: "STORY" if int(each) >= 900 else "POST" for each in known}
    return {
        "nodes": [
            {"id": each, "type": kinds[each], "socialProfile": {"accountName": "mia"}}
            for each in known
        ],
        "pageInfo": {"endCursor": None, "hasNextPage": False},
    }


STARTED = {"operationId": "op", "processedCount": 2, "skippedItemIds": [], "userErrors": []}


async def test_money_is_spent_only_after_a_yes_to_what_it_costs() -> None:
    backend = Backend(items=found, refetchEngagementBulk=STARTED)
    person = Person([Reply("accept", {"confirm": True})])

    answer = await backend.perform(refetch("1", "2", "901", "gone", "2"), person)

    assert answer == {"operationId": "op", "processedCount": 2, "skippedItemIds": []}
    (question,) = person.questions
    assert '2 Archive items (by "mia") for at most 6 billing credits (3 each)?' in question.message
    assert "Left out: 1 story and 1 unknown id." in question.message
    assert backend.operations == ["items", "workspaces", "workspaces", "refetchEngagementBulk"]
    assert backend.archive.calls[0].variables["filter"] == {"ids": ["1", "2", "901", "gone"]}
    assert not backend.archive.calls[-1].repeatable


async def test_a_preview_names_whose_items_are_refreshed_and_nobody_elses() -> None:
    def by_many(call: Call) -> Json:
        nodes = found(call)["nodes"]
        return {
            **found(call),
            "nodes": [
                each | {"socialProfile": {"accountName": f"n{each['id']}"}} for each in nodes
            ],
        }

    failure = await Backend(items=by_many).refused(refetch(*"12345678", "901"))

    assert '8 Archive items (by "n1", "n2", "n3", "n4", "n5", 3 more)' in failure.message
    assert failure.message.endswith("Left out: 1 story.")


@pytest.mark.parametrize(
    "reply", [Reply("decline"), Reply("cancel"), Reply("accept", {"confirm": False})]
)
async def test_without_a_yes_nothing_is_spent(reply: Reply) -> None:
    backend = Backend(items=found)

    await backend.refused(refetch(), Person([reply]))

    assert backend.operations == ["items", "workspaces", "workspaces"]


async def test_a_token_repeats_the_very_call_it_was_given_for() -> None:
    backend = Backend(items=found, refetchEngagementBulk=STARTED)
    failure = await backend.refused(refetch())
    assert failure.details["preview"] == {
        "items": 2,
        "billingCreditsAtMost": 6,
        "leftOut": [],
        "workspace": HOME,
    }
    token = failure.details["confirm"]

    assert (
        await backend.refused(refetch("1", "3", confirm=token))
    ).code is Code.CONFIRMATION_REQUIRED
    assert (
        await backend.refused(refetch(workspace=OTHER, confirm=token))
    ).code is Code.CONFIRMATION_REQUIRED
    assert (await backend.perform(refetch(confirm=token)))["operationId"] == "op"
    assert (await backend.refused(refetch(confirm=token))).code is Code.CONFIRMATION_REQUIRED
    sent = [
        call.variables
        for call in backend.archive.calls
        if call.operation == "refetchEngagementBulk"
    ]
    assert sent == [{"itemIds": ["1", "2"]}]


async def test_what_changed_since_the_preview_is_previewed_again() -> None:
    state: dict[str, Callable[[Call], Json]] = {"items": found}
    backend = Backend(items=lambda call: state["items"](call), refetchEngagementBulk=STARTED)
    token = (await backend.refused(refetch())).details["confirm"]
    state["items"] = lambda call: {**found(call), "nodes": found(call)["nodes"][:1]}

    failure = await backend.refused(refetch(confirm=token))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.details["preview"]["items"] == 1


async def test_a_server_told_never_to_spend_asks_the_api_nothing() -> None:
    backend = Backend("never")

    assert (await backend.refused(refetch())).code is Code.DECLINED
    assert backend.operations == []


@pytest.mark.parametrize("ids", [("901", "902"), ("gone",), ("901", "gone")])
async def test_what_cannot_be_refreshed_is_refused_before_anybody_is_asked(
    ids: tuple[str, ...],
) -> None:
    failure = await Backend(items=found).refused(refetch(*ids), Person([]))

    assert failure.code is Code.INVALID_ARGUMENT
    assert failure.hint.startswith("Nothing was spent.")


async def test_many_items_are_previewed_a_hundred_at_a_time() -> None:
    backend = Backend(items=found, refetchEngagementBulk=STARTED)

    await backend.refused(refetch(*(str(n) for n in range(250))))

    looked_up = [call for call in backend.archive.calls if call.operation == "items"]
    assert [len(call.variables["filter"]["ids"]) for call in looked_up] == [100, 100, 50]
    assert all(call.variables["first"] == 100 for call in looked_up)


async def test_a_refresh_that_started_nothing_says_so() -> None:
    payload = {"operationId": None, "processedCount": 0, "skippedItemIds": ["1"], "userErrors": []}
    backend = Backend(items=found, refetchEngagementBulk=payload)

    answer = await backend.perform(refetch(), Person([Reply("accept", {"confirm": True})]))

    assert answer["notes"] == ["Nothing was started: these items need no refresh now."]


async def test_a_yes_that_took_its_time_counts_only_for_what_is_still_so() -> None:
    kinds = iter(["REEL", "STORY"])

    def items(call: Call) -> Json:
        node = {"id": "1", "type": next(kinds), "socialProfile": {"accountName": "mia"}}
        other = {"id": "2", "type": "REEL", "socialProfile": {"accountName": "mia"}}
        return {"nodes": [node, other], "pageInfo": {"hasNextPage": False}}

    made = Backend(items=items)

    class Slow(Person):
        async def ask(self, question: Question) -> Reply:
            made.archive.clock.now += 20
            return await super().ask(question)

    failure = await made.refused(refetch("1", "2"), Slow([Reply("accept", {"confirm": True})]))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert "has changed meanwhile" in failure.message
    assert "refetchEngagementBulk" not in made.operations
