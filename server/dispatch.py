"""The one way of a call: find the request class, validate, perform, shape, answer."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import anyio

from server.errors import Code, Failure
from server.services import Services
from server.text import truncate
from server.tool.catalog import OWN, Catalog, Entry
from server.tool.context import Backend, Caller
from server.tool.elicitation import Asker, Suspended
from server.tool.result import Result, compact, fit
from server.wall_clock import utc_stamp

if TYPE_CHECKING:
    from server.tool.request import Request

# Seconds; no call lasts longer, because hosts give up at 60.
CALL_SECONDS = 45.0

# The most characters of a failure's message or hint, which may repeat what the call brought.
LONGEST_TEXT = 2_000

# Failures that say no, rather than that something went wrong.
_REFUSALS = (Code.READ_ONLY, Code.FORBIDDEN, Code.DECLINED)

log = logging.getLogger("archive_mcp")


class Dispatcher:
    """Performs tool calls by name.

    Args:
        timezone: the zone of a plain day in an argument.
        seconds: how long a call may take.
    """

    def __init__(
        self,
        catalog: Catalog,
        services: Services,
        timezone: tzinfo,
        *,
        seconds: float = CALL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._services = services
        self._timezone = timezone
        self._seconds = seconds
        self._clock = clock

    @property
    def services(self) -> Services:
        """What calls need, and what else of this process is shown: files for the user."""
        return self._services

    def caller(self, person: Asker) -> Caller:
        """Return a call of this server's principal that begins now."""
        deadline = self._clock() + self._seconds
        return Caller(person, deadline, self._services.principal, self._catalog.permissions)

    async def call(self, name: str, arguments: Mapping[str, Any], person: Asker) -> Result:
        """Return the tool's result.

        Raises: Failure: anything that kept it from answering; a bug is masked as `INTERNAL` with an
            id that is in the log.
        """
        with self.mask_faults(name):
            async with self.note_refusals(name, arguments):
                entry = self._catalog.find(name)
                result = await self.perform(entry, arguments, self.caller(person))
        if result.links:
            files = tuple(link.name for link in result.links)
            await self._services.auditor.note("export", name, "done", ids=files)
        return self._add_downloads(result)

    def _add_downloads(self, result: Result) -> Result:
        """Add the addresses that the user's browser loads the files of a result from, if any.

        They are made with the answer: a job's result is kept for longer than they work.
        """
        downloads = self._services.list_downloads(link.name for link in result.links)
        if not downloads:
            return result
        links = [
            replace(link, uri=downloads[link.name].url)
            for link in result.links
            if link.name in downloads
        ]
        # Besides, in the object: some hosts show nothing else.
        fields = [
            {"name": name, "url": download.url, "worksUntil": utc_stamp(download.until)}
            for name, download in downloads.items()
        ]
        return result.with_links(*links).with_fields(downloads=fields)

    @asynccontextmanager
    async def note_refusals(
        self, what: str, arguments: Mapping[str, Any] | None = None, *, about: str = ""
    ) -> AsyncIterator[None]:
        """Have what may not be done here in the audit log, whoever refused it.

        Args:
            what: the tool, or the method of the protocol.
            about: what was asked for, where the arguments do not say it.
        """
        try:
            yield
        except Failure as failure:
            if failure.code in _REFUSALS:
                # Without the other tool's name nobody would know what was refused.
                if not about and arguments and self._catalog.reaches_others(what):
                    about = str(arguments.get("name", ""))
                await self._services.auditor.note_refusal(what, str(failure.code), arguments, about)
            raise

    @contextmanager
    def mask_faults(self, what: str) -> Iterator[None]:
        """Turn whatever escapes from `what` into a failure that a caller may read.

        Raises: Failure: briefly and with its hint rendered; a bug is masked as `INTERNAL` with an
            id that is in the log.
        """
        try:
            yield
        except Failure as failure:
            failure.message = truncate(failure.message, LONGEST_TEXT)
            failure.hint = truncate(self._catalog.render_hint(failure.hint), LONGEST_TEXT)
            raise
        # No fault: the call is made again, with the user's answer.
        except Suspended:
            raise
        except Exception:  # the outermost handler: whatever else escapes is a bug
            # The exception's own text may hold paths or secrets: the caller gets an id, the log the
            # rest.
            incident = secrets.token_hex(4)
            log.exception("incident %s in %s", incident, what)
            raise Failure(
                Code.INTERNAL,
                f"{what} failed because of a fault in this server (incident {incident}).",
                "Try something else; the user finds the details under that id in the server's log.",
            ) from None

    async def perform(
        self,
        entry: Entry,
        arguments: Mapping[str, Any],
        caller: Caller,
        *,
        only_reads: bool = False,
    ) -> Result:
        """Perform a call of a tool whose entry is at hand.

        Args:
            only_reads: whether the call may do nothing else, whatever its tool can do.

        Raises:
            Failure: as `call`, its hint not rendered yet.
        """
        # First the backend: without its settings a call fails the same way whatever its arguments
        # are.
        backend = await self._backend(entry.backend)
        from server.tool.arguments import parse  # with the first call, not at start

        request_type = self._catalog.load(entry)
        # Plain days become instants in the zone of the settings: the result shows which.
        instants: list[dict[str, str]] = []
        request = parse(request_type, arguments, {"timezone": self._timezone, "instants": instants})
        self._catalog.refuse(entry, request.call_risk())
        if only_reads and request.call_risk() != "reads":
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"This call of {entry.name} changes data or writes a file.",
                "Make it through {call_write_tool}.",
            )
        try:
            # Backends stop at the deadline with a better message; the second more is for what does
            # not stop.
            with anyio.fail_after(caller.deadline - self._clock() + 1):
                result = await backend.run(request, caller)
        except TimeoutError:
            raise _overdue(request, self._seconds) from None
        result = result.with_fields(instants=instants) if instants else result
        return fit(self._render_hint(result))

    def _render_hint(self, result: Result) -> Result:
        """Render the hint of a job's failure within a result: it names tools too."""
        error = result.structured.get("error")
        if not isinstance(error, dict) or not error.get("hint"):
            return result
        report = {
            **result.structured,
            "error": {**error, "hint": self._catalog.render_hint(error["hint"])},
        }
        return replace(result, structured=report, text=compact(report))

    async def _backend(self, name: str) -> Backend[Any]:
        if name != OWN:
            return await self._services.backend(name)
        from server.builtin import ServerBackend  # with the first such call, not at start

        return ServerBackend(
            self._catalog, self.perform, self._services, self._services.confirmations
        )


def _overdue(request: Request[Any, Any], seconds: float) -> Failure:
    message = f"It took longer than {seconds:.0f} s and was given up."
    # A read changed nothing and may be repeated; a change may have happened all the same.
    if request.call_risk() == "reads":
        return Failure(Code.TIMEOUT, message, "Ask for less at once.", retryable=True)
    verify = request.verify or "look whether the change was made."
    return Failure(Code.OUTCOME_UNKNOWN, message, f"Do not repeat it blindly: {verify}")
