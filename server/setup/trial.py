"""Starts the server as a client would, with nothing but what a host hands on, and asks it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from server import __version__
from server.setup.entries import Entry
from server.setup.machine import Machine
from server.text import truncate_line

# A first start by uvx installs the packages before.
_SECONDS = 120.0
_LONGEST_LINE = 16 * 1024 * 1024
_INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "archive-mcp setup", "version": __version__},
}


@dataclass(frozen=True)
class Trial:
    """What became of a start: the number of tools, or else a problem in words."""

    tools: int = 0
    problem: str = ""


def try_start(entry: Entry, machine: Machine) -> Trial:
    """Start the server, list its tools, and have it check itself in the same surroundings."""
    environment = {**machine.small_environment(), **entry.env}
    try:
        trial = anyio.run(_list_tools, entry, machine, environment)
    except TimeoutError:
        return Trial(problem=f"it did not answer within {_SECONDS:.0f} s")
    except OSError as error:
        return Trial(problem=f"{entry.command} cannot be started: {error.strerror or error}")
    return trial if trial.problem else Trial(trial.tools, _examine(entry, machine, environment))


async def _list_tools(entry: Entry, machine: Machine, environment: Mapping[str, str]) -> Trial:
    with anyio.fail_after(_SECONDS):
        process = await anyio.open_process(entry.line, env=environment, cwd=machine.home)
        async with process:
            try:
                return await _talk(process)
            # It ended: what it said last is the reason.
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError):
                return Trial(problem=await _read_last_words(process))
            finally:
                with suppress(ProcessLookupError):
                    process.kill()


async def _talk(process: Process) -> Trial:
    assert process.stdout is not None  # noqa: S101  # pipes by default
    answers = BufferedByteReceiveStream(process.stdout)
    await _send(process, {"id": 1, "method": "initialize", "params": _INITIALIZE})
    await _receive(answers, 1)
    await _send(process, {"method": "notifications/initialized"})
    count, number = 0, 2
    cursor: dict[str, Any] = {}
    while True:
        await _send(process, {"id": number, "method": "tools/list", "params": cursor})
        page = await _receive(answers, number)
        count += len(page.get("tools", ()))
        if "nextCursor" not in page:
            return Trial(count)
        cursor, number = {"cursor": page["nextCursor"]}, number + 1


async def _send(process: Process, message: Mapping[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101  # pipes by default
    await process.stdin.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


async def _receive(answers: BufferedByteReceiveStream, number: int) -> dict[str, Any]:
    """Return the result of a request; whatever else the server says is skipped."""
    while True:
        line = await answers.receive_until(b"\n", _LONGEST_LINE)
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and message.get("id") == number:
            return dict(message.get("result", {}))


async def _read_last_words(process: Process) -> str:
    assert process.stderr is not None  # noqa: S101  # pipes by default
    words = b""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while len(words) < _LONGEST_LINE:
            words += await process.stderr.receive()
    lines = words.decode("utf-8", "replace").strip().splitlines()
    return truncate_line(lines[-1], 300) if lines else "it ended without a word"


def _examine(entry: Entry, machine: Machine, environment: Mapping[str, str]) -> str:
    """Return what the server itself finds wrong when it is started so; empty where all is well."""
    try:
        result = subprocess.run(  # noqa: S603  # what was written for the client
            [*entry.line, "doctor", "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=dict(environment),
            cwd=machine.home,
            timeout=_SECONDS,
            check=False,
        )
        report = json.loads(result.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return "its own check (doctor) did not end well"
    failures = [check for check in report["checks"] if check["status"] == "fail"]
    return "; ".join(f"{check['name']}: {check['detail']}" for check in failures)
