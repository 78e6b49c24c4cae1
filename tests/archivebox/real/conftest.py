"""One real server of a version for all tests of a file, looked at in its database and on its
disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.archivebox.install import Version
from tests.support.archivebox.server import OwnServer, RealArchiveBox
from tests.support.archivebox.stored import Stored
from tests.support.archivebox.targets import Target, over_real


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
async def target(box: RealArchiveBox) -> AsyncIterator[Target]:
    """The product over that server."""
    async with over_real(box) as running:
        yield running
