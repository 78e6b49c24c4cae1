"""The program that does in a process of its own what strangers' bytes may make endless: unpacking a
picture, and trying regular expressions.

It is started by its path, without the rest of the server. A request and an answer are a header in
JSON and some bytes, the lengths of both in front.
"""

from __future__ import annotations

import io
import json
import re
import struct
import sys
from typing import Any, BinaryIO

LENGTHS = struct.Struct(">II")
_MOST_MEMORY = 1 << 30
# Few formats: each decoder that untrusted files reach is a risk.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_PAPER = (255, 255, 255)


def limit_resources() -> None:
    """Bound the memory, and let no file be written; where the system knows such limits."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def shrink_picture(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the pixels of a picture with sides of at most `longest`, upright and without
    transparency."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        width, height = image.size
        # The size stands in the header: nothing is unpacked yet.
        if width * height > header["most_pixels"]:
            return {"error": f"it unpacks to {width} x {height} pixels"}, b""
        longest = (header["longest"], header["longest"])
        # JPEG can be unpacked straight to a smaller size.
        image.draft("RGB", longest)
        small = _make_opaque(image)
        small.thumbnail(longest)
        ImageOps.exif_transpose(small, in_place=True)
        return {"size": small.size}, small.tobytes()


def match_texts(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return for each text whether one of the regular expressions is found in it, whatever its
    capitals."""
    expressions = [re.compile(pattern, re.IGNORECASE) for pattern in header["patterns"]]
    texts = json.loads(data)
    fits = [any(expression.search(text) for expression in expressions) for text in texts]
    return {"fits": fits}, b""


TASKS = {"picture": shrink_picture, "match": match_texts}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while lengths := requests.read(LENGTHS.size):
        header_size, data_size = LENGTHS.unpack(lengths)
        header = json.loads(requests.read(header_size))
        answer, content = perform(header, requests.read(data_size))
        text = json.dumps(answer).encode()
        answers.write(LENGTHS.pack(len(text), len(content)) + text + content)
        answers.flush()


def perform(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Perform a task; whatever it meets is the answer."""
    try:
        return TASKS[header["task"]](header, data)
    # Decoders raise whatever they like, and nothing else in this process could go wrong.
    except Exception as error:  # noqa: BLE001 - all of it is about the bytes that were sent
        name = type(error).__name__
        return {"error": "", "kind": name, "bomb": name.startswith("DecompressionBomb")}, b""


def _make_opaque(image: Any) -> Any:
    from PIL.Image import new

    if not image.has_transparency_data:
        return image.convert("RGB")
    colours = image.convert("RGBA")
    paper = new("RGB", colours.size, _PAPER)
    # The EXIF data in it say which way is up.
    paper.info = image.info
    paper.paste(colours, mask=colours.getchannel("A"))
    return paper


if __name__ == "__main__":
    limit_resources()
    serve(sys.stdin.buffer, sys.stdout.buffer)
