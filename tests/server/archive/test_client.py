from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from server.archive.client import (
    LONGEST_ANSWER,
    Archive,
    Call,
)
from server.archive.failures import Answer
from server.errors import Code, Failure
from server.http.client import Http
from server.http.retry import Transient
from server.http.transport import Reply
from tests.support.doubles import Clock, OpenLimiter

URL = "https://app.archive.com/api/v2"
TOKEN = "arch_live_0123456789abcdef"
DOCUMENT = "query Q($id: ID!) { item(id: $id) { id } }"


class Wire(Http):
    """An Http whose answers are scripted, each for one request."""

    def __init__(self, *answers: Reply | Transient) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, dict[str, str], Any, float]] = []

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float,
        on_sent: Callable[[], None] = lambda: None,
    ) -> Reply:
        on_sent()
        self.sent.append((url, dict(headers), json.loads(body), seconds))
        answer = self.answers.pop(0)
        if isinstance(answer, Transient):
            raise answer
        return answer


def answered(
    payload: Any, status: int = 200, headers: Mapping[str, str] | None = None, *, new: bool = False
) -> Reply:
    return Reply(status, headers or {}, json.dumps(payload).encode(), new)


GOOD = answered({"data": {"item": {"id": "1"}}})
TOO_FAST = answered(
    {"errors": [{"message": "Retry after 0.4 seconds."}]}, 429, {"retry-after": "2"}
)
BAD_TOKEN = answered(
    {"errors": "Missing or invalid authentication token"}, 401, {"ratelimit": '"x";r=1;t=2'}
)


def made(
    *answers: Reply | Transient, limiter: OpenLimiter | None = None
) -> tuple[Archive, Wire, OpenLimiter, Clock]:
    wire, limiter, clock = Wire(*answers), limiter or OpenLimiter(), Clock()
    archive = Archive(
        url=URL, token=TOKEN, http=wire, limiter=limiter, user_agent="archive-mcp/9", clock=clock
    )
    return archive, wire, limiter, clock


def call(**changes: Any) -> Call:
    return Call(
        **{
            "operation": "item",
            "document": DOCUMENT,
            "variables": {"id": "1"},
            "workspace": "workspace-1",
            "cost": 5.0,
            "deadline": 1045.0,
            **changes,
        }
    )


async def test_a_call_is_one_post_with_token_workspace_and_variables() -> None:
    archive, wire, limiter, _ = made(GOOD)

    assert await archive.execute(call()) == Answer({"id": "1"}, partial=False)
    ((url, headers, body, seconds),) = wire.sent
    assert url == URL
    assert headers == {
        "authorization": f"Bearer {TOKEN}",
        "content-type": "application/json",
        "accept": "application/json",
        "user-agent": "archive-mcp/9",
        "workspace-id": "workspace-1",
    }
    assert body == {"query": DOCUMENT, "variables": {"id": "1"}}
    assert seconds == LONGEST_ANSWER
    (slot,) = limiter.slots
    assert (slot.operation, slot.cost, slot.lane, slot.deadline) == (
        "item",
        5.0,
        "interactive",
        1045.0,
    )


async def test_the_list_of_workspaces_carries_no_workspace() -> None:
    archive, wire, _, _ = made(GOOD)

    await archive.execute(call(workspace=None))

    assert "workspace-id" not in wire.sent[0][1]


async def test_each_workspace_has_a_budget_and_the_token_one_of_its_own() -> None:
    archive, _, _, _ = made()
    keys = [archive.limiter_key(each) for each in ("workspace-1", "workspace-2", None)]

    assert len(set(keys)) == 3
    assert keys == [made()[0].limiter_key(each) for each in ("workspace-1", "workspace-2", None)]
    assert not any(TOKEN in key or "workspace" in key for key in keys)


async def test_a_budget_belongs_to_the_origin_however_its_url_is_written() -> None:
    limiter = OpenLimiter()
    keys = {
        Archive(url=url, token=TOKEN, http=Wire(), limiter=limiter, user_agent="x").limiter_key(
            "workspace-1"
        )
        for url in (URL, f"{URL}/", "https://app.archive.com/api/v3")
    }

    assert len(keys) == 1


async def test_the_token_is_in_no_repr() -> None:
    archive, _, _, _ = made()

    assert repr(archive) == f"Archive({URL})"


async def test_the_limiter_is_told_what_was_answered() -> None:
    archive, _, limiter, _ = made(
        answered({"data": {"item": 1}}, headers={"ratelimit": "r=1"}, new=True)
    )

    await archive.execute(call())

    (slot,) = limiter.slots
    assert slot.is_sent
    assert (slot.status, slot.headers, slot.retry_after, slot.new_connection) == (
        200,
        {"ratelimit": "r=1"},
        None,
        True,
    )


async def test_a_refusal_for_speed_is_told_with_its_wait_and_tried_again() -> None:
    archive, wire, limiter, _ = made(TOO_FAST, GOOD)

    assert (await archive.execute(call())).data == {"id": "1"}
    assert [(slot.status, slot.retry_after) for slot in limiter.slots] == [(429, 2.0), (200, None)]
    assert len(wire.sent) == 2


async def test_a_refusal_for_speed_under_another_status_is_told_as_what_it_is() -> None:
    payload = {
        "errors": [
            {"message": "Retry after 3 seconds.", "extensions": {"code": "RATE_LIMIT_EXCEEDED"}}
        ]
    }
    archive, _, limiter, _ = made(answered(payload, 200), GOOD)

    await archive.execute(call())

    assert (limiter.slots[0].status, limiter.slots[0].retry_after) == (429, 3.0)


async def test_the_limiter_also_learns_from_an_answer_that_is_a_refusal() -> None:
    archive, _, limiter, _ = made(BAD_TOKEN)

    with pytest.raises(Failure) as refused:
        await archive.execute(call())

    assert refused.value.code is Code.UNAUTHENTICATED
    (slot,) = limiter.slots
    assert (slot.status, slot.headers) == (401, {"ratelimit": '"x";r=1;t=2'})


async def test_without_an_answer_the_limiter_is_told_nothing() -> None:
    archive, _, limiter, _ = made(Transient(Code.TIMEOUT, "Late.", worth_repeating=False))

    with pytest.raises(Failure, match="Late"):
        await archive.execute(call())

    assert [slot.status for slot in limiter.slots] == [None]


async def test_every_attempt_takes_a_turn_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.http.retry.FIRST_PAUSE", 0.0)
    lost = Transient(Code.UNAVAILABLE, "Broke.")
    archive, wire, limiter, _ = made(lost, answered({}, 503), GOOD)

    await archive.execute(call())

    assert len(limiter.slots) == len(wire.sent) == 3


async def test_a_turn_that_cannot_come_in_time_is_told_at_once() -> None:
    limiter = OpenLimiter({1: Failure(Code.RATE_LIMITED, "No turn.", retryable=True)})
    archive, wire, _, _ = made(limiter=limiter)

    with pytest.raises(Failure, match="No turn"):
        await archive.execute(call())

    assert wire.sent == []


@pytest.mark.parametrize(
    ("left", "seconds"), [(100.0, 30.0), (12.0, 12.0), (0.1, 0.5), (-5.0, 0.5)]
)
async def test_an_answer_is_waited_for_no_longer_than_the_deadline(
    left: float, seconds: float
) -> None:
    archive, wire, _, clock = made(GOOD)

    await archive.execute(call(deadline=clock.now + left))

    assert wire.sent[0][3] == seconds


async def test_a_write_whose_answer_was_lost_is_unknown() -> None:
    archive, wire, _, _ = made(Transient(Code.UNAVAILABLE, "Broke."))

    with pytest.raises(Failure) as unknown:
        await archive.execute(call(repeatable=False, verify="look."))

    assert unknown.value.code is Code.OUTCOME_UNKNOWN
    assert len(wire.sent) == 1


async def test_a_write_that_was_refused_for_speed_is_sent_again() -> None:
    archive, wire, _, _ = made(TOO_FAST, GOOD)

    await archive.execute(call(repeatable=False, verify="look."))

    assert len(wire.sent) == 2
