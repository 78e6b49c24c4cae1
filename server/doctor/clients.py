"""What the MCP clients of this machine would start: a token in their files is not in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.doctor.report import Check
from server.settings import Settings, SettingsError, load
from server.settings.sources import find_working_folder
from server.settings.values import is_unexpanded
from server.setup.clients import CLIENTS, Client, Installed, find_clients
from server.setup.entries import Entry, find_server
from server.setup.files import FileError, read_text_file
from server.setup.jsonc import JsonError, JsonText
from server.setup.machine import Machine

NAMES = tuple(client.id for client in CLIENTS)

_SET_UP = "`archive-mcp setup` adds it, `archive-mcp setup --sandbox` without a token."
_PROJECT = Client(
    "claude-code", "Claude Code in this folder", lambda _: Path(".mcp.json"), program="claude"
)


@dataclass(frozen=True)
class Start:
    """How a client starts this server.

    Args:
        place: the client and its file, in words.
        deferred: the variables that the client itself fills in when it starts the server.
    """

    client: str
    place: str
    entry: Entry
    settings: Settings
    deferred: tuple[str, ...] = ()

    @property
    def is_configured(self) -> bool:
        """Whether the server would have anything to connect to."""
        return (
            self.settings.archive_configured
            or self.settings.archivebox_configured
            or "ARCHIVE_APP_TOKEN" in self.deferred
        )


@dataclass(frozen=True)
class ClientChecks:
    """What the clients' files hold: how each starts the server, and what is wrong with them."""

    starts: list[Start] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


def check_clients(machine: Machine) -> ClientChecks:
    """Read the files of the clients on this machine, without starting anything."""
    starts: list[Start] = []
    checks: list[Check] = []
    for installed in _list_files(machine):
        try:
            servers = _read_servers(installed)
        except FileError as error:
            checks.append(Check("clients", "warn", f"{installed.client.title}: {error}"))
            continue
        for name, entry in find_server(servers).items():
            place = f"{installed.client.title} ({machine.shorten(installed.file)}, {name!r})"
            try:
                start = _load_start(machine, installed.client.id, place, entry)
            except SettingsError as error:
                checks.append(Check("clients", "warn", f"{place} cannot start: {error}"))
                continue
            starts.append(start)
            checks += _check_start(machine, start)
    if not starts and not checks:
        detail = "No client that is known here starts this server yet."
        checks.append(Check("clients", "note", detail, _SET_UP))
    return ClientChecks(starts, checks)


def load_as_client(machine: Machine | None, name: str) -> Settings:
    """Return the settings that a client would start this server with.

    Raises:
        SettingsError: It does not start this server.
    """
    starts = check_clients(machine).starts if machine else []
    for start in starts:
        if start.client == name:
            return start.settings
    raise SettingsError(f"--client {name}: it does not start this server. {_SET_UP}")


def _list_files(machine: Machine) -> Iterator[Installed]:
    yield from find_clients(machine)
    folder = find_working_folder()
    file = folder / ".mcp.json" if folder else None
    if file and file.is_file():
        yield Installed(_PROJECT, file)


def _read_servers(installed: Installed) -> Mapping[str, Any]:
    servers = installed.read_servers()
    if installed.client.id != "claude-code":
        return servers
    # `claude mcp add` without a scope adds a server to one project alone.
    try:
        projects = JsonText(read_text_file(installed.file).text).content.get("projects")
    except JsonError:
        return servers
    local: dict[str, Any] = {}
    for project in (projects if isinstance(projects, dict) else {}).values():
        section = project.get("mcpServers") if isinstance(project, dict) else None
        local |= section if isinstance(section, dict) else {}
    return {**local, **servers}


def _load_start(machine: Machine, client: str, place: str, entry: Entry) -> Start:
    deferred = tuple(name for name, text in entry.env.items() if is_unexpanded(text.strip()))
    own = {name: text for name, text in entry.env.items() if name not in deferred}
    flags = {"ARCHIVE_MCP_READ_ONLY": "on"} if "--read-only" in entry.options else {}
    env_file = _read_option(entry.options, "--env-file")
    settings = load(
        flags,
        sandbox="--sandbox" in entry.options,
        env_file=Path(env_file) if env_file else None,
        environment={**machine.small_environment(), **own},
        folder=machine.home,
        home=machine.home,
    )
    return Start(client, place, entry, settings, deferred)


def _check_start(machine: Machine, start: Start) -> Iterator[Check]:
    if problem := _find_program_problem(machine, start.entry.command):
        hint = "`archive-mcp setup` writes it anew."
        yield Check("clients", "warn", f"{start.place} starts {problem}.", hint)
        return
    for warning in start.settings.warnings:
        yield Check("clients", "warn", f"{start.place}: {warning}")
    if start.is_configured:
        yield Check("clients", "ok", f"{start.place} starts with {_describe(start)}")
        return
    hint = "`archive-mcp setup` stores a token for all clients; --sandbox needs none."
    yield Check("clients", "warn", f"{start.place} starts without a token.", hint)


def _describe(start: Start) -> str:
    settings = start.settings
    if settings.sandbox:
        return "the sandbox"
    parts: list[str] = []
    if "ARCHIVE_APP_TOKEN" in start.deferred:
        text = start.entry.env["ARCHIVE_APP_TOKEN"]
        parts.append(f"the Archive token that it puts in the place of {text}")
    elif settings.token:
        parts.append(f"the Archive token {settings.describe_source('ARCHIVE_APP_TOKEN')}")
    if settings.archivebox_configured:
        parts.append(f"the ArchiveBox {settings.describe_source('ARCHIVEBOX_URL')}")
    if settings.read_only:
        parts.append("read-only")
    return ", ".join(parts)


def _find_program_problem(machine: Machine, command: str) -> str:
    """Return the command with what is wrong with it; empty where it can be started."""
    path = Path(command)
    if path.is_absolute():
        return "" if path.exists() else f"{command}, which does not exist"
    if machine.which(command):
        return ""
    return f"{command}, which is not on the PATH (a whole path always works)"


def _read_option(options: list[str], name: str) -> str:
    for place, option in enumerate(options):
        if option == name and place + 1 < len(options):
            return options[place + 1]
        if option.startswith(f"{name}="):
            return option.partition("=")[2]
    return ""
