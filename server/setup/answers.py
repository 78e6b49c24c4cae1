"""What setup is told: by flags, on stdin, in the environment, by a client's file, or when asked."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server.redaction import learn
from server.settings import SettingsError
from server.settings.keychain import SECRETS
from server.settings.sources import collect
from server.settings.values import KEYCHAIN, clean_key, is_placeholder, is_unexpanded
from server.setup.clients import Installed
from server.setup.console import Console
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
_WHERE_TOKENS_ARE = "You get a token in Archive under Settings > Integrations (or Settings > API)."


@dataclass
class Answers:
    """The values to store, and in words where those came from that nobody typed."""

    values: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def add(self, values: Mapping[str, str], origin: str = "") -> None:
        """Add values for variables that have none yet."""
        for name, value in values.items():
            if name not in CONNECTION or name in self.values or not value:
                continue
            self.values[name] = value
            if name in SECRETS:
                learn(value)
            if origin:
                self.origins[name] = origin


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
    flags = {name: getattr(options, option) or "" for option, name in _FLAGS.items()}
    answers.add(flags)
    if options.stdin:
        answers.add(parse_lines(sys.stdin.read()))
    here = collect({}, options.env_file, machine.environment, None, None)
    # Clients do not see the variables of this terminal.
    answers.add(here.values, "this terminal's environment")
    for installed in clients:
        adopted = _read_values(installed)
        missing = {name: value for name, value in adopted.items() if name not in stored}
        answers.add(missing, f"the configuration of {installed.client.title}")
    return answers


def parse_lines(text: str) -> dict[str, str]:
    """Return the values of lines like NAME=value; a line without a name is the Archive token.

    Raises:
        SettingsError: A line names a variable that has nothing to do here.
    """
    values: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        name, equals, value = line.strip().partition("=")
        if not name:
            continue
        if name not in CONNECTION:
            # A token may hold an equals sign; what is quoted must not be a secret.
            if equals and name.isupper() and name.isidentifier():
                raise SettingsError(f"stdin: {name} is none of {', '.join(CONNECTION)}.")
            name, value = "ARCHIVE_APP_TOKEN", line.strip()
        values[name] = clean_key(value.strip())
    return values


def ask_for_archive(answers: Answers, console: Console, stored: Mapping[str, str]) -> None:
    """Ask for the Archive token, where somebody can answer and none is known."""
    if "ARCHIVE_APP_TOKEN" in answers.values or not console.interactive:
        return
    console.say(_WHERE_TOKENS_ARE)
    skip = "keeps the one that is stored" if "ARCHIVE_APP_TOKEN" in stored else "goes without"
    token = console.ask_secret(f"Archive token (hidden; Enter {skip}):")
    answers.add({"ARCHIVE_APP_TOKEN": clean_key(token)})


def ask_for_archivebox(answers: Answers, console: Console, stored: Mapping[str, str]) -> None:
    """Ask for the address and the key of an ArchiveBox, where none are known."""
    if "ARCHIVEBOX_URL" in {**stored, **answers.values}:
        return
    url = console.ask("Address of your own ArchiveBox (Enter: you have none):")
    if not url:
        return
    answers.add({"ARCHIVEBOX_URL": url})
    key = console.ask_secret("Its API key (hidden; Enter: public pages alone):")
    answers.add({"ARCHIVEBOX_API_KEY": clean_key(key)})


def ask_for_workspace(
    answers: Answers, console: Console, stored: Mapping[str, str], workspaces: list[dict[str, str]]
) -> None:
    """Ask which of several workspaces is used by default."""
    if not console.interactive or len(workspaces) < 2:
        return
    if "ARCHIVE_WORKSPACE_ID" in {**stored, **answers.values}:
        return
    for number, workspace in enumerate(workspaces, 1):
        console.say(f"  {number}. {workspace['name']}")
    word = console.ask("Which workspace by default? (a number; Enter: the assistant asks)")
    if word.isdigit() and 1 <= int(word) <= len(workspaces):
        answers.add({"ARCHIVE_WORKSPACE_ID": workspaces[int(word) - 1]["id"]})


def _read_values(installed: Installed) -> dict[str, str]:
    """Return the variables in a client's entries for this server, placeholders left out."""
    try:
        entries = find_server(installed.read_servers())
    except FileError:
        return {}
    values: dict[str, str] = {}
    for entry in entries.values():
        for name, text in entry.env.items():
            value = clean_key(text.strip())
            if is_unexpanded(value) or is_placeholder(value) or value == KEYCHAIN:
                continue
            values.setdefault(name, value)
    return values
