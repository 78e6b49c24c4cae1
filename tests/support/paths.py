"""Where things are in the repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SURFACE = ROOT / "tools" / "surface.json"
OPENING = ROOT / "tools" / "opening.json"
SCHEMA = ROOT / "server" / "sandbox" / "archive" / "schema.graphql"
ARCHIVE_API = ROOT / "tests" / "data" / "archive_api.json"
OPENAPI = ROOT / "tests" / "data" / "openapi"
