"""The people whose connections are open: one tenant each, closed when idle or when another needs
the room."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from server.team.policy import Identity, Rights
from server.team.tenant import Tenant

log = logging.getLogger("archive_mcp.team")

# Seconds between looks for tenants that nobody uses.
_LOOK_SECONDS = 15.0

# Makes the tenant of somebody, not started yet.
BuildTenant = Callable[[Identity, Rights], Tenant]


class NoRoomError(Exception):
    """As many people as this process serves are busy at once."""


class Tenants:
    """Opens, finds and closes tenants, each in a task of its own.

    Args:
        most: people whose tenants are open at once.
        idle_seconds: how long a tenant stays open after its last call.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        build: BuildTenant,
        *,
        most: int,
        idle_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> None:
        self._build = build
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._sleep = sleep
        self._open: dict[str, Tenant] = {}
        self._group: TaskGroup | None = None
        self._locks: dict[str, anyio.Lock] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def __aenter__(self) -> Self:
        # Here and not before: outside an event loop there are no groups.
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._watch)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tenants = list(self._open.values())
        for tenant in tenants:
            tenant.close()
        # Jobs pause in order before the group ends what is left.
        with anyio.CancelScope(shield=True), anyio.move_on_after(30):
            for tenant in tenants:
                await tenant.ended.wait()
        if self._group is not None:
            self._group.cancel_scope.cancel()
            await self._group.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def use(self, identity: Identity, rights: Rights) -> AsyncIterator[Tenant]:
        """Yield the tenant of somebody; it is not closed meanwhile.

        Raises:
            NoRoomError: too many people are busy.
        """
        tenant = await self._find(identity, rights)
        tenant.calls += 1
        try:
            yield tenant
        finally:
            tenant.calls -= 1
            tenant.used_at = self._clock()

    def close_changed(self, find: Callable[[Identity], Rights | None]) -> int:
        """Close the tenants of those whose rights have changed, and return how many.

        Args:
            find: returns the rights that somebody has now.
        """
        closed = 0
        for key, tenant in list(self._open.items()):
            rights = find(tenant.identity)
            if rights is None or rights.fingerprint() != tenant.rights.fingerprint():
                self._close(key)
                closed += 1
        return closed

    async def _find(self, identity: Identity, rights: Rights) -> Tenant:
        key = identity.principal.id
        lock = self._locks.setdefault(key, anyio.Lock())
        try:
            # Two first calls at once must not open two.
            async with lock:
                tenant = self._open.get(key)
                if tenant is not None and not self._is_usable(tenant, rights):
                    self._close(key)
                    tenant = None
                return tenant or await self._start(key, identity, rights)
        finally:
            if not lock.statistics().tasks_waiting:
                self._locks.pop(key, None)

    def _is_usable(self, tenant: Tenant, rights: Rights) -> bool:
        is_same = tenant.rights.fingerprint() == rights.fingerprint()
        return is_same and not tenant.is_closing

    async def _start(self, key: str, identity: Identity, rights: Rights) -> Tenant:
        if self._group is None:
            raise RuntimeError("tenants are opened in the group's own life alone")
        self._make_room()
        tenant = self._build(identity, rights)
        await self._group.start(tenant.run)
        self._open[key] = tenant
        return tenant

    def _make_room(self) -> None:
        if len(self._open) < self._most:
            return
        unused = [(tenant.used_at, key) for key, tenant in self._open.items() if _is_free(tenant)]
        if not unused:
            raise NoRoomError
        self._close(min(unused)[1])

    def _close(self, key: str) -> None:
        self._open.pop(key).close()

    async def _watch(self) -> None:
        """Close tenants that nobody uses."""
        while True:
            await self._sleep(min(_LOOK_SECONDS, self._idle_seconds))
            self.close_idle()

    def close_idle(self) -> None:
        """Close the tenants that nobody has used for long."""
        until = self._clock() - self._idle_seconds
        for key, tenant in list(self._open.items()):
            if tenant.is_closing or (_is_free(tenant) and tenant.used_at <= until):
                self._close(key)


def _is_free(tenant: Tenant) -> bool:
    """Return whether closing a tenant interrupts nothing."""
    return not tenant.calls and not tenant.services.is_busy
