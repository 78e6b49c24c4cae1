"""An MCP client of bare JSON lines over the pipes of a server process: what it sees and times is
the wire itself."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

Json = dict[str, Any]
Era = Literal["handshake", "modern"]

VERSIONS: Mapping[Era, str] = {"handshake": "2025-11-25", "modern": "2026-07-28"}
CLIENT = {"name": "bare-client", "version": "1"}
LINE_LIMIT = 64 * 1024 * 1024

_META = "io.modelcontextprotocol/"
_NOT_SERVED = -32601
_LEAVE_SECONDS = 30.0


class ServerGone(Exception):
    """The server closed its output before it answered."""


class Refused(Exception):
    """The server answered a request with a JSON-RPC error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.error = error


@dataclass(frozen=True)
class Timed:
    """A result, the seconds from writing the request to the whole line being there (unparsed), and
    the line's bytes."""

    result: Json
    seconds: float
    size: int


@dataclass(frozen=True)
class Exit:
    """How a server left: seconds since its input was closed, its status, and whether it had to be
    killed."""

    seconds: float
    code: int
    killed: bool


@dataclass
class _Answer:
    message: Json
    at: float
    size: int


class StdioServer:
    """One server process and this client's side of the talk with it.

    Args: capabilities: what the client declares it can do. reply: answers what the server asks of
        the client, as (method, params) -> result; without it, or when it raises KeyError, the
        client does not serve the method.

    notifications and garbage collect what came unasked: the messages, and the lines that are no
    JSON-RPC.
    """

    def __init__(
        self,
        process: Process,
        spawned: float,
        capabilities: Json | None = None,
        reply: Callable[[str, Json], Json] | None = None,
    ) -> None:
        self.notifications: list[Json] = []
        self.garbage: list[bytes] = []
        self.start_seconds = 0.0
        """How long it took from the start of the process to the end of the handshake."""
        self._process = process
        self._spawned = spawned
        self._capabilities = capabilities or {}
        self._reply = reply
        self._era: Era = "handshake"
        self._waiting: dict[int, asyncio.Future[_Answer]] = {}
        self._last_id = 0
        self._stderr = b""
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._read_stderr())]

    @classmethod
    @asynccontextmanager
    async def spawn(
        cls,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        capabilities: Json | None = None,
        reply: Callable[[str, Json], Json] | None = None,
    ) -> AsyncIterator[Self]:
        """Start a server; it is made to leave at the end of the context, if it is still there."""
        spawned = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=dict(env), cwd=cwd, limit=LINE_LIMIT
        )
        server = cls(process, spawned, capabilities, reply)
        try:
            yield server
        finally:
            await server.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """What the server has logged so far."""
        return self._stderr.decode("utf-8", "replace")

    def age(self) -> float:
        """Seconds since just before the process was started."""
        return time.perf_counter() - self._spawned

    async def handshake(self, era: Era = "handshake", *, seconds: float = 60) -> Json:
        """Speak that era from here on; the result is the server's introduction of itself."""
        self._era = era
        if era == "modern":
            result = await self.request("server/discover", seconds=seconds)
            self.start_seconds = self.age()
            return result
        params = {
            "protocolVersion": VERSIONS[era],
            "capabilities": self._capabilities,
            "clientInfo": CLIENT,
        }
        result = await self.request("initialize", params, seconds=seconds)
        self.start_seconds = self.age()
        await self.notify("notifications/initialized")
        return result

    async def request(
        self, method: str, params: Json | None = None, *, seconds: float = 60
    ) -> Json:
        """The result of a request.

        Raises: Refused: a JSON-RPC error. ServerGone: no answer any more. TimeoutError: none within
            `seconds`.
        """
        return (await self.timed(method, params, seconds=seconds)).result

    async def timed(self, method: str, params: Json | None = None, *, seconds: float = 60) -> Timed:
        """As `request`, with how long it took."""
        if self._tasks[0].done():
            raise ServerGone(self.stderr[-2000:])
        self._last_id += 1
        number = self._last_id
        line = _line(
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": method,
                "params": self._with_meta(params or {}),
            }
        )
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        started = time.perf_counter()
        try:
            await self._write(line)
            async with asyncio.timeout(seconds):
                found = await answer
        finally:
            self._waiting.pop(number, None)
        if "error" in found.message:
            raise Refused(found.message["error"])
        return Timed(found.message["result"], found.at - started, found.size)

    async def call_tool(
        self, name: str, arguments: Json | None = None, *, seconds: float = 60
    ) -> Json:
        """What the tool answered, failed or not."""
        return await self.request(
            "tools/call", {"name": name, "arguments": arguments or {}}, seconds=seconds
        )

    async def list_tools(self) -> list[Json]:
        """All tools, whatever number of pages they come in."""
        tools: list[Json] = []
        page: Json = {"nextCursor": ""}
        while "nextCursor" in page:
            page = await self.request(
                "tools/list", {"cursor": page["nextCursor"]} if page["nextCursor"] else {}
            )
            tools += page["tools"]
        return tools

    async def notify(self, method: str, params: Json | None = None) -> None:
        """Send a notification."""
        await self._write(_line({"jsonrpc": "2.0", "method": method, "params": params or {}}))

    async def write(self, line: bytes) -> None:
        """Send any bytes."""
        await self._write(line)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if it still runs."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait(self) -> Exit:
        """Wait until the server has left by itself."""
        started = time.perf_counter()
        code = await self._process.wait()
        left = time.perf_counter() - started
        await asyncio.gather(*self._tasks)
        return Exit(left, code, False)

    async def close(self) -> Exit:
        """Close the server's input, as hosts do, and wait until it has left; kill it if it
        stays."""
        started, killed = time.perf_counter(), False
        if self._process.stdin:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            killed = True
            self._process.kill()
        code = await self._process.wait()
        left = time.perf_counter() - started
        await asyncio.gather(*self._tasks)
        return Exit(left, code, killed)

    def _with_meta(self, params: Json) -> Json:
        if self._era == "handshake":
            return params
        meta = {
            "protocolVersion": VERSIONS[self._era],
            "clientCapabilities": self._capabilities,
            "clientInfo": CLIENT,
        }
        return {
            **params,
            "_meta": {_META + name: value for name, value in meta.items()}
            | params.get("_meta", {}),
        }

    async def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise ServerGone(self.stderr[-2000:]) from None

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                await self._take(line, time.perf_counter())
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ServerGone("no answer any more"))

    async def _take(self, line: bytes, at: float) -> None:
        message = _parsed(line)
        if message is None:
            self.garbage.append(line)
        elif "method" not in message:
            answer = self._waiting.get(message.get("id", 0))
            if answer and not answer.done():
                answer.set_result(_Answer(message, at, len(line)))
        elif "id" in message:
            with suppress(ServerGone):
                await self._write(
                    _line({"jsonrpc": "2.0", "id": message["id"], **self._served(message)})
                )
        else:
            self.notifications.append(message)

    def _served(self, asked: Json) -> Json:
        if asked["method"] == "ping":
            return {"result": {}}
        if self._reply:
            with suppress(KeyError):
                return {"result": self._reply(asked["method"], asked.get("params", {}))}
        return {"error": {"code": _NOT_SERVED, "message": f"{asked['method']} is not served here"}}

    async def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(65536):
            self._stderr += chunk


def _line(message: Json) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _parsed(line: bytes) -> Json | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and message.get("jsonrpc") == "2.0" else None
