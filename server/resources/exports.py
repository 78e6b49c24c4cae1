"""The finished exports as resources: listed newest first, and read in pieces.

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
from server.exports.links import MIME_TYPES, PREFIX, make_uri

if TYPE_CHECKING:
    from server.dispatch import Calls
    from server.exports import FolderEntry

MOST_LISTED = 50
TEXT_PIECE = 200_000
BYTES_PIECE = 150_000
"""Bytes of a piece; of files that are no text less, because base64 makes four of three."""
_TEXTS = ("csv", "jsonl")
_ADDRESS = re.compile(re.escape(PREFIX) + r"(?P<name>[^/?#]+)(?:\?offset=(?P<offset>[0-9]{1,15}))?")

log = logging.getLogger("archive_mcp")


class ExportResources:
    """The exports of this server's folder; it is looked at when somebody asks, never before."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._folder = calls.services.exports

    def holds(self, uri: str) -> bool:
        """Whether an address is one of an export, be it there or not."""
        return uri.startswith(PREFIX)

    async def listing(self) -> list[dict[str, Any]]:
        """The newest exports as `resources/list` serves them; none where the folder is missing or
        cannot be used."""
        try:
            found = await to_thread.run_sync(lambda: self._folder().list_exports()[:MOST_LISTED])
        except Failure as failure:
            log.warning("exports are not listed: %s", failure.message)
            return []
        return [_listed(each) for each in found]

    async def read(self, uri: str) -> list[dict[str, Any]]:
        """The contents of a piece: the piece itself, and where the next one is.

        Raises:
            Failure: an address that is none, a name or position that cannot be, no such export.
        """
        with self._calls.mask_faults("resources/read"):
            return await self._read(uri)

    async def _read(self, uri: str) -> list[dict[str, Any]]:
        found = _ADDRESS.fullmatch(uri)
        if found is None:
            message = f"{uri!r} is not the address of an export."
            raise Failure(
                Code.INVALID_ARGUMENT,
                message,
                f"Such as {PREFIX}q4.csv or {PREFIX}q4.csv?offset=1000.",
            )
        name, offset = unquote(found["name"], errors="replace"), int(found["offset"] or 0)
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
        following = make_uri(name, piece.next_offset)
        told = (
            f"Bytes {offset} to {piece.next_offset} of {piece.total}. The next piece: {following}"
        )
        return [content, {"uri": following, "mimeType": "text/plain", "text": told}]


def _listed(export: FolderEntry) -> dict[str, Any]:
    data = export.to_dict()
    return {
        "uri": make_uri(export.name),
        "name": export.name,
        "title": export.name,
        "description": f"Exported file, {export.bytes} bytes; read in pieces.",
        "mimeType": MIME_TYPES[export.format],
        "size": export.bytes,
        "annotations": {"lastModified": data["modified"]},
    }
