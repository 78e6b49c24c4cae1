"""What the MCP clients of this machine would start: a token in their files is not in a terminal."""

from __future__ import annotations

from argparse import ArgumentError, ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.doctor.report import Check
from server.settings import Settings, SettingsError, load
from server.settings.sources import find_working_folder
from server.settings.values import is_unexpanded
from server.setup.clients import CLIENTS, Client, Installed, find_clients
from server.setup.entries import Entry, find_server, read_object
from server.setup.files import FileError, read_text_file
from server.setup.jsonc import JsonError, JsonText
from server.setup.machine import Machine

NAMES = tuple(client.id for client in CLIENTS)

_SET_UP = "`archive-mcp setup` adds it, `archive-mcp setup --sandbox` without a token."
# What of a client's command line changes what the server starts with.
_OPTIONS = ArgumentParser(add_help=False, exit_on_error=False)
_OPTIONS.add_argument("--sandbox", action="store_true")
_OPTIONS.add_argument("--env-file", type=Path)
_OPTIONS.add_argument(
    "--read-only",
    action="store_const",
    dest="flags",
    const={"ARCHIVE_MCP_READ_ONLY": "on"},
    default={},
)
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


def check_clients(machine: Machine | None) -> ClientChecks:
    """Read the files of the clients on a machine, without starting anything; None has none."""
    if machine is None:
        return ClientChecks()
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
            except (SettingsError, ArgumentError) as error:
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
    for start in check_clients(machine).starts:
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
        content = JsonText(read_text_file(installed.file).text).content
    except JsonError:
        return servers
    local: dict[str, Any] = {}
    for project in read_object(content.get("projects")).values():
        local |= read_object(read_object(project).get("mcpServers"))
    return {**local, **servers}


def _load_start(machine: Machine, client: str, place: str, entry: Entry) -> Start:
    deferred = tuple(name for name, text in entry.env.items() if is_unexpanded(text.strip()))
    own = dict(entry.env)
    for name in deferred:
        del own[name]
    options, _ = _OPTIONS.parse_known_args(entry.options)
    settings = load(
        options.flags,
        sandbox=options.sandbox,
        env_file=options.env_file,
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
