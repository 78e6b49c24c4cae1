"""One real server of a version for all tests of a file, looked at in its database and on its
disk, and the table of what they held."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archivebox.install import Version
from tests.support.archivebox.points import Points, Record
from tests.support.archivebox.server import OwnServer, RealArchiveBox
from tests.support.archivebox.stored import Stored
from tests.support.archivebox.targets import Target, over_real
from tests.support.machine.node import cache_folder

POINTS = pytest.StashKey[Points]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    points = config.stash.get(POINTS, Points())
    if points.cells:
        terminalreporter.section(f"what real servers held ({_find_file()})")
        terminalreporter.write_line(points.make_table())


def _find_file() -> Path:
    """Return where the table is kept: beside the installed servers, outside the checkout."""
    return cache_folder() / "archivebox-points.md"


@pytest.fixture(scope="module")
def box(request: pytest.FixtureRequest, own_server: OwnServer) -> Iterator[RealArchiveBox]:
    """One server of a version for all tests of a file, apart from those of other files."""
    version: Version = request.param
    with own_server(version) as real:
        yield real


@pytest.fixture
def stored(box: RealArchiveBox) -> Stored:
    """What that server holds."""
    return Stored(box)


@pytest.fixture
def record(box: RealArchiveBox, pytestconfig: pytest.Config) -> Record:
    """`record(point, deed, state)`: a row of the table, whose state is read from the server's
    database and disk."""
    points = pytestconfig.stash.setdefault(POINTS, Points())

    def note(point: int, deed: str, state: str) -> None:
        points.record(box.version, point, deed, state)
        # After each row: a run of an hour may be ended before its last test.
        _find_file().write_text(f"{points.make_table()}\n", encoding="utf-8")

    return note


@pytest.fixture
async def target(box: RealArchiveBox) -> AsyncIterator[Target]:
    """The product over that server."""
    async with over_real(box) as running:
        yield running


@pytest.fixture
async def working(target: Target, stored: Stored, tmp_path: Path) -> AsyncIterator[Target]:
    """The product with folders for its jobs and its files."""
    settings = {
        "ARCHIVEBOX_API_KEY": stored.real.key,
        "ARCHIVE_MCP_STATE_DIR": str(tmp_path / "state"),
        "ARCHIVE_MCP_EXPORT_DIR": str(tmp_path / "exports"),
    }
    async with target.connect(**settings) as calls:
        yield replace(target, calls=calls)
