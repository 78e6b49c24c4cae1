"""`archive-mcp migrate`, as an administrator runs it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from server.redaction import redact
from server.settings import SettingsError
from server.team.store.command import VARIABLE, read_database_url
from tests.support.paths import ROOT
from tests.support.team.postgres import PASSWORD


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


@pytest.mark.parametrize(
    "value",
    ["", "  ", "host=db dbname=team", "mysql://db/team", "postgresql://db", "postgresql:///x"],
)
def test_what_is_no_address_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://user:password@host:5432/archive_mcp"):
        read_database_url({VARIABLE: value})


def test_the_password_is_a_secret_of_the_process_in_any_spelling() -> None:
    read_database_url({VARIABLE: "postgresql://ann:pass%2Fword-of-ann@db/team"})
    assert redact("it was pass/word-of-ann") == "it was [secret]"
