"""The run of `archive-mcp setup`: ask, check, show, and write and try once the user agrees."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from server.settings import SettingsError
from server.settings.keychain import SECRETS, Keychain, KeychainError
from server.setup.answers import CONNECTION, Answers, gather
from server.setup.changes import Change, plan_addition, plan_removals
from server.setup.clients import Installed, find_clients
from server.setup.console import Console
from server.setup.entries import Request, find_program
from server.setup.files import FileError
from server.setup.interview import Interview
from server.setup.machine import Machine
from server.setup.plan import Plan
from server.setup.vault import Vault, find_trouble
from server.tool.catalog import Catalog

# The status that shells give a program which Ctrl+C ended.
_STOPPED = 130


def run_setup(options: Namespace, catalog: Catalog, launcher: Path) -> int:
    """Set this server up as the options say and return the exit status.

    Raises:
        SettingsError: What was given cannot be used, or there is nothing to set up.
    """
    machine = Machine.here()
    if machine is None:
        raise SettingsError("setup: this user has no home folder to store anything in. Set HOME.")
    if options.forget and not options.remove:
        raise SettingsError("setup: --forget goes with --remove.")
    keychain = Keychain(environment=machine.environment)
    setup = Setup(options, machine, _open_console(options), keychain, catalog)
    try:
        return setup.remove() if options.remove else setup.add(find_program(launcher, machine))
    except KeyboardInterrupt:
        # On a line of its own: the question stands there still.
        print("\nStopped. Run it again to start over.", file=sys.stderr)
        return _STOPPED


def _open_console(options: Namespace) -> Console:
    # A question would swallow a line of what is piped in.
    is_script = options.stdin or options.yes
    return Console(sys.stdin.isatty() and not is_script, options.yes)


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
        stored = self._read_stored()
        answers = gather(self.options, self.machine, clients, stored)
        interview = Interview(self.options, self.machine, self.console, self.catalog)
        if not interview.hold(answers, stored):
            return 1
        request = self._make_request(program, answers, stored)
        answers.skip(stored)
        vault = self._open_vault(answers)
        plan = Plan(self.machine, self.console)
        plan.lines += [*answers.describe_origins(), *vault.describe(answers.values)]
        clients = self._choose(clients)
        plan.collect(clients, partial(self._plan_addition, request))
        plan.show()
        if not clients:
            self._show_entry(request)
        if self._may_write(plan):
            self._write(plan, vault, answers)
        return plan.status

    def remove(self) -> int:
        """Take the server out of the clients, forget the secrets if asked to, and return the exit
        status."""
        plan = Plan(self.machine, self.console)
        plan.collect(self._list_clients(), plan_removals)
        stored = self._read_stored() if self.options.forget else {}
        names = [name for name in CONNECTION if name in stored]
        if names:
            plan.lines.append(f"~/.env.shared, and the keychain: forget {', '.join(names)}")
        plan.show()
        if not self._may_write(plan):
            return plan.status
        plan.apply()
        try:
            Vault(self.machine, self.keychain).forget(names)
        except (KeychainError, FileError) as error:
            plan.fail(f"FAILED: the secrets were not forgotten: {error}")
        return plan.status

    def _write(self, plan: Plan, vault: Vault, answers: Answers) -> None:
        # First the secrets: an entry without them would start a server that can do nothing.
        try:
            vault.store(answers.values)
        except (KeychainError, FileError) as error:
            plan.fail(f"FAILED: nothing was stored or changed: {error}")
            return
        plan.apply()
        plan.try_entries()

    def _list_clients(self) -> list[Installed]:
        clients = find_clients(self.machine)
        if not self.options.client:
            return clients
        by_id = {installed.client.id: installed for installed in clients}
        missing = sorted(set(self.options.client) - by_id.keys())
        if missing:
            raise SettingsError(
                f"setup: not on this machine: {', '.join(missing)}. An assistant is found by what "
                "it leaves behind when it is first started: start it once."
            )
        return [by_id[id] for id in dict.fromkeys(self.options.client)]

    def _choose(self, clients: list[Installed]) -> list[Installed]:
        # Whoever named them has chosen already.
        if self.options.client:
            return clients
        by_title = {installed.client.title: installed for installed in clients}
        return self.console.choose("Add this server to which clients?", by_title)

    def _read_stored(self) -> Mapping[str, str]:
        try:
            return Vault(self.machine, None).read()
        except FileError as error:
            raise SettingsError(f"setup: {error}") from None

    def _open_vault(self, answers: Answers) -> Vault:
        file_alone = Vault(self.machine, None, is_decided=not self.options.dry_run)
        # The trial writes to the keychain, which a dry run must not.
        unneeded = self.options.dry_run or self.options.no_keychain
        if unneeded or not answers.values.keys() & set(SECRETS):
            return file_alone
        trouble = find_trouble(self.keychain, self.machine.small_environment())
        if trouble is None:
            return Vault(self.machine, self.keychain)
        self.console.say(f"The keychain of this computer is not used: {trouble}.")
        return file_alone

    def _make_request(
        self, program: tuple[str, ...], answers: Answers, stored: Mapping[str, str]
    ) -> Request:
        values = {**stored, **answers.values}
        secrets = {name: values[name] for name in values.keys() & set(SECRETS)}
        switches = (self.options.sandbox, self.options.read_only)
        return Request(program, *switches, answers.list_replaced(), secrets)

    def _plan_addition(self, request: Request, installed: Installed) -> list[Change]:
        return [plan_addition(installed, self.options.name, request)]

    def _show_entry(self, request: Request) -> None:
        """Print what a client's file holds, for one that setup does not know."""
        command, *args = [*request.program, *request.options]
        content = {"mcpServers": {self.options.name: {"command": command, "args": args}}}
        self.console.say("No client is changed. This is what the file of any client holds:")
        self.console.say_all(json.dumps(content, indent=2).splitlines())

    def _may_write(self, plan: Plan) -> bool:
        if self.options.dry_run:
            return False
        if not plan.is_needed or self.console.confirm("Write this?"):
            return True
        hint = "" if self.console.interactive else " Without a terminal, pass --yes to agree."
        self.console.say(f"Nothing was written.{hint}")
        return False
