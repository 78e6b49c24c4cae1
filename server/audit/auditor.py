"""Makes the audit records of one principal's calls."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import anyio

from server.audit.event import Confirmed, Event, Kind, Outcome, list_ids
from server.audit.log import AuditLog
from server.errors import Code, Failure
from server.wall_clock import utc_now

# The id of the HTTP request that a call came with; over stdio there is none.
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)

# Seconds for the record of a call that was cancelled.
_LAST_SECONDS = 2.0
_LONGEST_WORKSPACE = 200

log = logging.getLogger("archive_mcp.audit")


@dataclass(frozen=True)
class Change:
    """What a call is about to do.

    Args:
        arguments: what it was called with; only ids of it are kept.
        preview: a digest of what was shown.
        credits: the billing credits that it may spend.
    """

    tool: str
    workspace: str | None
    arguments: Any
    preview: str | None = None
    confirmed: Confirmed = "not needed"
    credits: int = 0
    kind: Kind = "change"


class Outcomes:
    """What became of a change, as far as its call can tell."""

    def __init__(self) -> None:
        self.result: Any = None


class Auditor:
    """Makes the audit records of one principal.

    Args:
        audit_log: where they go; None where nobody wants any.
        principal: the id of who calls, and the name to show.
        wall: returns the instant now.
    """

    def __init__(
        self,
        audit_log: AuditLog | None = None,
        principal: str = "local",
        person: str = "local user",
        wall: Callable[[], datetime] = utc_now,
    ) -> None:
        self._log = audit_log
        self._principal = principal
        self._person = person
        self._wall = wall

    @asynccontextmanager
    async def record(self, change: Change) -> AsyncIterator[Outcomes]:
        """Record a change around the block that makes it; the block notes its result.

        Raises:
            Failure: `UNAVAILABLE` before anything is sent, where the log cannot be written.
        """
        outcomes = Outcomes()
        if self._log is None:
            yield outcomes
            return
        begin = self._make_event(change)
        try:
            await self._log.record(begin)
        except Failure as failure:
            failure.message = f"Nothing was changed. {failure.message}"
            raise
        try:
            yield outcomes
        except Failure as failure:
            await self._end(begin, _judge(failure), code=str(failure.code))
            raise
        except BaseException:  # a fault or a cancelled call: whatever was sent may have arrived
            # Shielded, or a cancelled call would lose its record; not for long, as servers end.
            with anyio.move_on_after(_LAST_SECONDS, shield=True):
                await self._end(begin, "unknown")
            raise
        made = list_ids(begin.ids, {"ids": begin.ids}, outcomes.result)
        await self._end(begin, "done", ids=made, job=_read_job(outcomes.result))

    async def note(self, kind: Kind, tool: str, outcome: Outcome, **facts: Any) -> None:
        """Record what happened; where the log cannot be written, this server's own log says so."""
        if self._log is None:
            return
        event = self._make_event(Change(tool, None, None, kind=kind))
        await self._keep(replace(event, outcome=outcome, **facts))

    async def note_refusal(
        self, tool: str, code: str, arguments: Any = None, about: str = ""
    ) -> None:
        """Record that somebody may not do what they asked for. Fails as `note`.

        Args:
            tool: the tool, or the method of the protocol.
            arguments: what it was called with; ids of it are kept, and which workspace.
            about: what else names what was asked for.
        """
        if self._log is None:
            return
        ids = list_ids({"ids": [about] if about else []}, arguments)
        workspace = _find_workspace(arguments)
        await self.note("refused", tool, "refused", code=code, ids=ids, workspace=workspace)

    def _make_event(self, change: Change) -> Event:
        return Event(
            at=self._now(),
            kind=change.kind,
            call=secrets.token_hex(6),
            principal=self._principal,
            person=self._person,
            tool=change.tool,
            outcome="begins",
            workspace=change.workspace,
            ids=list_ids(change.arguments),
            preview=change.preview,
            confirmed=change.confirmed if change.kind == "change" else None,
            credits=change.credits,
            request=REQUEST_ID.get(),
        )

    async def _end(self, begin: Event, outcome: Outcome, **facts: Any) -> None:
        await self._keep(replace(begin, at=self._now(), outcome=outcome, **facts))

    async def _keep(self, event: Event) -> None:
        if self._log is None:
            return
        try:
            await self._log.record(event)
        except Failure as failure:
            # The change was made: its answer must not be lost for want of a record.
            log.error(  # a known failure: its traceback says nothing
                "no audit record of %s by %s (%s): %s",
                event.tool,
                event.principal,
                event.outcome,
                failure.message,
            )

    def _now(self) -> str:
        return self._wall().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _find_workspace(arguments: Any) -> str | None:
    """Return the workspace that a call names, or that of the call within it, as it is written."""
    if not isinstance(arguments, Mapping):
        return None
    name = arguments.get("workspace")
    if isinstance(name, str) and name:
        return name[:_LONGEST_WORKSPACE]
    return _find_workspace(arguments.get("arguments"))


def _judge(failure: Failure) -> Outcome:
    return "unknown" if failure.code is Code.OUTCOME_UNKNOWN else "failed"


def _read_job(result: Any) -> str | None:
    job = result.get("jobId") if isinstance(result, dict) else None
    return job if isinstance(job, str) else None
