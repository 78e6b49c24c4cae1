"""An export folder of the test's own, reached in both ways that systems offer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.exports import ExportFolder, directory

NOW = datetime(2026, 11, 2, 9, 15, tzinfo=UTC)


@pytest.fixture(params=["descriptor", "path"])
def folder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ExportFolder:
    """A folder that does not exist yet; files are reached from it (POSIX) or by their path
    (Windows)."""
    if request.param == "path":
        monkeypatch.setattr(directory, "RELATIVE", False)
    return ExportFolder(tmp_path / "exports", now=lambda: NOW)
