"""The files behind media contents: small still lifes, a product on a table, drawn from a media
content's number.

They are on a host of their own, as real ones are. That host wants no key: it refuses a request that
brings one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from server.sandbox.answer import Answer
from server.sandbox.archive.data.competitors import post_of_record
from server.sandbox.archive.data.items import FRAMES_EACH, MEDIA, MediaContent
from server.sandbox.archive.data.workspace import Workspace, World
from server.sandbox.archive.failures import refusal
from server.sandbox.ids import Kind, draw
from server.sandbox.png import png

WIDTH = 180
_PATH = re.compile(r"/(thumbs|files)/([0-9a-f-]{36})\.jpg")
_SECRETS = frozenset({"authorization", "cookie", "workspace-id"})
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
Colour = tuple[int, int, int]
_WALLS: tuple[Colour, ...] = (
    (246, 219, 205),
    (205, 224, 230),
    (222, 230, 205),
    (238, 224, 180),
    (224, 208, 230),
    (196, 206, 214),
)
_THINGS: tuple[Colour, ...] = (
    (196, 82, 62),
    (38, 92, 110),
    (92, 118, 62),
    (204, 150, 44),
    (112, 74, 128),
    (54, 60, 72),
)


def base_for(headers: Mapping[str, str]) -> str:
    """Where the files are for who asks: at the sandbox's own address once it is served over
    HTTP."""
    host = headers.get("host", "")
    return f"http://{host}" if _LOOPBACK.fullmatch(host) else MEDIA


def placed(content: MediaContent, base: str) -> MediaContent:
    """A media content whose files are at `base`."""
    if base == MEDIA:
        return content
    file, thumbnail = (
        url and url.replace(MEDIA, base, 1) for url in (content.file_url, content.thumbnail_url)
    )
    return replace(content, file_url=file, thumbnail_url=thumbnail)


def is_media(path: str) -> bool:
    """Whether a path is one of the media host's."""
    return path.startswith(("/thumbs/", "/files/"))


def serve(world: World, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """What the media host answers; deleted files are gone even where their address is still
    listed."""
    if method != "GET":
        return refusal("not_get")
    if not _SECRETS.isdisjoint(headers):
        return refusal("key_for_media")
    match = _PATH.fullmatch(path)
    content = match and _find(world, match[2])
    if not content or content.deleted:
        return refusal("no_path")
    height = WIDTH * content.height // content.width
    return Answer(200, {"content-type": "image/png"}, picture(_bits(content.id), height))


def _find(world: World, media_id: str) -> MediaContent | None:
    for home in world.workspaces:
        number = home.number_of(Kind.MEDIA_CONTENT, media_id)
        if number is not None:
            return next((each for each in _frames(home, number) if each.id == media_id), None)
    return None


def _frames(home: Workspace, number: int) -> Iterable[MediaContent]:
    item, _ = divmod(number, FRAMES_EACH)
    if item in home.numbers:
        return home.item(item).media_contents
    post = post_of_record(home, number, FRAMES_EACH)
    return post.media_contents if post else ()


def _bits(media_id: str) -> int:
    return draw(int(media_id.replace("-", "")[:12], 16), 0, 9)


@lru_cache(maxsize=128)
def picture(bits: int, height: int) -> bytes:
    """A wall, a table and something on it, as PNG of 180 pixels in width."""
    return png(WIDTH, height, _rows(bits, height))


def _rows(bits: int, height: int) -> Iterator[bytes]:
    wall, thing = _WALLS[bits % 6], _THINGS[(bits >> 8) % 6]
    table = _shade(_WALLS[(bits >> 16) % 6], 0.72)
    edge = height * (60 + (bits >> 24) % 16) // 100
    middle, half = WIDTH * (35 + (bits >> 32) % 30) // 100, 16 + (bits >> 40) % 20
    top, bottom = edge - height * (25 + (bits >> 48) % 20) // 100, edge + height // 12
    cap = top + (bottom - top) // 5
    for y in range(height):
        ground = _shade(wall, 1.0 - 0.25 * y / height) if y < edge else table
        row = bytearray(bytes(ground) * WIDTH)
        if top <= y < bottom:
            width = half // 2 if y < cap else half
            colour = _shade(thing, 0.6) if y < cap else _label(thing, y, cap, bottom)
            row[3 * (middle - width) : 3 * (middle + width)] = bytes(colour) * (2 * width)
            light = max(1, width // 5)
            row[3 * (middle - width + light) : 3 * (middle - width + 2 * light)] = (
                bytes(_shade(colour, 1.25)) * light
            )
        yield bytes(row)


def _label(thing: Colour, y: int, cap: int, bottom: int) -> Colour:
    """The colour of the body at a height: a pale label in its middle."""
    place = (y - cap) / (bottom - cap)
    return (248, 244, 236) if 0.4 < place < 0.7 else thing


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(part * factor)) for part in colour)
    return red, green, blue
