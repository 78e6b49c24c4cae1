"""What setup would change in one client: shown first, then done, and nothing else touched."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.settings.keychain import SECRETS
from server.setup.clients import Installed
from server.setup.commands import CommandError, add_command, remove_command, run_command
from server.setup.entries import Entry, Request, find_server, is_ours, make_value, read_entry
from server.setup.files import FileError, read_text_file
from server.setup.jsonc import JsonError, JsonText
from server.setup.machine import Machine


class SetupError(Exception):
    """A client is left as it is; the message says why."""


@dataclass(frozen=True)
class Change:
    """An entry of a client before and after; None means that there is no entry."""

    installed: Installed
    name: str
    before: Any = None
    after: dict[str, Any] | None = None

    @property
    def is_needed(self) -> bool:
        """Whether anything would change."""
        return bool(self.before != self.after)

    @property
    def entry(self) -> Entry:
        """How the client starts the server afterwards."""
        return read_entry(self.after)

    @property
    def drops_secrets(self) -> bool:
        """Whether a secret leaves the client's file."""
        return not self._list_dropped().isdisjoint(SECRETS)

    def describe(self, machine: Machine) -> list[str]:
        """Return the lines that show what would be written, or run."""
        file = machine.shorten(self.installed.file)
        title = self.installed.client.title
        if not self.is_needed:
            return [f"{title}: {file} has it already"]
        if self.installed.client.program:
            return [f"{title}: run", *(f"  {shlex.join(line)}" for line in self._commands())]
        section = self.installed.client.section
        if self.after is None:
            return [f"{title}: take {self.name!r} out of {section!r} in {file}"]
        verb = "add to" if self.before is None else "change in"
        # The user's own values may be secret, and they stay as they are.
        value = dict(self.after)
        if "env" in value:
            value["env"] = dict.fromkeys(value["env"], "(as it is)")
        text = json.dumps({self.name: value}, ensure_ascii=False, indent=2)
        dropped = [f"  (its own {name} leaves the file)" for name in sorted(self._list_dropped())]
        return [f"{title}: {verb} {section!r} in {file}", *text.splitlines()[1:-1], *dropped]

    def _list_dropped(self) -> set[str]:
        return read_entry(self.before).env.keys() - self.entry.env.keys()

    def apply(self, machine: Machine) -> Path | None:
        """Make the change and return the backup of the file, where there is one.

        Raises:
            SetupError: It could not be made.
        """
        try:
            if self.installed.client.program:
                return self._run(machine)
            return self._write()
        except (FileError, JsonError, CommandError) as error:
            raise SetupError(str(error)) from None

    def _write(self) -> Path | None:
        file = read_text_file(self.installed.file)
        path = (self.installed.client.section, self.name)
        before = JsonText(file.text)
        if self.after is None:
            text = before.remove_member(path)
        else:
            text = before.set_member(path, self.after)
        _check_rest(before.content, JsonText(text).content, path, self.after)
        return file.replace(text)

    def _run(self, machine: Machine) -> Path | None:
        backup = _copy(self.installed.file)
        if self.before is not None:
            run_command(machine, remove_command(self.installed, self.name))
        if self.after is None:
            return backup
        try:
            run_command(machine, add_command(self.installed, self.name, self.after))
        except CommandError:
            if self.before is not None:
                with suppress(CommandError):
                    run_command(machine, add_command(self.installed, self.name, self.before))
            raise
        return backup

    def _commands(self) -> list[list[str]]:
        commands: list[list[str]] = []
        if self.before is not None:
            commands.append(remove_command(self.installed, self.name))
        if self.after is not None:
            commands.append(add_command(self.installed, self.name, self.after))
        return commands


def plan_addition(installed: Installed, name: str, request: Request) -> Change:
    """Return the change that makes a client start this server.

    Raises:
        SetupError: Its file cannot be read, or the name belongs to another server.
    """
    servers = _read_servers(installed)
    ours = list(find_server(servers))
    if name not in servers and len(ours) == 1:
        name = ours[0]
    old = servers.get(name)
    if old is not None and not is_ours(read_entry(old)):
        raise SetupError(f"It has another server called {name!r}: choose a name by --name.")
    _check_program(installed)
    value = make_value(installed, old, request)
    return Change(installed, name, old, value)


def plan_removals(installed: Installed) -> list[Change]:
    """Return the changes after which a client starts this server no more.

    Raises:
        SetupError: Its file cannot be read.
    """
    servers = _read_servers(installed)
    names = list(find_server(servers))
    if names:
        _check_program(installed)
    return [Change(installed, name, servers[name]) for name in names]


def _read_servers(installed: Installed) -> dict[str, Any]:
    try:
        return installed.read_servers()
    except FileError as error:
        raise SetupError(f"{error} It stays as it is.") from None


def _check_program(installed: Installed) -> None:
    program = installed.client.program
    if program and not installed.program:
        raise SetupError(
            f"The command `{program}` is not on the PATH, and only it can change that."
        )


def _check_rest(
    before: Mapping[str, Any], after: Mapping[str, Any], path: tuple[str, str], value: Any
) -> None:
    """Raise a SetupError where anything but the one entry would change."""
    section, name = path
    expected = {**before, section: {**before.get(section, {}), name: value}}
    if value is None:
        del expected[section][name]
    if after != expected:
        raise SetupError("The file has a form that cannot be edited safely. It stays as it is.")


def _copy(path: Path) -> Path | None:
    """Write a backup of a file that a client's own command will change."""
    return read_text_file(path).back_up()
