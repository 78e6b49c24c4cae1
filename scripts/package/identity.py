"""Who publishes, and where from. It needs nothing but the standard library: builders read it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

_PLACEHOLDER = re.compile(r"\bOWNER\b|\.invalid\b")
# `](file)` and `](file#anchor)`; with a `!` before its words it is a picture.
_RELATIVE_LINK = re.compile(r"(!?)(\[[^\]\n]*\])\((?![\w+.-]+:|[#/])([^)\s]+)\)")


class PlaceholderError(Exception):
    """The identity still has placeholders, so nothing may be released."""


@dataclass(frozen=True)
class Identity:
    """Who publishes, and where: the values of identity.toml."""

    owner: str
    git: str
    image: str
    namespace: str

    @classmethod
    def load(cls) -> Identity:
        """Return what identity.toml says."""
        path = Path(__file__).with_name("identity.toml")
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))

    @property
    def server_name(self) -> str:
        """The server's name in the MCP registry."""
        return f"{self.namespace}/archive-mcp"

    def placeholders(self) -> list[str]:
        """Return the fields that nobody has filled in yet."""
        return [name for name, value in vars(self).items() if _PLACEHOLDER.search(value)]

    def require_real(self) -> None:
        """Check that every field has a value of its own.

        Raises:
            PlaceholderError: One of them is a placeholder.
        """
        if names := self.placeholders():
            raise PlaceholderError(
                f"scripts/package/identity.toml has placeholders: {', '.join(names)}. Fill them "
                "in before you release anything."
            )

    def file_url(self, path: str) -> str:
        """Return the address at which a file of the repository can be read."""
        return f"{self.git}/blob/main/{path}"

    def picture_url(self, path: str) -> str:
        """Return the address of a picture itself, where `file_url` leads to a page about it."""
        return f"{self.git}/raw/main/{path}"

    def describe(self, readme: str) -> str:
        """Return the README as a package index shows it, where its relative links lead nowhere.

        They point into the repository; while nobody says where that is, they stay as they are.
        """
        if _PLACEHOLDER.search(self.git):
            return readme
        return _RELATIVE_LINK.sub(self._point_into_repository, readme)

    def _point_into_repository(self, link: re.Match[str]) -> str:
        mark, words, path = link.groups()
        url = self.picture_url(path) if mark else self.file_url(path)
        return f"{mark}{words}({url})"
