"""The server for a team as a process: it starts, reads its policy again on SIGHUP, and ends in
order; the server over stdio knows nothing of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from server.sandbox import TOKEN
from server.team.identity.machine_keys import digest, make_key
from tests.support.paths import ROOT
from tests.support.team.processes import is_up, list_tools, run, send, serve, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

KEY = make_key()
POLICY = f"""
[[machine]]
name = "nightly"
key_sha256 = "{digest(KEY)}"
read_only = false
may_delete = true
"""
ARCHIVE = """
[archive.main]
token = { env = "TOKEN" }
"""
_SECONDS = 60.0
# Four a second are made.
_CALLS = 12


def test_it_serves_reads_its_policy_again_and_ends(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    with serve(tmp_path, ARCHIVE_MCP_POLICY=str(policy)) as (url, process):
        assert "archive_delete_collection" in list_tools(url, KEY).text
        assert list_tools(url, make_key()).status_code == 401

        policy.write_text(POLICY.replace("may_delete", "may_dlete"), encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert "archive_delete_collection" in list_tools(url, KEY).text
        policy.write_text(POLICY.replace("may_delete = true", ""), encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "archive_delete_collection" not in list_tools(url, KEY).text)
        policy.write_text(POLICY.replace("nightly", "daily"), encoding="utf-8")

        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=_SECONDS)
    assert process.returncode == 0
    assert "did you mean `may_delete`?" in log
    assert "No database" in log
    assert KEY not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_calls_under_way_are_answered_before_it_ends(version: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(ARCHIVE + POLICY + 'archive = "main"\n', encoding="utf-8")
    with (
        serve(tmp_path, ARCHIVE_MCP_POLICY=str(policy), TOKEN=TOKEN) as (url, process),
        ThreadPoolExecutor(_CALLS) as pool,
    ):
        ask = partial(send, url, KEY, "tools/call", version, name="archive_get_workspaces")
        calls = [pool.submit(ask, arguments={}) for _ in range(_CALLS)]
        wait_until(lambda: sum(call.done() for call in calls) >= 3)
        # They wait for the pace, longer than the server would need to end.
        under_way = [call for call in calls if not call.done()]
        process.send_signal(signal.SIGTERM)
        answers = [call.result() for call in calls]
        _, log = process.communicate(timeout=_SECONDS)
    assert len(under_way) > _CALLS // 2
    assert [(answer.status_code, "Northwind" in answer.text) for answer in answers] == [
        (200, True)
    ] * _CALLS
    assert process.returncode == 0
    assert "ERROR" not in log


@pytest.mark.parametrize(
    ("arguments", "environment", "word"),
    [
        (["--host", "192.0.2.1"], {}, "ARCHIVE_MCP_POLICY"),
        (["--workers", "2"], {}, "ARCHIVE_MCP_DATABASE_URL"),
        ([], {"ARCHIVE_MCP_POLICY": "/no/such/file"}, "cannot be read"),
        ([], {"ARCHIVE_MCP_STATE_KEYS": "short"}, "ARCHIVE_MCP_STATE_KEYS"),
    ],
)
def test_what_must_not_start_says_why(
    arguments: list[str], environment: dict[str, str], word: str, tmp_path: Path
) -> None:
    process = run(tmp_path, *arguments, **environment)
    _, log = process.communicate(timeout=_SECONDS)

    assert process.returncode == 2
    assert word in log
    assert "Traceback" not in log


def test_workers_share_an_address_and_are_replaced(tmp_path: Path, database_url: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    environment = {
        "ARCHIVE_MCP_POLICY": str(policy),
        "ARCHIVE_MCP_DATABASE_URL": database_url,
        "ARCHIVE_MCP_STATE_KEYS": "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=",
    }
    with serve(tmp_path, "--workers", "2", **environment) as (url, process):
        wait_until(lambda: len(children(process.pid)) == 2)
        first = children(process.pid)
        assert list_tools(url, KEY).status_code == 200

        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(children(process.pid)) == 2 and children(process.pid) != first)
        wait_until(lambda: is_up(url, process))
        assert list_tools(url, KEY).status_code == 200

        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_SECONDS)
        assert process.returncode == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in first)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(part) for part in text.split()]


def test_a_server_over_stdio_imports_nothing_of_it() -> None:
    code = (
        "import sys; import archive_mcp; sys.path.insert(0, str(archive_mcp.ROOT));"
        "import server.main, server.protocol.serving, server.dispatch, server.jobs;"
        "bad = [name for name in sys.modules if name.startswith(('server.team', 'psycopg', "
        "'procrastinate', 'yoyo', 'obstore', 'prometheus_client', 'redis'))];"
        "print(bad)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
