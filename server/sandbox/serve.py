"""Serves either sandbox over HTTP, on this computer only.

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
from server.sandbox.archive.failures import make_refusal

HOST = "127.0.0.1"
STATS, RESET = ("GET", "/__sandbox__/stats"), ("POST", "/__sandbox__/reset")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HANG_UP = "sandbox.hang_up"


class HttpSandbox(Protocol):
    """A sandbox that can be served. `api_path` is the path of its API."""

    @property
    def api_path(self) -> str: ...

    def announcement(self, url: str) -> str:
        """Return the line for whoever started it."""

    def warm(self) -> None:
        """Do now what the first request would have to wait for."""

    def reset(self) -> None:
        """Forget all changes and counts."""

    def stats(self) -> dict[str, Any]:
        """Return counts, ready for JSON."""

    async def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, /
    ) -> Answer:
        """Return the answer to a request for a path with its query.

        Raises ConnectionError where the connection is to end without an answer.
        """


def make_app(sandbox: HttpSandbox) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the sandbox as an ASGI application."""

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
            # Until the server has noticed, or it would answer in the place of the sandbox.
            await receive()
            return
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        pairs = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body})

    return respond


async def _answer(sandbox: HttpSandbox, scope: Scope, body: bytes) -> Answer:
    route = (scope["method"], scope["path"])
    if route in {STATS, RESET} and not _is_loopback(scope.get("client")):
        return make_refusal("no_path")
    if route == RESET:
        sandbox.reset()
    if route in {STATS, RESET}:
        return Answer(200, JSON_TYPE, encode(sandbox.stats()))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    # The raw path, as far as there is one: what the client escaped must stay escaped.
    target = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    if query := scope.get("query_string", b"").decode("latin-1"):
        target = f"{target}?{query}"
    return await sandbox.handle(scope["method"], target, headers, body)


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


class _Connection(H11Protocol):
    """Gives the application a way to end the connection without an answer."""

    # A TCP server has no other kind of transport.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def respond(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, _HANG_UP: transport.abort}, receive, send)

        self.app = respond


class _Server(uvicorn.Server):
    """Calls back when it is ready, and leaves signals alone where another event loop runs it."""

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
    sandbox: HttpSandbox, port: int, ready: Callable[[str], None], *, embedded: bool
) -> tuple[_Server, Any]:
    # Before anybody waits for it, or the first arrivals would be stamped late.
    sandbox.warm()
    listening = socket.create_server((HOST, port))
    # asyncio does this only for sockets made with IPPROTO_TCP: without it each quick follow-up
    # waits 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://{HOST}:{listening.getsockname()[1]}{sandbox.api_path}"
    config = uvicorn.Config(
        make_app(sandbox),
        loop="asyncio",
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    return _Server(config, lambda: ready(url), embedded=embedded), listening


def serve(sandbox: HttpSandbox, port: int = 0) -> None:
    """Serve until SIGINT or SIGTERM, and print the address when it is ready.

    port: 0 for any free one. Raises OSError if the port is taken.
    """

    def announce(url: str) -> None:
        sys.stdout.write(f"{sandbox.announcement(url)}\n")
        sys.stdout.flush()

    server, listening = _prepare(sandbox, port, announce, embedded=False)
    with listening, _quiet_end(server):
        server.run(sockets=[listening])


@contextmanager
def _quiet_end(server: uvicorn.Server) -> Iterator[None]:
    """Keep a signal from ending the process: uvicorn raises the one that stopped it once more."""
    # Only the main thread may set handlers.
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
async def open_server(sandbox: HttpSandbox, port: int = 0) -> AsyncIterator[str]:
    """Serve inside the running event loop, for tests and benchmarks; yield the API's URL."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server, listening = _prepare(sandbox, port, ready.set_result, embedded=True)
    with listening:
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield await ready
        finally:
            server.should_exit = True
            await task
