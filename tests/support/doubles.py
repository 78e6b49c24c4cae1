"""Stand-ins that are stricter than what they stand in for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from server.archive.client import Archive, Call
from server.archive.failures import Answer
from server.audit.auditor import Auditor
from server.errors import Code, Failure
from server.exports import ExportFolder
from server.http.retry import run_with_retries
from server.jobs import Jobs
from server.shared_state.spending import UnlimitedSpending
from server.tool.context import Context
from server.tool.elicitation import Question, Reply
from server.tool.request import Request
from server.tool.result import Result


class Clock:
    """A clock that moves only when told to, or when something sleeps on it."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Person:
    """An asker with somebody behind it, who gives the scripted replies in turn and refuses to be
    asked more often."""

    replies: list[Reply] = field(default_factory=list)
    can_ask: bool = True
    questions: list[Question] = field(default_factory=list)
    reports: list[tuple[float, float | None, str]] = field(default_factory=list)

    async def report(self, done: float, total: float | None, message: str) -> None:
        self.reports.append((done, total, message))

    async def ask(self, question: Question) -> Reply:
        self.questions.append(question)
        assert self.replies, f"asked once too often: {question.message}"
        return self.replies.pop(0)


class IdleProcess:
    """A process of which no call needs jobs or files."""

    read_only = False
    spending = UnlimitedSpending()
    auditor = Auditor()

    async def jobs(self) -> Jobs:
        raise AssertionError("nothing here runs in the background")

    def exports(self) -> ExportFolder:
        raise AssertionError("nothing here writes a file")


class Purse:
    """Credits that run out."""

    def __init__(self, credits: int) -> None:
        self.left = credits

    async def reserve(self, credits: int) -> None:
        await anyio.lowlevel.checkpoint()  # as a database would: a cancelled caller ends here
        if credits > self.left:
            raise Failure(Code.FORBIDDEN, "Spent.")
        self.left -= credits

    async def give_back(self, credits: int) -> None:
        await anyio.lowlevel.checkpoint()
        self.left += credits


class Declared(Request[Any, Context]):
    """Base of requests that are only declared, never run."""

    async def run(self, context: Context) -> Result:
        raise AssertionError("this request is not to be run")


class ScriptedArchive(Archive):
    """An Archive whose answers come from a function; it keeps the calls."""

    origin = "https://archive.example"
    account = "account"

    def __init__(self, respond: Callable[[Call], Any], clock: Clock | None = None) -> None:
        self._respond = respond
        self.clock = clock or Clock()
        self.calls: list[Call] = []

    async def execute(self, call: Call) -> Answer:
        self.calls.append(call)
        found = self._respond(call)
        if isinstance(found, Failure):
            raise found
        answer = found if isinstance(found, Answer) else Answer(found, partial=False)

        async def attempt() -> Answer:
            if call.check is not None:
                call.check(answer.data)
            return answer

        return await run_with_retries(
            attempt,
            repeatable=call.repeatable,
            deadline=call.deadline,
            clock=self.clock,
            verify=call.verify,
        )

    def now(self) -> float:
        return self.clock()

    def limiter_key(self, workspace: str | None) -> str:
        return workspace or "token"


@dataclass
class Told:
    """What a limiter was told about one send."""

    key: str
    operation: str
    cost: float
    lane: str
    deadline: float | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    new_connection: bool = False
    is_sent: bool = False

    def note_sent(self) -> None:
        assert not self.is_sent, "a slot is for one send"
        assert self.status is None, "a send leaves before its answer comes"
        self.is_sent = True

    def report_answer(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        retry_after: float | None = None,
        new_connection: bool = False,
    ) -> None:
        assert self.status is None, "a slot is for one send"
        self.status, self.headers = status, dict(headers)
        self.retry_after, self.new_connection = retry_after, new_connection


class OpenLimiter:
    """Hands out every slot at once and keeps what it was told; `refuse` makes it say no instead, by
    turn number."""

    def __init__(self, refuse: Mapping[int, Failure] | None = None) -> None:
        self.slots: list[Told] = []
        self._refuse = refuse or {}

    @asynccontextmanager
    async def slot(
        self,
        key: str,
        *,
        operation: str = "",
        cost: float = 5,
        lane: str = "interactive",
        deadline: float | None = None,
    ) -> AsyncIterator[Told]:
        turn = Told(key, operation, cost, lane, deadline)
        self.slots.append(turn)
        if refusal := self._refuse.get(len(self.slots)):
            raise refusal
        yield turn

    async def snapshot(self, key: str) -> None:
        return None
