"""The program that does in a process of its own what strangers' bytes may make endless, or what
takes much memory: unpacking a picture, trying regular expressions, drawing a chart.

It is started by its path, with the folders to import from as arguments, and without the rest of the
server. A request and an answer are a header in JSON and some bytes, the lengths of both in front.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import sys
from typing import Any, BinaryIO

LENGTHS = struct.Struct(">II")
_MOST_MEMORY = 1 << 30
_LONGEST_REASON = 200
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


def draw_chart(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a chart as PNG."""
    from server.pictures.painting import paint

    return {}, paint(header)


TASKS = {"picture": shrink_picture, "match": match_texts, "chart": draw_chart}


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
    except MemoryError:
        # What is left of it may not be enough for an answer.
        os._exit(1)
    except Exception as error:  # noqa: BLE001 - all of it is about the bytes that were sent
        name = type(error).__name__
        is_bomb = name.startswith("DecompressionBomb")
        return {
            "error": "",
            "kind": name,
            "why": str(error)[:_LONGEST_REASON],
            "bomb": is_bomb,
        }, b""


def _describe_error(error: Exception) -> dict[str, Any]:
    kind = type(error).__name__
    why = str(error)[:_LONGEST_REASON]
    return {"error": "", "kind": kind, "why": why, "bomb": kind.startswith("DecompressionBomb")}


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
    # Where the server finds its libraries, so that both have the same ones.
    sys.path[:] = sys.argv[1:]
    limit_resources()
    serve(sys.stdin.buffer, sys.stdout.buffer)
