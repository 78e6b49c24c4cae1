"""Checks the values before anything is written: as the doctor does, by asking the APIs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from server.doctor import investigate
from server.doctor.report import Check
from server.limiter import Pacer
from server.settings import Settings, load
from server.setup.machine import Machine
from server.tool.catalog import Catalog


@dataclass(frozen=True)
class Verdict:
    """What the APIs said: the checks worth showing, and the workspaces that the token sees."""

    checks: list[Check] = field(default_factory=list)
    workspaces: list[dict[str, str]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not any(check.status == "fail" for check in self.checks)


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
