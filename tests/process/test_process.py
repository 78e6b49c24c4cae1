"""The process as a host sees it: bare lines over real pipes, ends, signals and nonsense."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus

from tests.support.paths import SURFACE
from tests.support.sandboxed import LAUNCHER, clean
from tests.support.stdio import Era, Exit, StdioServer

ROWS = json.loads(SURFACE.read_text(encoding="utf-8"))["tools"]
NAMES = {
    name: [row["tool"]["name"] for row in ROWS if row["backend"] == name]
    for name in ("archive", "archivebox")
}
OWN = [
    row["tool"]["name"]
    for row in ROWS
    if row["backend"] == "archive_mcp" and row["toolset"] != "discover"
]
"""Backend -> its tools, in the order of the listing."""

ERAS: list[Era] = ["handshake", "modern"]

WORKSPACE = {"workspace": "Bluebird Coffee"}


def spawned(folder: Path, *arguments: str, **more: str) -> AbstractAsyncContextManager[StdioServer]:
    """The server with a home and a working folder of its own."""
    return StdioServer.spawn([*LAUNCHER, *arguments], env={**clean(folder), **more}, cwd=folder)


@pytest.fixture(params=ERAS)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StdioServer]:
    """A server over the sandbox, in each era."""
    async with spawned(tmp_path, "--sandbox") as running:
        await running.handshake(request.param)
        yield running


def was_clean(server: StdioServer, left: Exit) -> bool:
    """Whether it left by itself and at once: within a second, or on a machine that is too busy for
    that within twice the time of its own start."""
    at_once = left.seconds < max(1.0, 2 * server.start_seconds)
    return not left.killed and left.code == 0 and at_once


async def test_it_serves_a_call_and_leaves_within_a_second_of_eof(server: StdioServer) -> None:
    result = await server.call_tool("archive_get_workspace", WORKSPACE)
    assert result["structuredContent"]["name"] == "Bluebird Coffee"
    assert was_clean(server, await server.close())
    assert server.garbage == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_within_a_second(
    server: StdioServer, number: signal.Signals
) -> None:
    await server.call_tool("archive_get_workspace", WORKSPACE)
    server.signal(number)
    assert was_clean(server, await server.wait())


async def test_eof_in_the_middle_of_a_call_ends_it_all_the_same(server: StdioServer) -> None:
    async with anyio.create_task_group() as group:
        await group.start(_abandoned, server)
        assert was_clean(server, await server.close())


async def _abandoned(server: StdioServer, *, task_status: TaskStatus[None]) -> None:
    """Call again and again; started once the first call is answered and the next is on its way."""
    from tests.support.stdio import Refused, ServerGone

    call = partial(server.call_tool, "archive_search_items", {**WORKSPACE, "limit": 1000})
    await call()
    task_status.started()
    for _ in range(20):
        try:
            await call()
        except (Refused, ServerGone):
            return


MALFORMED = {
    "text": b"not json\n",
    "blank": b"\n",
    "batch": b"[]\n",
    "version": b'{"jsonrpc":"1.0","id":7,"method":"tools/list"}\n',
    "null id": b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}\n',
    "method": b'{"jsonrpc":"2.0","id":9,"method":5}\n',
    "bytes": b"\xff\xfe\x00\n",
    "deep": b"{" * 100_000 + b"\n",
    "deep with half a pair": b'{"a":' * 100_000 + b'"\\ud800"\n',
    "notification": b'{"jsonrpc":"2.0","method":"notifications/none"}\n',
}


async def test_malformed_messages_are_survived(server: StdioServer) -> None:
    for kind, line in MALFORMED.items():
        await server.write(line)
        assert names(await server.list_tools()) == [
            *NAMES["archive"],
            *NAMES["archivebox"],
            *OWN,
        ], kind
    assert server.garbage == []


async def test_a_message_of_a_megabyte_is_read(server: StdioServer) -> None:
    result = await server.call_tool("archive_get_creator", {**WORKSPACE, "id": "x" * 1_000_000})
    assert result["isError"]


async def test_half_an_emoji_in_an_argument_does_not_keep_a_call_from_its_answer(
    server: StdioServer,
) -> None:
    half = {**WORKSPACE, "filter": {"accountNames": ["cut \ud83d"]}}

    assert not (await server.call_tool("archive_search_items", half))["isError"]


async def test_nothing_but_protocol_reaches_stdout_even_when_debugging(tmp_path: Path) -> None:
    async with spawned(tmp_path, "--sandbox", "--log-level", "DEBUG") as server:
        await server.handshake()
        await server.call_tool("archive_search_items", WORKSPACE)
        await server.close()
        assert server.garbage == []
        assert "sandbox-token" not in server.stderr


async def test_a_quiet_server_writes_nothing_to_stderr(server: StdioServer) -> None:
    await server.call_tool("archive_get_workspace", WORKSPACE)
    await server.close()
    assert server.stderr == ""


@pytest.mark.parametrize(
    ("tool", "variable"),
    [
        ("archive_get_workspaces", "ARCHIVE_APP_TOKEN"),
        ("archivebox_list_snapshots", "ARCHIVEBOX_URL"),
    ],
)
async def test_without_any_settings_all_tools_are_listed_and_a_call_says_what_to_set(
    tmp_path: Path, tool: str, variable: str
) -> None:
    async with spawned(tmp_path) as server:
        await server.handshake()
        assert names(await server.list_tools()) == [*NAMES["archive"], *NAMES["archivebox"], *OWN]
        error = error_of(await server.call_tool(tool))
    assert error["code"] == "NOT_CONFIGURED"
    assert variable in error["hint"]


TOKEN = {"ARCHIVE_APP_TOKEN": "never-sent"}
BOX = {"ARCHIVEBOX_URL": "http://127.0.0.1:9"}
CONFIGURED = [(TOKEN, ["archive"]), (BOX, ["archivebox"]), (TOKEN | BOX, ["archive", "archivebox"])]


@pytest.mark.parametrize(("settings", "backends"), CONFIGURED)
async def test_exactly_the_tools_of_what_is_configured_are_listed(
    tmp_path: Path, settings: dict[str, str], backends: list[str]
) -> None:
    async with spawned(tmp_path, **settings) as server:
        await server.handshake()
        listed = names(await server.list_tools())
    assert listed == [*(name for backend in backends for name in NAMES[backend]), *OWN]


async def test_a_tool_of_what_is_not_configured_is_not_offered_and_says_so(tmp_path: Path) -> None:
    async with spawned(tmp_path, **TOKEN) as server:
        await server.handshake()
        error = error_of(await server.call_tool("archivebox_list_snapshots"))
    assert error["code"] == "NOT_CONFIGURED"


async def test_the_sandbox_answers_the_tools_of_both(server: StdioServer) -> None:
    assert (await server.call_tool("archive_get_workspace", WORKSPACE))["structuredContent"]["id"]
    assert (await server.call_tool("archivebox_list_snapshots", {"limit": 3}))["structuredContent"][
        "nodes"
    ]


async def test_a_hostile_env_file_in_the_working_folder_gets_no_token(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ARCHIVE_API_URL=https://attacker.example/api\n")
    async with spawned(tmp_path, ARCHIVE_APP_TOKEN="arch_live_secret_value_1234") as server:
        left = await server.wait()
    assert left.code == 2
    assert "ARCHIVE_API_URL comes from ./.env" in server.stderr
    assert "secret_value" not in server.stderr


async def test_an_unknown_toolset_ends_the_start_with_the_known_ones(tmp_path: Path) -> None:
    async with spawned(tmp_path, "--sandbox", "--toolsets", "contents") as server:
        left = await server.wait()
    assert left.code == 2
    assert "unknown toolset contents" in server.stderr
    assert "content" in server.stderr


def names(tools: list[dict[str, Any]]) -> list[str]:
    return [each["name"] for each in tools]


def error_of(result: dict[str, Any]) -> dict[str, Any]:
    """The error object of a failed call."""
    assert result["isError"]
    assert "structuredContent" not in result
    error: dict[str, Any] = json.loads(result["content"][0]["text"])
    return error
