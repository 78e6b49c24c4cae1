"""PNG files from rows of pixels, written with the standard library alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable


def encode_png(width: int, height: int, rows: Iterable[bytes]) -> bytes:
    """Return a picture as a PNG file.

    width, height: pixels. rows: top first, three bytes (red, green, blue) for each pixel.
    """
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # Each row starts with the number of its filter; 0 leaves the bytes as they are.
    pixels = b"".join(b"\x00" + row for row in rows)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b""))
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        checksum = zlib.crc32(kind + body)
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)]
    return b"".join(parts)
