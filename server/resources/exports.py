"""Serves the finished exports as resources: listed newest first, and read in pieces.

archive://exports/q4.csv                   the first piece
archive://exports/q4.csv?offset=199840     the piece from that byte on
"""

from __future__ import annotations

import base64
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from anyio import to_thread

from server.errors import Code, Failure
from server.exports import FolderEntry
from server.exports.links import MIME_TYPES, PREFIX, make_uri

if TYPE_CHECKING:
    from server.dispatch import Dispatcher

MOST_LISTED = 50
TEXT_PIECE = 200_000
"""The most bytes of a piece of text."""
BYTES_PIECE = 150_000
"""The most bytes of a piece of another file: less, because base64 makes four bytes of three."""
_TEXTS = ("csv", "jsonl", "txt")
_ADDRESS = re.compile(re.escape(PREFIX) + r"(?P<name>[^/?#]+)(?:\?offset=(?P<offset>[0-9]{1,15}))?")

log = logging.getLogger("archive_mcp")


class ExportResources:
    """The exports of this server's folder, which is only looked at when a client asks."""

    def __init__(self, calls: Dispatcher) -> None:
        self._calls = calls
        self._folder = calls.services.exports

    def holds(self, uri: str) -> bool:
        """Return whether an address is that of an export, which need not exist."""
        return uri.startswith(PREFIX)

    async def list_resources(self) -> list[dict[str, Any]]:
        """Return the newest exports as `resources/list` serves them.

        There are none where the folder is missing or cannot be used.
        """
        try:
            entries = await to_thread.run_sync(lambda: self._folder().list_exports())
        # The list holds other resources too, which an unusable folder must not hide.
        except Failure as failure:
            log.warning("exports are not listed: %s", failure.message)
            return []
        return [_make_listing(entry) for entry in entries[:MOST_LISTED]]

    async def read(self, uri: str) -> list[dict[str, Any]]:
        """Return the contents of a piece: the piece itself, and where the next one is.

        Raises:
            Failure: the address is malformed, the name or position cannot be, or there is no such
                export.
        """
        with self._calls.mask_faults("resources/read"):
            return await self._read(uri)

    async def _read(self, uri: str) -> list[dict[str, Any]]:
        match = _ADDRESS.fullmatch(uri)
        if match is None:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{uri!r} is not the address of an export.",
                f"An address looks like {PREFIX}q4.csv or {PREFIX}q4.csv?offset=1000.",
            )
        name, offset = unquote(match["name"], errors="replace"), int(match["offset"] or 0)
        kind = name.rpartition(".")[2].lower()
        length = TEXT_PIECE if kind in _TEXTS else BYTES_PIECE
        piece = await to_thread.run_sync(lambda: self._folder().read_piece(name, offset, length))
        content = {"uri": make_uri(name, offset), "mimeType": MIME_TYPES[kind]}
        if kind in _TEXTS:
            content["text"] = piece.data.decode("utf-8", "replace")
        else:
            content["blob"] = base64.b64encode(piece.data).decode()
        if piece.next_offset is None:
            return [content]
        # MCP has no paging of contents: a second content tells the reader where to continue.
        next_uri = make_uri(name, piece.next_offset)
        text = f"Bytes {offset} to {piece.next_offset} of {piece.total}. Next piece: {next_uri}"
        return [content, {"uri": next_uri, "mimeType": "text/plain", "text": text}]


def _make_listing(export: FolderEntry) -> dict[str, Any]:
    return {
        "uri": make_uri(export.name),
        "name": export.name,
        "title": export.name,
        "description": f"Exported file, {export.bytes} bytes; read in pieces.",
        "mimeType": MIME_TYPES[export.format],
        "size": export.bytes,
        "annotations": {"lastModified": export.to_dict()["modified"]},
    }
