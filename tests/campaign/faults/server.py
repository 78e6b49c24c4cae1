"""A server on loopback, in a thread of its own, that answers as a sandbox does but for the faults
it is told to make: what it computes never counts as time of the program that asks it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from server.sandbox import Answer

Handle = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Answer]]
_LONGEST_HANG = 30.0
_SETTLE_SECONDS = 0.05


@dataclass(frozen=True)
class Wire:
    """What goes over the connection in place of an answer: bytes, and seconds of silence; with
    `close` the connection ends there."""

    parts: tuple[bytes | float, ...] = ()
    close: bool = True


Fault = Callable[[Answer], Answer | Wire]


@dataclass
class FaultyServer:
    """Answers as `handle` does; `fault` changes those that `is_meant` picks, behind the first
    `skip` at most `left` of them.

    With `reached` off, a request that is meant never gets to `handle`: whoever answered stood
    before it. `arrived` are the requests that did get there.
    """

    handle: Handle
    fault: Fault | None = None
    reached: bool = True
    skip: int = 0
    left: int = 1 << 30
    is_meant: Callable[[str, str, bytes], bool] = lambda method, target, body: True
    arrived: list[tuple[str, str, bytes]] = field(default_factory=list)
    faults_made: int = 0
    url: str = ""
    connections: WeakSet[asyncio.StreamWriter] = field(default_factory=WeakSet)

    def heal(self) -> None:
        """Make no more faults."""
        self.fault = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections.add(writer)
        try:
            while await self._serve_request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            writer.close()

    def abort(self) -> None:
        """End all connections, also those whose clients do not read what was sent."""
        for writer in self.connections:
            writer.transport.abort()

    async def _serve_request(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        answer = await self._answer(method, target, headers, body)
        if isinstance(answer, Answer):
            writer.write(render(answer))
            await writer.drain()
            return True
        for part in answer.parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(min(part, _LONGEST_HANG))
        return not answer.close

    async def _answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer | Wire:
        fault = self._choose(method, target, body)
        if fault is None or self.reached:
            answer = await self.handle(method, target, headers, body)
            self.arrived.append((method, target, body))
        else:
            answer = Answer(200, {"content-type": "application/json"}, b"{}")
        if fault is None:
            return answer
        self.faults_made += 1
        return fault(answer)

    def _choose(self, method: str, target: str, body: bytes) -> Fault | None:
        if self.fault is None or not self.is_meant(method, target, body):
            return None
        self.skip -= 1
        if self.skip >= 0 or self.left <= 0:
            return None
        self.left -= 1
        return self.fault


def render(answer: Answer) -> bytes:
    """Return an answer as it goes over the wire."""
    lines = [f"{name}: {value}" for name, value in answer.headers.items()]
    head = "\r\n".join(
        [f"HTTP/1.1 {answer.status} X", *lines, f"content-length: {len(answer.body)}", "", ""]
    )
    return head.encode("latin-1", "replace") + answer.body


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Loop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine in the thread, and wait for it."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        return future.result(30)

    @contextmanager
    def serving(self, server: FaultyServer) -> Iterator[FaultyServer]:
        """Let the server listen on a free port for as long as the context lives."""
        listener: asyncio.Server = self.run(asyncio.start_server(server.serve, "127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield server
        finally:
            self.run(_close(listener, server))


async def _close(listener: asyncio.Server, server: FaultyServer) -> None:
    # A connection that has just come gets its task first: of one that has none when the listener is
    # closed asyncio leaves the socket open.
    await asyncio.sleep(_SETTLE_SECONDS)
    listener.close()
    # Those that hang on purpose too.
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    server.abort()
    # Their sockets are closed in the loop's next turn.
    await asyncio.sleep(0)
