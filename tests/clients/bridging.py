"""Drives a client of Node through the lines of `node/bridge.mjs`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.clients.driving import Driver, Seen

_OPEN_SECONDS = 60.0
# A picture is in a line.
_LONGEST_LINE = 16 << 20
# Characters of what a client that ended wrote about it.
_LONGEST_WORDS = 2_000


class Bridge(Driver):
    """A client in another process, asked by lines."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        super().__init__()
        self._process = process
        self._log = log
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last = 0

    async def open(self) -> None:
        """Wait for what the client says about itself."""
        hello = asyncio.get_running_loop().create_future()
        self._answers[0] = hello
        self._reading = asyncio.create_task(self._read())
        about = await asyncio.wait_for(hello, _OPEN_SECONDS)
        self.version = about.get("version") or ""
        self.protocol = about.get("protocol") or ""
        self.can_ask = bool(about.get("canAsk"))
        self.can_show_progress = bool(about.get("canShowProgress"))

    async def list_tools(self) -> list[str]:
        names: list[str] = (await self._request())["names"]
        return names

    async def call(self, tool: str, arguments: dict[str, Any]) -> Seen:
        row = await self._request(tool=tool, arguments=arguments)
        self.questions, self.steps = row["questions"], row["steps"]
        return Seen(row["text"], row["isError"], row["images"])

    async def _request(self, **request: Any) -> dict[str, Any]:
        self._last += 1
        number = self._last
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._write(id=number, **request)
        try:
            row: dict[str, Any] = await answer
            return row
        except asyncio.CancelledError:
            self._write(cancel=number)
            raise

    def _write(self, **request: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            # Some print what they like.
            if not line.startswith(b'{"id"'):
                continue
            row = json.loads(line)
            answer = self._answers.pop(row["id"])
            if not answer.done():
                answer.set_result(row)
        for answer in self._answers.values():
            if not answer.done():
                words = self._log.read_text(encoding="utf-8", errors="replace")[-_LONGEST_WORDS:]
                answer.set_exception(EOFError(f"the client ended: {words}"))


@asynccontextmanager
async def connect(
    node: str, script: Path, command: Sequence[str], env: Mapping[str, str], folder: Path
) -> AsyncIterator[Driver]:
    """Start a script in a folder that has the client's packages.

    Args:
        node: the program.
    """
    path = folder / f"{script.stem}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            node,
            script.name,
            *command,
            cwd=folder,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=_LONGEST_LINE,
        )
        try:
            driver = Bridge(process, path)
            await driver.open()
            yield driver
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
