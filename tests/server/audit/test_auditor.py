"""The records of a call: one before anything is sent, one of what became of it."""

from __future__ import annotations

import logging
from pathlib import Path

import anyio
import pytest

from server.audit.auditor import REQUEST_ID, Auditor, Change
from server.audit.event import Event
from server.audit.lines import JsonLines, read_lines
from server.errors import Code, Failure

CHANGE = Change(
    "remove_items",
    "w-1",
    {"collectionId": "c-1"},
    preview="digest",
    confirmed="token",
    credits=3,
)


class Memory:
    """Keeps records, and fails from the given number on."""

    def __init__(self, room: int = 100) -> None:
        self.events: list[Event] = []
        self.room = room

    async def record(self, event: Event) -> None:
        if len(self.events) >= self.room:
            raise Failure(Code.UNAVAILABLE, "The audit log cannot be written.", "Tell the user.")
        self.events.append(event)


async def test_a_change_is_recorded_before_and_after() -> None:
    memory = Memory()
    async with Auditor(memory, "p-1", "Ann").record(CHANGE) as outcome:
        assert [event.outcome for event in memory.events] == ["begins"]
        outcome.result = {"id": "new", "jobId": "job_1"}
    begin, end = memory.events
    assert (begin.outcome, end.outcome) == ("begins", "done")
    assert begin.call == end.call
    assert (begin.principal, begin.person, begin.workspace) == ("p-1", "Ann", "w-1")
    assert (begin.preview, begin.confirmed, begin.credits) == ("digest", "token", 3)
    assert begin.ids == ("c-1",)
    assert end.ids == ("c-1", "new", "job_1")
    assert end.job == "job_1"
    assert end.at.endswith("Z")


@pytest.mark.parametrize(
    ("code", "outcome"),
    [(Code.NOT_FOUND, "failed"), (Code.OUTCOME_UNKNOWN, "unknown"), (Code.RATE_LIMITED, "failed")],
)
async def test_a_failure_is_recorded_as_what_it_says(code: Code, outcome: str) -> None:
    memory = Memory()
    with pytest.raises(Failure):
        async with Auditor(memory).record(CHANGE):
            raise Failure(code, "No.")
    assert [event.outcome for event in memory.events] == ["begins", outcome]
    assert memory.events[-1].code == code


async def test_a_cancelled_call_and_a_fault_are_of_unknown_outcome() -> None:
    memory = Memory()
    with anyio.CancelScope() as call:
        async with Auditor(memory).record(CHANGE):
            call.cancel()
            await anyio.sleep(5)
    with pytest.raises(ZeroDivisionError):
        async with Auditor(memory).record(CHANGE):
            raise ZeroDivisionError
    assert [event.outcome for event in memory.events] == ["begins", "unknown"] * 2


async def test_the_record_of_a_cancelled_call_reaches_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with anyio.CancelScope() as call:
        async with Auditor(JsonLines(path)).record(CHANGE):
            call.cancel()
            await anyio.sleep(5)
    assert [event.outcome for event in read_lines(path)] == ["begins", "unknown"]


async def test_without_a_record_nothing_is_changed() -> None:
    changed = False
    with pytest.raises(Failure) as caught:
        async with Auditor(Memory(room=0)).record(CHANGE):
            changed = True
    assert not changed
    assert caught.value.code is Code.UNAVAILABLE
    assert caught.value.message.startswith("Nothing was changed.")


async def test_a_change_that_was_made_is_answered_without_its_last_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        async with Auditor(Memory(room=1)).record(CHANGE) as outcome:
            outcome.result = {"id": "x"}
    assert "no audit record of remove_items by local (done)" in caplog.text


async def test_what_is_noted_says_who_and_which_request() -> None:
    memory = Memory()
    token = REQUEST_ID.set("r-1")
    try:
        await Auditor(memory, "p-1", "Ann").note("refused", "x", "refused", code="READ_ONLY")
    finally:
        REQUEST_ID.reset(token)
    (event,) = memory.events
    assert (event.kind, event.code, event.request) == ("refused", "READ_ONLY", "r-1")
    assert event.confirmed is None


async def test_without_a_log_nothing_is_kept() -> None:
    async with Auditor().record(CHANGE) as outcome:
        outcome.result = {}
    await Auditor().note("export", "x", "done")
