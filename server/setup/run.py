"""The run of `archive-mcp setup`: ask, check, show, and after a yes write and try."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.settings import SettingsError
from server.settings.keychain import SECRETS, Keychain, KeychainError
from server.setup.answers import (
    CONNECTION,
    Answers,
    ask_for_archive,
    ask_for_archivebox,
    ask_for_workspace,
    gather,
)
from server.setup.changes import Change, SetupError, plan_addition, plan_removals
from server.setup.check import check_values, load_settings
from server.setup.clients import Installed, find_clients
from server.setup.console import Console
from server.setup.entries import Request, find_program
from server.setup.files import FileError
from server.setup.machine import Machine
from server.setup.trial import try_start
from server.setup.vault import Vault, find_trouble
from server.tool.catalog import Catalog

_ATTEMPTS = 3


def run_setup(options: Namespace, catalog: Catalog, launcher: Path) -> int:
    """Set this server up as the options say and return the exit status.

    Raises:
        SettingsError: What was given cannot be used, or there is nothing to set up.
    """
    machine = Machine.here()
    if machine is None:
        raise SettingsError("setup: this user has no home folder to store anything in. Set HOME.")
    asks = sys.stdin.isatty() and not (options.stdin or options.yes)
    console = Console(interactive=asks, agrees=options.yes)
    setup = Setup(options, machine, console, Keychain(environment=machine.environment), catalog)
    return setup.remove() if options.remove else setup.add(find_program(launcher, machine))


@dataclass
class Setup:
    """One run of the command."""

    options: Namespace
    machine: Machine
    console: Console
    keychain: Keychain
    catalog: Catalog

    def add(self, program: tuple[str, ...]) -> int:
        """Store what is missing and add the server to the clients; return the exit status.

        Args:
            program: the command line that starts this server.

        Raises:
            SettingsError: What was given cannot be used, or there is nothing to set up.
        """
        clients = self._list_clients()
        vault = Vault(self.machine, None)
        stored = self._read_stored(vault)
        answers = gather(self.options, self.machine, clients, stored)
        if not self._prepare(answers, stored):
            return 1
        chosen = self._choose_clients(clients)
        has_secrets = any(name in SECRETS for name in answers.values)
        if has_secrets and not self.options.dry_run:
            vault = self._open_vault()
        names = {*stored, *answers.values} & set(SECRETS)
        request = Request(program, self.options.sandbox, self.options.read_only, frozenset(names))
        changes, failures = self._plan(chosen, request)
        self._show(vault, answers, changes, failures)
        self._explain_other_clients(request, chosen)
        if not self._may_write(answers, changes):
            return 1 if failures else 0
        try:
            vault.store(answers.values)
        except (KeychainError, FileError) as error:
            self.console.say(f"FAILED: nothing was stored or changed: {error}")
            return 1
        done = self._apply(changes)
        return 0 if self._try(changes) and done and not failures else 1

    def remove(self) -> int:
        """Take the server out of the clients, and forget the secrets if asked to."""
        changes: list[Change] = []
        failures = 0
        for installed in self._list_clients():
            try:
                changes += plan_removals(installed)
            except SetupError as error:
                failures += 1
                self.console.say(f"{installed.client.title}: {error}")
        vault = Vault(self.machine, self.keychain)
        stored = self._read_stored(vault) if self.options.forget else {}
        names = [name for name in CONNECTION if name in stored]
        if not changes and not names:
            self.console.say("There is nothing to remove.")
            return 1 if failures else 0
        self.console.say("This would be changed:")
        for change in changes:
            self._say_all(change.describe(self.machine))
        if names:
            self.console.say(f"~/.env.shared, and the keychain: forget {', '.join(names)}")
        if self.options.dry_run or not self._is_wanted():
            return 1 if failures else 0
        done = self._apply(changes)
        try:
            vault.forget(names)
        except (KeychainError, FileError) as error:
            self.console.say(f"FAILED: the secrets were not forgotten: {error}")
            return 1
        return 0 if done and not failures else 1

    def _prepare(self, answers: Answers, stored: Mapping[str, str]) -> bool:
        """Ask for what is missing until it works; return whether to go on."""
        if self.options.sandbox:
            return True
        for attempt in range(_ATTEMPTS):
            ask_for_archive(answers, self.console, stored)
            if attempt == 0:
                ask_for_archivebox(answers, self.console, stored)
            self._require_something(answers, stored)
            if self.options.sandbox or self.options.skip_check:
                return True
            if self._check(answers, stored):
                return True
            if not self.console.interactive:
                break
            self._drop_secrets(answers)
        self.console.say("Nothing was changed. --skip-check stores values that cannot be checked.")
        return False

    def _require_something(self, answers: Answers, stored: Mapping[str, str]) -> None:
        values = {**stored, **answers.values}
        if "ARCHIVE_APP_TOKEN" in values or "ARCHIVEBOX_URL" in values:
            return
        if self.console.interactive and self.console.confirm(
            "Without either there is only the sandbox, with made-up data. Set that up?"
        ):
            self.options.sandbox = True
            return
        raise SettingsError(
            "setup: there is nothing to connect to. Give the token on stdin (--stdin), in "
            "ARCHIVE_APP_TOKEN or when asked in a terminal, an ArchiveBox by --archivebox-url, or "
            "--sandbox for made-up data."
        )

    def _check(self, answers: Answers, stored: Mapping[str, str]) -> bool:
        self.console.say("Checking ...")
        verdict = check_values(load_settings(self.machine, answers.values), self.catalog)
        for check in verdict.checks:
            label = "FAILED" if check.status == "fail" else check.status
            self.console.say(f"  {label}: {check.name}: {check.detail}")
            if check.hint and check.status == "fail":
                self.console.say(f"    -> {check.hint}")
        if verdict.ok:
            ask_for_workspace(answers, self.console, stored, verdict.workspaces)
        return verdict.ok

    def _drop_secrets(self, answers: Answers) -> None:
        for name in SECRETS:
            answers.values.pop(name, None)

    def _list_clients(self) -> list[Installed]:
        clients = find_clients(self.machine)
        wanted: Sequence[str] = self.options.client or ()
        missing = set(wanted) - {installed.client.id for installed in clients}
        if missing:
            raise SettingsError(f"setup: not on this machine: {', '.join(sorted(missing))}.")
        return [item for item in clients if not wanted or item.client.id in wanted]

    def _choose_clients(self, clients: list[Installed]) -> list[Installed]:
        if self.options.client or not clients:
            return clients
        self.console.say("Clients on this machine:")
        titles = [installed.client.title for installed in clients]
        if not self.console.interactive:
            self.console.say(f"  {', '.join(titles)}")
        places = self.console.choose("Add the server to which?", titles)
        return [clients[place] for place in places]

    def _read_stored(self, vault: Vault) -> Mapping[str, str]:
        try:
            return vault.read()
        except FileError as error:
            raise SettingsError(f"setup: {error}") from None

    def _open_vault(self) -> Vault:
        if self.options.no_keychain:
            return Vault(self.machine, None)
        trouble = find_trouble(self.keychain, self.machine.small_environment())
        if trouble is None:
            return Vault(self.machine, self.keychain)
        self.console.say(f"The keychain of this computer is not used: {trouble}.")
        return Vault(self.machine, None)

    def _plan(self, clients: list[Installed], request: Request) -> tuple[list[Change], int]:
        changes: list[Change] = []
        failures = 0
        for installed in clients:
            try:
                changes.append(plan_addition(installed, self.options.name, request))
            except SetupError as error:
                failures += 1
                self.console.say(f"{installed.client.title} is left out: {error}")
        return changes, failures

    def _show(self, vault: Vault, answers: Answers, changes: list[Change], failures: int) -> None:
        if not answers.values and not any(change.is_needed for change in changes):
            self.console.say("Nothing has to be changed." if not failures else "")
        else:
            self.console.say("This would be written:")
        for name, origin in answers.origins.items():
            self.console.say(f"({name} comes from {origin})")
        self._say_all(vault.describe(answers.values))
        if self.options.dry_run and any(name in SECRETS for name in answers.values):
            self.console.say("(or the keychain of this computer, where it works)")
        for change in changes:
            self._say_all(change.describe(self.machine))

    def _explain_other_clients(self, request: Request, clients: list[Installed]) -> None:
        if clients:
            return
        options = [*request.program[1:], *(["--sandbox"] if request.sandbox else [])]
        if request.read_only:
            options.append("--read-only")
        entry = {"command": request.program[0], "args": options}
        self.console.say("No client is changed. This is what the configuration of one holds:")
        content = json.dumps({"mcpServers": {self.options.name: entry}}, indent=2)
        self._say_all(content.splitlines())

    def _may_write(self, answers: Answers, changes: list[Change]) -> bool:
        if not answers.values and not any(change.is_needed for change in changes):
            return True
        return not self.options.dry_run and self._is_wanted()

    def _is_wanted(self) -> bool:
        if self.console.confirm("Write this?"):
            return True
        hint = "" if self.console.interactive else " Add --yes to write it."
        self.console.say(f"Nothing was written.{hint}")
        return False

    def _apply(self, changes: list[Change]) -> bool:
        """Make the changes; one that fails does not keep the others."""
        done = True
        for change in changes:
            if not change.is_needed:
                continue
            title = change.installed.client.title
            try:
                backup = change.apply(self.machine)
            except SetupError as error:
                done = False
                self.console.say(f"FAILED: {title}: {error}")
                continue
            copy = f" (before: {self.machine.shorten(backup)})" if backup else ""
            self.console.say(f"{title}: done{copy}. {change.installed.client.restart}")
            if change.drops_secrets and backup:
                self.console.say("  That copy still holds the secret: delete it when all works.")
        return done

    def _try(self, changes: list[Change]) -> bool:
        """Start what the clients start; return whether all of it works."""
        entries = [change.entry for change in changes if change.entry]
        # Most clients start the same.
        distinct = {json.dumps([entry.line, dict(entry.env)]): entry for entry in entries}
        works = True
        for entry in distinct.values():
            trial = try_start(entry, self.machine)
            if trial.problem:
                works = False
                self.console.say(f"FAILED: started as a client does: {trial.problem}")
            else:
                self.console.say(f"Started as a client does: it lists {trial.tools} tools.")
        return works

    def _say_all(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.console.say(f"  {line}")
