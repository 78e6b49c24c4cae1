"""All that one run of setup would change: shown as a whole, then made one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from server.setup.changes import Change, SetupError
from server.setup.clients import Installed
from server.setup.console import Console
from server.setup.entries import Entry
from server.setup.machine import Machine
from server.setup.trial import try_start


@dataclass
class Plan:
    """The changes of all clients, and whether something went wrong with one of them.

    Args:
        lines: what is shown besides the changes themselves.
    """

    machine: Machine
    console: Console
    changes: list[Change] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    failed: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether anything would change."""
        return any([self.lines, *(change.is_needed for change in self.changes)])

    @property
    def status(self) -> int:
        """The exit status of the program."""
        return int(self.failed)

    def collect(
        self, clients: Iterable[Installed], make: Callable[[Installed], list[Change]]
    ) -> None:
        """Add the changes of clients; one that cannot be changed does not keep the others."""
        for installed in clients:
            try:
                self.changes += make(installed)
            except SetupError as error:
                self.fail(f"{installed.client.title} is left out: {error}")

    def fail(self, text: str) -> None:
        """Say what went wrong; the program ends with a status that shows it."""
        self.failed = True
        self.console.say(text)

    def show(self) -> None:
        """Print all that would be written."""
        headline = "This would be written:" if self.is_needed else "Nothing has to be changed."
        lines = list(self.lines)
        for change in self.changes:
            lines += change.describe(self.machine)
        self.console.say_all([headline, *(f"  {line}" for line in lines)])

    def apply(self) -> None:
        """Make the changes; one that fails does not keep the others."""
        for change in filter(lambda change: change.is_needed, self.changes):
            title = change.installed.client.title
            try:
                backup = change.apply(self.machine)
            except SetupError as error:
                self.fail(f"FAILED: {title}: {error}")
                continue
            self.console.say(f"{title}: done. {change.installed.client.restart}")
            if backup:
                # With the old entry an old secret is in there too: nobody else would look for it.
                warning = " It still holds a secret: delete it soon." * change.drops_secrets
                self.console.say(f"  As it was before: {self.machine.shorten(backup)}.{warning}")

    def try_entries(self) -> None:
        """Start what the clients start from now on, and say what became of it."""
        # Most clients start the same, which is tried once.
        entries = {_describe(change.entry): change.entry for change in self.changes}
        for entry in entries.values():
            trial = try_start(entry, self.machine)
            if trial.problem:
                self._explain_failure(trial.problem)
            else:
                self.console.say(f"Started as a client does: it lists {trial.tools} tools.")

    def _explain_failure(self, problem: str) -> None:
        self.fail(f"FAILED: started as a client does: {problem}")
        # What works in a terminal and not in a client: nobody would find it by themselves.
        names = ", ".join(self.machine.list_left_out())
        if names:
            self.console.say(
                f"  A client does not hand on what this terminal sets: {names}. If that is the "
                "reason, put them into `env` of the client's entry."
            )


def _describe(entry: Entry) -> str:
    return json.dumps([entry.line, dict(entry.env)])
