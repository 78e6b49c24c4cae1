"""No package of the lock file has a known advisory: asked of public databases by pip-audit, which
is installed for it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from tests.support.machine.clients import Client
from tests.support.paths import ROOT

LOCK = ROOT / "requirements-dev.lock"
AUDITOR = Client("pip-audit", ("pip-audit>=2.10,<3",))
# Of databases that it can ask, in the order in which they are tried.
SERVICES = (("--vulnerability-service=pypi",), ("--vulnerability-service=osv",))
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


def read_audit(rows: Sequence[Mapping[str, Any]]) -> Audit:
    """Return what the packages of pip-audit's report say."""
    advisories = {
        f"{row['name']} {row['version']}": [advisory["id"] for advisory in row["vulns"]]
        for row in rows
        if row.get("vulns")
    }
    unknown = [row["name"] for row in rows if "skip_reason" in row]
    return Audit(advisories, unknown, len(rows))


def audit_or_none(python: Path, service: Sequence[str], folder: Path) -> Audit | None:
    """Return an audit of the lock file by one database; None where it cannot be reached."""
    texts = [audit_file(python, service, file) for file in write_pins(folder)]
    rows = [row for text in texts if text for row in json.loads(text)["dependencies"]]
    audit = read_audit(rows)
    return None if audit.reached_nothing else audit


def audit_file(python: Path, service: Sequence[str], file: Path) -> str:
    """Return pip-audit's report in JSON, empty where the database does not answer."""
    report = file.with_suffix(".json")
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pip_audit", f"--requirement={file}", *service]
    options = ["--disable-pip", "--no-deps", "--format=json", f"--output={report}"]
    subprocess.run([*command, *options], capture_output=True, timeout=_SECONDS, check=False)
    # Its exit status is 1 for an advisory as for a database that does not answer.
    return report.read_text(encoding="utf-8") if report.is_file() else ""


def read_pins() -> list[str]:
    """Return the packages and versions that are locked, for every system and Python."""
    return re.findall(r"^[\w.-]+==[^\s;]+", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def write_pins(folder: Path) -> list[Path]:
    """Write the lock file without its markers, because pip-audit leaves out what is for another
    system or Python; a file has one version of a package, because it refuses a second one."""
    files: list[dict[str, str]] = []
    for pin in read_pins():
        name = pin.partition("==")[0]
        free = next((pins for pins in files if name not in pins), None)
        if free is None:
            files.append(free := {})
        free[name] = pin
    paths = [folder / f"pins-{number}.txt" for number in range(len(files))]
    for path, pins in zip(paths, files, strict=True):
        path.write_text("\n".join(pins.values()), encoding="utf-8")
    return paths


@contextmanager
def open_database(advisories: Mapping[str, str]) -> Iterator[str]:
    """The address of a database of made-up advisories, by package, that speaks as OSV does."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["content-length"])))
            package = query["package"]
            advisory = advisories.get(package["name"])
            rows = [{"id": advisory, "affected": [{"package": package}]}] if advisory else []
            content = json.dumps({"vulns": rows} if rows else {}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.mark.timeout(900)
def test_no_locked_package_has_a_known_advisory(tmp_path: Path) -> None:
    python = AUDITOR.python_or_skip()
    audits = (audit_or_none(python, service, tmp_path) for service in SERVICES)
    audit = next((audit for audit in audits if audit is not None), None)
    if audit is None:
        pytest.skip("no database of advisories can be reached from this machine")

    assert audit.number == len(read_pins())
    assert not audit.advisories
    assert not audit.unknown


def test_an_advisory_is_read_and_an_unasked_database_is_no_good_news() -> None:
    bad = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "CVE-2022-22817"}]}
    good = {"name": "anyio", "version": "4.16.0", "vulns": []}
    skipped = {"name": "numpy", "skip_reason": "not found"}

    audit = read_audit([bad, good, skipped])

    assert audit.advisories == {"pillow 9.0.0": ["CVE-2022-22817"]}
    assert audit.unknown == ["numpy"]
    assert not audit.reached_nothing
    assert read_audit([skipped]).reached_nothing


@pytest.mark.timeout(900)
def test_the_check_finds_what_a_database_holds_of_a_locked_package(tmp_path: Path) -> None:
    python = AUDITOR.python_or_skip()
    with open_database({"anyio": "MADE-UP-1"}) as url:
        service = ("--vulnerability-service=osv", f"--osv-url={url}")
        audit = audit_or_none(python, service, tmp_path)
    assert audit is not None
    assert [*audit.advisories.values()] == [["MADE-UP-1"]]
    assert next(iter(audit.advisories)).startswith("anyio ")
    assert (audit.unknown, audit.number) == ([], len(read_pins()))

    # Nobody listens there any more.
    assert audit_or_none(python, service, tmp_path) is None
