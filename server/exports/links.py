"""The URIs and MIME types of exported files."""

from __future__ import annotations

from urllib.parse import quote

PREFIX = "archive://exports/"
MIME_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
    "txt": "text/plain",
}


def make_uri(name: str, offset: int = 0) -> str:
    """Return the URI of an export, or of its piece from byte `offset` on."""
    query = f"?offset={offset}" if offset else ""
    return f"{PREFIX}{quote(name, safe='')}{query}"
