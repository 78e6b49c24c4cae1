"""What may stand between the product and an ArchiveBox: a front that watches, changes answers, or
adds TLS."""

from __future__ import annotations

import importlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import anyio
import pytest
from anyio.abc import AnyByteStream, SocketAttribute, SocketStream
from anyio.streams.tls import TLSStream

from server.dispatch import Dispatcher
from server.errors import Failure
from server.sandbox.archivebox import Answer, ArchiveBoxSandbox
from server.sandbox.serve import open_server
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from server.tool.elicitation import Nobody
from tests.support.archivebox.targets import Record
from tests.support.clocks import fixed_archivebox
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def key(self) -> str | None:
        """The API key that came along."""
        return self.headers.get("x-archivebox-api-key")


Instead = Callable[[Asked], Awaitable[Answer | None]]


@dataclass
class Front:
    """Stands before an ArchiveBox and keeps what was asked; `instead` may answer in its place."""

    box: ArchiveBoxSandbox = field(default_factory=lambda: fixed_archivebox(snapshots=20))
    instead: Instead | None = None
    prefix: str = ""
    asked: list[Asked] = field(default_factory=list)
    api_path: ClassVar[str] = ""

    def announcement(self, url: str) -> str:
        return url

    def warm(self) -> None:
        self.box.warm()

    def reset(self) -> None:
        self.box.reset()

    def stats(self) -> dict[str, Any]:
        return {}

    async def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, /
    ) -> Answer:
        asked = Asked(method, target, dict(headers), body)
        self.asked.append(asked)
        if self.instead and (answer := await self.instead(asked)):
            return answer
        if not target.startswith(self.prefix):
            return Answer(404, {"content-type": "text/html"}, b"<h1>Nothing here</h1>")
        return await self.box.handle(method, target.removeprefix(self.prefix), headers, body)

    def times(self, part: str) -> int:
        """How many requests had this in their address."""
        return sum(part in each.target for each in self.asked)

    def keys(self) -> list[str]:
        """Every key that arrived, in order."""
        return [each.key for each in self.asked if each.key is not None]


@asynccontextmanager
async def calls_with(**variables: str) -> AsyncIterator[Dispatcher]:
    """The product's calls with nothing but these settings."""
    settings = load(variables, environment={}, folder=NO_FILES, home=NO_FILES)
    async with Services(settings) as services:
        yield Dispatcher(
            Catalog.read(SURFACE, importlib.import_module), services, settings.timezone
        )


@asynccontextmanager
async def fronted(front: Front, **variables: str) -> AsyncIterator[Dispatcher]:
    """The product's calls to a front on loopback."""
    async with (
        open_server(front) as url,
        calls_with(ARCHIVEBOX_URL=url + front.prefix, **variables) as calls,
    ):
        yield calls


async def call(calls: Dispatcher, tool: str, /, **arguments: Any) -> Record:
    """What a call that must succeed answers."""
    return (await calls.call(f"archivebox_{tool}", arguments, Nobody())).structured


async def refused(calls: Dispatcher, tool: str, /, **arguments: Any) -> Failure:
    """The failure of a call that must fail; it says what to do next and gives nothing away."""
    with pytest.raises(Failure) as caught:
        await call(calls, tool, **arguments)
    failure = caught.value
    shown = told(failure)
    assert failure.hint, shown
    for given_away in (
        "Traceback",
        'File "/',
        "<html",
        "<h1",
        "sandbox-archivebox-key",
        "never-to-be-seen",
    ):
        assert given_away not in shown
    return failure


def told(failure: Failure) -> str:
    """Everything that a failure shows to anybody."""
    return f"{failure.message} {failure.hint} {failure.details} {failure!r} {failure!s}"


@asynccontextmanager
async def secured(url: str, certificate: Path) -> AsyncIterator[str]:
    """The same server over https, with its own certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    port = urlsplit(url).port or 0

    async def handle(raw: SocketStream) -> None:
        async with raw:
            try:
                inside = await TLSStream.wrap(
                    raw, server_side=True, ssl_context=context, standard_compatible=False
                )
            except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
                return  # the client did not like the certificate
            async with (
                await anyio.connect_tcp("127.0.0.1", port) as behind,
                anyio.create_task_group() as both,
            ):
                both.start_soon(_pump, inside, behind, both.cancel_scope)
                both.start_soon(_pump, behind, inside, both.cancel_scope)

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, handle)
        # Not Django's.
        yield f"https://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610
        tasks.cancel_scope.cancel()


async def _pump(source: AnyByteStream, sink: AnyByteStream, done: anyio.CancelScope) -> None:
    try:
        while True:
            await sink.send(await source.receive())
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        done.cancel()
