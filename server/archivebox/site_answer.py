"""What a site answered when its page was saved, read from the files that ArchiveBox keeps of it:
the headers that a browser noted, or wget's WARC (ISO 28500)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.pages.warc import find_answer, read_answers
from server.errors import Failure

Json = dict[str, Any]

# The answer to the page itself stands at the start; what follows are its pictures and scripts.
_START_BYTES = 65_536
_REDIRECTS = range(300, 400)
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS = re.compile(rb'"(?:status|Status-Code)":\s*"?(\d{3})\b')
_NOTHING = re.compile(r"(?!)")
_TELLING = {
    "headers": re.compile(r"headers\.json"),
    "wget": re.compile(r"warc/[\w.-]+\.warc(?:\.gz)?"),
}
"""By plugin: the files that tell what the site answered."""


@dataclass(frozen=True)
class SiteAnswer:
    """The last answer on the way to a page.

    status: HTTP status. loops: whether it redirects, and to no answer. expected, received: bytes
    of the body as announced and as stored; None where not known. is_ended: whether its last chunk
    came, where it came in chunks.
    """

    status: int
    loops: bool = False
    is_ended: bool = True
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
            return not self.is_ended
        return self.received < self.expected

    def describe(self) -> str:
        """Return the answer in a sentence."""
        if not self.is_known:
            return "No output holds the page: nothing came from its address."
        if self.loops:
            return "The address redirects in a circle, or to an address that did not answer."
        if self.is_error:
            return f"The site answered {self.status} {_PHRASES.get(self.status, '')}.".replace(
                " .", "."
            )
        if not self.is_ended:
            return "The page broke off before its end."
        if self.is_cut:
            return f"The page broke off: {self.received:,} of {self.expected:,} bytes came."
        if self.status == HTTPStatus.NO_CONTENT:
            return "The site answered 204 No Content: there is no page."
        return f"The site answered {self.status}, and nothing of the page was kept."


# The WARC, and files that the runner of 0.9 leaves beside an output: logs, process ids, scripts.
_BY_PRODUCT = re.compile(
    r"(?:^|/)warc/|(?:^|/)(?:on_[A-Z]\w*__[^/]*|stdout|stderr|process|listener|hook|cmd)"
    r"\.(?:log|pid|sh)$"
)


def is_page(name: str) -> bool:
    """Return whether a file of an output is of the page, and not about how it was made."""
    return not _BY_PRODUCT.search(name)


UNKNOWN = SiteAnswer(0)
"""What a site answered of which nothing is kept."""


async def read_site_answer(api: ArchiveBoxApi, page: Json) -> SiteAnswer:
    """Return what the site answered; `UNKNOWN` where the server keeps nothing to tell by."""
    results = page.get("archiveresults") or []
    # Wget's own file also tells whether the page broke off.
    for result in sorted(results, key=lambda result: result.get("plugin") != "wget"):
        stored = _find_size(result)
        for path, size in _list_evidence(page, result):
            answer = await _read(api, path, size, str(page["url"]), stored)
            if answer.is_known:
                return answer
    return UNKNOWN


def parse_warc(data: bytes, url: str, stored: int | None = None) -> SiteAnswer:
    """Return the last answer on the way from the URL, from the start of a WARC.

    Args:
        stored: the bytes of the page's own file, which tell its length where the start does not.
    """
    last = find_answer(read_answers(data), url)
    if last is None:
        return UNKNOWN
    if last.status in _REDIRECTS:
        return SiteAnswer(last.status, loops=True)
    received = len(last.body) if last.is_whole else stored
    announced = last.headers.get("content-length", "")
    # What was packed on its way has another length than what it was unpacked to.
    if announced.isdigit() and "content-encoding" not in last.headers:
        return SiteAnswer(last.status, expected=int(announced), received=received)
    return SiteAnswer(last.status, is_ended=last.is_ended or not last.is_whole)


def _list_evidence(page: Json, result: Json) -> list[tuple[str, int]]:
    """Return path and size of the files that tell what the site answered."""
    # 0.8.5 lists no files, and names a WARC after the moment.
    if (result.get("extractor"), result.get("status")) == ("headers", "succeeded"):
        return [(f"/archive/{page['timestamp']}/headers.json", 0)]
    plugin, names = str(result.get("plugin")), _list_files(result)
    telling = filter(_TELLING.get(plugin, _NOTHING).fullmatch, names)
    folder = f"/snapshot/{page['id']}/{plugin}"
    return [(f"{folder}/{name}", int(names[name].get("size", 0))) for name in telling]


def _list_files(result: Json) -> Json:
    names = result.get("output_files")
    return names if isinstance(names, dict) else {}


def _find_size(result: Json) -> int | None:
    """Return the bytes of the page's own file as they came; None where there are several files."""
    names = _list_files(result)
    # Of a page whose links were turned to its files, wget keeps the original: it comes last.
    own = sorted(filter(is_page, names))
    pages = {name.removesuffix(".orig") for name in own}
    return int(names[own[-1]].get("size", 0)) if len(pages) == 1 else None


async def _read(
    api: ArchiveBoxApi, path: str, size: int, url: str, stored: int | None
) -> SiteAnswer:
    # Asked for more than there is, 0.9.73 sends nothing (416).
    most = _START_BYTES if size > _START_BYTES else None
    try:
        reply = await api.client.file(path, api.deadline, most=most, packed=True)
    except Failure:
        # Private, moved to another host or too large: then it is not known, which is no failure.
        return UNKNOWN
    if reply.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return UNKNOWN
    if path.endswith(".json"):
        return _parse_headers(reply.body)
    return parse_warc(reply.body, url, stored)


def _parse_headers(body: bytes) -> SiteAnswer:
    # The plugin of 0.9 writes `status`, 0.8.5 the status line of curl.
    match = _STATUS.search(body)
    return SiteAnswer(int(match[1])) if match else UNKNOWN
