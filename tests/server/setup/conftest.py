"""A home with clients in it, and setup run there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server.sandbox import TOKEN
from server.settings.keychain import Keychain
from server.setup.console import Console
from server.setup.machine import Machine
from server.setup.run import Setup
from server.setup.trial import Trial
from tests.support.clients import library_keychain, options_for
from tests.support.doctored import tools
from tests.support.sandboxed import LAUNCHER, sandbox_process

PROGRAM = LAUNCHER
ENTRY = {"command": LAUNCHER[0], "args": list(LAUNCHER[1:])}


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The URL of a sandbox of Archive."""
    with sandbox_process(items=50, window=0.05) as sandbox:
        yield sandbox.url


@dataclass(frozen=True)
class Person(Console):
    """Somebody at a terminal with answers ready, who refuses to be asked anything else."""

    interactive: bool = True
    agrees: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return next(answer for part, answer in self.answers.items() if part in question)

    ask_secret = ask


@dataclass
class House:
    """A home, the clients in it, and what setup is run with there."""

    home: Path
    variables: dict[str, str]
    keychain: Keychain
    programs: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, console: Console | None = None) -> int:
        options = options_for(*arguments)
        machine = Machine(
            self.home, "linux", {"HOME": str(self.home), **self.variables}, self.programs.get
        )
        console = console or Console(interactive=False, agrees=options.yes)
        setup = Setup(options, machine, console, self.keychain, tools())
        return setup.remove() if options.remove else setup.add(PROGRAM)

    def add_client(self, folder: str) -> Path:
        path = self.home / folder
        path.mkdir(parents=True)
        return path

    def list_files(self) -> dict[str, bytes]:
        files = [path for path in self.home.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.home)): path.read_bytes() for path in files}


@pytest.fixture
def house(tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    broken = library_keychain(tmp_path / "keychain", KEYRING_TROUBLE="there is none")
    variables = {"ARCHIVE_API_URL": api, "ARCHIVE_APP_TOKEN": TOKEN}
    return House(tmp_path / "home", variables, broken)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is started; what would be is listed."""
    lines: list[str] = []

    def start(entry: Any, machine: Machine) -> Trial:
        lines.append(" ".join(entry.line))
        return Trial(7)

    monkeypatch.setattr("server.setup.plan.try_start", start)
    return lines
