"""What the doctor reads in the files of clients: which would start with what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.doctor import investigate, load_as_client
from server.doctor.clients import check_clients
from server.doctor.report import Check
from server.limiter import Pacer
from server.settings import SettingsError
from server.settings.keychain import Keychain, KeychainError
from server.settings.values import KEYCHAIN
from server.setup.machine import Machine
from tests.support.clients import make_machine
from tests.support.doctored import check, examined, given, paced, tools

TOKEN = "arch_live_unmistakable_9f3a77"
PLACE = "Cursor (~/.cursor/mcp.json, 'archive')"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A computer with Cursor and a program of this server."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    home = tmp_path / "home"
    (home / ".cursor").mkdir(parents=True)
    (home / "archive-mcp").touch()
    return make_machine(home)


def put(machine: Machine, env: dict[str, str], *arguments: str, command: str = "") -> None:
    """Write an entry into Cursor's file."""
    entry = {"command": command or str(machine.home / "archive-mcp"), "args": arguments}
    path = machine.home / ".cursor" / "mcp.json"
    path.write_text(json.dumps({"mcpServers": {"archive": {**entry, "env": env}, "x": {}}}))


def only_check(machine: Machine) -> Check:
    (result,) = check_clients(machine).checks
    return result


@pytest.mark.parametrize(
    ("env", "detail"),
    [
        ({"ARCHIVE_APP_TOKEN": TOKEN}, "starts with the Archive token from environment"),
        (
            {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_MCP_READ_ONLY": "on"},
            "starts with the Archive token from environment, read-only",
        ),
        (
            {"ARCHIVEBOX_URL": "http://127.0.0.1:8000"},
            "starts with the ArchiveBox from environment",
        ),
        (
            {"ARCHIVE_APP_TOKEN": "${ARCHIVE_APP_TOKEN}"},
            "starts with the Archive token that it puts in the place of ${ARCHIVE_APP_TOKEN}",
        ),
    ],
)
def test_what_a_client_would_start_with_is_said(
    machine: Machine, env: dict[str, str], detail: str
) -> None:
    put(machine, env)

    assert only_check(machine) == Check("clients", "ok", f"{PLACE} {detail}")


def test_what_is_stored_for_all_clients_counts_for_each(machine: Machine) -> None:
    put(machine, {})
    assert only_check(machine).detail == f"{PLACE} starts without a token."
    assert "archive-mcp setup" in only_check(machine).hint
    assert "--sandbox" in only_check(machine).hint

    (machine.home / ".env.shared").write_text(f"ARCHIVE_APP_TOKEN={TOKEN}")
    assert only_check(machine).detail.endswith("the Archive token from ~/.env.shared")

    (machine.home / ".env.shared").write_text(f"ARCHIVE_APP_TOKEN={KEYCHAIN}")
    assert only_check(machine).detail.endswith("from the keychain, which ~/.env.shared names")


def test_the_sandbox_needs_nothing(machine: Machine) -> None:
    put(machine, {}, "--sandbox", "--read-only")

    assert only_check(machine).detail == f"{PLACE} starts with the sandbox"


def test_a_placeholder_is_no_token(machine: Machine) -> None:
    put(machine, {"ARCHIVE_APP_TOKEN": "paste-your-archive-token-here"})

    first, second = check_clients(machine).checks
    assert "is the placeholder of an example" in first.detail
    assert second.detail == f"{PLACE} starts without a token."


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("/gone/bin/archive-mcp", "/gone/bin/archive-mcp, which does not exist"),
        ("archive-mcp", "archive-mcp, which is not on the PATH (a whole path always works)"),
    ],
)
def test_a_program_that_is_not_there_is_a_warning(
    machine: Machine, command: str, problem: str
) -> None:
    put(machine, {"ARCHIVE_APP_TOKEN": TOKEN}, command=command)

    assert only_check(machine) == Check(
        "clients",
        "warn",
        f"{PLACE} starts {problem}.",
        "`archive-mcp setup` writes it anew.",
    )


def test_settings_that_cannot_be_used_are_quoted(machine: Machine) -> None:
    put(machine, {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_MCP_CONFIRM": "perhaps"})

    assert only_check(machine).detail.startswith(f"{PLACE} cannot start: ARCHIVE_MCP_CONFIRM must")


def test_without_a_client_the_next_step_is_named(machine: Machine) -> None:
    result = only_check(machine)

    assert (result.status, "archive-mcp setup --sandbox" in result.hint) == ("note", True)


def test_claude_code_has_servers_of_projects_and_of_the_open_folder(machine: Machine) -> None:
    entry = {"command": str(machine.home / "archive-mcp"), "env": {"ARCHIVE_APP_TOKEN": TOKEN}}
    servers = {"mcpServers": {"archive": entry}}
    (machine.home / ".claude.json").write_text(json.dumps({"projects": {"/a": servers, "/b": 5}}))
    Path(".mcp.json").write_text(json.dumps(servers))

    places = [start.place.partition(" (")[0] for start in check_clients(machine).starts]

    assert places == ["Claude Code", "Claude Code in this folder"]


async def test_a_token_that_only_a_client_has_is_no_failure_of_a_terminal(
    machine: Machine, tmp_path: Path
) -> None:
    put(machine, {"ARCHIVE_APP_TOKEN": TOKEN})
    pacer = paced(Pacer)

    report = await investigate(given(tmp_path), tools(), pacer, live=False, machine=machine)

    assert report.ok
    assert check(report, "token").detail.endswith("clients have their own: cursor.")
    assert "archive-mcp doctor --client cursor" in check(report, "token").hint
    assert TOKEN not in report.render()


def test_a_client_can_be_checked_with_what_it_has(machine: Machine) -> None:
    with pytest.raises(SettingsError, match="--client cursor: it does not start this server"):
        load_as_client(machine, "cursor")

    put(machine, {"ARCHIVE_APP_TOKEN": TOKEN})
    token = load_as_client(machine, "cursor").token

    assert token
    assert token.reveal() == TOKEN


async def test_the_keychain_is_read_before_its_token_is_shown_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keychain, "read", lambda *_: TOKEN)
    (tmp_path / ".env.shared").write_text(
        f"ARCHIVE_APP_TOKEN={KEYCHAIN}\nARCHIVE_API_URL=http://127.0.0.1:9/api/v2"
    )

    report = await examined(given(tmp_path))

    assert (
        "ARCHIVE_APP_TOKEN = ...3a77 (from the keychain, which ~/.env.shared names)"
        in report.render()
    )
    assert TOKEN not in report.render()
    assert check(report, "api").status == "fail"


async def test_a_keychain_that_does_not_answer_is_one_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise KeychainError("it is locked")

    monkeypatch.setattr(Keychain, "read", fail)
    (tmp_path / ".env.shared").write_text(
        f"ARCHIVE_APP_TOKEN={KEYCHAIN}\nARCHIVEBOX_URL=http://127.0.0.1:9\n"
    )

    report = await examined(given(tmp_path), live=True)

    assert "it is locked" in check(report, "keychain").detail
    assert not any(line.name == "api" for line in report.checks)
    assert not report.ok
