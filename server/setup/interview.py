"""Asks for what is missing, and has it checked before anything is written."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from server.doctor import investigate
from server.doctor.report import Check
from server.limiter import Pacer
from server.settings import Settings, SettingsError, load
from server.settings.keychain import SECRETS
from server.settings.values import clean_key
from server.setup.answers import Answers
from server.setup.console import ATTEMPTS, Console
from server.setup.machine import Machine
from server.tool.catalog import Catalog

_TYPED = "your answer"
_WHERE_TOKENS_ARE = "You get a token in Archive under Settings > Integrations (or Settings > API)."
_NOTHING = (
    "setup: there is nothing to connect to. Give the token on stdin (--stdin), in "
    "ARCHIVE_APP_TOKEN or when asked in a terminal, an ArchiveBox by --archivebox-url, or "
    "--sandbox for made-up data."
)
_NOTHING_YET = (
    "setup: nothing was changed. Run it again when you have a token or an address, or with "
    "--sandbox for made-up data."
)
_EXAMPLE = "  An address is like http://127.0.0.1:8000; on another computer it needs https://."
# The checks that fail where the answers for one API are wrong.
_OF_ARCHIVE = {"api", "token", "access"}
_OF_ARCHIVEBOX = {"archivebox", "archivebox key"}
_ARCHIVEBOX = ("ARCHIVEBOX_URL", "ARCHIVEBOX_API_KEY", "ARCHIVEBOX_PASSWORD")


@dataclass(frozen=True)
class Verdict:
    """What the APIs said: the checks worth showing, and the workspaces that the token sees."""

    checks: list[Check] = field(default_factory=list)
    workspaces: list[dict[str, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self._failures

    @property
    def _failures(self) -> set[str]:
        return {check.name for check in self.checks if check.status == "fail"}

    def list_doubtful(self) -> list[str]:
        """Return the variables that have to be asked for again; what was accepted stays."""
        if self._failures <= _OF_ARCHIVEBOX:
            return list(_ARCHIVEBOX)
        if self._failures <= _OF_ARCHIVE:
            return ["ARCHIVE_APP_TOKEN"]
        return [*SECRETS, *_ARCHIVEBOX]


@dataclass
class Interview:
    """The questions of one run, and what the APIs say of the answers."""

    options: Namespace
    machine: Machine
    console: Console
    catalog: Catalog

    def hold(self, answers: Answers, stored: Mapping[str, str]) -> bool:
        """Complete the answers until they work; return whether they do.

        Args:
            stored: what is stored already.

        Raises:
            SettingsError: There is nothing to connect to, or a value cannot be used.
        """
        # Once for a script; a person may correct a typo.
        attempts = ATTEMPTS if self.console.interactive else 1
        for _ in range(attempts):
            self._ask(answers, stored)
            self._require_something({**stored, **answers.values})
            if self.options.sandbox or self.options.skip_check:
                return True
            verdict = self._check(answers)
            if verdict.ok:
                self._ask_for_workspace(answers, stored, verdict.workspaces)
                return True
            answers.drop(verdict.list_doubtful())
        self.console.say("Nothing was changed. --skip-check stores what cannot be checked here.")
        return False

    def _ask(self, answers: Answers, stored: Mapping[str, str]) -> None:
        if self.options.sandbox or not self.console.interactive:
            return
        if "ARCHIVE_APP_TOKEN" not in answers.values:
            self._ask_for_token(answers, "ARCHIVE_APP_TOKEN" in stored)
        if "ARCHIVEBOX_URL" not in {**stored, **answers.values}:
            self._ask_for_archivebox(answers)

    def _ask_for_token(self, answers: Answers, is_stored: bool) -> None:
        self.console.say(_WHERE_TOKENS_ARE)
        skip = "keep the one that is stored" if is_stored else "go without"
        token = self.console.ask_secret(f"Archive token (hidden; Enter to {skip}):")
        answers.add({"ARCHIVE_APP_TOKEN": clean_key(token)}, _TYPED)

    def _ask_for_archivebox(self, answers: Answers) -> None:
        url = self._ask_for_address()
        if not url:
            return
        key = self.console.ask_secret("Its API key (hidden; Enter for public pages alone):")
        answers.add({"ARCHIVEBOX_URL": url, "ARCHIVEBOX_API_KEY": clean_key(key)}, _TYPED)

    def _ask_for_address(self) -> str:
        for _ in range(ATTEMPTS):
            url = self.console.ask("Address of your own ArchiveBox (Enter if you have none):")
            if not url or self._is_address(url):
                return url
            self.console.say(_EXAMPLE)
        return ""

    def _is_address(self, url: str) -> bool:
        try:
            load_settings(self.machine, {"ARCHIVEBOX_URL": url})
        except SettingsError:
            return False
        return True

    def _ask_for_workspace(
        self, answers: Answers, stored: Mapping[str, str], workspaces: list[dict[str, str]]
    ) -> None:
        if "ARCHIVE_WORKSPACE_ID" in {**stored, **answers.values}:
            return
        # Of one there is no choice, and a script has named it or wants none.
        if len(workspaces) < 2 or not self.console.interactive:
            return
        by_name = {"{name} ({id})".format(**workspace): workspace["id"] for workspace in workspaces}
        question = "Which workspace by default? (Enter: you are asked later)"
        for id in self.console.pick(question, by_name, ()):
            # Of several numbers the first counts: there is one default.
            answers.add({"ARCHIVE_WORKSPACE_ID": id}, _TYPED)

    def _require_something(self, values: Mapping[str, str]) -> None:
        if self.options.sandbox or values.keys() & {"ARCHIVE_APP_TOKEN", "ARCHIVEBOX_URL"}:
            return
        if not self.console.interactive:
            raise SettingsError(_NOTHING)
        question = "Without either there is the sandbox, with made-up data. Set that up?"
        if not self.console.confirm(question):
            raise SettingsError(_NOTHING_YET)
        self.options.sandbox = True

    def _check(self, answers: Answers) -> Verdict:
        self.console.say("Checking ...")
        try:
            settings = load_settings(self.machine, answers.values)
        except SettingsError as error:
            verdict = Verdict([Check("settings", "fail", str(error))])
        else:
            verdict = check_values(settings, self.catalog)
        for check in verdict.checks:
            if check.name == "workspace" and self.console.interactive:
                # The next question is which one to use by default.
                continue
            self.console.say(f"  {check.status}: {check.name}: {check.detail}")
            if self._needs_hint(check):
                self.console.say(f"    -> {check.hint}")
        return verdict

    def _needs_hint(self, check: Check) -> bool:
        # The hint of a warning is about later; a failure has to be mended now.
        if not check.hint or check.status != "fail":
            return False
        # Where tokens are is said again with the next question.
        return check.name != "token" or not self.console.interactive


def load_settings(machine: Machine, values: Mapping[str, str]) -> Settings:
    """Return the settings that a server would have with these values stored.

    Raises:
        SettingsError: One of them cannot be used.
    """
    environment = {**machine.small_environment(), **values}
    return load({}, environment=environment, folder=machine.home, home=machine.home)


def check_values(settings: Settings, catalog: Catalog) -> Verdict:
    """Ask the APIs whether the values work."""

    async def ask() -> Verdict:
        pacer = Pacer(settings.state_dir)
        try:
            report = await investigate(settings, catalog, pacer, live=False)
        finally:
            pacer.close()
        return Verdict(list(filter(_is_worth_showing, report.checks)), report.workspaces)

    return anyio.run(ask)


def _is_worth_showing(check: Check) -> bool:
    if check.status in ("fail", "warn"):
        return True
    return check.name in ("token", "archivebox", "archivebox key", "access")
