"""The addresses and MIME types of exported files."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    pass

PREFIX = "archive://exports/"


MIME_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
}


def address(name: str, offset: int = 0) -> str:
    """The URI of an export, or of its piece from a byte on."""
    return f"{PREFIX}{quote(name, safe='')}" + (f"?offset={offset}" if offset else "")
