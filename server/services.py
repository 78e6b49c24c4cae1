"""What calls need, built on first use: start-up pays for none of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import anyio
from anyio.abc import TaskStatus

from server import __version__
from server.audit.auditor import Auditor
from server.audit.log import AuditLog
from server.errors import Code, Failure
from server.redaction import learn
from server.settings import DEFAULT_API_URL, Secret, Settings, SettingsError
from server.shared_state import SharedState
from server.shared_state.spending import Spending
from server.tool.confirmation import Confirmations
from server.tool.context import LOCAL_USER, Backend, Principal

if TYPE_CHECKING:
    from server.archive.backend import ArchiveBackend
    from server.archive.client import Archive
    from server.archivebox.backend import ArchiveBoxBackend
    from server.exports import Download, ExportFolder
    from server.http.transport import InProcess
    from server.jobs import Account, JobRow, Jobs, Leases
    from server.jobs.observer import Meter, OnEnd
    from server.limiter import Limiter, Snapshot
    from server.observing import Telemetry
    from server.sandbox import Sandbox

    # Makes a client with the keyword arguments of `Archive`.
    MakeArchive = Callable[..., Archive]
    # Opens the jobs of these accounts, None for all; the meter says what an API allows now, and
    # the last is told of each job that ended in this process.
    OpenJobs = Callable[[set[Account] | None, Meter, OnEnd], AbstractAsyncContextManager[Jobs]]

log = logging.getLogger("archive_mcp")

USER_AGENT = f"archive-mcp/{__version__}"


class Services:
    """The backends of one principal, and what they share.

    Args:
        principal: who calls; over stdio the user who started the server.
        state: what is remembered between calls, instead of the memory of this process.
        limiter: paces the requests, instead of the one that all processes of this user share.
        sandbox: answers in the sandbox mode, instead of a fresh one.
        archivebox: an ArchiveBox in this process, that answers instead of the network.
        leases: how long a process may be silent before others take its jobs.
        open_jobs: opens the long work, instead of that of this process.
        open_exports: opens the folder for the user's files, instead of that of the settings.
        telemetry: measures the waits and the requests.
        audit_log: keeps the records of changes, instead of the file of the settings, if any.
        make_archive: makes the client of Archive, by default the usual one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        principal: Principal = LOCAL_USER,
        state: SharedState | None = None,
        limiter: Limiter | None = None,
        sandbox: Sandbox | None = None,
        archivebox: InProcess | None = None,
        leases: Leases | None = None,
        open_jobs: OpenJobs | None = None,
        open_exports: Callable[[], ExportFolder] | None = None,
        telemetry: Telemetry | None = None,
        audit_log: AuditLog | None = None,
        make_archive: MakeArchive | None = None,
    ) -> None:
        self._settings = settings
        learn(*settings.list_secrets())
        self.principal = principal
        self.state = state or SharedState.in_memory()
        self._confirmations = Confirmations(settings.confirm, self.state.tokens)
        self.telemetry = telemetry
        self._limiter = limiter
        self._sandbox = sandbox
        self._archivebox_in_process = archivebox
        self._leases = leases
        self._open_jobs = open_jobs or self._open_own_jobs
        self._open_exports = open_exports or self._open_own_exports
        self.auditor = Auditor(audit_log or _open_audit_log(settings), principal.id, principal.name)
        self._make_archive = make_archive
        self._stack = AsyncExitStack()
        # Two first calls at once must not build two clients, each with a limit of its own.
        self._lock = anyio.Lock()
        self._archive: ArchiveBackend | None = None
        self._archivebox: ArchiveBoxBackend | None = None
        self._group = anyio.create_task_group()
        self._ending = anyio.Event()
        self._jobs_over = anyio.Event()
        self._jobs_lock = anyio.Lock()
        self._jobs: Jobs | None = None
        self._exports: ExportFolder | None = None

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._group)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        if self._jobs is not None:  # they pause before what they send with is closed
            await self._jobs_over.wait()
        await self._stack.aclose()

    @property
    def read_only(self) -> bool:
        """Whether this server changes nothing."""
        return self._settings.read_only

    @property
    def is_busy(self) -> bool:
        """Whether a job runs in this process that its end would interrupt."""
        return self._jobs is not None and self._jobs.is_busy

    @property
    def spending(self) -> Spending:
        """The billing credits that the user may still spend."""
        return self.state.spending

    async def jobs(self) -> Jobs:
        """Return the long work in the background of this process, started with the first use."""
        async with self._jobs_lock:
            if self._jobs is None:
                # `start` returns once jobs can be taken: nobody gets some that are half there.
                self._jobs = await self._group.start(self._host_jobs)
            return self._jobs

    def exports(self) -> ExportFolder:
        """Return the folder that files for the user go to."""
        if self._exports is None:
            self._exports = self._open_exports()
        return self._exports

    def list_downloads(self, names: Iterable[str]) -> dict[str, Download]:
        """Return the addresses from which the user can load files, by the files' names; none over
        stdio, where they are in a folder of the user."""
        downloads = {name: self.exports().make_download(name) for name in names}
        return {name: download for name, download in downloads.items() if download is not None}

    def _open_own_exports(self) -> ExportFolder:
        from server.exports import ExportFolder

        return ExportFolder(self._settings.export_dir)

    async def _host_jobs(self, *, task_status: TaskStatus[Jobs]) -> None:
        """Host the jobs in a task of their own, because calls come and go."""
        try:
            opening = self._open_jobs(await self._accounts(), self._read_limits, self._note_end)
            async with opening as jobs:
                task_status.started(jobs)
                await self._ending.wait()
        finally:
            # After a failure too: the end of this process waits for it.
            self._jobs_over.set()

    @asynccontextmanager
    async def _open_own_jobs(
        self, accounts: set[Account] | None, meter: Meter, on_end: OnEnd
    ) -> AsyncIterator[Jobs]:
        from server.jobs import LocalJobs, SqliteJournal

        # The jobs of a sandbox in this process are nobody else's.
        journal = SqliteJournal(
            None if self._settings.sandbox else self._settings.state_dir, leases=self._leases
        )
        try:
            local = LocalJobs(journal, accounts=accounts, meter=meter, on_end=on_end)
            async with local as jobs:
                yield jobs
        finally:
            journal.close()

    async def _note_end(self, row: JobRow) -> None:
        """Have the end of a job in the audit log, where it changed something or made a file."""
        resource = (row.result or {}).get("resource")
        if not row.writes and resource is None:
            return
        await self.auditor.note(
            "job",
            row.tool,
            "done" if row.state == "done" else "failed",
            workspace=row.workspace,
            job=row.id,
            ids=() if resource is None else (resource["name"],),
            code=(row.error or {}).get("code"),
        )

    async def _read_limits(self, row: JobRow) -> Snapshot | None:
        """Return what the API of a job allows now; None where it has no limits."""
        backend = self._archive
        if backend is None or row.workspace is None or row.origin != backend.archive.origin:
            return None
        return await backend.archive.budget(row.workspace)

    async def _accounts(self) -> set[Account] | None:
        """Return whose jobs are this process's business; None where the journal is its own."""
        if self._settings.sandbox:
            return None
        accounts: set[Account] = set()
        if self._settings.archive_configured:
            archive = (await self.archive()).archive
            accounts.add((archive.origin, archive.account))
        if self._settings.archivebox_configured:
            from server.http.urls import parse_origin

            box = (await self.archivebox()).client
            accounts.add((parse_origin(box.url), box.account))
        return accounts

    @property
    def confirmations(self) -> Confirmations:
        """The confirmations of all calls of this process."""
        return self._confirmations

    async def backend(self, name: str) -> Backend[Any]:
        """Return the backend of that name, built with the first use.

        Raises:
            Failure: `NOT_CONFIGURED`, with what to set and where.
        """
        if name == "archive":
            return await self.archive()
        if name == "archivebox":
            return await self.archivebox()
        raise Failure(Code.NOT_CONFIGURED, f"This server has no backend {name!r}.")

    async def archive(self) -> ArchiveBackend:
        """Return the Archive backend."""
        async with self._lock:
            if self._archive is None:
                self._archive = await self._build_archive()
            return self._archive

    async def archivebox(self) -> ArchiveBoxBackend:
        """Return the ArchiveBox backend."""
        async with self._lock:
            if self._archivebox is None:
                self._archivebox = await self._build_archivebox()
            return self._archivebox

    async def _build_archivebox(self) -> ArchiveBoxBackend:
        settings = self._settings
        if not settings.archivebox_configured:
            raise Failure(
                Code.NOT_CONFIGURED,
                "No ArchiveBox is configured.",
                "The user runs `archive-mcp setup` in a terminal, or sets ARCHIVEBOX_URL and "
                "ARCHIVEBOX_API_KEY (or ARCHIVEBOX_USERNAME and ARCHIVEBOX_PASSWORD) in "
                "~/.env.shared or in the client's settings of this server, and restarts the "
                "client. To try without one: --sandbox.",
            )
        from server.archivebox.auth import Keys, Login
        from server.archivebox.backend import ArchiveBoxBackend
        from server.archivebox.client import ArchiveBox
        from server.http.client import Http
        from server.limiter import ConcurrencyCap

        url, in_process, key = (
            settings.archivebox_url or "",
            self._archivebox_in_process,
            settings.archivebox_key,
        )
        login = None
        if not settings.sandbox:
            await _read_secret(key)
            await _read_secret(settings.archivebox_password)
        if settings.archivebox_username and settings.archivebox_password:
            login = Login(settings.archivebox_username, settings.archivebox_password)
        if settings.sandbox:
            # A sandbox must never send the real key, nor reach the real address.
            url, in_process, key, login = *self._archivebox_sandbox(), None
        http = await self._stack.enter_async_context(
            Http(
                url,
                "ArchiveBox",
                in_process=in_process,
                ca_bundle=settings.archivebox_ca_bundle or settings.ca_bundle,
            )
        )
        client = ArchiveBox(
            url=url,
            keys=Keys(key, login),
            http=http,
            # ArchiveBox has no rate limit, but a dozen requests at once slow each one down to 1 to
            # 2 s.
            limiter=self._observe(ConcurrencyCap(), "archivebox"),
            user_agent=USER_AGENT,
        )
        return ArchiveBoxBackend(client, self._confirmations, self)

    def _archivebox_sandbox(self) -> tuple[str, InProcess, Secret]:
        from server.sandbox.archivebox import KEY, ArchiveBoxSandbox

        in_process = self._archivebox_in_process
        if in_process is None:
            in_process = ArchiveBoxSandbox(version=self._settings.archivebox_version).handle
        return "http://127.0.0.1:8000", in_process, Secret(KEY)

    async def _build_archive(self) -> ArchiveBackend:
        settings = self._settings
        if not settings.archive_configured:
            raise Failure(
                Code.NOT_CONFIGURED,
                "No Archive token is configured.",
                "The user runs `archive-mcp setup` in a terminal, or sets ARCHIVE_APP_TOKEN in "
                "~/.env.shared or in the client's settings of this server, and restarts the "
                "client. A token comes from Archive, Settings > Integrations (or Settings > API). "
                "To try without one: --sandbox.",
            )
        from server.archive.backend import ArchiveBackend
        from server.archive.client import Archive
        from server.http.client import Http
        from server.insights.money import Money

        url = DEFAULT_API_URL if settings.sandbox else settings.api_url
        if not settings.sandbox:
            await _read_secret(settings.token)
        in_process, token = self._other_side()
        http = await self._stack.enter_async_context(
            Http(url, "Archive", in_process=in_process, ca_bundle=settings.ca_bundle)
        )
        archive = (self._make_archive or Archive)(
            url=url,
            token=token,
            http=http,
            limiter=self._observe(self._limiter or self._build_limiter(), "archive"),
            user_agent=USER_AGENT,
        )
        return ArchiveBackend(
            archive,
            settings.workspace,
            self._confirmations,
            self,
            Money(settings.emv_unit),
            choice=self.state.choice,
        )

    def _observe(self, limiter: Limiter, api: str) -> Limiter:
        return self.telemetry.observe_limiter(limiter, api) if self.telemetry else limiter

    def _build_limiter(self) -> Limiter:
        from server.limiter import Pacer

        # A sandbox of this process is nobody else's: its pace is not shared either.
        pacer = Pacer(None if self._settings.sandbox else self._settings.state_dir)
        self._stack.callback(pacer.close)
        self._limiter = pacer
        return pacer

    def _other_side(self) -> tuple[InProcess | None, str]:
        """Return what answers instead of the network, if anything, and the token for it."""
        if not self._settings.sandbox:
            return None, self._settings.token.reveal() if self._settings.token else ""
        from server.sandbox import TOKEN, Sandbox

        self._sandbox = self._sandbox or Sandbox()
        return self._sandbox.handle, TOKEN


def _open_audit_log(settings: Settings) -> AuditLog | None:
    if settings.audit_log is None:
        return None
    from server.audit.lines import JsonLines

    return JsonLines(settings.audit_log)


async def _read_secret(secret: Secret | None) -> None:
    """Read a secret that the keychain has, in a thread, since the system may ask the user first."""
    if secret is None or secret.peek():
        return
    try:
        await anyio.to_thread.run_sync(secret.reveal)
    except SettingsError as error:
        raise Failure(Code.NOT_CONFIGURED, str(error), "Tell the user.") from None
