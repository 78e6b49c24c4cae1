"""A sandbox over HTTP, on this machine only: either of the two.

Two addresses exist beside the API's: `GET /__sandbox__/stats` and `POST /__sandbox__/reset`, for
tests and benchmarks.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, Protocol

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from server.sandbox.answer import JSON_TYPE, Answer, encode
from server.sandbox.archive.failures import refusal

HOST = "127.0.0.1"
STATS, RESET = ("GET", "/__sandbox__/stats"), ("POST", "/__sandbox__/reset")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HANG_UP = "sandbox.hang_up"


class Served(Protocol):
    """What can be served. `entrance` is the path of its API."""

    @property
    def entrance(self) -> str: ...

    def announcement(self, url: str) -> str:
        """What to tell whoever started it."""

    def warm(self) -> None:
        """Do now what the first request would have to wait for."""

    def reset(self) -> None:
        """Forget all changes and counts."""

    def stats(self) -> dict[str, Any]:
        """Counts, ready for JSON."""

    async def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, /
    ) -> Answer:
        """Answer a request for a path with its query. Raises ConnectionError where no answer is to
        come."""


def app(sandbox: Served) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The sandbox as an ASGI application."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        try:
            answer = await _answer(sandbox, scope, body)
        except ConnectionError:
            if _HANG_UP not in scope:
                raise
            scope[_HANG_UP]()
            await (
                receive()
            )  # until the server has noticed, or it would answer in the place of the sandbox
            return
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        pairs = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body})

    return respond


async def _answer(sandbox: Served, scope: Scope, body: bytes) -> Answer:
    route = (scope["method"], scope["path"])
    if route in {STATS, RESET} and not _is_loopback(scope.get("client")):
        return refusal("no_path")
    if route == RESET:
        sandbox.reset()
    if route in {STATS, RESET}:
        return Answer(200, JSON_TYPE, encode(sandbox.stats()))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return await sandbox.handle(
        scope["method"], f"{path}?{query}" if query else path, headers, body
    )


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


class _Connection(H11Protocol):
    """Gives the application a way to end the connection without an answer."""

    # Of a TCP server.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        answered = self.app

        async def with_hang_up(scope: Any, receive: Any, send: Any) -> None:
            await answered({**scope, _HANG_UP: transport.abort}, receive, send)

        self.app = with_hang_up


class _Server(uvicorn.Server):
    """Tells when it is ready, and leaves signals alone where somebody else's event loop runs it."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], *, embedded: bool
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._embedded = embedded

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with nullcontext() if self._embedded else super().capture_signals():
            yield


def _prepare(
    sandbox: Served, port: int, ready: Callable[[str], None], *, embedded: bool
) -> tuple[_Server, Any]:
    sandbox.warm()  # before anybody waits for it, or the first arrivals would be stamped late
    listening = socket.create_server((HOST, port))
    # asyncio does this only for sockets made with IPPROTO_TCP: without it each quick follow-up
    # waits 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://{HOST}:{listening.getsockname()[1]}{sandbox.entrance}"
    config = uvicorn.Config(
        app(sandbox),
        loop="asyncio",
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    return _Server(config, lambda: ready(url), embedded=embedded), listening


def serve(sandbox: Served, port: int = 0) -> None:
    """Serve until SIGINT or SIGTERM. Port 0 picks a free one; the address is printed when it is
    ready.

    Raises OSError if the port is taken.
    """

    def announce(url: str) -> None:
        sys.stdout.write(f"{sandbox.announcement(url)}\n")
        sys.stdout.flush()

    server, listening = _prepare(sandbox, port, announce, embedded=False)
    with listening, _quiet_end(server):
        server.run(sockets=[listening])


@contextmanager
def _quiet_end(server: uvicorn.Server) -> Iterator[None]:
    """uvicorn raises the signal that stopped it once more, which must not end the process here."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        # A signal may also come before uvicorn listens for it.
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@asynccontextmanager
async def served(sandbox: Served, port: int = 0) -> AsyncIterator[str]:
    """Serve inside the running event loop, for tests and benchmarks; yields the API's URL."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server, listening = _prepare(sandbox, port, ready.set_result, embedded=True)
    with listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield await ready
        finally:
            server.should_exit = True
            await task
