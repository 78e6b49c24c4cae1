"""What a page's own server answered when wget fetched it: read from the WARC beside wget's files.

It is the one output that keeps the answer's status and headers, and names the page that belongs to
a URL beyond doubt.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin

MOST_BYTES = 8 * 1024 * 1024
"""The most bytes of one unpacked record."""
_FIRST_LINE = re.compile(rb"HTTP/[\d.]+ +(\d{3})\b")
_GZIP = 31
_MOST_REDIRECTS = 10
_CODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": 15}


@dataclass(frozen=True)
class WebAnswer:
    """An answer of a web server; header names in lower case.

    is_whole: whether all of the body is there, and not only its beginning. is_ended: whether a body
    in chunks came with its last one; True for others, which say their length or nothing.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool
    is_ended: bool = True

    @property
    def content_type(self) -> str:
        """The type with its parameters, as sent."""
        return self.headers.get("content-type", "")

    @property
    def kind(self) -> str:
        """The type alone, in lower case; empty if none was sent."""
        return self.content_type.partition(";")[0].strip().lower()


def read_answers(warc: bytes) -> list[WebAnswer]:
    """Return the answers in a WARC, in the order in which they came.

    Args:
        warc: the file or its beginning, each record packed for itself.
    """
    return list(_list_answers(warc))


def find_answer(answers: Sequence[WebAnswer], url: str) -> WebAnswer | None:
    """Return the answer for a URL, at the end of its redirects; None where there is none."""
    by_url = {_normalize(answer.url): answer for answer in reversed(answers)}
    # wget writes some URLs in another form than they were given; the page comes first.
    first = next(iter(answers), None)
    page = by_url.get(_normalize(url), first)
    for _ in range(_MOST_REDIRECTS):
        if page is None or _get_target(page) not in by_url:
            return page
        page = by_url[_get_target(page)]
    return page


def _get_target(page: WebAnswer) -> str:
    if not 300 <= page.status < 400:
        return ""
    return _normalize(urljoin(page.url, page.headers.get("location", "")))


def _normalize(url: str) -> str:
    url = urldefrag(url.strip().strip("<>"))[0]
    # The root of a site is often written without its slash.
    return f"{url}/" if url.count("/") == 2 else url


def _list_answers(warc: bytes) -> Iterator[WebAnswer]:
    for record, is_whole in _list_records(warc):
        head, _, content = record.partition(b"\r\n\r\n")
        fields = _parse_fields(head)
        url = fields.get("warc-target-uri", "").strip("<>")
        is_page = not url.partition("?")[0].endswith("/robots.txt")
        if is_page and fields.get("warc-type") == "response":
            yield from _parse_answer(url, content, is_whole)


def _list_records(warc: bytes) -> Iterator[tuple[bytes, bool]]:
    while warc.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(_GZIP)
        try:
            record = unpacker.decompress(warc, MOST_BYTES)
        except zlib.error:
            return
        yield record, unpacker.eof
        # What follows a record that is too long or cut off cannot be found.
        warc = unpacker.unused_data


def _parse_fields(head: bytes) -> dict[str, str]:
    fields = {}
    for line in head.decode("utf-8", "replace").splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields


def _parse_answer(url: str, content: bytes, is_whole: bool) -> Iterator[WebAnswer]:
    """Yield the answer, where it is one."""
    head, _, body = content.partition(b"\r\n\r\n")
    match = _FIRST_LINE.match(head)
    if match is None:
        return
    headers, is_ended = _parse_fields(head), True
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body, is_ended = _join_chunks(body)
    else:
        # Each record ends in two line breaks of its own.
        body = body.removesuffix(b"\r\n\r\n")
    yield WebAnswer(url, int(match[1]), headers, _unpack(body, headers), is_whole, is_ended)


def _join_chunks(body: bytes) -> tuple[bytes, bool]:
    """Return the content, and whether its last chunk came, which is empty."""
    parts, start, length = [], 0, 1
    while start < len(body):
        end = body.find(b"\r\n", start)
        try:
            length = int(body[start : max(end, start)].partition(b";")[0], 16)
        except ValueError:
            break
        if length <= 0:
            break
        parts.append(body[end + 2 : end + 2 + length])
        start = end + 2 + length + 2
    return b"".join(parts), length == 0


def _unpack(body: bytes, headers: Mapping[str, str]) -> bytes:
    window = _CODINGS.get(headers.get("content-encoding", "").strip().lower())
    if window is None:
        return body
    try:
        return zlib.decompressobj(window).decompress(body, MOST_BYTES)
    except zlib.error:
        return body
