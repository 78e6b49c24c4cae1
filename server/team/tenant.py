"""One person's server: what the stdio server is, with settings made from the policy."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
from starlette.types import Receive, Scope, Send

from server.dispatch import Dispatcher
from server.protocol.handlers import build_server
from server.protocol.http import HttpServer
from server.protocol.listing import Listing
from server.redaction import unlearn
from server.services import Services
from server.settings import Settings
from server.team.narrowing import Narrowing
from server.team.policy import Identity, Rights
from server.tool.catalog import Catalog
from server.tool.permissions import Permissions

log = logging.getLogger("archive_mcp.team")

# Not those of this server itself: they are there for everybody.
_TOOL = re.compile(r"\barchive(?!_mcp_)(?:box)?_[a-z_]+")
# Views of one person, each by other headers: more are nobody's honest wish.
MOST_VIEWS = 8
_WHOLE = Narrowing()


@dataclass(frozen=True)
class Texts:
    """The package with the prompts, as far as a server needs it."""

    documents: Sequence[Any]
    instructions: str
    workflows: Callable[[], Sequence[Any]]

    def list_workflows(self, catalog: Catalog) -> list[Any]:
        """Return the prompts of which every tool can be called."""
        names = {entry.name for entry in catalog.list_callable()}
        return [workflow for workflow in self.workflows() if _names_tools(workflow) <= names]

    def list_withheld(self, catalog: Catalog) -> set[str]:
        """Return the names of the prompts of which some tool cannot be called."""
        offered = {workflow.name for workflow in self.list_workflows(catalog)}
        return {workflow.name for workflow in self.workflows()} - offered


@dataclass(frozen=True)
class Shared:
    """What all people of a process share: it is the same for everybody, and nobody changes it.

    Args:
        catalog: all tools, to be restricted for each person.
        most_bytes: bytes of a request.
    """

    catalog: Catalog
    texts: Texts
    most_bytes: int


class TooManyViewsError(Exception):
    """A person's clients narrow in more different ways than are served at once."""


class Tenant:
    """One person's services, and the servers over them.

    It lives in a task of its own (`run`), because calls come and go while connections and jobs
    stay.

    Args:
        settings: made from the person's rights.
        services: not entered yet.
        background: what runs beside the calls until the tenant ends.
    """

    def __init__(
        self,
        identity: Identity,
        rights: Rights,
        settings: Settings,
        services: Services,
        shared: Shared,
        *,
        background: Callable[[Catalog, Services], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.rights = rights
        self.services = services
        self.calls = 0
        self.used_at = clock()
        self.ended = anyio.Event()
        self._settings = settings
        self._shared = shared
        self._background = background
        self._clock = clock
        self._ending = anyio.Event()
        self._group: TaskGroup | None = None
        self._views: dict[Narrowing, HttpServer] = {}
        self._lock = anyio.Lock()

    @property
    def is_closing(self) -> bool:
        """Whether it takes no calls any more."""
        return self._ending.is_set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Host the services until `close`; they are ready once the task has started."""
        try:
            await self._host(task_status)
        except Exception:  # the outermost handler: one person's fault must not end the others
            # Before it has started the fault belongs to the call that opened it.
            if self._group is None:
                raise
            log.exception("incident %s: a person's services ended", secrets.token_hex(4))
        finally:
            self._ending.set()
            # Its services learned it. Those of the policy stay, but people come and go.
            if self.identity.token is not None:
                unlearn(self.identity.token.reveal())
            self.ended.set()

    async def _host(self, task_status: TaskStatus[None]) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.services)
            self._group = await stack.enter_async_context(anyio.create_task_group())
            if self._background is not None:
                self._group.start_soon(self._background, self.offer(Narrowing()), self.services)
            task_status.started()
            await self._ending.wait()
            self._group.cancel_scope.cancel()

    def close(self) -> None:
        """End it: calls under way are cancelled, jobs pause."""
        self._ending.set()

    async def handle(
        self, narrowing: Narrowing, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request.

        Raises:
            TooManyViewsError: the person's clients narrow in too many ways.
        """
        view = await self._find_view(narrowing)
        await view.handle(scope, receive, send)
        self.used_at = self._clock()

    async def _find_view(self, narrowing: Narrowing) -> HttpServer:
        async with self._lock:
            if narrowing in self._views:
                return self._views[narrowing]
            if len(self._views) >= MOST_VIEWS:
                raise TooManyViewsError
            if self._group is None:
                raise RuntimeError("the tenant has not started")
            view = self._build(narrowing)
            # In the tenant's own task: what the SDK opens must not end with the first request.
            await self._group.start(view.run)
            self._views[narrowing] = view
            return view

    def _build(self, narrowing: Narrowing) -> HttpServer:
        settings, texts = self._settings, self._shared.texts
        catalog = self.offer(narrowing)
        dispatcher = Dispatcher(catalog, self.services, settings.timezone)
        listing = Listing(catalog, schema=settings.schema, asks_person=settings.confirm != "token")
        server = build_server(
            catalog,
            dispatcher,
            texts.documents,
            texts.instructions,
            lambda: texts.list_workflows(catalog),
            listing,
            lambda: texts.list_withheld(catalog),
        )
        return HttpServer(server, self._shared.most_bytes)

    def offer(self, narrowing: Narrowing = _WHOLE) -> Catalog:
        """Return the tools that the person may use, less what the client left out."""
        rights, catalog = self.rights, self._shared.catalog.copy()
        catalog.offer(
            backends=list_backends(rights, self._settings),
            toolsets=rights.toolsets,
            permissions=Permissions(
                read_only=rights.read_only or narrowing.read_only,
                may_spend=rights.may_spend,
                may_delete=rights.may_delete,
                by_policy=True,
            ),
            bounded=True,
        )
        if narrowing.toolsets:
            catalog.narrow(narrowing.toolsets)
        return catalog


def _names_tools(workflow: Any) -> set[str]:
    """Return the tools that the text of a prompt leads to."""
    return set(_TOOL.findall(workflow.text({})))


def list_backends(rights: Rights, settings: Settings) -> set[str]:
    """Return the APIs that somebody may use."""
    accounts = {"archive": rights.archive, "archivebox": rights.archivebox}
    backends = {name for name, access in accounts.items() if access is not None}
    # The sandbox needs no account.
    return backends or (set(accounts) if settings.sandbox else set())
