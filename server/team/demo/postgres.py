"""A PostgreSQL for the demonstration, gone with it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from server.settings import SettingsError
from server.team.demo.processes import find_free_port

_USER = "archive"
_START_SECONDS = 60.0
_END_SECONDS = 20.0


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs.

    Raises:
        SettingsError: there are none, with what to install.
    """
    folders = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    # Debian and Ubuntu install them beside the PATH.
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise SettingsError(
        "The demonstration needs PostgreSQL, which is not on this computer. Install it "
        "(`sudo apt install postgresql`, `brew install postgresql`), or set "
        "ARCHIVE_MCP_DATABASE_URL to an empty database."
    )


@contextmanager
def serve_postgres(folder: Path) -> Iterator[str]:
    """Run an empty PostgreSQL on a loopback port and yield the address of its database.

    Args:
        folder: where its files go.

    Raises:
        SettingsError: it is not there or does not start.
    """
    if sys.platform == "win32":
        raise SettingsError(
            "On Windows the demonstration needs ARCHIVE_MCP_DATABASE_URL: an empty database."
        )
    programs, password, port = find_programs(), secrets.token_hex(16), find_free_port()
    folder.mkdir()
    (folder / "password").write_text(password)
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    initialise = [str(programs / "initdb"), "-D", "data", "-U", _USER, "-A", "scram-sha-256"]
    _run([*initialise, "--pwfile=password", "-E", "UTF8", "--locale=C", "--no-sync"], folder, user)
    command = [str(programs / "postgres"), "-D", "data", "-p", str(port)]
    options = ["-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # programs of this computer
            [*command, *options], cwd=folder, user=user, stdout=log, stderr=log
        )
    url = f"postgresql://{_USER}:{password}@127.0.0.1:{port}/postgres"
    try:
        _wait_until_ready(url, process, folder / "log")
        yield url
    finally:
        # Sessions are cut, as a stop by an administrator does.
        process.send_signal(signal.SIGINT)
        process.wait(_END_SECONDS)


def _run(command: list[str], folder: Path, user: str | None) -> None:
    done = subprocess.run(  # noqa: S603  # a program of this computer
        command, cwd=folder, user=user, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SettingsError(f"PostgreSQL could not be set up: {done.stderr.strip()[-500:]}")


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                reason = log.read_text(errors="replace")[-500:]
                raise SettingsError(f"PostgreSQL does not start: {reason}") from None
        time.sleep(0.05)
