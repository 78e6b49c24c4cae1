"""The text of a saved page, and what is wrong with it.

It is read from the page itself rather than from what ArchiveBox's plugins made of it: those drop
tables, forms and letters of other character sets. What pages say is untrusted content: callers mark
it as data.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio.to_thread

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.pages.charset import Decoded, decode_text
from server.archivebox.pages.files import PageFiles
from server.archivebox.pages.html_text import HtmlText, fold_empty_lines, read_html
from server.archivebox.pages.kinds import HTML_TYPES, find_kind, is_text, name_kind
from server.archivebox.pages.outputs import (
    Output,
    find_output,
    is_file_of,
    list_documents,
    list_headers,
    list_texts,
    list_warcs,
    make_address,
)
from server.archivebox.pages.warc import WebAnswer, find_answer, read_answers
from server.http.transport import Reply

Json = dict[str, Any]

# Closed in XHTML, they would be open in HTML, and hide all that follows.
_CLOSED_TAG = re.compile(r"<(title|script|style|iframe|textarea|noscript)\b([^<>]*)/>")
_INSTEAD = (
    "The page shows nothing without scripts or frames: this is what it has for browsers "
    "without them."
)
_LOSSY = "htmltotext"
# The first answers of a longer WARC say what is needed; its pictures come later.
_MOST_OF_WARC = 1_000_000
_MOST_FRAMES = 10


@dataclass(frozen=True)
class PageText:
    """What a page says.

    title: None where the file has none. source: the plugin whose file was read. path: that file's
    path on the web. status: what the page's own server answered; None where that is not kept.
    details: more about a file that is no text. notes: what the reader must know about the text.
    """

    text: str
    title: str | None
    source: str
    path: str
    status: int | None = None
    charset: str = ""
    details: Json = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Web:
    """What the page's own server answered, as far as that was kept."""

    page: WebAnswer | None = None
    answers: tuple[WebAnswer, ...] = ()
    header: str = ""
    status: int | None = None

    def find_header(self, output: Output) -> str:
        """Return the content type that one of wget's files was sent with."""
        if not self.page:
            return self.header
        answers = filter(lambda answer: is_file_of(output.name, answer.url), self.answers)
        answer = next(answers, self.page)
        # The file of a page that was moved bears the first name.
        is_moved = 300 <= answer.status < 400
        return self.page.content_type if is_moved else answer.content_type


async def read_page(api: ArchiveBoxApi, snapshot: Json, *, article: bool = False) -> PageText:
    """Return the text of a saved page.

    Args:
        snapshot: the page with its results.
        article: whether the article alone is enough, where a plugin took it out of the page.

    Raises:
        Failure: `FORBIDDEN` where the page is private or its files are on another host,
            `NOT_FOUND` where no file is there (any more).
    """
    reader = _Reader(api, snapshot, PageFiles(api), await _read_web(api, snapshot))
    return await reader.read(article=article)


async def _read_web(api: ArchiveBoxApi, snapshot: Json) -> _Web:
    """Return what the page's server answered: from wget's WARC, or the headers that were noted."""
    files = PageFiles(api)
    for output in list_warcs(snapshot):
        most = min(output.size or 0, _MOST_OF_WARC) or None
        if reply := await files.fetch(output, most=most, packed=True):
            answers = await anyio.to_thread.run_sync(read_answers, reply.body)
            page = find_answer(answers, str(snapshot.get("url", "")))
            if page is not None:
                return _Web(page, tuple(answers), page.content_type, page.status)
    for output in list_headers(snapshot):
        if reply := await files.fetch(output):
            return _parse_headers(reply.body)
    return _Web()


def _parse_headers(body: bytes) -> _Web:
    """Return what a plugin noted of the answer's headers."""
    try:
        noted = json.loads(body)
    except (ValueError, RecursionError):
        return _Web()
    if not isinstance(noted, dict):
        return _Web()
    lower = {str(name).lower(): value for name, value in noted.items()}
    status = lower.get("status-code", lower.get("status"))
    return _Web(
        header=str(lower.get("content-type", "")),
        status=status if isinstance(status, int) else None,
    )


@dataclass
class _Reader:
    """Reads one page, file after file until one has a text."""

    api: ArchiveBoxApi
    snapshot: Json
    files: PageFiles
    web: _Web

    async def read(self, *, article: bool) -> PageText:
        """Return the first text that there is, else what the page is instead."""
        outputs = list_texts(self.snapshot, article=article)
        empty: list[PageText] = []
        async for output, reply in self.files.fetch_all(outputs):
            # It may be the text of any file of the snapshot, such as a frame's.
            if empty and output.plugin == _LOSSY:
                break
            page = await self._read_file(output, reply)
            if page.text or page.details:
                return page
            empty.append(page)
        for output in self.files.too_large:
            return await self._describe(output, None)
        for page in empty:
            return page
        raise self.files.make_failure()

    async def _read_file(self, output: Output, reply: Reply) -> PageText:
        is_own = output.plugin == "wget"
        body = self._restore(reply) if is_own else reply.body
        kind = self._find_kind(output, body)
        if not is_text(kind, body):
            return await self._describe(output, len(body), kind)
        header = self.web.find_header(output) if is_own else ""
        decoded = decode_text(body, header, from_browser=not is_own)
        if kind in HTML_TYPES:
            return await self._read_html(output, decoded)
        lines = map(str.rstrip, decoded.text.splitlines())
        text = fold_empty_lines("\n".join(lines))
        notes = [] if text else ["The file is empty: it has no text."]
        return self._make(output, decoded, text, None, notes)

    def _restore(self, reply: Reply) -> bytes:
        """Return wget's file as it was saved, also where the server shows it in another form."""
        page = self.web.page
        # 0.9.31 does that with some files, and such answers have no ranges.
        is_other = "accept-ranges" not in reply.headers
        if is_other and page is not None and page.is_whole:
            return page.body
        return reply.body

    async def _read_html(self, output: Output, decoded: Decoded) -> PageText:
        html = await self._parse(decoded.text)
        frames = html.frames if output.plugin == "wget" else ()
        parts = await self._read_frames(output, frames)
        text = "\n\n".join(filter(None, [html.text, *parts]))
        title = html.title or None
        if text:
            return self._make(output, decoded, text, title, [])
        note = _INSTEAD if html.instead else _describe_emptiness(decoded.text)
        return self._make(output, decoded, html.instead, title, [note])

    async def _parse(self, source: str) -> HtmlText:
        if source.startswith("<?xml") or self.web.header.startswith("application/xhtml"):
            source = _CLOSED_TAG.sub(r"<\1\2></\1>", source)
        return await anyio.to_thread.run_sync(read_html, source)

    async def _read_frames(self, output: Output, frames: tuple[str, ...]) -> list[str]:
        """Return the texts of the parts of a frameset, each under its address."""
        texts = []
        for source in frames[:_MOST_FRAMES]:
            path = unquote(urlsplit(source).path)
            name = posixpath.normpath(posixpath.join(posixpath.dirname(output.name), path))
            text = await self._read_frame(name)
            texts.append(f"[Frame {source}]\n{text}")
        return texts

    async def _read_frame(self, name: str) -> str:
        part = find_output(self.snapshot, "wget", name)
        if part is None:
            return "(not saved)"
        reply = await self.files.fetch(part)
        if reply is None:
            return "(not saved)"
        decoded = decode_text(reply.body, self.web.find_header(part))
        html = await self._parse(decoded.text)
        return html.text

    async def _describe(self, output: Output, size: int | None, kind: str = "") -> PageText:
        """Return what a file is that is no text, with its text where a plugin has read it."""
        kind = kind or output.mime_type
        name = name_kind(kind)
        async for document, reply in self.files.fetch_all(list_documents(self.snapshot)):
            decoded = decode_text(reply.body, from_browser=True)
            if decoded.text.strip():
                text = decoded.text.strip()
                return self._make(document, decoded, text, None, [f"The page is {name}."])
        details: Json = {
            "type": kind or "application/octet-stream",
            "bytes": size if output.size is None else output.size,
            "address": make_address(self.api.client.url, output),
        }
        about = "of more than 8 MB" if output in self.files.too_large else "and no text"
        note = f"The page is {name} {about}: a person opens it at `address`."
        return PageText("", None, output.plugin, output.path, self.web.status, "", details, (note,))

    def _find_kind(self, output: Output, body: bytes) -> str:
        noted = [output.mime_type]
        if output.plugin == "wget" and self.web.page:
            noted.append(self.web.page.kind)
        return find_kind(body, output.path, *noted)

    def _make(
        self, output: Output, decoded: Decoded, text: str, title: str | None, notes: list[str]
    ) -> PageText:
        return PageText(
            text,
            title,
            output.plugin,
            output.path,
            self.web.status,
            decoded.charset,
            {},
            (*notes, *_list_doubts(output, decoded)),
        )


def _list_doubts(output: Output, decoded: Decoded) -> Iterator[str]:
    """Yield what may be wrong with the letters of a text."""
    if decoded.unreadable:
        yield (
            f"{decoded.unreadable} letters could not be read as {decoded.charset} and stand "
            "here as \ufffd."
        )
    if output.plugin == _LOSSY:
        yield (
            "This is what ArchiveBox's htmltotext made of the page: letters beyond ASCII may "
            "be missing, and a frame's text may stand in its place."
        )
    if decoded.source == "detected":
        yield f"No character set is noted for the page: it was read as {decoded.charset}."


def _describe_emptiness(html: str) -> str:
    if not html.strip():
        return "The saved page is empty: it has no bytes but blanks."
    if "<script" in html.lower():
        return "The saved page shows no text: scripts would make it, and they were not run."
    return f"The saved page shows no text: its HTML has {len(html)} characters, none of them text."
