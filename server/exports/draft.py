"""What a job journals of a file that is complete and has no name yet."""

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
