"""Reading what was archived: the best text of a snapshot, through the server's own file routes.

Only files that the snapshot's own results name are asked for, by paths below the snapshot. What the
pages say was written by strangers: callers mark it as data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from typing import Any

from server.archivebox.api import ArchiveBoxApi
from server.errors import Code, Failure
from server.http.transport import Reply

Json = dict[str, Any]

_TEXTS = (
    ("readability", ("content.txt", "content.html")),
    ("mercury", ("content.txt", "content.html")),
    ("htmltotext", ("htmltotext.txt",)),
    ("singlefile", ("singlefile.html",)),
    ("dom", ("output.html",)),
    # wget names the file after the URL, so there is no fixed name.
    ("wget", ()),
)
"""Plugins whose output is a page's text, best first, with the files they write."""

_IMAGES = {
    "screenshot": ("screenshot", ("screenshot.png", "screenshot.webp", "screenshot.jpg")),
    "favicon": ("favicon", ("favicon.ico", "favicon.png")),
}
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>", re.IGNORECASE)
# The title stands near the start: a singlefile of many megabytes is not decoded for it.
_HEAD_BYTES = 200_000
_READABLE = (".txt", ".html", ".htm", ".md")
# `head` too: the title is returned beside the text, not in it.
_SKIPPED_TAGS = frozenset({"script", "style", "noscript", "template", "svg", "head"})
_BLOCK_TAGS = frozenset(
    {
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "aside",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "ul",
        "ol",
        "tr",
        "table",
        "br",
        "hr",
        "pre",
        "blockquote",
        "dt",
        "dd",
    }
)


@dataclass(frozen=True)
class Output:
    """A file of a snapshot: who wrote it, its path on the web, its type."""

    plugin: str
    path: str
    mime_type: str


def texts_of(snapshot: Json) -> list[Output]:
    """Return the files that hold the page's text, best first; none while nothing has succeeded."""
    result = []
    for plugin, names in _TEXTS:
        result += [
            file for file in _files(snapshot, plugin, names) if file.path.endswith(_READABLE)
        ]
    return result


def images_of(snapshot: Json, kind: str) -> list[Output]:
    """Return the files of a screenshot or favicon."""
    plugin, names = _IMAGES[kind]
    return _files(snapshot, plugin, names)


async def first_readable(api: ArchiveBoxApi, outputs: list[Output]) -> tuple[Output, Reply]:
    """Return the first of the files that the server shows.

    Raises:
        Failure: `FORBIDDEN` where the snapshot is private or its files are on another host,
            `NOT_FOUND` where no file is there any more.
    """
    private, elsewhere = False, False
    for output in outputs:
        try:
            reply = await api.client.file(output.path, api.deadline)
        except Failure as failure:
            if failure.code is not Code.NOT_CONFIGURED:
                raise
            elsewhere = True
            continue
        if reply.status == 200 and reply.body and not _is_login(reply):
            return output, reply
        private |= reply.status in (302, 401, 403) or _is_login(reply)
    if private:
        raise Failure(
            Code.FORBIDDEN,
            "This page's files are private: ArchiveBox shows them to people who are logged in, "
            "and not to an API key.",
            "The user makes the snapshot public in ArchiveBox (or sets PUBLIC_SNAPSHOTS=True) "
            "to have it read here.",
        )
    if elsewhere:
        raise Failure(
            Code.FORBIDDEN,
            "ArchiveBox sends callers of this page's files on to another host name: it is "
            "private (a login), or saved "
            "pages have host names of their own there.",
            "The user makes the snapshot public. If it is, they set "
            "SERVER_SECURITY_MODE=safe-onedomain-nojsreplay in "
            "ArchiveBox, so that its files are served at ARCHIVEBOX_URL.",
        )
    raise Failure(
        Code.NOT_FOUND,
        "The files of this page are not there (any more).",
        "Archive it again: {POST /cli/update}.",
    )


def as_text(reply: Reply, output: Output) -> str:
    """Return the file as plain text; HTML without its markup."""
    text = reply.body.decode("utf-8", "replace")
    if output.path.endswith((".html", ".htm")) or "html" in reply.headers.get("content-type", ""):
        parser = _Text()
        parser.feed(text)
        parser.close()
        text = parser.text()
    return re.sub(r"\n{3,}", "\n\n", text).strip()


async def title_of(api: ArchiveBoxApi, snapshot: Json) -> str | None:
    """Return the page's title: as ArchiveBox noted it, which it does only with a browser, else
    from the saved HTML."""
    noted = snapshot.get("title")
    pages = [entry for entry in texts_of(snapshot) if entry.path.endswith((".html", ".htm"))]
    if noted or not pages:
        return str(noted) if noted else None
    try:
        reply = await api.client.file(pages[0].path, api.deadline)
    except Failure:
        return None  # the text is at hand: it is not lost over its title
    result = (
        _TITLE.search(reply.body[:_HEAD_BYTES].decode("utf-8", "replace"))
        if reply.status == 200
        else None
    )
    return " ".join(unescape(result[1]).split()) if result else None


def _files(snapshot: Json, plugin: str, names: tuple[str, ...]) -> list[Output]:
    match = []
    for result in snapshot.get("archiveresults") or []:
        # 0.8.5 calls a plugin an extractor.
        if (
            result.get("plugin", result.get("extractor")) != plugin
            or result.get("status") != "succeeded"
        ):
            continue
        for name, mime_type in _name_of(result, plugin, names):
            # Names come from what plugins wrote about strangers' pages: none may lead out of the
            # snapshot.
            if _is_below(name):
                match.append(Output(plugin, _web_path(snapshot, result, plugin, name), mime_type))
    return match


def _name_of(result: Json, plugin: str, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return a result's files that matter, in the order of `names`, then others with text."""
    files = result.get("output_files")
    if isinstance(files, dict) and files:
        # Keys of `output_files` are paths: a plugin may put its files into folders.
        existing = [
            name for requested in names for name in files if name.rpartition("/")[2] == requested
        ]
        others = [name for name in files if name not in existing and name.endswith(_READABLE)]
        return [
            (name, str((files[name] or {}).get("mimetype", ""))) for name in [*existing, *others]
        ]
    # 0.8.5 lists no files: its `output` is a file's name, a folder's, or a message.
    output = str(result.get("output_str") or result.get("output") or "")
    if not output or "\n" in output:
        return []
    if output.rpartition("/")[2].count("."):
        return [(output, "")]
    return [(f"{output}/{name}", "") for name in names]


def _web_path(snapshot: Json, result: Json, plugin: str, name: str) -> str:
    """Return a file's path on the web: 0.9 serves by snapshot and plugin, 0.8.5 by timestamp."""
    if "extractor" in result:
        return f"/archive/{snapshot['timestamp']}/{name}"
    return f"/snapshot/{snapshot['id']}/{plugin}/{name}"


def _is_below(name: str) -> bool:
    return not name.startswith(("/", "\\")) and ".." not in name.split("/") and "\\" not in name


def _is_login(reply: Reply) -> bool:
    start = reply.body[:4000].lower()
    return b"<form" in start and b"password" in start and b"login" in start


class _Text(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED_TAGS:
            self._skipped += 1
        elif tag in _BLOCK_TAGS:
            # Without line breaks the words of neighbouring blocks would run together.
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED_TAGS:
            # Saved pages have stray end tags: below zero the count would hide all text that
            # follows.
            self._skipped = max(0, self._skipped - 1)
        elif tag in _BLOCK_TAGS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._parts.append(data)

    def text(self) -> str:
        """Return what was collected, with blanks folded within lines."""
        lines = "".join(self._parts).splitlines()
        return "\n".join(" ".join(line.split()) for line in lines)
