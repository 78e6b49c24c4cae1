from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.tools.exporting_shop import Shop, shop


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Shop]:
    """A server over a sandbox, with an export folder that does not exist yet."""
    async with shop(tmp_path) as found:
        yield found
