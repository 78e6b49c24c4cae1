"""What a saved file is: by its first bytes, its name, or what its server said."""

from __future__ import annotations

import re
from itertools import filterfalse

HTML_TYPES = ("text/html", "application/xhtml+xml")
_UNKNOWN = ("", "application/octet-stream")
_HTML_ENDINGS = (".html", ".htm", ".xhtml", ".shtml")
_HTML_START = re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)
# Whatever a person can read; of images only SVG, which is XML.
_TEXT_TYPE = re.compile(
    r"(?!image/(?!svg))(?:text/|message/|.*(?:json|xml|yaml|csv|script|toml|sql|subrip))"
)
_NAMES = {
    "application/pdf": "a PDF document",
    "application/epub+zip": "an e-book",
    "image/": "an image",
    "video/": "a video",
    "audio/": "a sound file",
    "font/": "a font",
    "application/zip": "a ZIP archive",
    "application/gzip": "a packed file",
}
_SIGNATURES = {
    b"%PDF-": "application/pdf",
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"PK\x03\x04": "application/zip",
    b"PK\x05\x06": "application/zip",
    b"\x1f\x8b": "application/gzip",
    # Every file begins like that: it comes last.
    b"": "",
}
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_START_BYTES = 2000


def find_kind(body: bytes, path: str, *noted: str) -> str:
    """Return the type of a file; empty if nothing tells it.

    Args:
        noted: the types that were noted for it, the most reliable first.
    """
    known = filterfalse(_UNKNOWN.__contains__, noted)
    signs = [_find_signature(body), _find_html_name(path), *known, _find_html(body)]
    return next(filter(None, [*signs, _guess_by_name(path)]), "")


def is_text(kind: str, body: bytes) -> bool:
    """Return whether a person can read the file as it is."""
    if kind not in _UNKNOWN:
        return _TEXT_TYPE.match(kind) is not None
    start = body[:_START_BYTES]
    return b"\0" not in start or start.startswith(_UTF16_MARKS)


def name_kind(kind: str) -> str:
    """Return what people call a type."""
    if not kind:
        return "a file of an unknown type"
    for start, name in _NAMES.items():
        if kind.startswith(start):
            return name
    return f"a file of the type {kind}"


def _find_signature(body: bytes) -> str:
    signatures = filter(body.startswith, _SIGNATURES)
    return _SIGNATURES[next(signatures, b"")]


def _find_html_name(path: str) -> str:
    return "text/html" if path.lower().endswith(_HTML_ENDINGS) else ""


def _find_html(body: bytes) -> str:
    return "text/html" if _HTML_START.match(body[:_START_BYTES]) else ""


def _guess_by_name(path: str) -> str:
    import mimetypes

    kind, _ = mimetypes.guess_type(path)
    return kind or ""
