"""The store of a team's exports, once as a folder and once in a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.team.files.settings import FileSettings
from server.team.files.store import FileStore, open_store


@pytest.fixture(params=["folder", "bucket"])
def file_settings(request: pytest.FixtureRequest, tmp_path: Path) -> FileSettings:
    """Where the exports of the test go."""
    if request.param == "bucket":
        settings: FileSettings = request.getfixturevalue("bucket")
        return settings
    return FileSettings(place=str(tmp_path / "shared"))


@pytest.fixture
def store(file_settings: FileSettings, tmp_path: Path) -> FileStore:
    """The store of the settings."""
    return open_store(file_settings, tmp_path / "unused")
