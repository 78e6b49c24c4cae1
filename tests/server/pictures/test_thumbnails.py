from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from server.errors import Failure
from server.pictures.thumbnails import (
    LONGEST_SHEET,
    choose_layout,
    shrink,
)
from tests.support.tools.pictures import encoded


def bomb(width: int, height: int) -> bytes:
    """A small PNG file that claims to be very large."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * 1000), 9)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize("size", [(5000, 4000), (12_000, 12_000), (60_000, 60_000)])
def test_a_small_file_that_unpacks_to_too_many_pixels_is_not_unpacked(
    size: tuple[int, int],
) -> None:
    with pytest.raises(Failure, match="unpacks to"):
        shrink(bomb(*size), 512)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG"), ("RGBA", "WEBP"), ("P", "GIF")],
)
def test_pictures_of_every_usual_kind_are_opened(mode: str, kind: str) -> None:
    found = shrink(encoded(mode=mode, kind=kind), 100).image

    assert (found.mode, found.size) == ("RGB", (100, 67))


def test_what_is_transparent_is_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(file, "PNG")

    assert shrink(file.getvalue(), 100).image.getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert shrink(encoded((300, 200), exif=exif), 150).image.size == (100, 150)


@pytest.mark.parametrize("count", range(1, 25))
@pytest.mark.parametrize("size", [(288, 512), (512, 512), (512, 288), (30, 900), (20, 20)])
def test_a_sheet_has_room_for_all_and_is_never_too_large(count: int, size: tuple[int, int]) -> None:
    columns, width, height = choose_layout([size] * count, 512)
    rows = -(-count // columns)

    assert columns * rows >= count > columns * (rows - 1)
    assert min(width, height) > 0
    assert max(columns * (width + 8) + 8, rows * (height + 8) + 8) <= LONGEST_SHEET
