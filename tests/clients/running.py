"""Runs a client of the table over the server, against sandboxes of both APIs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from server.sandbox import TOKEN
from server.sandbox.archivebox import KEY
from tests.clients import bridging
from tests.clients.hosts.hosts import Host, run_host
from tests.clients.table import NodeClient, PythonClient
from tests.clients.tour import Row, tour
from tests.support.machine.node import modules_or_skip, node_or_skip, program_or_skip
from tests.support.paths import ROOT
from tests.support.sandboxed import LAUNCHER, archivebox_process, clean, sandbox_process

# So many that a sum over all of them lasts long enough to be reported, and to be given up.
ITEMS = 4_000
_SECONDS = 240
TEE = ROOT / "tests" / "clients" / "hosts" / "tee.py"


@contextmanager
def serving_apis() -> Iterator[dict[str, str]]:
    """Serve both APIs, and yield the settings that lead to them."""
    with sandbox_process(items=ITEMS) as archive, archivebox_process() as archivebox:
        yield {
            "ARCHIVE_API_URL": archive.url,
            "ARCHIVE_APP_TOKEN": TOKEN,
            "ARCHIVEBOX_URL": archivebox,
            "ARCHIVEBOX_API_KEY": KEY,
        }


def run_python(row: PythonClient, settings: Mapping[str, str], folder: Path) -> Row:
    """Return what a client from PyPI sees."""
    drive = ROOT / "tests" / "clients" / "drive.py"
    done = subprocess.run(
        [str(row.client.python_or_skip()), str(drive), row.driver, *LAUNCHER],
        env=_make_env(settings, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr[-2_000:]
    result: Row = json.loads(lines[-1])
    return result


async def run_node(row: NodeClient, settings: Mapping[str, str], folder: Path) -> Row:
    """Return what a client from npm sees."""
    scripts = ROOT / "tests" / "clients" / "node"
    for script in scripts.glob("*.mjs"):
        shutil.copy(script, folder)
    # Node looks for packages beside the script.
    (folder / "node_modules").symlink_to(modules_or_skip(*row.packages))
    env = _make_env(settings, folder)
    node = str(node_or_skip())
    async with bridging.connect(node, folder / row.script, LAUNCHER, env, folder) as driver:
        return await tour(driver)


def run_real_host(host: Host, settings: Mapping[str, str], folder: Path) -> Row:
    """Return what the model of a host sees."""
    program = program_or_skip(host.package, host.program, *host.after)
    note = folder / "client-name"
    command = (sys.executable, str(TEE), str(note), *LAUNCHER)
    model, printed = run_host(host, program, node_or_skip(), command, settings, folder)
    assert model.results, printed[-2_000:]
    name = note.read_text(encoding="utf-8")
    return {"version": host.version, "client name": name, **model.judge()}


def _make_env(settings: Mapping[str, str], folder: Path) -> dict[str, str]:
    env = clean(folder) | dict(settings)
    # The clients have other packages of the same names.
    del env["PYTHONPATH"]
    return env | {"OTEL_SDK_DISABLED": "true", "CREWAI_DISABLE_TELEMETRY": "true"}
