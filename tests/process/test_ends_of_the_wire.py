"""Whatever stdin and stdout are, it starts; and whenever its client goes, it ends in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, Any

import pytest

from tests.support.sandboxed import LAUNCHER, clean
from tests.support.stdio import CLIENT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="these are POSIX's descriptors")

SECONDS = 60


def opening(version: str = "2025-03-26") -> list[dict[str, Any]]:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}
    return [
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
    ]


def lines(*messages: Any) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


CALL = {
    "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "archive_get_workspaces"}
}  # fmt: skip
LIST = {"jsonrpc": "2.0", "id": 1, "method": "prompts/list"}


def run(
    folder: Path, stdin: int | IO[bytes], stdout: int | IO[bytes], script: str = ""
) -> subprocess.CompletedProcess[bytes]:
    command = [*LAUNCHER, "--sandbox"]
    if script:
        command = ["sh", "-c", f'exec "$@" {script}', "sh", *command]
    return subprocess.run(
        command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=clean(folder),
        cwd=folder, timeout=SECONDS, check=False,
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.write_bytes(b"\xef\xbb\xbf" + lines(*opening(), LIST, CALL))
    return path


def answers(data: bytes) -> dict[Any, Any]:
    messages = [json.loads(line) for line in data.splitlines()]
    return {message["id"]: message for message in messages if "id" in message}


def test_a_file_as_input_and_output_is_served(file: Path, tmp_path: Path) -> None:
    with file.open("rb") as source, (tmp_path / "out").open("wb") as target:
        done = run(tmp_path, source, target)
    assert (done.returncode, done.stderr) == (0, b"")
    result = answers((tmp_path / "out").read_bytes())
    assert result[0]["result"]["protocolVersion"] == "2025-03-26"
    # The end of the file ends nothing that was asked before.
    assert "Northwind" in json.dumps(result[2])


@contextmanager
def running(folder: Path, stdout: int | IO[bytes]) -> Iterator[tuple[Popen[bytes], IO[bytes]]]:
    """A server, and its input, which stays open until the test closes it."""
    with Popen(
        [*LAUNCHER, "--sandbox"], stdin=PIPE, stdout=stdout, stderr=PIPE, env=clean(folder)
    ) as process:
        assert process.stdin
        process.stdin.write(lines(*opening()))
        process.stdin.flush()
        yield process, process.stdin


def test_a_pipe_as_input_and_a_file_as_output_are_served(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as target, running(tmp_path, target) as (process, stdin):
        stdin.write(lines(LIST))
        stdin.flush()
        for _ in range(SECONDS * 10):
            if 1 in answers(out.read_bytes()):
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.1)
        stdin.close()
        assert process.wait(SECONDS) == 0
    assert answers(out.read_bytes())[1]["result"]["prompts"]


@pytest.mark.parametrize("script", ["<&-", ">&-", "<&- >&-", "</dev/null", ">/dev/null", "2>&-"])
def test_closed_and_empty_ends_are_no_fault(script: str, file: Path, tmp_path: Path) -> None:
    with file.open("rb") as source:
        done = run(tmp_path, source, subprocess.PIPE, script)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_full_disk_behind_the_output_ends_it(file: Path, tmp_path: Path) -> None:
    with file.open("rb") as source, Path("/dev/full").open("wb") as target:
        done = run(tmp_path, source, target)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_client_that_stops_reading_ends_it(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    # Its input stays open: it is the output alone that is gone.
    with running(tmp_path, write) as (process, _):
        os.close(write)
        assert process.wait(SECONDS) == 0
        assert process.stderr
        assert b"Traceback" not in process.stderr.read()


def test_lists_of_messages_are_answered_with_a_list_where_the_version_has_them(
    tmp_path: Path,
) -> None:
    ping = {"jsonrpc": "2.0", "method": "ping"}
    with running(tmp_path, PIPE) as (process, stdin):
        assert process.stdout
        assert json.loads(process.stdout.readline())["id"] == 0
        stdin.write(lines([{**ping, "id": 1}, {**ping, "id": "b"}, 5], {**ping, "id": None}))
        stdin.flush()
        received = [json.loads(process.stdout.readline()) for _ in range(2)]
        stdin.close()
        assert process.wait(SECONDS) == 0
    batch = next(item for item in received if isinstance(item, list))
    refusal = next(item for item in received if isinstance(item, dict))
    assert {item["id"] for item in batch} == {1, "b", None}
    assert refusal["error"]["code"] == -32600
    assert "`id`" in refusal["error"]["message"]
