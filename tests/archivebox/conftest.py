"""Real ArchiveBox servers, one of each version per session, started when a test first needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.archivebox.install import VERSIONS, Version, installed_or_skip
from tests.support.archivebox.pages import served_pages
from tests.support.archivebox.server import (
    OwnServer,
    RealArchiveBox,
    RealServer,
    real_archivebox,
)
from tests.support.archivebox.targets import Target, over_real, over_sandbox

Ledger = dict[str, tuple[set[str], set[str]]]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the test that reads the ledger behind those that write it."""
    items.sort(key=_reads_ledger)


def _reads_ledger(item: pytest.Item) -> bool:
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
    return "ledger" in fixtures and "target" not in fixtures


@pytest.fixture(scope="session")
def pages() -> Iterator[Mapping[str, str]]:
    """Name of a page -> its URL on a loopback server."""
    with served_pages() as urls:
        yield urls


@pytest.fixture(scope="session")
def own_server(pages: Mapping[str, str]) -> OwnServer:
    """`with own_server(version) as server`: one that a test may break, or needs empty."""
    return lambda version: real_archivebox(installed_or_skip(version), pages)


@pytest.fixture(scope="session")
def real_server(own_server: OwnServer) -> Iterator[RealServer]:
    """`real_server(version)`: the session's server of this version, shared by all tests."""
    running: dict[Version, RealArchiveBox] = {}
    with ExitStack() as servers:

        def started(version: Version) -> RealArchiveBox:
            if version not in running:
                running[version] = servers.enter_context(own_server(version))
            return running[version]

        yield started


@pytest.fixture(scope="session", params=VERSIONS)
def real(request: pytest.FixtureRequest, real_server: RealServer) -> RealArchiveBox:
    """Each version's server in turn."""
    return real_server(request.param)


@pytest.fixture(scope="session")
def archived(real: RealArchiveBox) -> Mapping[str, dict[str, Any]]:
    """Name of a page -> its snapshot with archive results: every page, archived for real, tagged
    `stock`."""
    saved = real.save(*real.pages.values(), tag="stock")
    return {name: saved[url] for name, url in real.pages.items()}


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """Which tools worked and failed on which ArchiveBox, all tests together."""
    return {}


@pytest.fixture(
    params=["sandbox 0.9.73", "sandbox 0.9.31", "sandbox 0.8.5", "real 0.9.73", "real 0.8.5"]
)
async def target(request: pytest.FixtureRequest, ledger: Ledger) -> AsyncIterator[Target]:
    """The product over each ArchiveBox in turn: the sandbox as three versions, and real servers of
    two."""
    kind, _, version = request.param.partition(" ")
    if kind == "real":
        async with over_real(request.getfixturevalue("real_server")(version)) as running:
            yield running
    else:
        async with over_sandbox(version) as running:
            yield running
    worked, failed = ledger.setdefault(request.param, (set(), set()))
    worked |= running.worked
    failed |= running.failed
