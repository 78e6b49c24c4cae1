"""What an entry of a client says, and which entries are this server's."""

from __future__ import annotations

import json
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from server.setup.commands import add_command, remove_command
from server.setup.entries import Request, find_program, is_ours, make_value, read_entry
from server.setup.machine import Machine
from tests.support.clients import installed, make_machine

UVX = ["uvx", "--from", "git+https://x.example/a", "archive-mcp-server"]


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (["/venv/bin/archive-mcp"], True),
        (["C:\\venv\\Scripts\\archive-mcp.exe", "--sandbox"], True),
        (["/usr/bin/python3", "/src/archive_mcp.py"], True),
        (UVX, True),
        (["archive-mcp-server"], True),
        (["uvx", "archive-mcp-tools"], False),
        (["/usr/bin/node", "/archive-mcp/index.js"], False),
        (["npx", "-y", "archive"], False),
    ],
)
def test_an_entry_is_known_by_the_program_that_it_starts(command: list[str], ours: bool) -> None:
    assert is_ours(read_entry({"command": command[0], "args": command[1:]})) is ours


@pytest.mark.parametrize("value", [None, [], "archive-mcp", {"url": "x"}, {"command": 5}])
def test_what_starts_no_program_is_nobodys(value: Any) -> None:
    assert read_entry(value).command == ""
    assert not is_ours(read_entry(value))


def test_odd_members_of_an_entry_do_no_harm() -> None:
    entry = read_entry({"command": "archive-mcp", "args": {"a": 1}, "env": {"A": 1, "B": True}})

    assert (entry.line, dict(entry.env)) == (["archive-mcp"], {"A": "1", "B": "True"})


def test_the_options_of_an_old_entry_stay_behind_the_new_program(tmp_path: Path) -> None:
    cursor = installed(make_machine(tmp_path), "cursor")
    old = {"command": UVX[0], "args": [*UVX[1:], "--sandbox", "--log-level", "DEBUG"]}

    value = make_value(cursor, old, Request(("/new/archive-mcp",), read_only=True))

    assert value["args"] == ["--log-level", "DEBUG", "--read-only"]


def test_each_client_gets_what_its_form_asks_for(tmp_path: Path) -> None:
    machine = make_machine(tmp_path)
    request = Request(("/bin/archive-mcp",), sandbox=True)
    basis = {"command": "/bin/archive-mcp", "args": ["--sandbox"]}

    for id, extra in (("cursor", {}), ("vscode", {"type": "stdio"}), ("zed", {"source": "custom"})):
        assert make_value(installed(machine, id), None, request) == {**extra, **basis}


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        (
            {"url": "https://x.example/a.git", "vcs_info": {"vcs": "git"}},
            ["--from", "git+https://x.example/a.git"],
        ),
        (
            {"url": "ssh://x/a", "vcs_info": {"vcs": "git", "requested_revision": "v1"}},
            ["--from", "git+ssh://x/a@v1"],
        ),
        ({"url": "file:///a.whl", "archive_info": {}}, ["--from", "file:///a.whl"]),
        # From an index: the name is enough.
        (None, []),
    ],
)
def test_an_environment_that_will_be_gone_is_made_anew_by_uvx(
    origin: Any, source: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installation:
        def read_text(self, name: str) -> str | None:
            if origin is None:
                return None
            return json.dumps(origin)

    monkeypatch.setattr(metadata, "distribution", lambda name: Installation())
    launcher = tmp_path / "uv" / "archive-v0" / "x1" / "archive_mcp.py"
    machine = Machine(tmp_path, which=lambda name: f"/bin/{name}")

    assert find_program(launcher, machine) == ("/bin/uvx", *source, "archive-mcp-server")


def test_a_checkout_without_a_script_is_started_by_its_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    launcher = tmp_path / "archive_mcp.py"

    assert find_program(launcher, make_machine(tmp_path)) == (sys.executable, str(launcher))
    script = tmp_path / "archive-mcp"
    script.touch()
    assert find_program(launcher, make_machine(tmp_path)) == (str(script),)


def test_the_commands_of_clients_take_no_secret(tmp_path: Path) -> None:
    machine = make_machine(tmp_path)
    value = {"command": "/a b/archive-mcp", "args": ["--sandbox"], "env": {"A": "1"}}
    claude = installed(machine, "claude-code", "/bin/claude")
    codex = installed(machine, "codex", "/bin/codex")

    assert add_command(claude, "archive", value) == [
        *["/bin/claude", "mcp", "add", "archive", "--scope", "user", "--env", "A=1"],
        *["--", "/a b/archive-mcp", "--sandbox"],
    ]
    assert add_command(codex, "archive", value) == [
        *["/bin/codex", "mcp", "add", "archive", "--env", "A=1"],
        *["--", "/a b/archive-mcp", "--sandbox"],
    ]
    assert remove_command(claude, "x") == ["/bin/claude", "mcp", "remove", "x", "--scope", "user"]
    assert remove_command(codex, "x") == ["/bin/codex", "mcp", "remove", "x"]
