"""The icon: a box with a lid, drawn with nothing but the standard library."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from itertools import product

SIZE = 512
_SAMPLES = 2
_BACKGROUND = (31, 64, 104)
_LID = (255, 209, 102)
_BODY = (247, 243, 233)
_HANDLE = (31, 64, 104)

Colour = tuple[int, int, int]
# Left, top, right, bottom and the radius of the corners, in pixels; later ones lie on top.
_SHAPES: tuple[tuple[float, float, float, float, float, Colour], ...] = (
    (16, 16, 496, 496, 104, _BACKGROUND),
    (124, 232, 388, 404, 22, _BODY),
    (100, 132, 412, 216, 22, _LID),
    (206, 276, 306, 310, 17, _HANDLE),
)


@cache
def draw_icon() -> bytes:
    """Return the icon as a PNG of 512 by 512 pixels."""
    return _encode(b"".join(b"\0" + _draw_row(y) for y in range(SIZE)))


def read_pixels(png: bytes) -> bytes:
    """Return the rows of a picture that `draw_icon` made, as they are before they are compressed.

    Compressed bytes differ between versions of zlib; these do not.
    """
    data, position = b"", 8
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        if png[position + 4 : position + 8] == b"IDAT":
            data += png[position + 8 : position + 8 + length]
        position += length + 12
    return zlib.decompress(data)


def _draw_row(y: int) -> bytes:
    return b"".join(bytes(_colour(x, y)) for x in range(SIZE))


def _colour(x: int, y: int) -> tuple[int, int, int, int]:
    """Return red, green, blue and opacity of a pixel: the mean of a few points in it."""
    steps = [(step + 0.5) / _SAMPLES for step in range(_SAMPLES)]
    points = [_hit(x + dx, y + dy) for dx, dy in product(steps, steps)]
    solid = [colour for colour in points if colour is not None]
    if not solid:
        return 0, 0, 0, 0
    red, green, blue = (round(sum(parts) / len(solid)) for parts in zip(*solid, strict=True))
    return red, green, blue, round(255 * len(solid) / len(points))


def _hit(x: float, y: float) -> Colour | None:
    """Return the colour of the uppermost shape at a point."""
    for left, top, right, bottom, radius, colour in reversed(_SHAPES):
        if not (left <= x <= right and top <= y <= bottom):
            continue
        dx = max(left + radius - x, x - (right - radius), 0)
        dy = max(top + radius - y, y - (bottom - radius), 0)
        if dx * dx + dy * dy <= radius * radius:
            return colour
    return None


def _encode(rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
