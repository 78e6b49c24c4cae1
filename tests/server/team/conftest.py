from __future__ import annotations

import pytest

from tests.support.team.people import SECRETS


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment has the secrets that the policies of the tests refer to."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
