from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.tools.working import Worker, worker


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Worker]:
    """A process over a sandbox of 400 items."""
    async with worker(tmp_path) as found:
        yield found
