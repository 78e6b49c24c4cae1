"""PNG files from rows of pixels, written with the standard library alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable


def png(width: int, height: int, rows: Iterable[bytes]) -> bytes:
    """A picture from its rows, top first; a pixel is three bytes (red, green, blue)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = b"".join(b"\x00" + row for row in rows)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
