"""Shrinks pictures of unknown origin, and puts many of them on one sheet.

All of it but `wrap_unscaled` needs Pillow.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from server.child import shared
from server.errors import Code, Failure
from server.tool.result import Image as Picture

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

# The most bytes of all pictures of a result: under 1 MB once encoded.
MOST_BYTES = 700_000
# The most pixels of a picture that is opened: a phone's photo, about 60 MB unpacked.
MOST_PIXELS = 16_000_000
# The most pixels of a sheet's longer side: models shrink what is larger.
LONGEST_SHEET = 1_560
SMALLEST, LARGEST = 64, 1_024
_QUALITIES = (85, 72, 58, 45)
_GAP = 8
_PAPER, _EMPTY, _BADGE, _INK = (255, 255, 255), (238, 238, 238), (17, 17, 17), (255, 255, 255)
# 9:16 and 16:9: a cell follows no picture to a shape further than these.
_NARROWEST, _WIDEST = 0.56, 1.78
_SHEET_RATIO = 4 / 3
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFFWEBP", "image/webp"),
)


@dataclass(frozen=True)
class Thumbnail:
    """A small, upright picture without transparency."""

    image: Image
    is_video: bool = False


class _Grid(NamedTuple):
    """A way to lay out a sheet: columns, width of a cell in pixels, and what speaks for it.

    `merit` compares the size of the cells first, then the number of gaps, then the sheet's shape.
    """

    columns: int
    width: float
    merit: tuple[float, ...]


def shrink(
    data: bytes, longest: int, *, is_video: bool = False, most_pixels: int = MOST_PIXELS
) -> Thumbnail:
    """Return the picture with sides of at most `longest` pixels; of an animation the first frame.

    Args:
        most_pixels: of the picture as it is; each takes four bytes.

    Raises:
        Failure: `BAD_RESPONSE`, with a clause as message, for a file that is no picture, is broken,
            unpacks to too many pixels, or takes too long.
    """
    # In a process of its own: a decoder in this one could neither be stopped nor bounded.
    from PIL.Image import frombytes

    header = {"task": "picture", "longest": longest, "most_pixels": most_pixels}
    answer, pixels = shared.ask(header, data)
    if "size" in answer:
        return Thumbnail(frombytes("RGB", tuple(answer["size"]), pixels), is_video)
    if answer.get("bomb"):
        raise Failure(Code.BAD_RESPONSE, "it unpacks to too many pixels")
    raise Failure(Code.BAD_RESPONSE, answer["error"] or "it is no picture, or a broken one")


def wrap_unscaled(data: bytes, most: int) -> Picture:
    """Return the picture as it came, for where no library can scale it.

    Raises:
        Failure: `BAD_RESPONSE`, with a clause as message, for more than `most` bytes and for what
            clients may not show.
    """
    # Four bytes of WebP's header are the file's length, and differ.
    head = data[:4] + data[8:12] if data.startswith(b"RIFF") else data
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if kind is None:
        raise Failure(Code.BAD_RESPONSE, "it is no picture of a usual kind")
    if len(data) > most:
        raise Failure(
            Code.BAD_RESPONSE, f"it has {len(data) // 1000} kB, too many to be shown unscaled"
        )
    return Picture(kind, data)


def encode_single(thumbnail: Thumbnail, most: int = MOST_BYTES) -> Picture:
    """Return one picture as JPEG of at most `most` bytes."""
    return _encode(thumbnail.image, most)


def draw_sheet(thumbnails: Sequence[Thumbnail], largest: int, most: int = MOST_BYTES) -> Picture:
    """Return the pictures in a grid, numbered from 1 in reading order, as JPEG.

    Args:
        largest: pixels of the longer side of one picture; less where the sheet would be too large.
        most: the most bytes.
    """
    from PIL import Image, ImageDraw

    sizes = [thumbnail.image.size for thumbnail in thumbnails]
    columns, width, height = choose_layout(sizes, largest)
    rows = math.ceil(len(thumbnails) / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP)
    paper = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(paper)
    for position, thumbnail in enumerate(thumbnails):
        left = _GAP + position % columns * (width + _GAP)
        top = _GAP + position // columns * (height + _GAP)
        draw.rectangle((left, top, left + width - 1, top + height - 1), fill=_EMPTY)
        image = _fit(thumbnail.image, width, height)
        margins = (width - image.width) // 2, (height - image.height) // 2
        paper.paste(image, (left + margins[0], top + margins[1]))
        _mark(draw, left, top, str(position + 1), max(16, min(width, height) // 8))
        if thumbnail.is_video:
            _mark_video(draw, left + width, top + height, max(14, min(width, height) // 9))
    return _encode(paper, most)


def choose_layout(sizes: Sequence[tuple[int, int]], largest: int) -> tuple[int, int, int]:
    """Return the columns of a sheet, and the width and height of its cells in pixels.

    Cells are as upright as most of the pictures, and as large as the sheet allows, but not larger
    than the pictures.
    """
    ratios = sorted(width / height for width, height in sizes)
    ratio = min(_WIDEST, max(_NARROWEST, ratios[len(ratios) // 2]))
    most = min(largest, max(max(size) for size in sizes)) * min(1.0, ratio)
    columns, width = max(_list_grids(len(sizes), ratio, most), key=lambda grid: grid.merit)[:2]
    return columns, int(width), int(width / ratio)


def _list_grids(count: int, ratio: float, most: float) -> list[_Grid]:
    grids = []
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        width = min(most, (LONGEST_SHEET - _GAP) / columns - _GAP)
        width = min(width, ((LONGEST_SHEET / _SHEET_RATIO - _GAP) / rows - _GAP) * ratio)
        shape = abs(math.log(columns * ratio / rows / _SHEET_RATIO))
        # Rounded, so that less than a pixel does not outweigh the gaps.
        grids.append(_Grid(columns, width, (round(width), columns * -rows, -shape)))
    return grids


def _fit(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.width, height / image.height)
    # Enlarging adds bytes, but nothing to see.
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


def _encode(image: Image, most: int) -> Picture:
    # It ends: each round the picture has less than half of its pixels left.
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            image.save(file, "JPEG", quality=quality, optimize=True)
            if file.tell() <= most:
                return Picture("image/jpeg", file.getvalue())
        image = image.resize((max(1, image.width * 2 // 3), max(1, image.height * 2 // 3)))
