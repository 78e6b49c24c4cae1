"""What the packages are made from: who publishes them, the version, the tools and the settings."""

from __future__ import annotations

import json
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.package.identity import Identity
from server import __version__
from server.settings import VARIABLES
from server.settings.table import SETTINGS, Setting

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
TITLE = "Archive and ArchiveBox"
# What a host calls the server: the tools carry their own prefixes.
SERVER = "archive"
SHORT = (
    "Posts, creators and campaigns of Archive (archive.com), and the pages of your own ArchiveBox"
)
LONG = (
    "Ask your assistant about the posts, creators, collections, campaigns and competitors in "
    "Archive (archive.com), export and report on them, and save and read pages in your own "
    "ArchiveBox. Deletes and anything that costs money are confirmed by you first."
)
# Bundles cannot be given an extra later on, so they bring those that tools need for pictures.
EXTRAS = ("charts", "pictures")
ENTRY_POINT = "archive_mcp.py"


class UndescribedError(Exception):
    """The server reads a setting that the table of settings does not describe."""


class Product:
    """Hold everything that a manifest may say; each part is read when it is first needed."""

    def __init__(self, identity: Identity | None = None) -> None:
        self.identity = identity or Identity.load()
        self.version = __version__
        self.settings: tuple[Setting, ...] = SETTINGS
        missing = set(VARIABLES) - {setting.name for setting in SETTINGS}
        if missing:
            # Everything generated would leave them out without a word.
            raise UndescribedError(f"server/settings/table.py lacks {', '.join(sorted(missing))}")

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """What pyproject.toml says."""
        return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    @property
    def project(self) -> dict[str, Any]:
        """The table `project` of pyproject.toml."""
        project: dict[str, Any] = self.pyproject["project"]
        return project

    @property
    def distribution(self) -> str:
        """The name that installs the program; its main script is called the same."""
        name: str = self.project["name"]
        return name

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools as clients see them."""
        return [row["tool"] for row in self._surface]

    @property
    def core_tools(self) -> list[dict[str, Any]]:
        """The tools of the preset `core`."""
        return [row["tool"] for row in self._surface if row.get("core")]

    @cached_property
    def _surface(self) -> list[dict[str, Any]]:
        text = (ROOT / "tools" / "surface.json").read_text(encoding="utf-8")
        rows: list[dict[str, Any]] = json.loads(text)["tools"]
        return rows

    @property
    def asked_settings(self) -> list[Setting]:
        """The settings that an installer asks for."""
        return [setting for setting in self.settings if setting.asked]

    @property
    def source(self) -> str:
        """What `uvx --from` takes: the git address, since the name alone may not be published."""
        return f"git+{self.identity.git}"

    def requirements(self) -> list[str]:
        """Return what the server needs at run time, the bundled extras included."""
        extras: dict[str, list[str]] = self.project["optional-dependencies"]
        bundled = [line for extra in EXTRAS for line in extras[extra]]
        return [*self.project["dependencies"], *bundled]


def render_json(value: Any) -> str:
    """Return JSON as it is committed: two spaces, letters as they are, a line break at the end."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
