"""A real PostgreSQL for the tests: one cluster a session on a port of its own, one database a test.

The fixtures: `postgres` is the server, `empty_database` the address of a database without any
table, `database_url` that of one with the schema of this program, `own_postgres` a server that a
test may stop, kill and start again.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.support.archivebox.install import Account, plain_account
from tests.support.machine.ports import reserved_port
from tests.support.team.engines.debian import Unavailable, find_libraries, unpack_packages

USER = "archive"
PASSWORD = "made-up-password-of-tests"
TEMPLATE = "with_schema"
_START_SECONDS = 60.0
_END_SECONDS = 20.0
# Nothing here must survive a power cut; a killed process loses nothing by it.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "GMT",
    "log_timezone": "GMT",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


@dataclass(frozen=True)
class Programs:
    """The folder of `initdb` and `postgres`, and where they find their libraries."""

    folder: Path
    libraries: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a server: nothing of this process's but its PATH."""
        env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        return {**env, "LD_LIBRARY_PATH": self.libraries} if self.libraries else env


@dataclass
class Postgres:
    """A server that runs until its context ends, whatever a test does with it meanwhile."""

    programs: Programs
    account: Account
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, with the password."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            command = [str(self.programs.folder / "postgres"), "-D", str(self.folder / "data")]
            self.process = subprocess.Popen(
                [*command, "-p", str(self.port)],
                cwd=self.folder,
                env=self.programs.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.account.user,
                group=self.account.group,
                extra_groups=self.account.extra_groups,
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """End the server as an administrator does: sessions are cut, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server as a crash does; the next start recovers."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """End the server and start it again on the same port."""
        self.stop()
        self.start()

    def create_database(self, template: str = "template1") -> str:
        """Create a database and return its name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, with the sessions that a test left there."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement and return its rows, if it has any."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _wait_until_ready(self) -> None:
        import psycopg

        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > until:
                    log = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL did not start ({error}): {log}") from error
            time.sleep(0.05)

    def _end(self, number: int) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@cache
def find_programs() -> Programs | Unavailable:
    """Return PostgreSQL's programs: those of the machine, else of Debian's package."""
    # Not the folder of a link: `pg_dump` need not be beside that.
    installed = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    # Debian installs them beside the PATH, the newest last.
    installed += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in installed:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return Programs(folder.resolve())
    unpacked = unpack_packages("postgresql")
    if isinstance(unpacked, Unavailable):
        return unpacked
    folder = next(unpacked.glob("usr/lib/postgresql/*/bin"))
    return Programs(folder, find_libraries(unpacked))


@contextmanager
def serve_postgres() -> Iterator[Postgres]:
    """Run an empty server on a loopback port; skip the test where it cannot be had."""
    programs = find_programs()
    if isinstance(programs, Unavailable):
        pytest.skip(f"no PostgreSQL here: {programs}")
    account = plain_account()  # initdb refuses root
    # pytest's own folders are closed to the account of the server.
    folder = Path(tempfile.mkdtemp(prefix="archive-mcp-postgres-"))
    try:
        _initialise(programs, account, folder)
        with reserved_port() as port:
            server = Postgres(programs, account, folder, port)
            server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Programs, account: Account, folder: Path) -> None:
    password = folder / "password"
    password.write_text(PASSWORD)
    if account.user is not None and account.group is not None:
        os.chown(folder, account.user, account.group)
        os.chown(password, account.user, account.group)
    command = [str(programs.folder / "initdb"), "-D", str(folder / "data"), "-U", USER]
    options = ["-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--no-sync"]
    done = subprocess.run(
        [*command, *options, "--locale=C"],
        cwd=folder,
        env=programs.environment,
        capture_output=True,
        text=True,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        timeout=_START_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed: {done.stderr[-2000:]}")
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server that all tests of this process share."""
    with serve_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def _template(postgres: Postgres) -> str:
    from server.team.store.schema import migrate

    postgres.execute(f'CREATE DATABASE "{TEMPLATE}"')
    migrate(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """The address of a database without any table."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def database_url(postgres: Postgres, _template: str) -> Iterator[str]:
    """The address of a database with the schema of this program and no rows."""
    name = postgres.create_database(_template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[Postgres]:
    """A second server, which tests stop and start; each leaves it running."""
    with serve_postgres() as server:
        yield server


@pytest.fixture
def own_database_url(own_postgres: Postgres) -> Iterator[str]:
    """The address of a database with the schema on the server that tests stop and start."""
    from server.team.store.schema import migrate

    name = own_postgres.create_database()
    migrate(own_postgres.url(name))
    yield own_postgres.url(name)
    if own_postgres.process is None:
        own_postgres.start()
    own_postgres.drop_database(name)
