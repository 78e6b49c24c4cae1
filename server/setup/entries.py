"""What a client's entry for this server says: how it is started, and what of an old one stays."""

from __future__ import annotations

import json
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from itertools import filterfalse
from pathlib import Path, PurePath
from typing import Any, TypeVar

from server.setup.clients import Installed
from server.setup.machine import Machine

DISTRIBUTION = "archive-mcp-server"
Kind = TypeVar("Kind", str, list[Any], dict[Any, Any])

# How a command of ours ends: as a script, with and without .exe, or as the launcher itself.
_PROGRAMS = frozenset({"archive-mcp", "archive-mcp-server", "archive_mcp"})
# The folders that uv and pipx empty whenever they like.
_PASSING = frozenset({"archive-v0", "builds-v0", ".tmp"})


@dataclass(frozen=True)
class Entry:
    """How a client starts a server."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> list[str]:
        """The command line."""
        return [self.command, *self.args]

    @property
    def options(self) -> list[str]:
        """What stands behind the program itself, in a line of ours."""
        # Without our program it begins with the first word, which is none then.
        return list(filter(None, self.line[_find_program(self.line) + 1 :]))


@dataclass(frozen=True)
class Request:
    """What the user wants of every entry.

    Args:
        program: the command line that starts this server.
        replaced: the variables that the user gave anew: they leave the entries.
        stored: what is stored elsewhere already: the same value leaves an entry, another stays.
    """

    program: tuple[str, ...]
    sandbox: bool = False
    read_only: bool = False
    replaced: frozenset[str] = frozenset()
    stored: Mapping[str, str] = field(default_factory=dict)

    def makes_superfluous(self, variable: tuple[str, str]) -> bool:
        """Return whether a variable of an entry has to leave it."""
        name, value = variable
        return name in self.replaced or self.stored.get(name) == value

    @property
    def options(self) -> list[str]:
        """The options of the command line."""
        switches = {"--sandbox": self.sandbox, "--read-only": self.read_only}
        return [name for name, is_on in switches.items() if is_on]


def find_program(launcher: Path, machine: Machine) -> tuple[str, ...]:
    """Return the command line that starts this installation, for a client of this user.

    Args:
        launcher: the file that this process was started with.
    """
    uvx = machine.which("uvx")
    # Such an environment is gone with the next `uv cache clean`: uvx makes it anew.
    if uvx and not _PASSING.isdisjoint(launcher.parts):
        return (uvx, *_find_origin(), DISTRIBUTION)
    ending = ".exe" if machine.platform == "win32" else ""
    script = Path(sysconfig.get_path("scripts")) / f"archive-mcp{ending}"
    if script.is_file():
        return (str(script),)
    return (sys.executable, str(launcher.resolve()))


def read_entry(value: Any) -> Entry:
    """Return an entry of a client's file; its command is empty where it starts no program."""
    content = _require(value, dict)
    args = _require(content.get("args"), list)
    env = _require(content.get("env"), dict)
    # People write numbers and switches without quotes, which clients pass on as text.
    texts = {str(name): str(text) for name, text in env.items()}
    return Entry(_require(content.get("command"), str), tuple(map(str, args)), texts)


def read_object(value: Any) -> dict[Any, Any]:
    """Return an object of a client's file; an empty one in the place of anything else."""
    return _require(value, dict)


def _require(value: Any, kind: type[Kind]) -> Kind:
    return value if isinstance(value, kind) else kind()


def is_ours(entry: Entry) -> bool:
    """Return whether an entry starts this server, in whatever installation."""
    return _find_program(entry.line) >= 0


def make_value(installed: Installed, old: Any, request: Request) -> dict[str, Any]:
    """Return the entry to write; whatever the user added to an old one stays in it.

    Args:
        old: what the client's file holds under that name, if it is ours.
    """
    entry = read_entry(old)
    # A token in the place of the sandbox, or the other way round; whatever else there is stays.
    replaced = {"--sandbox", *request.options}
    line = [*request.program, *filterfalse(replaced.__contains__, entry.options), *request.options]
    env = dict(filterfalse(request.makes_superfluous, entry.env.items()))
    before = {**installed.client.extra, **_require(old, dict)}
    # Nothing else counts: some clients write out what is empty, others leave it out.
    if [entry.line, dict(entry.env)] == [line, env]:
        return before
    value = {**before, "command": line[0], "args": line[1:]}
    if entry.env:
        value["env"] = env
    return value


def find_server(servers: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the entries that start this server, by name."""
    entries = dict(zip(servers, map(read_entry, servers.values()), strict=True))
    return {name: entry for name, entry in entries.items() if is_ours(entry)}


def _find_program(line: Sequence[str]) -> int:
    """Return the place of our program in a command line; -1 where it has none."""
    for place, word in enumerate(line):
        # Both kinds of paths, whatever system this runs on.
        name = PurePath(word.replace("\\", "/")).name.lower()
        if name.removesuffix(".exe").removesuffix(".py") in _PROGRAMS:
            return place
    return -1


def _find_origin() -> list[str]:
    """Return where uvx takes this server from: where it was installed from."""
    with suppress(metadata.PackageNotFoundError, ValueError, KeyError):
        # None, and so an error, where it came from an index: there the name is enough.
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or ""
        origin = json.loads(text)
        if "vcs_info" not in origin:
            return ["--from", str(origin["url"])]
        version = origin["vcs_info"]
        # What the user asked for, a tag above all; without it the newest, as the first time.
        revision = version.get("requested_revision")
        suffix = f"@{revision}" if revision else ""
        return ["--from", f"{version['vcs']}+{origin['url']}{suffix}"]
    return []
