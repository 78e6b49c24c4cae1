"""The letters of a saved file: which character set its bytes are in.

The order is that of browsers: a byte order mark, what the page's server declared in its header,
what the page declares of itself, and only then a guess. Unlike a browser this doubts a declaration
that the bytes contradict: an archive is read for its words.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import filterfalse
from operator import itemgetter, methodcaller

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# Browsers look that far; a little more costs nothing.
_HEAD_BYTES = 4096
_DECLARATIONS = (
    re.compile(r"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w:.+-]+)", re.IGNORECASE),
    re.compile(r"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w:.+-]+)", re.IGNORECASE),
    re.compile(r"^\s*@charset \"([\w:.+-]+)\"", re.IGNORECASE),
)
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w:.+-]+)", re.IGNORECASE)
# The names for which the WHATWG's encoding standard and Python's codecs disagree.
_LABELS = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "latin1": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "tis-620": "cp874",
    "dos-874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "koi8": "koi8-r",
    "koi": "koi8-r",
    "x-cp1251": "cp1251",
    "x-cp1252": "cp1252",
    "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman",
    "unicode-1-1-utf-8": "utf-8",
}
# A page that could be read as ASCII cannot be in UTF-16, whatever it says.
_NOT_FROM_WITHIN = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7")
_UNREADABLE = "\ufffd"
# Of a thousand letters beyond ASCII: with more of them unreadable, the declaration is wrong.
_FEW = 50
_DETECT_BYTES = 200_000


@dataclass(frozen=True)
class Decoded:
    """A text and the character set that it was read in.

    source: where the set is from: `mark`, `header`, `page`, `bytes` (they are UTF-8, or plain
    ASCII) or `detected`. unreadable: letters that could not be read, each U+FFFD in the text.
    """

    text: str
    charset: str
    source: str
    unreadable: int = 0


def decode_text(body: bytes, header: str = "", *, from_browser: bool = False) -> Decoded:
    """Return the bytes as text.

    Args:
        header: the content type that the page's own server sent, if that is known.
        from_browser: whether a browser or a program wrote the file, in UTF-8: then what the page
            says of itself is about its original.
    """
    for mark in filter(body.startswith, _MARKS):
        return _read(body.removeprefix(mark), _MARKS[mark], "mark")
    if from_browser or _is_utf8(body):
        return _read(body, "utf-8", "bytes")
    return _read_declared(body, header) or _detect(body)


def _is_utf8(body: bytes) -> bool:
    text = _try(body, "utf-8")
    if text is None:
        return False
    # An escape begins the letters of ISO-2022-JP, which consists of ASCII.
    return not any(sign in text for sign in "\x1b\0")


def _read_declared(body: bytes, header: str) -> Decoded | None:
    """Return the text in the set that is declared, unless the bytes contradict it."""
    candidates = [_read(body, name, source) for name, source in _list_declared(body, header)]
    # Sorting keeps the order of those that are equally readable.
    candidates.sort(key=lambda candidate: candidate.unreadable > 0)
    return next(filter(_is_readable, candidates), None)


def _list_declared(body: bytes, header: str) -> Iterator[tuple[str, str]]:
    """Yield the sets that the header and the page name, each with who names it."""
    start = body[:_HEAD_BYTES].decode("latin-1")
    for name in filter(None, map(find_codec, _IN_HEADER.findall(header))):
        yield name, "header"
    matches = filter(None, map(methodcaller("search", start), _DECLARATIONS))
    names = map(find_codec, map(itemgetter(1), matches))
    for name in filterfalse(_NOT_FROM_WITHIN.__contains__, filter(None, names)):
        yield name, "page"


def find_codec(label: str) -> str:
    """Return Python's name for a character set by its name on the web; empty for an unknown one."""
    label = label.strip().lower()
    name = _LABELS.get(label, label)
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    # Python also lists what turns bytes into bytes, such as base64.
    return name if codec._is_text_encoding else ""


def _detect(body: bytes) -> Decoded:
    # Loading it takes 30 MB, and few pages declare nothing.
    import chardet
    from chardet import EncodingEra

    era = EncodingEra(EncodingEra.MODERN_WEB | EncodingEra.LEGACY_ISO)
    guess = chardet.detect(body[:_DETECT_BYTES], encoding_era=era)
    # The standard's answer to a page that says nothing.
    name = find_codec(str(guess["encoding"] or "")) or "cp1252"
    return _read(body, name, "detected")


def _try(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeDecodeError, UnicodeError):
        return None


def _read(body: bytes, name: str, source: str) -> Decoded:
    text = _try(body, name)
    if text is not None:
        return Decoded(text, name, source, text.count(_UNREADABLE))
    text = body.decode(name, "replace")
    return Decoded(text, name, source, text.count(_UNREADABLE))


def _is_readable(decoded: Decoded) -> bool:
    letters = sum(letter > "\x7f" for letter in decoded.text)
    return decoded.unreadable * 1000 <= letters * _FEW
