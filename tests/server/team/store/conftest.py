"""The three stores of the pace, each as the address that opens it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["folder", "postgresql", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind: a folder, or the address of a server."""
    if request.param == "folder":
        return str(tmp_path / "state")
    fixture = {"postgresql": "database_url", "redis": "redis_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture(params=["postgresql", "redis"])
def server_place(request: pytest.FixtureRequest) -> str:
    """An empty store of the kinds that several machines can share."""
    fixture = {"postgresql": "database_url", "redis": "redis_url"}[request.param]
    return str(request.getfixturevalue(fixture))
