"""The MCP clients that setup knows: where each keeps its servers, and in which shape.

The places are those of the clients' own manuals. Those of Windows and macOS are tried with
stand-ins for the system alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.setup.files import FileError, read_text_file
from server.setup.jsonc import JsonError, JsonText
from server.setup.machine import Machine

# Claude Desktop from Microsoft's store sees a folder of its own in the place of %APPDATA%.
_STORE_CLAUDE = ("Packages", "Claude_pzs8sxrjxfjjc", "LocalCache", "Roaming", "Claude")


@dataclass(frozen=True)
class Client:
    """A program that starts MCP servers.

    Args:
        id: what it is called on the command line.
        title: what people call it.
        file: returns the path of the file with its servers.
        section: the member of that file that holds the servers by name.
        extra: what an entry needs besides `command` and `args`.
        program: the program whose own command adds a server, where it has one.
        restart: what the user does for the change to count.
    """

    id: str
    title: str
    file: Callable[[Machine], Path]
    section: str = "mcpServers"
    extra: Mapping[str, Any] = field(default_factory=dict)
    program: str = ""
    restart: str = "Restart it."


@dataclass(frozen=True)
class Installed:
    """A client that is on this machine; `file` is where its servers are."""

    client: Client
    file: Path
    program: str | None = None

    def read_servers(self) -> dict[str, Any]:
        """Return its entries by name.

        Raises:
            FileError: The file cannot be read, or is not of the expected form.
        """
        file = read_text_file(self.file)
        section: Any
        try:
            if self.file.suffix == ".toml":
                section = tomllib.loads(file.text).get(self.client.section)
            else:
                section = JsonText(file.text).content.get(self.client.section)
        except (JsonError, tomllib.TOMLDecodeError) as error:
            raise FileError(f"{self.file} is broken ({error}).") from None
        if section is None:
            return {}
        if not isinstance(section, dict):
            raise FileError(f'{self.file} is broken ("{self.client.section}" is no object).')
        return section


def find_clients(machine: Machine) -> list[Installed]:
    """Return the clients that are on this machine."""
    return list(_list_installed(machine))


def _list_installed(machine: Machine) -> Iterator[Installed]:
    for client in CLIENTS:
        file = client.file(machine)
        program = machine.which(client.program)
        # Without its program nothing can be added, but what is there can be read. The others make
        # their folder when they are first started.
        trace = file if client.program else file.parent
        if program or trace.exists():
            yield Installed(client, file, program)


def _claude_desktop(machine: Machine) -> Path:
    if machine.platform == "darwin":
        folder = machine.home / "Library" / "Application Support" / "Claude"
    elif machine.platform == "win32":
        folder = machine.folder("LOCALAPPDATA", "AppData", "Local").joinpath(*_STORE_CLAUDE)
        if not folder.is_dir():
            folder = machine.folder("APPDATA", "AppData", "Roaming") / "Claude"
    else:
        folder = machine.folder("XDG_CONFIG_HOME", ".config") / "Claude"
    return folder / "claude_desktop_config.json"


def _claude_code(machine: Machine) -> Path:
    return machine.folder("CLAUDE_CONFIG_DIR") / ".claude.json"


def _codex(machine: Machine) -> Path:
    return machine.folder("CODEX_HOME", ".codex") / "config.toml"


def _vs_code(machine: Machine) -> Path:
    if machine.platform == "darwin":
        folder = machine.home / "Library" / "Application Support"
    elif machine.platform == "win32":
        folder = machine.folder("APPDATA", "AppData", "Roaming")
    else:
        folder = machine.folder("XDG_CONFIG_HOME", ".config")
    return folder / "Code" / "User" / "mcp.json"


def _zed(machine: Machine) -> Path:
    if machine.platform == "win32":
        folder = machine.folder("APPDATA", "AppData", "Roaming") / "Zed"
    elif machine.platform == "darwin":
        folder = machine.home / ".config" / "zed"
    else:
        folder = machine.folder("XDG_CONFIG_HOME", ".config") / "zed"
    return folder / "settings.json"


def _in_home(*parts: str) -> Callable[[Machine], Path]:
    return lambda machine: machine.home.joinpath(*parts)


CLIENTS = (
    Client(
        "claude-code",
        "Claude Code",
        _claude_code,
        program="claude",
        restart="Start a new session, or reconnect by /mcp.",
    ),
    Client(
        "claude-desktop",
        "Claude Desktop",
        _claude_desktop,
        restart="Quit it (closing the window is not enough) and start it again.",
    ),
    Client("codex", "Codex", _codex, section="mcp_servers", program="codex"),
    Client("cursor", "Cursor", _in_home(".cursor", "mcp.json")),
    Client(
        "vscode",
        "VS Code",
        _vs_code,
        section="servers",
        extra={"type": "stdio"},
        restart="Run the command `MCP: List Servers` and start it there.",
    ),
    Client("windsurf", "Windsurf", _in_home(".codeium", "windsurf", "mcp_config.json")),
    Client("gemini", "Gemini CLI", _in_home(".gemini", "settings.json")),
    Client("lmstudio", "LM Studio", _in_home(".lmstudio", "mcp.json")),
    Client("zed", "Zed", _zed, section="context_servers", extra={"source": "custom"}),
)
