"""A user's whole job on a real ArchiveBox with the official inspector: save, wait, read, tag, find,
delete."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from tests.support.archivebox.pages import PAGES
from tests.support.archivebox.server import RealArchiveBox, RealServer
from tests.support.machine.node import Inspector, inspector_or_skip
from tests.support.sandboxed import LAUNCHER, clean

Record = dict[str, Any]
Ask = Callable[..., Record]

_FAILED = 5
"""The inspector's exit status when the tool says that the call failed."""
_LOOKS = 5


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    """The official inspector, installed from npm on first use."""
    return inspector_or_skip()


@pytest.fixture(scope="module")
def server(real_server: RealServer) -> RealArchiveBox:
    """A real ArchiveBox of the newest version."""
    return real_server("0.9.73")


@pytest.fixture
def env(server: RealArchiveBox, tmp_path: Path) -> dict[str, str]:
    """What a user sets, and nothing else: where the server is, and a key."""
    return clean(tmp_path) | {"ARCHIVEBOX_URL": server.url, "ARCHIVEBOX_API_KEY": server.key}


@pytest.fixture(params=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras, as the inspector names them."""
    return str(request.param)


@pytest.fixture
def ask(inspector: Inspector, env: dict[str, str], era: str) -> Ask:
    """`ask(tool, **arguments)`: the result of a call that must succeed, by an inspector and a
    server of its own."""

    def asked(tool: str, /, **arguments: Any) -> Record:
        done = inspector.call(env, LAUNCHER, tool, arguments, era)
        assert done.returncode == 0, f"{tool}: {done.stdout}{done.stderr}"
        return result_of(done)

    return asked


async def test_the_inspector_saves_waits_reads_tags_finds_and_deletes_a_page(
    inspector: Inspector,
    server: RealArchiveBox,
    env: dict[str, str],
    era: str,
    ask: Ask,
    tmp_path: Path,
) -> None:
    url = f"{server.pages['bread']}?inspected={secrets.token_hex(4)}"
    tag = f"research {secrets.token_hex(4)}"

    added = ask("archivebox_add", urls=[url])["structuredContent"]
    server.archive_now(added["crawl_id"])
    snapshot = archived(ask, url)
    about, text = (
        block["text"]
        for block in ask("archivebox_read_snapshot", snapshot_id=snapshot["id"])["content"]
    )
    ask("archivebox_tag_snapshot", snapshot_id=snapshot["id"], tag_name=tag)
    found = ask("archivebox_list_snapshots", tag=tag)["structuredContent"]["nodes"]

    assert (json.loads(about)["url"], bool(json.loads(about)["saved"])) == (url, True)
    assert PAGES["bread"].says in text
    assert [(each["id"], each["url"]) for each in found] == [(snapshot["id"], url)]

    # The inspector can put a question to nobody: it is shown what would go, and nothing goes.
    done = inspector.call(
        env, LAUNCHER, "archivebox_delete_snapshot", {"snapshot_id": snapshot["id"]}, era
    )
    assert done.returncode == _FAILED, done.stdout + done.stderr
    assert "CONFIRMATION_REQUIRED" in done.stdout
    assert url in done.stdout
    assert ask("archivebox_list_snapshots", url=url)["structuredContent"]["nodes"], (
        "it was only previewed"
    )

    await delete(env, tmp_path, snapshot["id"])
    server.work_off()
    assert ask("archivebox_list_snapshots", url=url)["structuredContent"]["nodes"] == []


def test_a_token_of_another_process_deletes_nothing(
    inspector: Inspector, server: RealArchiveBox, env: dict[str, str], era: str, ask: Ask
) -> None:
    url = f"{server.pages['bread']}?kept={secrets.token_hex(4)}"
    snapshot = server.save(url)[url]
    wanted = {"snapshot_id": snapshot["id"]}
    preview = inspector.call(env, LAUNCHER, "archivebox_delete_snapshot", wanted, era)
    confirm = json.loads(result_of(preview)["content"][0]["text"])["confirm"]

    done = inspector.call(
        env, LAUNCHER, "archivebox_delete_snapshot", {**wanted, "confirm": confirm}, era
    )

    assert done.returncode == _FAILED, done.stdout + done.stderr
    assert archived(ask, url)["id"] == snapshot["id"]


def test_the_inspector_lists_the_tools_of_archivebox_alone_and_finds_no_fault(
    inspector: Inspector, env: dict[str, str]
) -> None:
    done = inspector.run(env, LAUNCHER, "--method", "tools/list", "--strict")
    names = [each["name"] for each in result_of(done)["tools"]]
    own = {"archive_mcp_get_job", "archive_mcp_list_jobs", "archive_mcp_cancel_job"}
    assert len(names) == 52
    assert all(name.startswith("archivebox_") for name in set(names) - own)
    assert [line for line in done.stderr.splitlines() if line.strip().startswith("Path:")] == []


def archived(ask: Ask, url: str) -> Record:
    """The snapshot of a URL, once it is archived."""
    for _ in range(_LOOKS):
        nodes: list[Record] = ask("archivebox_list_snapshots", url=url)["structuredContent"][
            "nodes"
        ]
        if nodes and nodes[0]["status"] == "sealed":
            return nodes[0]
    pytest.fail(f"{url} was not archived: {nodes}")


async def delete(env: dict[str, str], folder: Path, snapshot_id: str) -> None:
    """Preview and confirm in one session, as an assistant does after asking its user."""
    parameters = StdioServerParameters(
        command=LAUNCHER[0], args=list(LAUNCHER[1:]), env=env, cwd=folder
    )
    async with Client(parameters) as client:
        wanted = {"snapshot_id": snapshot_id}
        preview = await client.call_tool("archivebox_delete_snapshot", wanted)
        confirm = json.loads(preview.content[0].text)["confirm"]  # type: ignore[union-attr]
        done = await client.call_tool("archivebox_delete_snapshot", {**wanted, "confirm": confirm})
    assert not done.is_error, done.content


def result_of(done: subprocess.CompletedProcess[str]) -> Record:
    """The result in the inspector's answer."""
    result: Record = json.loads(done.stdout)["result"]
    return result
