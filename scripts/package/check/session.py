"""A client of bare JSON lines: it starts a server, lists its tools and calls one."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, Self

from scripts.package.check.result import CheckError

# A tool that needs the token and changes nothing, and what the sandbox must answer.
TOOL = "archive_get_workspaces"
WORKSPACES = 3
_VERSION = "2025-11-25"
_LIMIT_SECONDS = 180.0


@dataclass(frozen=True)
class Session:
    """What one start showed: seconds to the list of tools, their number, and the call's answer."""

    seconds: float
    tools: int
    call: str


class LineClient:
    """Send JSON-RPC requests to a process over its pipes, and wait for each answer."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # a host's command, without a shell
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._last_id = 0
        # Whatever hangs ends with the process, and so does the reading of its lines.
        self._timer = Timer(_LIMIT_SECONDS, self._process.kill)
        self._timer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        # The end of its input is how a host tells a server to leave.
        self._process.communicate()

    def request(self, method: str, params: Any) -> Any:
        """Return the result of a request.

        Raises:
            CheckError: It was refused, or the process ended.
        """
        self._last_id += 1
        self._write({"id": self._last_id, "method": method, "params": params})
        pipe = self._process.stdout
        for line in pipe or ():
            message = json.loads(line)
            if message.get("id") != self._last_id or "method" in message:
                continue
            if "error" in message:
                raise CheckError(f"{method}: {message['error']}")
            return message["result"]
        errors = self._process.stderr
        raise CheckError(f"ended before it answered {method}: {errors.read() if errors else ''}")

    def notify(self, method: str) -> None:
        """Send a message that has no answer."""
        self._write({"method": method})

    def _write(self, message: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise CheckError("the process has no input")
        try:
            pipe.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            pipe.flush()
        except BrokenPipeError:
            # What it printed before it ended is the answer's place.
            return


def talk(command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> Session:
    """Start a server, list its tools and call one of them.

    Raises:
        CheckError: It does not start, or the call fails.
    """
    start = time.perf_counter()
    with LineClient(command, environment, cwd) as client:
        hello = {
            "protocolVersion": _VERSION,
            "capabilities": {},
            "clientInfo": {"name": "package-check", "version": "1"},
        }
        client.request("initialize", hello)
        client.notify("notifications/initialized")
        tools = client.request("tools/list", {})["tools"]
        seconds = time.perf_counter() - start
        answer = client.request("tools/call", {"name": TOOL, "arguments": {}})
    return Session(seconds, len(tools), describe_call(answer))


def describe_call(answer: Mapping[str, Any]) -> str:
    """Return what the call brought, in words.

    Raises:
        CheckError: It brought something else than the sandbox has.
    """
    text = answer["content"][0]["text"]
    if answer.get("isError"):
        raise CheckError(f"{TOOL}: {text}")
    names = [node["name"] for node in json.loads(text)["nodes"]]
    if len(names) != WORKSPACES:
        raise CheckError(f"{TOOL}: {len(names)} workspaces instead of {WORKSPACES}")
    return f"{TOOL}: {len(names)} workspaces"
