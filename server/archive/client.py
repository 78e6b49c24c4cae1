"""The Archive client: it sends GraphQL requests through the limiter and decodes the answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from server.archive.failures import Answer, decode, decode_batch, decode_change, retry_after
from server.errors import Failure
from server.http.client import Http
from server.http.retry import Transient, run_with_retries
from server.http.transport import Reply
from server.http.urls import parse_origin
from server.limiter import (
    Admit,
    Lane,
    Limiter,
    Slot,
    Snapshot,
    state_key,
)
from server.limiter.budget import Reading, read_budget

T = TypeVar("T")

LONGEST_ANSWER = 30.0
"""Seconds that one request may take before it counts as unanswered."""


@dataclass(frozen=True)
class Call:
    """One GraphQL request.

    `workspace` is an id, or None for the one operation that takes none; `cost` is in rate credits;
    `deadline` is on the client's monotonic clock, in seconds; `verify` says how to check a write
    whose answer was lost, and is empty for a read. `admit` is awaited just before each send, when
    its turn has come: what it raises keeps it from leaving. `check` is called with the data of each
    answer to a write: what it raises is what became of that attempt.
    """

    operation: str
    document: str
    variables: dict[str, Any]
    workspace: str | None
    cost: float
    deadline: float
    repeatable: bool = True
    verify: str = ""
    lane: Lane = "interactive"
    admit: Admit | None = None
    check: Callable[[Any], None] | None = None


@dataclass(frozen=True)
class BatchResult:
    """The answers of one request by alias; an alias that is missing was not answered.

    `reading` is what the answer says about rate credits.
    """

    answers: dict[str, Answer | Failure]
    reading: Reading


class Archive:
    """Sends operations to one Archive endpoint with one token, which never leaves this object but
    in the header."""

    def __init__(
        self,
        *,
        url: str,
        token: str,
        http: Http,
        limiter: Limiter,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._origin = parse_origin(url)
        self._http = http
        self._limiter = limiter
        self._clock = clock
        self._headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": user_agent,
        }
        # A fingerprint: it is written into files, where no token may stand.
        self._token_key = state_key(self._origin, "token", token)

    def __repr__(self) -> str:
        # Written by hand, so that no repr of the headers ever shows the token.
        return f"Archive({self._url})"

    async def execute(self, call: Call) -> Answer:
        """Send the operation, again where that is safe, and return what it answered.

        Raises:
            Failure: decoded from any of the API's error shapes; `OUTCOME_UNKNOWN` for a write that
                may have happened.
        """
        return await run_with_retries(
            lambda: self._send_once(call, lambda reply: _read_answer(reply, call)),
            repeatable=call.repeatable,
            deadline=call.deadline,
            clock=self._clock,
            verify=call.verify,
        )

    async def execute_batch(self, call: Call, aliases: Sequence[str]) -> BatchResult:
        """Send a document of several reads, and return their answers by alias.

        Raises:
            Failure: what concerns the request as a whole, decoded from any of the API's error
                shapes.
        """

        async def attempt() -> BatchResult:
            try:
                return await self._send_once(
                    call,
                    lambda reply: BatchResult(
                        decode_batch(reply, aliases), read_budget(reply.headers)
                    ),
                )
            except Transient as failure:
                # Only a 429 is repeated: of anything else the size of the pack may be the cause.
                failure.worth_repeating &= failure.retry_after is not None
                raise

        return await run_with_retries(
            attempt, repeatable=True, deadline=call.deadline, clock=self._clock
        )

    async def exchange(self, call: Call, *, token: str | None = None) -> tuple[Reply, float]:
        """Send the operation once, for looking at the API itself: the answer as it came, and the
        seconds it took.

        Args:
            token: sent in place of the client's own, with a limit of its own.

        Raises:
            Failure: no turn before the deadline, or no answer.
        """
        key = (
            self.limiter_key(call.workspace)
            if token is None
            else state_key(self._origin, "token", token)
        )
        turn = self._limiter.slot(
            key, operation=call.operation, cost=call.cost, lane=call.lane, deadline=call.deadline
        )
        async with turn as slot:
            start = self._clock()
            reply = await self._post(call, slot, token)
            seconds = self._clock() - start
            # Not decoded: whoever looks at the API wants the answer as it is. But a 429 counts.
            wait = (
                retry_after(reply, reply.body.decode(errors="replace"))
                if reply.status == 429
                else None
            )
            slot.report_answer(
                reply.status, reply.headers, retry_after=wait, new_connection=reply.new_connection
            )
        return reply, seconds

    async def fetch(self, url: str, *, seconds: float) -> Reply:
        """Fetch a file by the URL in an answer, without the token and outside the limiter.

        Raises:
            Failure: as `Http.fetch`.
        """
        headers = {
            "accept": "image/*",
            "accept-encoding": "identity",
            "user-agent": self._headers["user-agent"],
        }
        return await self._http.fetch(url, headers, seconds=seconds)

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the endpoint."""
        return self._origin

    @property
    def account(self) -> str:
        """Return a fingerprint of the token."""
        return self._token_key

    async def budget(self, workspace: str) -> Snapshot | None:
        """Return the pace and the rate credits of a workspace, as far as they are known."""
        # Local: the level is learned from earlier answers, so asking costs no request.
        return await self._limiter.snapshot(self.limiter_key(workspace))

    def now(self) -> float:
        """Return the time of the monotonic clock that deadlines are on, in seconds."""
        return self._clock()

    def limiter_key(self, workspace: str | None) -> str:
        """Return the limiter's key of a workspace, or of the token where there is none."""
        # Archive counts per workspace (Archive docs, rate limits page), whatever the token.
        return (
            self._token_key
            if workspace is None
            else state_key(self._origin, "workspace", workspace)
        )

    async def _send_once(self, call: Call, read: Callable[[Reply], T]) -> T:
        key = self.limiter_key(call.workspace)
        turn = self._limiter.slot(
            key, operation=call.operation, cost=call.cost, lane=call.lane, deadline=call.deadline
        )
        async with turn as slot:
            # Only now: a job journals a record as sent when nothing can delay it any more.
            if call.admit is not None:
                await call.admit()
            reply = await self._post(call, slot)
            try:
                result = read(reply)
            except Failure as failure:
                wait = failure.retry_after if isinstance(failure, Transient) else None
                # Older deployments send the limit's error with status 200.
                slot.report_answer(
                    429 if wait is not None else reply.status,
                    reply.headers,
                    retry_after=wait,
                    new_connection=reply.new_connection,
                )
                raise
            slot.report_answer(reply.status, reply.headers, new_connection=reply.new_connection)
        return result

    async def _post(self, call: Call, slot: Slot, token: str | None = None) -> Reply:
        body = json.dumps(
            {"query": call.document, "variables": call.variables}, separators=(",", ":")
        ).encode()
        # A copy: parallel calls to other workspaces use the same base.
        headers = dict(self._headers)
        # Only `workspaces` works without the header (Archive docs, workspaces).
        if call.workspace is not None:
            headers["workspace-id"] = call.workspace
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        # Half a second at least: a send that was admitted must get a chance to be answered.
        seconds = max(0.5, min(LONGEST_ANSWER, call.deadline - self._clock()))
        return await self._http.post(
            self._url, headers, body, seconds=seconds, on_sent=slot.note_sent
        )


def _read_answer(reply: Reply, call: Call) -> Answer:
    if not call.verify:
        return decode(reply, call.operation)
    answer = decode_change(reply, call.operation)
    # Within the attempt: a refusal does not tell what became of an earlier one, whose answer was
    # lost.
    if call.check is not None:
        call.check(answer.data)
    return answer
