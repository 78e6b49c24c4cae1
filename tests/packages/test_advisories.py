"""No package of the lock file has a known advisory: asked of public databases by pip-audit, which
is installed for it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.machine.clients import Client
from tests.support.paths import ROOT

LOCK = ROOT / "requirements-dev.lock"
AUDITOR = Client("pip-audit", ("pip-audit>=2.10,<3",))
# Of databases that it can ask, in the order in which they are tried.
SERVICES = ("pypi", "osv")
_SECONDS = 240


class Audit(NamedTuple):
    """What an audit says: packages with their advisories, and those that it could not look up."""

    advisories: dict[str, list[str]]
    unknown: list[str]
    number: int

    @property
    def reached_nothing(self) -> bool:
        """Whether the database knew none of the packages: then none was asked."""
        return len(self.unknown) == self.number


def read_audit(text: str) -> Audit:
    """Return what pip-audit's report in JSON says."""
    rows: list[dict[str, Any]] = json.loads(text)["dependencies"]
    advisories = {
        f"{row['name']} {row['version']}": [advisory["id"] for advisory in row["vulns"]]
        for row in rows
        if row.get("vulns")
    }
    unknown = [row["name"] for row in rows if "skip_reason" in row]
    return Audit(advisories, unknown, len(rows))


def audit_or_none(python: Path, service: str, folder: Path) -> Audit | None:
    """Return an audit of the lock file by one database; None where it cannot be reached."""
    report = folder / f"{service}.json"
    command = [
        str(python),
        "-m",
        "pip_audit",
        "--requirement",
        str(LOCK),
        "--vulnerability-service",
    ]
    options = ["--disable-pip", "--no-deps", "--format", "json", "--output", str(report)]
    subprocess.run(
        [*command, service, *options],
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
    # Its exit status is 1 for an advisory as for a database that does not answer.
    if not report.is_file() or not report.read_text(encoding="utf-8").strip():
        return None
    audit = read_audit(report.read_text(encoding="utf-8"))
    return None if audit.reached_nothing else audit


@pytest.mark.timeout(900)
def test_no_locked_package_has_a_known_advisory(tmp_path: Path) -> None:
    python = AUDITOR.python_or_skip()
    audits = (audit_or_none(python, service, tmp_path) for service in SERVICES)
    audit = next((audit for audit in audits if audit is not None), None)
    if audit is None:
        pytest.skip("no database of advisories can be reached from this machine")

    assert audit.number == len(re.findall(r"^[\w.-]+==", LOCK.read_text(), re.MULTILINE))
    assert not audit.advisories
    assert not audit.unknown


def test_an_advisory_is_read_and_an_unasked_database_is_no_good_news() -> None:
    bad = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "CVE-2022-22817"}]}
    good = {"name": "anyio", "version": "4.16.0", "vulns": []}
    skipped = {"name": "numpy", "skip_reason": "not found"}

    audit = read_audit(json.dumps({"dependencies": [bad, good, skipped]}))

    assert audit.advisories == {"pillow 9.0.0": ["CVE-2022-22817"]}
    assert audit.unknown == ["numpy"]
    assert not audit.reached_nothing
    assert read_audit(json.dumps({"dependencies": [skipped]})).reached_nothing
