"""A file that is complete, before and after it has its name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from server.exports.names import Format


@dataclass(frozen=True)
class Draft:
    """A complete file under a temporary name; its inode `file` and its size tell it from others."""

    name: str
    format: Format
    temporary: str
    file: int
    bytes: int
    rows: int = 0
    columns: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the draft as JSON-ready data, for the journal."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Draft:
        """Return the draft that `to_dict` turned into data."""
        return cls(**{**data, "columns": tuple(data["columns"])})


@dataclass(frozen=True)
class Export:
    """A finished file: its path and name, rows, columns in their order, size in bytes."""

    path: str
    name: str
    format: Format
    rows: int
    columns: tuple[str, ...]
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return the export as JSON-ready data."""
        return {**asdict(self), "columns": list(self.columns)}
