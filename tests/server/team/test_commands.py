"""`archive-mcp migrate`, as an administrator runs it."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.paths import ROOT
from tests.support.team.engines.postgres import PASSWORD

VARIABLE = "ARCHIVE_MCP_DATABASE_URL"


def run(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "archive_mcp.py"), "migrate"],
        env={**os.environ, VARIABLE: url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_says_what_it_applied_and_may_be_run_again(empty_database: str) -> None:
    first, second = run(empty_database), run(empty_database)
    assert first.returncode == second.returncode == 0, first.stderr
    assert "applied 0001_state\n" in first.stdout
    assert second.stdout == "The team's database has the schema of this version.\n"
    assert first.stderr == ""


def test_a_database_that_refuses_us_ends_with_the_status_of_a_bad_setting(
    empty_database: str,
) -> None:
    done = run(empty_database.replace(PASSWORD, "not-the-password"))
    assert done.returncode == 2
    assert VARIABLE in done.stderr
    assert "not-the-password" not in done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_address_it_says_what_to_set() -> None:
    done = run("")
    assert done.returncode == 2
    assert f"{VARIABLE} is not set" in done.stderr
