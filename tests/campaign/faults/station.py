"""The whole product in front of a faulty server: calls by name, on real connections."""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import server.archive.client
import server.archivebox.client
import server.jobs.failures
from server.dispatch import Dispatcher
from server.sandbox import MAIN, PATH, TOKEN
from server.sandbox.archivebox import KEY, ArchiveBoxSandbox, Version
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from server.tool.result import Result
from tests.campaign.faults.server import FaultyServer, Loop
from tests.support.clocks import fixed_archivebox, now
from tests.support.doubles import OpenLimiter
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES
from tests.support.tools.fronts import yes
from tests.support.tools.watched import Watched

LONGEST_ANSWER = 2.0
"""Seconds after which the product gives up on an answer here: silence is injected often."""
SPEED = 120.0
LONGEST_PAUSE = 0.05
"""Seconds between the attempts of a job."""


@dataclass(frozen=True)
class Station:
    """The product, the server that it talks to, and the API behind that one."""

    calls: Dispatcher
    server: FaultyServer
    api: Any

    async def call(self, tool: str, arguments: dict[str, Any]) -> Result:
        """Return what a tool answers; somebody who is asked agrees, once."""
        return await self.calls.call(tool, arguments, yes())


@asynccontextmanager
async def archive_station(loop: Loop, folder: Path) -> AsyncIterator[Station]:
    """A station at an Archive with made-up data; state and files are in `folder`."""
    # What takes Archive minutes takes it a second here.
    api = Watched(clock=lambda: time.monotonic() * SPEED, now=now)
    api.warm()
    with loop.serving(FaultyServer(api.handle)) as server:
        settings = {
            "ARCHIVE_API_URL": server.url + PATH,
            "ARCHIVE_APP_TOKEN": TOKEN,
            "ARCHIVE_WORKSPACE_ID": MAIN,
        }
        async with _calling(settings, folder) as calls:
            yield Station(calls, server, api)


@asynccontextmanager
async def archivebox_station(loop: Loop, folder: Path, version: Version) -> AsyncIterator[Station]:
    """A station at an ArchiveBox with made-up pages."""
    api: ArchiveBoxSandbox = fixed_archivebox(version=version, snapshots=20)
    with loop.serving(FaultyServer(api.handle)) as server:
        settings = {"ARCHIVEBOX_URL": server.url, "ARCHIVEBOX_API_KEY": KEY}
        async with _calling(settings, folder) as calls:
            yield Station(calls, server, api)


@cache
def read_catalog() -> Catalog:
    """Return the packaged tools."""
    return Catalog.read(SURFACE, importlib.import_module)


@asynccontextmanager
async def _calling(settings: dict[str, str], folder: Path) -> AsyncIterator[Dispatcher]:
    places = {
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
        "ARCHIVE_MCP_EXPORT_DIR": str(folder / "exports"),
    }
    loaded = load({}, environment={**settings, **places}, folder=NO_FILES, home=NO_FILES)
    async with Services(loaded, limiter=OpenLimiter()) as services:
        yield Dispatcher(read_catalog(), services, loaded.timezone)


@asynccontextmanager
async def impatience() -> AsyncIterator[None]:
    """Let the product give up early on answers that do not come."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server.archive.client, "LONGEST_ANSWER", LONGEST_ANSWER)
        patched.setattr(server.archivebox.client, "LONGEST_ANSWER", LONGEST_ANSWER)
        patched.setattr(server.jobs.failures, "LONGEST_PAUSE", LONGEST_PAUSE)
        yield
