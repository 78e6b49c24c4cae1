"""The files of a saved page: which of them hold its text or its picture, and where they are.

Only files that the snapshot's own results name, or that the page's URL names, are asked for, by
paths below the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import chain, filterfalse
from typing import Any
from urllib.parse import quote, unquote, urlsplit

Json = dict[str, Any]

# Rendered by a browser, so with what scripts made of it.
_PAGES = (("dom", ("output.html",)), ("singlefile", ("singlefile.html",)))
# HTML first: the text files of some run the cells of a table together.
_ARTICLES = (
    ("readability", ("content.html", "content.txt")),
    ("defuddle", ("content.html", "content.txt")),
    ("mercury", ("content.html", "content.txt")),
    ("trafilatura", ("content.html", "content.md", "content.txt")),
)
# ArchiveBox makes this of any HTML file of the snapshot, and drops what is not UTF-8.
_LOSSY = (("htmltotext", ("htmltotext.txt",)),)
_DOCUMENTS = (("opendataloader", ("content.md", "content.txt")), ("liteparse", ()))
_IMAGES = {
    "screenshot": ("screenshot.png", "screenshot.webp", "screenshot.jpg"),
    "favicon": ("favicon.ico", "favicon.png"),
}
_READABLE = (".txt", ".html", ".htm", ".md")
_WARC = (".warc.gz",)
# What wget keeps beside a page: its WARC, and the original of a file whose links it converted.
_BESIDE = re.compile(r"\.(?:warc\.gz|orig)\Z")
_DONE = ("succeeded",)
_ENDED = ("succeeded", "failed")
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Output:
    """A file of a snapshot: who wrote it, its name below its plugin's folder, its path on the web,
    its type and its size in bytes, where these are known."""

    plugin: str
    path: str
    mime_type: str = ""
    name: str = ""
    size: int | None = None


@dataclass(frozen=True)
class _Made:
    """What one run of a plugin left, in the shape that all versions share.

    noted: the file that it names as its output, or what it says instead. files: what is known of
    each file by its name below the plugin's folder; empty where the version lists none. is_old:
    whether the files of all plugins lie in one folder, as before 0.9.
    """

    plugin: str
    status: str
    noted: str
    files: Json
    is_old: bool


def list_texts(snapshot: Json, *, article: bool = False) -> list[Output]:
    """Return the files that hold the text, best first; none while nothing has succeeded.

    Args:
        article: whether the article that a plugin took out of the page comes before the page.
    """
    pages = [*_list_each(snapshot, _PAGES), *_list_own(snapshot)]
    articles = _list_each(snapshot, _ARTICLES)
    best = [*articles, *pages] if article else [*pages, *articles]
    return [*best, *_list_each(snapshot, _LOSSY)]


def list_documents(snapshot: Json) -> list[Output]:
    """Return the files with the text of a document that is no web page, such as a PDF."""
    return _list_each(snapshot, _DOCUMENTS)


def list_images(snapshot: Json, kind: str) -> list[Output]:
    """Return the files of a screenshot or favicon."""
    return _list(snapshot, kind, _IMAGES[kind], ())


def list_warcs(snapshot: Json) -> list[Output]:
    """Return the files in which wget wrote down what it was answered."""
    outputs = _list(snapshot, "wget", (), _WARC, _ENDED)
    # Where no files are listed, wget's result names the page.
    return list(filter(lambda output: output.name.endswith(_WARC), outputs))


def list_headers(snapshot: Json) -> list[Output]:
    """Return the files with the headers that the page's server sent."""
    return _list(snapshot, "headers", ("headers.json",), ())


def find_output(snapshot: Json, plugin: str, name: str) -> Output | None:
    """Return a plugin's file by its name; None where the plugin lists its files without it."""
    for made in _list_made(snapshot, plugin):
        # Before 0.9 no files are listed: it may be there.
        if name in (made.files or [name]):
            return next(iter(_make_all(snapshot, made, [name])), None)
    return None


def is_file_of(name: str, url: str) -> bool:
    """Return whether wget would name the file of a URL like that.

    Signs are left out of the comparison: wget writes some of them differently from system to
    system, and adds `.html` where it is missing.
    """
    expected, actual = _letters(_guess_name(url)), _letters(name)
    return actual in (expected, f"{expected}html", f"{expected}htm")


def _list_own(snapshot: Json) -> list[Output]:
    """Return wget's file of the page itself, never one of a frame or an advertisement.

    `output_str` is not that: 0.9 names the first HTML file that it comes across.
    """
    outputs: list[Output] = []
    url = str(snapshot.get("url", ""))
    for made in _list_made(snapshot, "wget"):
        choose = _choose_own if made.files else _guess_own
        outputs += _make_all(snapshot, made, choose(made, url))
    return outputs


def _choose_own(made: _Made, url: str) -> list[str]:
    names = list(filterfalse(_BESIDE.search, made.files))
    own = list(filter(partial(is_file_of, url=url), names))
    # A name that was cut or comes from the server: then the note is all there is.
    noted = list(filter(made.noted.__eq__, names))
    return own or noted or names[:1]


def _guess_own(made: _Made, url: str) -> list[str]:
    guess = _guess_name(url)
    # 0.8.5 lists no files, and notes a folder where it finds none itself.
    names = filter(None, [guess, f"{guess}.html", made.noted])
    return list(dict.fromkeys(names))


def _guess_name(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f"+{parts.port}" if parts.port else ""
    path = unquote(parts.path) or "/"
    query = f"@{parts.query.replace('/', '%2F')}" if parts.query else ""
    index = "index.html" if path.endswith("/") else ""
    return f"{host}{port}{path}{index}{query}"


def _letters(name: str) -> str:
    return _NO_LETTERS.sub("", unquote(name)).lower()


def _list_each(snapshot: Json, plugins: Iterable[tuple[str, tuple[str, ...]]]) -> list[Output]:
    lists = [_list(snapshot, plugin, names) for plugin, names in plugins]
    return list(chain.from_iterable(lists))


def _list(
    snapshot: Json,
    plugin: str,
    names: tuple[str, ...],
    endings: tuple[str, ...] = _READABLE,
    statuses: tuple[str, ...] = _DONE,
) -> list[Output]:
    """Return a plugin's files: those of `names` in their order, then those with other endings."""
    outputs: list[Output] = []
    for made in _list_made(snapshot, plugin, statuses):
        chosen = _choose(made, names, endings) if made.files else _guess(made, names)
        outputs += _make_all(snapshot, made, chosen)
    return outputs


def _choose(made: _Made, names: tuple[str, ...], endings: tuple[str, ...]) -> list[str]:
    # Names are paths: a plugin may put its files into folders.
    by_base = {name.rpartition("/")[2]: name for name in reversed(made.files)}
    chosen = filter(None, map(by_base.get, names))
    others = filter(lambda name: name.endswith(endings), made.files)
    return list(dict.fromkeys([*chosen, *others]))


def _guess(made: _Made, names: tuple[str, ...]) -> list[str]:
    # 0.8.5 lists no files: its `output` is a file's name, a folder's, or a message.
    if "\n" in made.noted:
        return []
    if "." in made.noted.rpartition("/")[2]:
        return [made.noted]
    return [f"{made.noted}/{name}" for name in names]


def _list_made(snapshot: Json, plugin: str, statuses: tuple[str, ...] = _DONE) -> list[_Made]:
    runs = map(_read_result, snapshot.get("archiveresults") or [])
    own = filter(lambda made: made.plugin == plugin, runs)
    return list(filter(lambda made: made.status in statuses, own))


def _read_result(result: Json) -> _Made:
    # 0.8.5 calls a plugin an extractor, and has other names for what it notes.
    is_old = "extractor" in result
    named = ("extractor", "output") if is_old else ("plugin", "output_str")
    plugin, noted = (str(result.get(name) or "") for name in named)
    files = result.get("output_files")
    return _Made(
        plugin,
        str(result.get("status")),
        noted if is_old else noted.removeprefix(f"{plugin}/"),
        files if isinstance(files, dict) else {},
        is_old,
    )


def _make_all(snapshot: Json, made: _Made, names: Iterable[str]) -> list[Output]:
    # Names come from what plugins wrote about strangers' pages: none may lead out of the snapshot.
    return list(map(partial(_make, snapshot, made), filter(_is_below, names)))


def _make(snapshot: Json, made: _Made, name: str) -> Output:
    folder = f"/snapshot/{snapshot['id']}/{made.plugin}"
    # Before 0.9 files are served by the time of saving.
    if made.is_old:
        folder = f"/archive/{snapshot['timestamp']}"
    about = made.files.get(name)
    if not isinstance(about, dict):
        return Output(made.plugin, f"{folder}/{name}", "", name)
    size = about.get("size")
    return Output(
        made.plugin,
        f"{folder}/{name}",
        str(about.get("mimetype") or ""),
        name,
        size if isinstance(size, int) else None,
    )


def _is_below(name: str) -> bool:
    first, *others = name.split("/")
    # An absolute path has an empty first step, and Windows has steps of its own.
    return "\\" not in name and first not in ("", "..") and ".." not in others


def make_address(base: str, output: Output) -> str:
    """Return where a person finds a file in a browser."""
    return f"{base}{quote(output.path)}"
