"""Folders for settings to be looked for in."""

from __future__ import annotations

from pathlib import Path

NO_FILES = Path(__file__).parent
"""A folder without settings files: what this machine's user has configured stays out of the
tests."""
