"""The files behind media contents: small still lifes, a product on a table, drawn from a media
content's number.

They are on a host of their own, as real ones are. That host needs no key and refuses a request that
brings one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from server.sandbox.answer import Answer
from server.sandbox.archive.data.competitors import item_of_media
from server.sandbox.archive.data.items import FRAMES_EACH, MEDIA, MediaContent
from server.sandbox.archive.data.workspace import Workspace, World
from server.sandbox.archive.failures import make_refusal
from server.sandbox.ids import Kind, draw
from server.sandbox.png import encode_png

WIDTH = 180
_PATH = re.compile(r"/(thumbs|files)/([0-9a-f-]{36})\.jpg")
# Headers that belong to the API; sending them to another host would leak them.
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
    """Return the address of the files for a caller: the sandbox's own once it is served over
    HTTP."""
    host = headers.get("host", "")
    return f"http://{host}" if _LOOPBACK.fullmatch(host) else MEDIA


def move_files(content: MediaContent, base: str) -> MediaContent:
    """Return the media content with its files at `base`."""
    # A file that is gone has neither URL.
    if content.file_url is None or content.thumbnail_url is None:
        return content
    return replace(
        content,
        file_url=content.file_url.replace(MEDIA, base, 1),
        thumbnail_url=content.thumbnail_url.replace(MEDIA, base, 1),
    )


def is_media(path: str) -> bool:
    """Return whether a path is one of the media host's."""
    return path.startswith(("/thumbs/", "/files/"))


def serve(world: World, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """Return the media host's answer, the names of `headers` in small letters.

    Deleted files are gone even where their address is still listed.
    """
    if method != "GET":
        return make_refusal("not_get")
    if not _SECRETS.isdisjoint(headers):
        return make_refusal("key_for_media")
    match = _PATH.fullmatch(path)
    content = match and _find(world, match[2])
    if not content or content.deleted:
        return make_refusal("no_path")
    height = WIDTH * content.height // content.width
    # Drawn from the id, because the file is asked for by that alone.
    bits = draw(int(content.id.replace("-", "")[:12], 16), 0, 9)
    return Answer(
        status=200,
        headers={"content-type": "image/png"},
        body=picture(bits, height),
    )


def _find(world: World, media_id: str) -> MediaContent | None:
    for workspace in world.workspaces:
        number = workspace.number_of(Kind.MEDIA_CONTENT, media_id)
        if number is not None:
            by_id = {content.id: content for content in _list_frames(workspace, number)}
            return by_id.get(media_id)
    return None


def _list_frames(workspace: Workspace, number: int) -> Iterable[MediaContent]:
    item_number = number // FRAMES_EACH
    if item_number in workspace.numbers:
        return workspace.item(item_number).media_contents
    post = item_of_media(workspace, number)
    return post.media_contents if post else ()


@lru_cache(maxsize=128)
def picture(bits: int, height: int) -> bytes:
    """Return a wall, a table and something on it, as PNG of 180 pixels in width."""
    return encode_png(WIDTH, height, _rows(bits, height))


def _rows(bits: int, height: int) -> Iterator[bytes]:
    """Yield the rows of a picture, top first, with three bytes for each pixel."""
    wall, thing = _WALLS[bits % 6], _THINGS[(bits >> 8) % 6]
    table = _shade(_WALLS[(bits >> 16) % 6], 0.72)
    edge = height * (60 + (bits >> 24) % 16) // 100
    middle, half = WIDTH * (35 + (bits >> 32) % 30) // 100, 16 + (bits >> 40) % 20
    top, bottom = edge - height * (25 + (bits >> 48) % 20) // 100, edge + height // 12
    cap = top + (bottom - top) // 5
    for y in range(height):
        # The wall darkens towards the table, so that no two rows of it are the same.
        ground = _shade(wall, 1.0 - 0.25 * y / height) if y < edge else table
        row = bytearray(bytes(ground) * WIDTH)
        if top <= y < bottom:
            width, colour = half, _body_colour(thing, y, cap, bottom)
            if y < cap:
                width, colour = half // 2, _shade(thing, 0.6)
            left, right = middle - width, middle + width
            row[3 * left : 3 * right] = bytes(colour) * (2 * width)
            # A stripe of light on the left side, or the thing would look flat.
            light = max(1, width // 5)
            stripe = slice(3 * (left + light), 3 * (left + 2 * light))
            row[stripe] = bytes(_shade(colour, 1.25)) * light
        yield bytes(row)


def _body_colour(thing: Colour, y: int, cap: int, bottom: int) -> Colour:
    """Return the colour of the body at a height, with a pale label in its middle."""
    place = (y - cap) / (bottom - cap)
    return (248, 244, 236) if 0.4 < place < 0.7 else thing


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, int(part * factor)) for part in colour)
    return red, green, blue
