"""A host's first requests are answered while the server is still being loaded."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from scripts.opening import Json, open_with
from tests.support.paths import ROOT
from tests.support.sandboxed import clean

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="on Windows nothing is answered before all is loaded"
)

VERSIONS = ["2025-11-25", "2026-07-28"]
# Longer than any answer that does not wait for it.
LOAD = 2.0


class Program:
    """The program with its pipes; it takes `load` seconds to load."""

    def __init__(self, folder: Path, load: object, **variables: str) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.machine.slow_load", str(load), "--sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**clean(folder), **variables},
        )
        self.stdin: IO[bytes] = self._process.stdin or pytest.fail("no pipe")
        self.stdout: IO[bytes] = self._process.stdout or pytest.fail("no pipe")
        self.stderr: IO[bytes] = self._process.stderr or pytest.fail("no pipe")

    def send(self, *messages: Json) -> None:
        """Write messages at once."""
        self.write("".join(json.dumps(message) + "\n" for message in messages).encode())

    def write(self, data: bytes) -> None:
        """Write bytes at once."""
        self.stdin.write(data)
        self.stdin.flush()

    def receive(self) -> Json:
        """The next message; it must be one."""
        message: Json = json.loads(self.stdout.readline())
        return message

    def ask(self, message: Json) -> Json:
        """The next message after this one."""
        self.send(message)
        return self.receive()

    def age(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """The status with which it leaves within ten seconds."""
        return self._process.wait(10)

    def end(self) -> None:
        """Let nothing stay."""
        self._process.kill()
        self._process.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()


Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts programs that end with the test."""
    programs: list[Program] = []

    def _start(load: object = LOAD, **variables: str) -> Program:
        programs.append(Program(tmp_path, load, **variables))
        return programs[-1]

    yield _start
    for program in programs:
        program.end()


def call(id: Any, version: str, **arguments: Any) -> Json:
    """A tool call of that era."""
    request = open_with(version)[-1]
    params = {**request["params"], "name": "archive_get_workspaces", "arguments": arguments}
    return {**request, "id": id, "method": "tools/call", "params": params}


@pytest.mark.parametrize("version", VERSIONS)
def test_lists_come_before_all_is_loaded_and_calls_after(start: Start, version: str) -> None:
    program = start()
    messages = open_with(version)
    ids = [message["id"] for message in messages if "id" in message]

    program.send(*messages)
    assert [program.receive()["id"] for _ in ids] == ids
    assert program.age() < LOAD

    result = program.ask(call("call", version))
    assert result["id"] == "call"
    assert result["result"]["isError"] is False
    assert program.age() > LOAD

    # From here on the SDK answers, and what it heard again is not answered again.
    assert [program.ask(message)["id"] for message in messages[-2:]] == ids[-2:]
    program.stdin.close()
    assert program.wait() == 0
    assert program.stdout.read() == b""


@pytest.mark.parametrize("version", VERSIONS)
def test_all_in_one_write_is_answered_once_and_in_order(start: Start, version: str) -> None:
    program = start(0.5)
    messages = [*open_with(version), call("call", version), open_with(version)[-1]]
    ids = [message["id"] for message in messages if "id" in message]
    program.send(*messages)
    answers = [program.receive()["id"] for _ in ids]
    assert sorted(answers) == sorted(ids)
    assert answers[: len(ids) - 2] == ids[:-2]
    program.stdin.close()
    assert program.stdout.read() == b""
    assert program.wait() == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_an_id_may_come_again(start: Start, version: str) -> None:
    program = start(0.5)
    opening = {**open_with(version)[0], "id": 1}
    assert program.ask(opening)["id"] == 1
    answer = program.ask(call(1, version))
    assert answer["id"] == 1
    assert "content" in answer["result"]


def test_a_message_in_pieces_is_one_message(start: Start) -> None:
    program = start()
    opening, *_ = open_with(VERSIONS[0])
    for byte in json.dumps(opening).encode():
        program.write(bytes([byte]))
    program.write(b"\n")
    assert program.receive()["id"] == "initialize"
    assert program.age() < LOAD


ODD = {
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(open_with(VERSIONS[0])[0]).encode() + b"\n",
    "odd first": b"not json\n" + json.dumps(open_with(VERSIONS[0])[0]).encode() + b"\n",
    "UTF-16": (json.dumps(open_with(VERSIONS[0])[0]) + "\n").encode("utf-16-le"),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_opening_is_answered_as_without_a_quick_start(start: Start, kind: str) -> None:
    answers = []
    for quick in ("on", "off"):
        program = start(0.1, ARCHIVE_MCP_QUICK_START=quick)
        program.write(ODD[kind])
        answers.append([program.receive() for _ in range(2 if kind == "odd first" else 1)])
        program.stdin.close()
        assert program.stdout.read() == b""
    assert answers[0] == answers[1]


def test_switched_off_nothing_is_answered_before_all_is_loaded(start: Start) -> None:
    program = start("broken", ARCHIVE_MCP_QUICK_START="off")
    # The slow import belongs to the quick start alone: without it nothing is broken.
    assert program.ask(open_with(VERSIONS[0])[0])["id"] == "initialize"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_at_once_while_it_loads(start: Start, number: int) -> None:
    program = start(60)
    program.ask(open_with(VERSIONS[0])[0])
    program.signal(number)
    assert program.wait() == 0
    assert program.stderr.read() == b"a library speaks\n"


def test_a_host_that_leaves_ends_it_at_once_while_it_loads(start: Start) -> None:
    program = start(60)
    program.ask(open_with(VERSIONS[0])[0])
    program.stdin.close()
    assert program.wait() == 0


def test_a_host_that_reads_no_more_ends_it_at_once_while_it_loads(start: Start) -> None:
    program = start(60)
    program.stdout.close()
    program.send(*open_with(VERSIONS[0]))
    assert program.wait() == 0
    assert b"Traceback" not in program.stderr.read()


def test_what_cannot_be_loaded_ends_it_with_its_reason(start: Start) -> None:
    program = start("broken")
    program.send(open_with(VERSIONS[0])[0], call("call", VERSIONS[0]))
    assert program.wait() == 1
    assert b"the SDK is not there" in program.stderr.read()
