"""Small valid pictures, drawn without a library: a screenshot of a page and its icon."""

from __future__ import annotations

import struct
from functools import lru_cache

from server.sandbox.ids import draw
from server.sandbox.png import encode_png

WIDTH, HEIGHT = 320, 200
_ICON = 16
_PAPER, _INK = bytes((252, 251, 247)), bytes((70, 72, 78))
_MARGIN = 16


@lru_cache(maxsize=256)
def draw_screenshot(bits: int) -> bytes:
    """Return a page seen from afar, as PNG: a coloured header and lines of grey text."""
    accent = bytes((bits & 0x7F, bits >> 8 & 0x7F, 96 + (bits >> 16 & 0x7F)))
    rows = [accent * WIDTH] * 28
    while len(rows) < HEIGHT:
        line = draw(bits, len(rows), 80)
        # About every sixth line is empty, as between paragraphs.
        length = 0 if line % 6 == 0 else 120 + line % 160
        text = _PAPER * _MARGIN + _INK * length + _PAPER * (WIDTH - _MARGIN - length)
        rows += [text] * 3 + [_PAPER * WIDTH] * 4
    return encode_png(WIDTH, HEIGHT, rows[:HEIGHT])


@lru_cache(maxsize=256)
def draw_favicon(bits: int) -> bytes:
    """Return a square of one colour, as an icon file that holds a PNG."""
    colour = bytes((bits & 0xFF, bits >> 8 & 0xFF, bits >> 16 & 0xFF))
    picture = encode_png(_ICON, _ICON, [colour * _ICON] * _ICON)
    # The header of an ICO file and one entry of its directory; the picture begins at byte 22.
    header = struct.pack("<HHH", 0, 1, 1)
    entry = struct.pack("<BBBBHHII", _ICON, _ICON, 0, 0, 1, 24, len(picture), 22)
    return header + entry + picture
