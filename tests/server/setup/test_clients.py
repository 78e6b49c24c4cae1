"""Where each client keeps its servers, on every system, and which of them are on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.setup.clients import find_clients
from server.setup.files import FileError
from server.setup.machine import Machine
from tests.support.clients import installed, make_machine

MAC = "Library/Application Support"


@pytest.mark.parametrize(
    ("platform", "id", "path"),
    [
        ("linux", "claude-desktop", ".config/Claude/claude_desktop_config.json"),
        ("darwin", "claude-desktop", f"{MAC}/Claude/claude_desktop_config.json"),
        ("win32", "claude-desktop", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("linux", "claude-code", ".claude.json"),
        ("linux", "codex", ".codex/config.toml"),
        ("win32", "cursor", ".cursor/mcp.json"),
        ("linux", "vscode", ".config/Code/User/mcp.json"),
        ("darwin", "vscode", f"{MAC}/Code/User/mcp.json"),
        ("win32", "vscode", "AppData/Roaming/Code/User/mcp.json"),
        ("darwin", "windsurf", ".codeium/windsurf/mcp_config.json"),
        ("linux", "gemini", ".gemini/settings.json"),
        ("win32", "lmstudio", ".lmstudio/mcp.json"),
        ("linux", "zed", ".config/zed/settings.json"),
        ("darwin", "zed", ".config/zed/settings.json"),
        ("win32", "zed", "AppData/Roaming/Zed/settings.json"),
    ],
)
def test_each_client_has_its_file_on_each_system(
    platform: str, id: str, path: str, tmp_path: Path
) -> None:
    machine = make_machine(tmp_path, platform)

    assert installed(machine, id).file == tmp_path.joinpath(*path.split("/"))


def test_a_folder_that_a_variable_names_is_the_one(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path, "win32", APPDATA=str(tmp_path / "roaming"), CODEX_HOME=str(tmp_path / "own")
    )

    assert installed(machine, "vscode").file == tmp_path / "roaming" / "Code" / "User" / "mcp.json"
    assert installed(machine, "codex").file == tmp_path / "own" / "config.toml"


def test_claude_desktop_of_the_store_has_a_folder_of_its_own(tmp_path: Path) -> None:
    machine = make_machine(tmp_path, "win32")
    folder = tmp_path / "AppData" / "Local" / "Packages" / "Claude_pzs8sxrjxfjjc"
    (folder / "LocalCache" / "Roaming" / "Claude").mkdir(parents=True)

    assert installed(machine, "claude-desktop").file.is_relative_to(folder)


def test_only_clients_on_the_machine_are_found(tmp_path: Path) -> None:
    machine = make_machine(tmp_path)
    assert find_clients(machine) == []

    (tmp_path / ".cursor").mkdir()
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".claude.json").write_text("{}")
    programs = {"codex": "/usr/bin/codex"}
    clients = find_clients(Machine(tmp_path, "linux", machine.environment, programs.get))

    assert [(item.client.id, item.program) for item in clients] == [
        ("claude-code", None),
        ("codex", "/usr/bin/codex"),
        ("cursor", None),
        ("gemini", None),
    ]


def test_the_servers_of_each_kind_of_file_are_read(tmp_path: Path) -> None:
    machine = make_machine(tmp_path)
    codex = installed(machine, "codex")
    codex.file.parent.mkdir()
    assert codex.read_servers() == {}

    codex.file.write_text('[mcp_servers.archive]\ncommand = "archive-mcp"\n')
    assert codex.read_servers() == {"archive": {"command": "archive-mcp"}}

    codex.file.write_text("mcp_servers = [")
    with pytest.raises(FileError, match="is broken"):
        codex.read_servers()


def test_a_host_hands_on_a_few_variables(tmp_path: Path) -> None:
    machine = make_machine(
        tmp_path, LANG="de_DE.UTF-8", HTTPS_PROXY="http://proxy", USER="zoë", ARCHIVE_APP_TOKEN="x"
    )

    assert set(machine.small_environment()) == {"HOME", "PATH", "USER"}
    windows = make_machine(tmp_path, "win32", APPDATA="x", SYSTEMROOT="y", SECRET="z")
    assert set(windows.small_environment()) == {"APPDATA", "PATH", "SYSTEMROOT"}
