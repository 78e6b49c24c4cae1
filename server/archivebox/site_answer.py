"""What a site answered when its page was saved, read from the files that ArchiveBox keeps of it:
the headers that a browser noted, or wget's WARC (ISO 28500)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

from server.archivebox.api import ArchiveBoxApi
from server.errors import Failure

Json = dict[str, Any]

# The answer to the page itself stands at the start; what follows are its pictures and scripts.
_START_BYTES = 262_144
_MOST_UNPACKED = 2_000_000
_MOST_HOPS = 25
_REDIRECTS = range(300, 400)
_STATUS_LINE = re.compile(rb"HTTP/\S+ (\d{3})")
_STATUS = re.compile(rb'"(?:status|Status-Code)":\s*"?(\d{3})\b')
_NOTHING = re.compile(r"(?!)")
_TELLING = {
    "headers": re.compile(r"headers\.json"),
    "wget": re.compile(r"warc/[\w.-]+\.warc(?:\.gz)?"),
}
"""By plugin: the files that tell what the site answered."""
_FIELD = re.compile(rb"^([A-Za-z-]+):[ \t]*(.*?)\r?$", re.MULTILINE)


@dataclass(frozen=True)
class SiteAnswer:
    """The last answer on the way to a page.

    status: HTTP status. loops: whether it redirects for ever. expected, received: bytes of the
    body as announced and as stored; None where not known.
    """

    status: int
    loops: bool = False
    expected: int | None = None
    received: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether there was anything to tell by."""
        return self.status > 0

    @property
    def is_error(self) -> bool:
        """Whether the site refused the page."""
        return self.status >= 400 or self.loops

    @property
    def is_cut(self) -> bool:
        """Whether less of the page came than was announced."""
        if self.expected is None or self.received is None:
            return False
        return self.received < self.expected

    def describe(self) -> str:
        """Return the answer in a sentence."""
        if not self.is_known:
            return "No output holds the page: nothing came from its address."
        if self.loops:
            return "The address redirects in a circle."
        if self.is_error:
            return f"The site answered {self.status} {_phrase(self.status)}.".replace(" .", ".")
        if self.is_cut:
            return f"The page broke off: {self.received:,} of {self.expected:,} bytes came."
        if self.status == HTTPStatus.NO_CONTENT:
            return "The site answered 204 No Content: there is no page."
        return f"The site answered {self.status}, and nothing of the page was kept."


UNKNOWN = SiteAnswer(0)
"""What a site answered of which nothing is kept."""


async def read_site_answer(api: ArchiveBoxApi, page: Json) -> SiteAnswer:
    """Return what the site answered; `UNKNOWN` where the server keeps nothing to tell by."""
    for result in page.get("archiveresults") or []:
        for path, size in _evidence(page, result):
            answer = await _read(api, path, size, str(page["url"]))
            if answer.is_known:
                return answer
    return UNKNOWN


def parse_warc(data: bytes, url: str) -> SiteAnswer:
    """Return the last answer on the way from the URL, from the start of a WARC."""
    answers: dict[str, tuple[int, str, SiteAnswer]] = {}
    for target, block, length in _responses(data):
        status, location, answer = _parse_response(block, length)
        answers.setdefault(_comparable(target), (status, location, answer))
    here, seen, last = url, set[str](), UNKNOWN
    while (key := _comparable(here)) in answers and len(seen) < _MOST_HOPS:
        if key in seen:
            return SiteAnswer(last.status, loops=True)
        seen.add(key)
        status, location, last = answers[key]
        if not location or status not in _REDIRECTS:
            break
        here = urljoin(here, location)
    return last


def _evidence(page: Json, result: Json) -> Iterator[tuple[str, int]]:
    """Yield path and size of the files that tell what the site answered."""
    if "extractor" in result:
        # 0.8.5 lists no files, and names a WARC after the moment.
        if (result["extractor"], result.get("status")) == ("headers", "succeeded"):
            yield f"/archive/{page['timestamp']}/headers.json", 0
        return
    plugin, names = str(result.get("plugin")), result.get("output_files")
    pattern = _TELLING.get(plugin, _NOTHING)
    if not isinstance(names, dict):
        return
    for name in filter(pattern.fullmatch, names):
        yield f"/snapshot/{page['id']}/{plugin}/{name}", int(names[name].get("size", 0))


async def _read(api: ArchiveBoxApi, path: str, size: int, url: str) -> SiteAnswer:
    # Asked for more than there is, 0.9.73 sends nothing (416).
    first_bytes = _START_BYTES if size > _START_BYTES else None
    try:
        reply = await api.client.file(path, api.deadline, first_bytes=first_bytes)
    except Failure:
        # Private, moved to another host or too large: then it is not known, which is no failure.
        return UNKNOWN
    if reply.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return UNKNOWN
    if path.endswith(".json"):
        return _parse_headers(reply.body)
    return parse_warc(reply.body, url)


def _parse_headers(body: bytes) -> SiteAnswer:
    # The plugin of 0.9 writes `status`, 0.8.5 the status line of curl.
    match = _STATUS.search(body)
    return SiteAnswer(int(match[1])) if match else UNKNOWN


def _responses(data: bytes) -> Iterator[tuple[str, bytes, int]]:
    """Yield address, stored start and whole length of each response."""
    unpacked = _unpack(data)
    start = 0
    while (end := unpacked.find(b"\r\n\r\n", start)) >= 0:
        fields = _parse_fields(unpacked[start:end])
        length = fields.get(b"content-length", b"")
        if not length.isdigit():
            return
        block = unpacked[end + 4 : end + 4 + int(length)]
        if fields.get(b"warc-type") == b"response":
            target = fields.get(b"warc-target-uri", b"").strip(b"<>")
            yield target.decode("utf-8", "replace"), block, int(length)
        # Two empty lines end a record.
        start = end + 4 + int(length) + 4


def _parse_response(block: bytes, length: int) -> tuple[int, str, SiteAnswer]:
    head, _, _ = block.partition(b"\r\n\r\n")
    match = _STATUS_LINE.match(head)
    status = int(match[1]) if match else 0
    fields = _parse_fields(head)
    announced = fields.get(b"content-length", b"")
    expected = int(announced) if announced.isdigit() else None
    location = fields.get(b"location", b"").decode("utf-8", "replace")
    answer = SiteAnswer(status, expected=expected, received=max(0, length - len(head) - 4))
    return status, location, answer


def _parse_fields(head: bytes) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in _FIELD.findall(head)}


def _unpack(data: bytes) -> bytes:
    """Return the start of the records; each is packed by itself."""
    if not data.startswith(b"\x1f\x8b"):
        return data[:_MOST_UNPACKED]
    unpacked = b""
    while data and len(unpacked) < _MOST_UNPACKED:
        reader = zlib.decompressobj(wbits=31)
        try:
            unpacked += reader.decompress(data, _MOST_UNPACKED - len(unpacked))
        except zlib.error:
            break
        # The end of what was asked for lies within a record.
        if not reader.eof:
            break
        data = reader.unused_data
    return unpacked


def _comparable(url: str) -> str:
    """Return the URL as both sides of a redirect write it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path or '/'}?{parts.query}".lower()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
