"""Serve over stdin and stdout, and end at once on EOF, SIGINT and SIGTERM.

The SDK's own stdio loop reads in a thread that cannot be interrupted, so that SIGINT hangs and
SIGTERM skips clean-up. On POSIX, with a pipe or socket as stdin, asyncio reads instead; elsewhere
the SDK's transport serves.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared._context_streams import (
    ContextReceiveStream,
    ContextSendStream,
    create_context_streams,
)
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage, jsonrpc_message_adapter

from server.redaction import redact_message
from server.signals import end_on_signal

# Bytes of the longest message that is taken from a client. A line without an end would fill the
# memory otherwise.
LINE_LIMIT = 64 * 1024 * 1024

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")

Streams = tuple[ContextReceiveStream[SessionMessage | Exception], ContextSendStream[SessionMessage]]


async def serve(server: Server[Any]) -> None:
    """Serve one client over this process's stdin and stdout until it leaves or a signal comes."""
    async with anyio.create_task_group() as group:
        group.start_soon(end_on_signal, group.cancel_scope)
        transport = _pipes() if _stdin_is_pipe() else stdio_server()
        async with transport as (read, write):
            await server.run(read, write, server.create_initialization_options())
        # The client is gone: the receiver of signals would wait for ever.
        group.cancel_scope.cancel()


def _stdin_is_pipe() -> bool:
    # On Windows asyncio cannot read an inherited pipe, and nowhere a regular file.
    if sys.platform == "win32":
        return False
    mode = os.fstat(0).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


@asynccontextmanager
async def _pipes() -> AsyncIterator[Streams]:
    """Move the wire to private descriptors and yield its streams."""
    # Standard input becomes the null device and standard output stderr, so that no print of a
    # library can get between the messages.
    reader, read_transport = await _open_reader(_claim(0, os.open(os.devnull, os.O_RDONLY)))
    writer = await _open_writer(_claim(1, os.dup(2)))
    # Without a buffer: a client that reads slowly makes the server wait, not grow.
    incoming, read = create_context_streams[SessionMessage | Exception](0)
    write, outgoing = create_context_streams[SessionMessage](0)
    async with anyio.create_task_group() as group:
        group.start_soon(_receive, reader, incoming)
        group.start_soon(_send, writer, outgoing)
        try:
            yield read, write
        finally:
            read_transport.close()
            group.cancel_scope.cancel()


def _claim(descriptor: int, instead: int) -> int:
    """Put another file in the place of a descriptor and return a new one of the old file."""
    wire = os.dup(descriptor)
    os.dup2(instead, descriptor)
    os.close(instead)
    return wire


async def _open_reader(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return reader, transport


async def _open_writer(descriptor: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(descriptor, "wb", buffering=0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, pipe)
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def _receive(
    reader: asyncio.StreamReader, incoming: ContextSendStream[SessionMessage | Exception]
) -> None:
    async with incoming:
        while line := await _read_line(reader):
            try:
                message = _parse(line)
            except (ValueError, RecursionError) as error:
                # The session answers or logs it: one bad line does not end the connection.
                await incoming.send(error)
                continue
            await incoming.send(SessionMessage(message))


def _parse(line: bytes) -> JSONRPCMessage:
    """Return the message of a line."""
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        if not _SURROGATE.search(line):
            raise
    # Half a surrogate pair is left where a model cut an emoji. pydantic refuses it, Python's own
    # parser takes it; it becomes `?`.
    mended = json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")
    return jsonrpc_message_adapter.validate_json(mended, by_name=False)


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
        # A blank line in its place: it is ignored, while an empty text would mean the end.
        return b"\n" if too_long and line else line


async def _send(
    writer: asyncio.StreamWriter, outgoing: ContextReceiveStream[SessionMessage]
) -> None:
    async with outgoing:
        async for message in outgoing:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            writer.write(redact_message(text).encode() + b"\n")
            await writer.drain()
