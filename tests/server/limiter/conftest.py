"""The world of the tests of the pacer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.pace.pacer_world import World, running


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "state")
    async with running(world.time):
        yield world
    world.close()
