"""`archive-mcp team demo`, as an administrator runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.team.demo.play import COLLECTION, POSTS
from tests.support.paths import ROOT


def run(home: Path, action: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "archive_mcp.py"), "team", action],
        env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills processes with POSIX signals")
def test_two_people_work_while_processes_die(tmp_path: Path, empty_database: str) -> None:
    done = run(tmp_path, "demo", ARCHIVE_MCP_DATABASE_URL=empty_database)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{COLLECTION} holds {POSTS} posts." in done.stdout
    assert f"'done': {POSTS}}}" in done.stdout
    assert "READ_ONLY" in done.stdout
    assert "There is no job" in done.stdout
    assert "confirmed by token" in done.stdout
    assert done.stdout.endswith(
        "Nothing was lost. All processes have ended, and all data of this is gone.\n"
    )
    # Of the user's own folders it touches none.
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_none_is_said_so(tmp_path: Path) -> None:
    done = run(tmp_path, "demo", ARCHIVE_MCP_DATABASE_URL="mysql://somewhere/x")
    assert done.returncode == 2
    assert "ARCHIVE_MCP_DATABASE_URL is not an address like postgresql://" in done.stderr
