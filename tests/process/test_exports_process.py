"""Exports by the real program over stdio, in front of a sandbox over loopback: killed, closed, and
without a disk."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.sandboxed import PACED, SandboxProcess, sandbox_process, using
from tests.support.stdio import (
    CLIENT,
    Json,
    Refused,
    ServerGone,
    StdioServer,
)

ITEMS = 3000
WINDOW = 0.1
"""Seconds for five requests: thirty pages take longer than a busy machine needs to notice how far
they are."""
COMMAND = (*PACED, "--window", str(WINDOW), "--lease", "0.5")
SLOW = (*COMMAND, "--batch-delay", "0.2")
"""A server that takes seconds over the file itself."""
KILLS = 6
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """A sandbox of many items."""
    with sandbox_process(items=ITEMS, plan="enterprise", window=WINDOW / 2) as found:
        found.warm_up()
        yield found


@asynccontextmanager
async def serving(
    sandbox: SandboxProcess, folder: Path, command: tuple[str, ...] = COMMAND, **more: str
) -> AsyncIterator[StdioServer]:
    """A server whose exports go to `exports` in that folder."""
    env = using(sandbox, folder, **{"ARCHIVE_MCP_EXPORT_DIR": str(folder / "exports"), **more})
    async with StdioServer.spawn(command, env=env, cwd=folder) as server:
        await server.handshake()
        yield server


async def told(server: StdioServer, tool: str, **arguments: Any) -> Json:
    answer = await server.call_tool(tool, arguments)
    if answer["isError"]:
        raise AssertionError(answer["content"][0]["text"])
    found: Json = answer["structuredContent"]
    return found


def left(folder: Path) -> list[str]:
    return (
        sorted(each.name for each in (folder / "exports").iterdir())
        if (folder / "exports").exists()
        else []
    )


def ids(path: str) -> Counter[str]:
    text = Path(path).read_text(encoding="utf-8-sig")
    if path.endswith(".jsonl"):
        return Counter(json.loads(line)["id"] for line in text.splitlines())
    return Counter(row["id"] for row in csv.DictReader(text.splitlines()))


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come so far"
        await anyio.sleep(0.001)


async def killed(
    server: StdioServer, folder: Path, when: Callable[[list[str]], bool], start: Json
) -> None:
    """Start (or resume) an export and kill the server as soon as the folder looks so; nothing is
    published by then."""

    async def call() -> None:
        try:
            await server.call_tool("archive_start_export", start)
        except ServerGone:
            return

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        await until(lambda: when(left(folder)))
        server.signal(signal.SIGKILL)
        await server.wait()


async def resumed(sandbox: SandboxProcess, folder: Path) -> Json:
    """The job of the folder, once it has ended in a new server."""
    async with serving(sandbox, folder) as server:
        (job,) = (await told(server, "archive_mcp_list_jobs"))["nodes"]
        return await to_its_end(server, job["jobId"])


async def to_its_end(server: StdioServer, job: str) -> Json:
    assert await taken(server, job)
    await told(server, "archive_start_export", resume=job)
    found = await told(server, "archive_mcp_get_job", id=job, wait=40)
    assert found["state"] == "done", found
    return found


def spooled(folder: Path, size: int) -> bool:
    return any(each.stat().st_size >= size for each in (folder / "exports").glob(".*.part"))


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_an_export_killed_again_and_again_holds_every_item_once(
    sandbox: SandboxProcess, tmp_path: Path, kind: str
) -> None:
    start: Json = {"search": {}, "format": kind, "name": "all"}
    sizes = sorted(random.Random(kind).sample(range(50_000, 1_500_000), KILLS))
    for size in sizes:
        async with serving(sandbox, tmp_path) as server:
            jobs = (await told(server, "archive_mcp_list_jobs"))["nodes"]
            if jobs:
                assert await taken(server, jobs[0]["jobId"])
            await killed(
                server,
                tmp_path,
                # The default binds the size.
                lambda _, size=size: spooled(tmp_path, size),  # type: ignore[misc]
                {"resume": jobs[0]["jobId"]} if jobs else start,
            )
        assert [name for name in left(tmp_path) if not name.startswith(".")] == []
    job = await resumed(sandbox, tmp_path)

    assert job["state"] == "done"
    assert left(tmp_path) == [f"all.{kind}"]
    found = ids(job["result"]["path"])
    assert (len(found), found.total(), job["result"]["rows"]) == (ITEMS, ITEMS, ITEMS)


async def taken(server: StdioServer, job: str) -> bool:
    """Wait until the lease of a dead owner has run out; False where the job has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = await told(server, "archive_mcp_get_job", id=job)
        if found["state"] != "running":
            return bool(found["state"] == "paused")
        await anyio.sleep(0.05)
    raise AssertionError("the lease never ran out")


async def test_an_export_killed_while_the_file_is_written_is_published_once(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    def writing(names: list[str]) -> bool:
        return any(name.endswith(".tmp") for name in names) and spooled(tmp_path, 1_500_000)

    async with serving(sandbox, tmp_path, SLOW) as server:
        await killed(
            server, tmp_path, writing, {"search": {}, "name": "all", "fields": ["*", "hashtags"]}
        )
    between = left(tmp_path)
    job = await resumed(sandbox, tmp_path)

    assert [name for name in between if not name.startswith(".")] == []
    assert left(tmp_path) == ["all.csv"]
    found = ids(job["result"]["path"])
    assert (len(found), found.total()) == (ITEMS, ITEMS)


async def test_an_export_pauses_when_the_client_leaves_and_goes_on_with_the_next(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    async with serving(sandbox, tmp_path) as server, anyio.create_task_group() as group:
        group.start_soon(_ignoring_the_end, server)
        await until(lambda: spooled(tmp_path, 200_000))
        exit_ = await server.close()
    async with serving(sandbox, tmp_path) as server:
        (job,) = (await told(server, "archive_mcp_list_jobs"))["nodes"]
        done = await to_its_end(server, job["jobId"])

    assert (exit_.killed, exit_.code) == (False, 0)
    assert job["state"] == "paused"
    assert 0 < job["records"]["gathered"] < ITEMS
    found = ids(done["result"]["path"])
    assert (len(found), found.total()) == (ITEMS, ITEMS)


async def _ignoring_the_end(server: StdioServer) -> None:
    try:
        await server.call_tool("archive_start_export", {"search": {}})
    except (ServerGone, Refused):
        return


async def test_a_link_is_beside_the_result_where_the_client_knows_links(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    links = []
    for version in ("2025-11-25", "2025-03-26"):
        env = using(sandbox, tmp_path, ARCHIVE_MCP_EXPORT_DIR=str(tmp_path / "exports"))
        async with StdioServer.spawn(COMMAND, env=env, cwd=tmp_path) as server:
            params = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}
            assert (await server.request("initialize", params))["protocolVersion"] == version
            await server.notify("notifications/initialized")
            answer = await server.call_tool(
                "archive_start_export", {"search": {"filter": {"accountNames": ["x"]}}}
            )
            links.append(
                [each["uri"] for each in answer["content"] if each["type"] == "resource_link"]
            )
            uri = answer["structuredContent"]["result"]["resource"]["uri"]
            (content,) = (await server.request("resources/read", {"uri": uri}))["contents"]
            assert content["text"].startswith("\ufeffid,type")

    assert [len(each) for each in links] == [1, 0]


async def test_the_folder_of_the_settings_is_respected_and_a_found_file_cannot_set_it(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"ARCHIVE_MCP_EXPORT_DIR={tmp_path / 'elsewhere'}\n")
    env = using(sandbox, tmp_path)
    async with StdioServer.spawn(COMMAND, env=env, cwd=tmp_path) as server:
        await server.handshake()
        job = await told(server, "archive_start_export", search={"filter": {"accountNames": ["x"]}})

    assert Path(job["result"]["path"]).parent == tmp_path / "archive-mcp-exports"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("options", "said"), [("size=400k", "is full"), ("ro", "Read-only file system")]
)
async def test_a_disk_that_takes_no_more_is_told_and_left_empty(
    sandbox: SandboxProcess, tmp_path: Path, options: str, said: str
) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or sys.platform != "linux":
        pytest.skip("a disk of the test's own needs Linux and `unshare`")
    alone = [unshare, "--mount"] if os.geteuid() == 0 else [unshare, "--mount", "--map-root-user"]
    out = tmp_path / "exports"
    out.mkdir()
    script = (
        f'mount -t tmpfs -o {options} tmpfs "$0" || exit 77; "$@"; '
        'ls -A "$0" >&2; echo "left: end" >&2'
    )
    command = (*alone, "sh", "-c", script, str(out), *COMMAND)
    try:
        async with serving(sandbox, tmp_path, command) as server:
            answer = await server.call_tool("archive_start_export", {"search": {}})
            while not answer["isError"] and answer["structuredContent"]["state"] == "running":
                wait = {"id": answer["structuredContent"]["jobId"], "wait": 20}
                answer = await server.call_tool("archive_mcp_get_job", wait)
            await server.close()
            log = server.stderr
    except ServerGone as gone:
        pytest.skip(f"no disk of the test's own may be mounted here: {gone}")

    assert answer["structuredContent"]["state"] == "paused"
    assert said in answer["structuredContent"]["error"]["message"]
    assert log.splitlines()[-1] == "left: end"
    assert not [line for line in log.splitlines() if line.endswith((".part", ".tmp", ".csv"))]
