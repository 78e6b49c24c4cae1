"""Pictures of unknown origin made small, and many of them on one sheet. Needs Pillow, but for
`unscaled`."""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from server.errors import Code, Failure
from server.tool.result import Image as Picture

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

MOST_BYTES = 700_000
"""Bytes of all pictures of a result: under 1 MB once encoded."""
MOST_PIXELS = 16_000_000
"""Of a picture that is opened at all: what a phone's camera makes; unpacked about 60 MB."""
LONGEST_SHEET = 1_560
"""Pixels of a sheet's longer side: models shrink what is larger."""
SMALLEST, LARGEST = 64, 1_024
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITIES = (85, 72, 58, 45)
_GAP = 8
_PAPER, _EMPTY, _BADGE, _INK = (255, 255, 255), (238, 238, 238), (17, 17, 17), (255, 255, 255)
_NARROWEST, _WIDEST = 0.56, 1.78
_SHEET_RATIO = 4 / 3
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


@dataclass(frozen=True)
class Thumbnail:
    """A picture that was opened, turned upright and made small, without its colours'
    transparency."""

    image: Image
    is_video: bool = False


class _Grid(NamedTuple):
    """A way to lay out a sheet: columns, width of a cell, and why it is good: large, few gaps,
    usual shape."""

    columns: int
    width: float
    merit: tuple[float, ...]


def shrunk(data: bytes, longest: int, *, is_video: bool = False) -> Thumbnail:
    """The picture with sides of at most `longest` pixels; of an animation the first frame.

    Raises: Failure: `BAD_RESPONSE`, in a clause, for what is no picture, broken, or unpacks to too
        many pixels.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise _too_large(width, height)
            image.draft("RGB", (longest, longest))  # JPEG unpacks straight to a smaller size
            small = _opaque(image)
            small.thumbnail((longest, longest))
            ImageOps.exif_transpose(small, in_place=True)
            return Thumbnail(small, is_video)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Failure(Code.BAD_RESPONSE, "it unpacks to too many pixels") from None
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        TypeError,
        struct.error,
        zlib.error,
    ):
        raise Failure(Code.BAD_RESPONSE, "it is no picture, or a broken one") from None


def unscaled(data: bytes, most: int) -> Picture:
    """The picture as it came, for where nothing can scale it.

    Raises: Failure: `BAD_RESPONSE`, in a clause, for more than `most` bytes and for what clients
        may not show.
    """
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    if kind is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is None:
        raise Failure(Code.BAD_RESPONSE, "it is no picture of a usual kind")
    if len(data) > most:
        raise Failure(
            Code.BAD_RESPONSE, f"it has {len(data) // 1000} kB, too many to be shown unscaled"
        )
    return Picture(kind, data)


def single(thumbnail: Thumbnail, most: int = MOST_BYTES) -> Picture:
    """One picture as JPEG of at most `most` bytes."""
    return _encoded(thumbnail.image, most)


def sheet(thumbnails: Sequence[Thumbnail], largest: int, most: int = MOST_BYTES) -> Picture:
    """All of them in a grid, numbered from 1 in reading order, as JPEG of at most `most` bytes.

    Args: largest: pixels of the longer side of one picture; less where the sheet would grow too
        large.
    """
    from PIL import Image, ImageDraw

    columns, width, height = layout([each.image.size for each in thumbnails], largest)
    rows = math.ceil(len(thumbnails) / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    paper = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(paper)
    for place, thumbnail in enumerate(thumbnails):
        left = _GAP + place % columns * (width + _GAP)
        top = _GAP + place // columns * (height + _GAP)
        draw.rectangle((left, top, left + width - 1, top + height - 1), fill=_EMPTY)
        fitted = _fitted(thumbnail.image, width, height)
        paper.paste(
            fitted, (left + (width - fitted.width) // 2, top + (height - fitted.height) // 2)
        )
        _mark(draw, left, top, str(place + 1), max(16, min(width, height) // 8))
        if thumbnail.is_video:
            _mark_video(draw, left + width, top + height, max(14, min(width, height) // 9))
    return _encoded(paper, most)


def layout(sizes: Sequence[tuple[int, int]], largest: int) -> tuple[int, int, int]:
    """Columns of a sheet, and width and height of its cells: as upright as most of the pictures
    are, and as large as the sheet allows, but not larger than the pictures."""
    ratios = sorted(width / height for width, height in sizes)
    ratio = min(_WIDEST, max(_NARROWEST, ratios[len(ratios) // 2]))
    most = min(largest, max(max(size) for size in sizes)) * min(1.0, ratio)
    columns, width = max(_grids(len(sizes), ratio, most), key=lambda grid: grid.merit)[:2]
    return columns, int(width), int(width / ratio)


def _grids(count: int, ratio: float, most: float) -> list[_Grid]:
    found = []
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        width = min(most, (LONGEST_SHEET - _GAP) / columns - _GAP)
        width = min(width, ((LONGEST_SHEET / _SHEET_RATIO - _GAP) / rows - _GAP) * ratio)
        shape = abs(math.log(columns * ratio / rows / _SHEET_RATIO))
        found.append(_Grid(columns, width, (round(width), columns * -rows, -shape)))
    return found


def _fitted(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.width, height / image.height)
    if scale >= 1:
        return image
    return image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))))


def _mark(draw: ImageDraw, left: int, top: int, text: str, size: int) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    width = int(draw.textlength(text, font=font)) + size // 2
    draw.rectangle((left, top, left + width, top + size + size // 4), fill=_BADGE)
    draw.text((left + size // 4, top + size // 8), text, fill=_INK, font=font)


def _mark_video(draw: ImageDraw, right: int, bottom: int, size: int) -> None:
    left, top = right - size - size // 2, bottom - size - size // 2
    draw.rectangle((left, top, right - 1, bottom - 1), fill=_BADGE)
    inner = (left + size // 2, top + size // 3)
    draw.polygon(
        [inner, (inner[0], bottom - size // 3), (right - size // 3, (top + bottom) // 2)], fill=_INK
    )


def _opaque(image: Image) -> Image:
    from PIL.Image import new

    if not image.has_transparency_data:
        return image.convert("RGB")
    colours = image.convert("RGBA")
    paper = new("RGB", colours.size, _PAPER)
    paper.info = image.info
    paper.paste(colours, mask=colours.getchannel("A"))
    return paper


def _encoded(image: Image, most: int) -> Picture:
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= most:
                return Picture("image/jpeg", file.getvalue())
        image = image.resize((max(1, image.width * 2 // 3), max(1, image.height * 2 // 3)))


def _too_large(width: int, height: int) -> Failure:
    return Failure(Code.BAD_RESPONSE, f"it unpacks to {width} x {height} pixels")
