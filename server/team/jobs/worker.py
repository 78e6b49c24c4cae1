"""A worker: takes jobs from the queue, works on them, and looks for those that others left."""

from __future__ import annotations

import logging
import math
import signal
import sys
from collections.abc import Callable, Container
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import anyio
import psycopg
from anyio.abc import TaskStatus
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker as QueueWorker

from server.errors import Failure
from server.http.connection import share_certificates
from server.jobs.lease import LEASE_SECONDS
from server.settings import Settings, SettingsError
from server.team.building import TenantBuilder, make_surroundings
from server.team.files.team_files import TeamFiles
from server.team.jobs.host import JobHost
from server.team.jobs.journal import PostgresJournal
from server.team.jobs.opening import host_jobs
from server.team.jobs.people import PURPOSE, PolicyPeople
from server.team.jobs.queue import QUEUE, TASK, Queue
from server.team.observing import open_observing
from server.team.policy.current import CurrentPolicy, call_on_hangup, read_team_policy
from server.team.sealing import Seal
from server.team.settings import TeamSettings
from server.team.store.opening import TeamStore, check_store
from server.team.store.parts import StoredParts
from server.team.tenant import Shared, Texts
from server.team.tenants import Tenants
from server.tool.catalog import Catalog

log = logging.getLogger("archive_mcp.team")
# It reports a database that restarts with a traceback for each of its tasks; here it is one line.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)

_TIDY_SECONDS = 600.0
# How long a worker may be silent before the queue forgets what it was doing.
_SILENCE_SECONDS = 30.0
_HEARTBEAT_SECONDS = 5.0
# The jobs themselves go on without the queue, so that nothing has to be waited for.
_QUEUE_GRACE = 1.0
_RETRY_SECONDS = 1.0


class Worker:
    """One process that works on jobs of all people.

    Args:
        base: the settings of the server, of which people get what is not in their rights.
        shared: what is the same for all people.
        concurrency: jobs under way at once.
        lease_seconds: how long a worker may be silent before others take its jobs.

    Raises:
        SettingsError: the policy has a mistake.
    """

    def __init__(
        self,
        base: Settings,
        team: TeamSettings,
        shared: Shared,
        *,
        concurrency: int,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        toolsets = frozenset(shared.catalog.list_toolsets())
        self.policy = CurrentPolicy(partial(read_team_policy, team, toolsets))
        self._concurrency = concurrency
        self._store = TeamStore(team)
        self._queue = self._store.queue
        database = self._store.database
        self._journal = PostgresJournal(database, None, lease_seconds=lease_seconds)
        parts = StoredParts(
            database, team.state_keys, host_jobs(database, lease_seconds=lease_seconds)
        )
        self._files = TeamFiles(base, team, self.policy)
        self._observing = open_observing(base, team, database)
        builder = TenantBuilder(
            base,
            shared,
            parts,
            self._store.limiter,
            self._files,
            make_surroundings(base),
            self._observing,
        )
        self.tenants = Tenants(
            builder, most=team.limits.people, idle_seconds=team.limits.idle_seconds
        )
        self._people = PolicyPeople(self.policy, self.tenants, Seal(team.state_keys, PURPOSE))
        self._stopping = anyio.Event()
        self._queue_worker: QueueWorker | None = None

    def stop(self) -> None:
        """Take nothing more, pause what is under way and give it back to the queue."""
        self._stopping.set()

    def reload(self) -> None:
        """Read the policy again; the jobs of whoever lost a right end."""
        if self.policy.reload():
            closed = self.tenants.close_changed(self.policy().find)
            log.warning("the jobs of %d people were stopped", closed)

    async def run(self) -> None:
        """Work until `stop`."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._store)
            await stack.enter_async_context(self._files.tidy())
            group = await stack.enter_async_context(anyio.create_task_group())
            with call_on_hangup(self.reload):
                # The tenants close first and pause their jobs, which are given back then.
                host = JobHost(self._journal, self._people, self._queue, self._observing.audit_log)
                async with host, self.tenants:
                    group.start_soon(self._consume, host)
                    group.start_soon(
                        look_after_jobs, self._journal, self._queue, host.running, self._stopping
                    )
                    await self._stopping.wait()
                    host.close()
            if self._queue_worker is not None:
                self._queue_worker.stop()  # type: ignore[no-untyped-call]  # of the library

    async def _consume(self, host: JobHost) -> None:
        """Take jobs from the queue; a database that goes away is waited for."""
        app = self._queue.app
        app.task(name=TASK, queue=QUEUE)(host.run)
        while not self._stopping.is_set():
            self._queue_worker = QueueWorker(
                app,
                queues=[QUEUE],
                name=None,
                concurrency=self._concurrency,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=_HEARTBEAT_SECONDS,
                stalled_worker_timeout=_SILENCE_SECONDS,
                shutdown_graceful_timeout=_QUEUE_GRACE,
            )
            try:
                await self._queue_worker.run()  # type: ignore[no-untyped-call]  # of the library
            except (ConnectorException, psycopg.Error) as error:
                log.warning("the queue is out of reach: %s", error)
            with anyio.move_on_after(_RETRY_SECONDS):
                await self._stopping.wait()


async def look_after_jobs(
    journal: PostgresJournal,
    queue: Queue,
    running: Container[str],
    stopping: anyio.Event,
    clock: Callable[[], float] = anyio.current_time,
) -> None:
    """Tell the workers of jobs that wait, until `stopping`: no nudge is needed for a job not to be
    forgotten.

    Args:
        running: the jobs under way in this process.
        clock: monotonic seconds.
    """
    tidied = -math.inf
    while not stopping.is_set():
        with suppress(Failure, ConnectorException):
            for job in await journal.interrupted():
                if job not in running:
                    await queue.defer(job)
            await queue.forget_stalled(_SILENCE_SECONDS)
            if clock() - tidied > _TIDY_SECONDS:
                await journal.tidy()
                tidied = clock()
        # A third of the lease: what a dead worker leaves does not wait for much longer.
        with anyio.move_on_after(journal.lease_seconds / 3):
            await stopping.wait()


def run_worker(
    base: Settings, team: TeamSettings, catalog: Catalog, prompts: Any, *, concurrency: int
) -> int:
    """Work on the team's jobs until a signal ends it, and return the exit status.

    Raises:
        SettingsError: it cannot start so.
    """
    check_start(base, team)
    check_store(team)
    share_certificates()
    texts = Texts(prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
    shared = Shared(catalog, texts, team.limits.body)
    worker = Worker(base, team, shared, concurrency=concurrency)
    anyio.run(run_until_signal, worker)
    return 0


async def run_until_signal(worker: Worker) -> None:
    """Run a worker until a signal stops it."""
    async with anyio.create_task_group() as group:
        await group.start(_stop_on_signal, worker)
        # Only now: whoever reads it may send a signal.
        print("archive-mcp works on the team's jobs; Ctrl+C ends it.", file=sys.stderr)
        await worker.run()
        # The receiver of signals would wait for ever.
        group.cancel_scope.cancel()


async def _stop_on_signal(worker: Worker, *, task_status: TaskStatus[None]) -> None:
    # Spelled this way for mypy, which then skips the rest on Windows.
    if sys.platform == "win32":
        task_status.started()
        return
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            worker.stop()
            # A second signal finds the default handler again, and ends what hangs.
            return


def check_start(base: Settings, team: TeamSettings) -> None:
    """Refuse settings without which a worker can do nothing.

    Raises:
        SettingsError: says what to set.
    """
    if team.database_url is None:
        raise SettingsError(
            "A worker takes jobs from the team's database: set ARCHIVE_MCP_DATABASE_URL as for "
            "the servers."
        )
    if team.policy is None and not base.sandbox:
        raise SettingsError(
            "Set ARCHIVE_MCP_POLICY as for the servers: a worker acts with the rights that it "
            "gives."
        )
    if not team.state_keys:
        raise SettingsError(
            "Set ARCHIVE_MCP_STATE_KEYS as for the servers: they seal who started a job."
        )
