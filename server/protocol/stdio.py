"""Serve over stdin and stdout, and end at once on EOF, SIGINT and SIGTERM.

The SDK's own stdio loop reads in a thread that cannot be interrupted, so that SIGINT hangs and
SIGTERM skips clean-up. On POSIX, with a pipe or socket as stdin, asyncio reads instead; elsewhere
a thread does that may be left behind.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import IO, Any

import anyio
from anyio import to_thread
from mcp.server.lowlevel import Server
from mcp.shared._context_streams import (
    ContextReceiveStream,
    ContextSendStream,
    create_context_streams,
)
from mcp.shared.message import SessionMessage
from mcp_types import (
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCResponse,
)

from server.protocol.batches import Batches, Exchange
from server.protocol.descriptors import are_open, claim, is_pipe
from server.protocol.frames import BadFrame, Frame, Frames
from server.protocol.opening import Opening
from server.redaction import redact_message
from server.signals import end_on_signal

# Bytes of the longest message that is taken from a client. A line without an end would fill the
# memory otherwise.
LINE_LIMIT = 64 * 1024 * 1024

Streams = tuple[ContextReceiveStream[SessionMessage | Exception], ContextSendStream[SessionMessage]]
# Seconds that requests of a file, whose end is not the end of its reader, may still be answered in:
# no call lasts longer.
_LAST_ANSWERS_SECONDS = 50.0
# A function that returns the next line, an empty text at the end.
ReadLine = Callable[[], Awaitable[bytes]]
# A function that writes bytes, and raises OSError where nobody reads them any more.
Write = Callable[[bytes], Awaitable[None]]

log = logging.getLogger("archive_mcp")


async def serve(server: Server[Any], opening: Opening | None = None) -> None:
    """Serve one client over this process's stdin and stdout until it leaves or a signal comes.

    Args:
        opening: the connection, where it has begun already.
    """
    if opening is None and not are_open():
        log.warning("standard input or output is closed: there is no client to serve")
        return
    async with anyio.create_task_group() as group:
        group.start_soon(end_on_signal, group.cancel_scope)
        async with _open_wire(opening or Opening(claim())) as (read, write):
            await server.run(read, write, server.create_initialization_options())
        # The client is gone: the receiver of signals would wait for ever.
        group.cancel_scope.cancel()


class _Wire:
    """The way to the client and back: lines become messages, and messages lines."""

    def __init__(self, read_line: ReadLine, write: Write, opening: Opening) -> None:
        self._is_pipe = is_pipe(opening.wire.incoming)
        self._read_line = read_line
        self._write = write
        # The client has an answer to these requests, which the session hears only now.
        self._answered = opening.answered
        self._frames = Frames(opening.version)
        self._batches = Batches()
        self._exchange = Exchange()
        self._opening: str | int | None = None
        # Two writers: answers of the session, and refusals of what never reaches it.
        self._lock = anyio.Lock()

    async def receive(self, incoming: ContextSendStream[SessionMessage | Exception]) -> None:
        """Hand the client's messages on until it closes its side."""
        async with incoming:
            while line := await self._read_line():
                frame = self._frames.read(line)
                self._batches.open(frame.batch, len(frame.refusals))
                for refusal in frame.refusals:
                    await self._refuse(refusal, frame)
                for message in frame.messages:
                    await self._note(message)
                    await incoming.send(SessionMessage(message))
            if not self._is_pipe:
                # A script redirected its requests from a file, and reads what comes of them.
                with anyio.move_on_after(_LAST_ANSWERS_SECONDS):
                    await self._exchange.wait_for_answers()

    async def send(self, outgoing: ContextReceiveStream[SessionMessage]) -> None:
        """Write the session's messages."""
        async with outgoing:
            async for message in outgoing:
                await self._put(message.message)

    async def _note(self, message: JSONRPCMessage) -> None:
        self._exchange.note_incoming(message)
        method = getattr(message, "method", "")
        if method == "initialize":
            self._opening = getattr(message, "id", None)
        if method == "notifications/cancelled":
            params = getattr(message, "params", None) or {}
            # Nobody answers a cancelled request, and the others of its line must not wait for it.
            self._exchange.drop(params.get("requestId"))
            await self._write_line(self._batches.drop(params.get("requestId")))

    async def _refuse(self, refusal: BadFrame, frame: Frame) -> None:
        error = ErrorData(code=refusal.code, message=str(refusal))
        answer = JSONRPCError(jsonrpc="2.0", id=refusal.id, error=error)
        if frame.batch:
            await self._write_line(self._batches.add_refusal(frame.batch, _render(answer)))
        else:
            await self._write_line(_render(answer))

    async def _put(self, message: JSONRPCMessage) -> None:
        text = _render(message)
        self._exchange.note_request(message)
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            if isinstance(message, JSONRPCResponse) and message.id == self._opening:
                self._frames.version = str(message.result.get("protocolVersion", ""))
                self._opening = None
            if message.id in self._answered:
                self._answered.discard(message.id)
                self._exchange.drop(message.id)
                return
            text = self._batches.add(message.id, text)
        await self._write_line(text)
        self._exchange.note_answer(message)

    async def _write_line(self, text: str) -> None:
        # Nothing yet: the other answers of its line are still to come.
        if not text:
            return
        async with self._lock:
            await self._write(redact_message(text).encode() + b"\n")


def _render(message: JSONRPCMessage) -> str:
    # An answer to a message without a usable id says so: null, where other fields stay away.
    return message.model_dump_json(by_alias=True, exclude_unset=True)


@asynccontextmanager
async def _open_wire(opening: Opening) -> AsyncIterator[Streams]:
    """Yield the streams of a connection."""
    read_line, close = await _open_reader(opening.wire.incoming, opening.unread)
    write = await _open_writer(opening.wire.outgoing)
    wire = _Wire(read_line, write, opening)
    # Without a buffer: a client that reads slowly makes the server wait, not grow.
    incoming, read = create_context_streams[SessionMessage | Exception](0)
    outward, outgoing = create_context_streams[SessionMessage](0)
    async with anyio.create_task_group() as group:

        async def guard(work: Awaitable[None]) -> None:
            try:
                await work
            except OSError as error:
                # A client that went away is an end like any other.
                log.info("the client is gone: %s", error.strerror or error)
                group.cancel_scope.cancel()

        group.start_soon(guard, wire.receive(incoming))
        group.start_soon(guard, wire.send(outgoing))
        try:
            yield read, outward
        finally:
            close()
            group.cancel_scope.cancel()


async def _open_reader(descriptor: int, unread: bytes) -> tuple[ReadLine, Callable[[], None]]:
    """Return what reads a line of the descriptor, and what ends the reading."""
    if not is_pipe(descriptor):
        file = os.fdopen(descriptor, "rb")

        async def read_in_thread() -> bytes:
            return await to_thread.run_sync(_read_file_line, file, abandon_on_cancel=True)

        return read_in_thread, lambda: None
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    reader.feed_data(unread)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return lambda: _read_line(reader), transport.close


async def _open_writer(descriptor: int) -> Write:
    if not is_pipe(descriptor):
        file = io.FileIO(descriptor, "wb")

        async def write_in_thread(data: bytes) -> None:
            await to_thread.run_sync(_write_all, file, data, abandon_on_cancel=True)

        return write_in_thread
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "wb", buffering=0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipe)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def write(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    return write


def _write_all(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        # A file without a buffer may take a part only.
        view = view[file.write(view) or 0 :]


def _read_file_line(file: IO[bytes]) -> bytes:
    """Return the next line of a file or terminal, as `_read_line` does."""
    line = file.readline(LINE_LIMIT)
    if len(line) < LINE_LIMIT:
        return line
    while line and not line.endswith(b"\n"):
        line = file.readline(LINE_LIMIT)
    return _drop_long_line()


def _drop_long_line() -> bytes:
    log.warning("a message of more than %d bytes was dropped", LINE_LIMIT)
    # A blank line in its place: it is ignored, while an empty text would mean the end.
    return b"\n"


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; an empty text at EOF. A line over the limit is dropped to its end."""
    too_long = False
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            line = error.partial
        except asyncio.LimitOverrunError as error:
            # What was read so far stays in the buffer until it is taken out.
            await reader.readexactly(error.consumed)
            too_long = True
            continue
        except ConnectionError:
            # A socket may be reset where a pipe just ends.
            return b""
        return _drop_long_line() if too_long and line else line
