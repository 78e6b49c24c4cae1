"""An ArchiveBox to run the suite against, whatever it is: the product's calls, and how to get pages
archived."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import pytest

from server.dispatch import Dispatcher
from server.errors import Code, Failure
from server.http.transport import InProcess
from server.sandbox.archivebox import (
    KEY,
    PASSWORD,
    USERNAME,
    ArchiveBoxSandbox,
    Version,
)
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from server.tool.elicitation import Nobody
from server.tool.result import Result
from tests.support.archivebox.server import RealArchiveBox
from tests.support.clocks import fixed_archivebox
from tests.support.doubles import Clock
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES

URL = "http://127.0.0.1:8000"

Record = dict[str, Any]
Connect = Callable[..., AbstractAsyncContextManager[Dispatcher]]


@dataclass
class Target:
    """An ArchiveBox as the product sees it.

    version: what its behaviour is. archive: waits, or makes it happen, until what was added is
    archived. fresh: URLs that can be archived and are not yet. login: the settings of a user name
    and password. connect: the product with other settings, over the same server. worked, failed:
    the tools that succeeded at least once, and those that the server made fail.
    """

    version: Version
    calls: Dispatcher
    archive: Callable[[str | None], Awaitable[None]]
    fresh: list[str]
    login: dict[str, str]
    connect: Connect
    sandbox: ArchiveBoxSandbox | None = None
    worked: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    async def call(self, tool: str, /, **arguments: Any) -> Record:
        """What a call that must succeed answers."""
        return (await self.result(tool, **arguments)).structured

    async def result(self, tool: str, /, **arguments: Any) -> Result:
        """The whole result of a call that must succeed."""
        name = f"archivebox_{tool}"
        try:
            result = await self.calls.call(name, arguments, Nobody())
        except Failure:
            self.failed.add(name)
            raise
        self.worked.add(name)
        return result

    async def refused(self, tool: str, /, **arguments: Any) -> Failure:
        """The failure of a call that must fail; it says what to do next and gives nothing away."""
        with pytest.raises(Failure) as caught:
            await self.result(tool, **arguments)
        failure = caught.value
        shown = f"{failure.message} {failure.hint} {failure.details}"
        assert failure.hint, shown
        for given_away in ("Traceback", 'File "/', KEY, "<span", "\x1b["):
            assert given_away not in shown
        return failure

    async def every(self, tool: str, /, **arguments: Any) -> list[Record]:
        """All records of a list, page after page."""
        records: list[Record] = []
        cursor: str | None = None
        while True:
            page = await self.call(
                tool, **arguments, limit=1000, **({"after": cursor} if cursor else {})
            )
            records += page["nodes"]
            cursor = page["nextCursor"]
            if cursor is None:
                return records

    async def confirmed(self, tool: str, /, **arguments: Any) -> Record:
        """The result of a change after its preview was shown and its token given."""
        preview = await self.refused(tool, **arguments)
        assert preview.code is Code.CONFIRMATION_REQUIRED, preview.message
        return await self.call(tool, **arguments, confirm=preview.details["confirm"])

    async def saved(self, *tags: str) -> Record:
        """A page that was added now and is archived: its snapshot."""
        url = self.fresh.pop(0)
        added = await self.call("add", urls=[url], **({"tag": ",".join(tags)} if tags else {}))
        await self.archive(added["crawl_id"])
        found = await self.call("list_snapshots", url=url)
        snapshot: Record = found["nodes"][-1]
        return snapshot


@asynccontextmanager
async def over_sandbox(version: Version) -> AsyncIterator[Target]:
    """The product over an ArchiveBox in this process, with a clock that archiving does not have to
    be waited for."""
    clock = Clock()
    sandbox = fixed_archivebox(version=version, snapshots=60, clock=clock)

    async def archive(_: str | None) -> None:
        clock.now += 120

    def connect(**settings: str) -> AbstractAsyncContextManager[Dispatcher]:
        return _connected({"ARCHIVEBOX_URL": URL, **settings}, sandbox.handle)

    fresh = [f"https://fresh.example/page-{number}" for number in range(20)]
    login = {"ARCHIVEBOX_USERNAME": USERNAME, "ARCHIVEBOX_PASSWORD": PASSWORD}
    async with connect(ARCHIVEBOX_API_KEY=KEY) as calls:
        yield Target(version, calls, archive, fresh, login, connect, sandbox)


@asynccontextmanager
async def over_real(real: RealArchiveBox) -> AsyncIterator[Target]:
    """The product over a real server, its pages archived when a test asks for it."""

    async def archive(crawl_id: str | None) -> None:
        if crawl_id:
            await anyio.to_thread.run_sync(real.archive_now, crawl_id)

    def connect(**settings: str) -> AbstractAsyncContextManager[Dispatcher]:
        return _connected({"ARCHIVEBOX_URL": real.url, **settings}, None)

    fresh = [f"{real.pages['tides']}?fresh={secrets.token_hex(4)}" for _ in range(20)]
    login = {"ARCHIVEBOX_USERNAME": real.username, "ARCHIVEBOX_PASSWORD": real.password}
    async with connect(ARCHIVEBOX_API_KEY=real.key) as calls:
        yield Target(real.version, calls, archive, fresh, login, connect)


@asynccontextmanager
async def _connected(
    variables: dict[str, str], in_process: InProcess | None
) -> AsyncIterator[Dispatcher]:
    settings = load(variables, environment={}, folder=NO_FILES, home=NO_FILES)
    async with Services(settings, archivebox=in_process) as services:
        surface = Catalog.read(SURFACE, importlib.import_module)
        yield Dispatcher(surface, services, settings.timezone)
