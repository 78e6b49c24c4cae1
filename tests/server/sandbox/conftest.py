"""A sandbox for the tests of what serves one."""

from __future__ import annotations

import pytest

from tests.server.sandbox.archive.conftest import Client


@pytest.fixture
def client() -> Client:
    """A sandbox of its own for the test."""
    return Client()
