"""Where setup gets its values: flags, stdin, the environment, a client's file, or the user."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server.redaction import learn
from server.settings import SettingsError
from server.settings.keychain import SECRETS
from server.settings.sources import KEYS, collect
from server.settings.values import KEYCHAIN, clean_key, is_placeholder, is_unexpanded
from server.setup.clients import Installed
from server.setup.entries import find_server
from server.setup.files import FileError
from server.setup.machine import Machine

CONNECTION = (
    "ARCHIVE_APP_TOKEN",
    "ARCHIVE_WORKSPACE_ID",
    "ARCHIVE_API_URL",
    "ARCHIVEBOX_URL",
    "ARCHIVEBOX_API_KEY",
    "ARCHIVEBOX_USERNAME",
    "ARCHIVEBOX_PASSWORD",
    "ARCHIVEBOX_CA_BUNDLE",
    "ARCHIVE_MCP_CA_BUNDLE",
)
"""The variables that say where to connect and with which secret."""

_FLAGS = {"workspace": "ARCHIVE_WORKSPACE_ID", "archivebox_url": "ARCHIVEBOX_URL"}


_CLIENT = "the configuration of"
_VARIABLE = re.compile("[A-Z][A-Z_]+")


@dataclass
class Answers:
    """The values to store, and in words where those came from that nobody typed."""

    values: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def add(self, values: Mapping[str, str], origin: str) -> None:
        """Add values for variables that have none yet; empty ones do not count."""
        fresh = {name: values[name] for name in CONNECTION if values.get(name)}
        self.values = {**fresh, **self.values}
        self.origins = {**dict.fromkeys(fresh, origin), **self.origins}
        # Whatever is printed from now on leaves them out.
        learn(*(self.values.get(name, "") for name in SECRETS))

    def drop(self, names: Iterable[str]) -> None:
        """Take values back."""
        for name in names:
            self.values.pop(name, None)
            self.origins.pop(name, None)

    def skip(self, stored: Mapping[str, str]) -> None:
        """Take back what is stored already, with the same value."""
        same = self.values.items() & stored.items()
        self.drop(name for name, _ in same)

    def list_replaced(self) -> frozenset[str]:
        """Return the secrets that the user gave, and not a client's file."""
        adopted = {name for name, origin in self.origins.items() if origin.startswith(_CLIENT)}
        return frozenset(self.values.keys() & set(SECRETS)) - adopted

    def describe_origins(self) -> list[str]:
        """Return a line for each value: where it comes from."""
        return [f"({name} comes from {origin})" for name, origin in self.origins.items()]


def gather(
    options: Namespace, machine: Machine, clients: Iterable[Installed], stored: Mapping[str, str]
) -> Answers:
    """Return what can be had without asking; the first of the sources that has a value counts.

    Args:
        stored: what is stored already, which a client's file does not outrank.

    Raises:
        SettingsError: A file that was named cannot be read.
    """
    answers = Answers()
    # It connects to nothing, and whatever this terminal has is for something else.
    if options.sandbox:
        return answers
    flags = {name: getattr(options, option) or "" for option, name in _FLAGS.items()}
    answers.add(flags, "the command line")
    if options.stdin:
        answers.add(parse_lines(sys.stdin.read()), "stdin")
    here = collect({}, options.env_file, machine.environment, None, None)
    # Clients do not see the variables of this terminal.
    answers.add(here.values, "this terminal's environment")
    for installed in clients:
        values = _read_values(installed)
        fresh = {name: values[name] for name in values.keys() - stored.keys()}
        answers.add(fresh, f"{_CLIENT} {installed.client.title}")
    return answers


def parse_lines(text: str) -> dict[str, str]:
    """Return the values of lines like NAME=value; a line without a name is the Archive token.

    Raises:
        SettingsError: A line names a variable that has nothing to do here.
    """
    values: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.removeprefix("\ufeff").splitlines())):
        name, value = (part.strip() for part in (*line.split("=", 1), "")[:2])
        if name in CONNECTION:
            values[name] = _clean(name, value)
        # A token may hold an equals sign, and must not be quoted in an error.
        elif _VARIABLE.fullmatch(name) and value:
            raise SettingsError(f"stdin: {name} is none of {', '.join(CONNECTION)}.")
        else:
            values["ARCHIVE_APP_TOKEN"] = _clean("ARCHIVE_APP_TOKEN", line)
    return values


def _read_values(installed: Installed) -> dict[str, str]:
    """Return the variables in a client's entries for this server, placeholders left out."""
    try:
        entries = find_server(installed.read_servers())
    except FileError:
        return {}
    values: dict[str, str] = {}
    for entry in entries.values():
        values = {**entry.env, **values}
    clean = {name: _clean(name, text.strip()) for name, text in values.items()}
    return {name: value for name, value in clean.items() if is_real(name, value)}


def _clean(name: str, value: str) -> str:
    # A password may end with any character.
    return clean_key(value) if name in KEYS else value


def is_real(name: str, value: str) -> bool:
    """Return whether a value is more than the name of one, or the example of a manual."""
    is_example = name in SECRETS and is_placeholder(value)
    return not any((is_example, is_unexpanded(value), value == KEYCHAIN))
