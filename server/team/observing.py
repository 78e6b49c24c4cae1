"""What administrators see of a server or worker of a team: audit, figures, spans, request ids."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
from prometheus_client import start_http_server
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.audit.auditor import REQUEST_ID, Auditor
from server.audit.lines import JsonLines
from server.audit.log import AuditLog, SeveralLogs
from server.errors import Failure
from server.observing.logs import write_json
from server.observing.metrics import Metrics
from server.observing.telemetry import Telemetry
from server.observing.tracing import start_tracing
from server.settings import Settings, SettingsError
from server.team.audit import AuditTable
from server.team.identity import Refusal
from server.team.settings import TeamSettings
from server.team.store.database import Database

log = logging.getLogger("archive_mcp.team")

# Failed sign-ins that are recorded within a minute: whoever tries keys must not fill the log.
_MOST_REFUSALS = 60
_MINUTE = 60.0
_COUNT_JOBS = "SELECT state, count(*) FROM jobs GROUP BY state"
_COUNT_SECONDS = 15.0


@dataclass(frozen=True)
class Observing:
    """Where the records and the figures of this process go.

    Args:
        audit_log: None where no audit is kept.
        telemetry: None where nothing is measured.
    """

    audit_log: AuditLog | None = None
    telemetry: Telemetry | None = None

    @asynccontextmanager
    async def count_jobs(self, database: Database | None) -> AsyncIterator[None]:
        """Have the numbers of jobs among the figures as long as the context lives."""
        metrics = self.telemetry.metrics if self.telemetry else None
        if metrics is None or database is None:
            yield
            return
        async with anyio.create_task_group() as group:
            group.start_soon(_count_jobs, metrics, database)
            yield
            group.cancel_scope.cancel()


async def _count_jobs(metrics: Metrics, database: Database) -> None:
    while True:
        # Out of reach, the last figures stand: the probe of readiness says what is wrong.
        with suppress(Failure):
            rows = await database.execute(_COUNT_JOBS)
            metrics.set_jobs({str(state): int(count) for state, count in rows})
        await anyio.sleep(_COUNT_SECONDS)


def open_observing(base: Settings, team: TeamSettings, database: Database | None) -> Observing:
    """Return where records and figures go, by the settings, and start to serve the figures.

    Raises:
        SettingsError: the address of the figures cannot be listened on.
    """
    if team.logs_json:
        write_json()
    logs: list[AuditLog] = [] if database is None else [AuditTable(database)]
    if base.audit_log is not None:
        logs.append(JsonLines(base.audit_log))
    audit_log = SeveralLogs(*logs) if logs else None
    telemetry = start_tracing(os.environ)
    if team.metrics is None:
        return Observing(audit_log, telemetry)
    metrics = Metrics()
    serve_metrics(metrics, *team.metrics)
    if telemetry is None:
        return Observing(audit_log, Telemetry(metrics=metrics))
    return Observing(audit_log, Telemetry(telemetry.tracer, metrics, telemetry.end))


def serve_metrics(metrics: Metrics, host: str, port: int) -> None:
    """Serve the figures at an address of their own, which the outer world need not reach.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    try:
        start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise SettingsError(
            f"ARCHIVE_MCP_METRICS: {host}:{port} cannot be listened on: "
            f"{error.strerror or error}. Each server and worker needs a port of its own."
        ) from None


class RefusalAudit:
    """Records who was not let in, so many a minute at most.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, audit_log: AuditLog | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = audit_log
        self._clock = clock
        self._minute = clock()
        self._count = 0

    async def __call__(self, refusal: Refusal, tool: str = "") -> None:
        """Record a refusal.

        Args:
            tool: what was refused, where it was no call of the protocol.
        """
        now = self._clock()
        if now - self._minute >= _MINUTE:
            self._minute, self._count = now, 0
        self._count += 1
        if self._count > _MOST_REFUSALS:
            return
        who = refusal.subject or "unknown"
        auditor = Auditor(self._log, who, who)
        await auditor.note("sign-in", tool, "refused", code=refusal.reason)


class RequestIds:
    """Gives each request an id, which its answer, its log lines and its audit records have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = secrets.token_hex(8)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = identity
            await send(message)

        token = REQUEST_ID.set(identity)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            REQUEST_ID.reset(token)
