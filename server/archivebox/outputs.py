"""The files of a saved page: which of them hold its text or its picture, and where they are.

Only files that the snapshot's own results name, or that the page's URL names, are asked for, by
paths below the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

Json = dict[str, Any]
Part = Literal["page", "article", "document"]

# Rendered by a browser, so with what scripts made of it; then as the server sent it.
_PAGES = (("dom", ("output.html",)), ("singlefile", ("singlefile.html",)), ("wget", ()))
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
# What wget keeps beside a file whose links it converted.
_BACKUP = ".orig"
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


def list_texts(snapshot: Json, *, article: bool = False) -> list[Output]:
    """Return the files that hold the text, best first; none while nothing has succeeded.

    Args:
        article: whether the article that a plugin took out of the page comes before the page.
    """
    order = (*_ARTICLES, *_PAGES) if article else (*_PAGES, *_ARTICLES)
    outputs: list[Output] = []
    for plugin, names in (*order, *_LOSSY):
        outputs += _list_own(snapshot) if plugin == "wget" else _list(snapshot, plugin, names)
    return outputs


def list_documents(snapshot: Json) -> list[Output]:
    """Return the files with the text of a document that is no web page, such as a PDF."""
    return [output for plugin, names in _DOCUMENTS for output in _list(snapshot, plugin, names)]


def list_images(snapshot: Json, kind: str) -> list[Output]:
    """Return the files of a screenshot or favicon."""
    return _list(snapshot, kind, _IMAGES[kind], ())


def list_warcs(snapshot: Json) -> list[Output]:
    """Return the files in which wget wrote down what it was answered."""
    outputs = _list(snapshot, "wget", (), _WARC, any_status=True)
    # Where no files are listed, wget's result names the page.
    return [output for output in outputs if output.name.endswith(_WARC)]


def list_headers(snapshot: Json) -> list[Output]:
    """Return the files with the headers that the page's server sent."""
    return _list(snapshot, "headers", ("headers.json",), ())


def find_output(snapshot: Json, plugin: str, name: str) -> Output | None:
    """Return a plugin's file by its name; None where the plugin lists its files without it."""
    for result in _list_results(snapshot, plugin):
        files = result.get("output_files")
        if not isinstance(files, dict):
            return _make(snapshot, result, plugin, name, {})
        if name in files:
            return _make(snapshot, result, plugin, name, files[name])
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
    outputs = []
    for result in _list_results(snapshot, "wget"):
        files = result.get("output_files")
        names = _choose_own(snapshot, result, files if isinstance(files, dict) else None)
        for name in names:
            if output := _make(snapshot, result, "wget", name, (files or {}).get(name)):
                outputs.append(output)
    return outputs


def _choose_own(snapshot: Json, result: Json, files: Json | None) -> list[str]:
    url = str(snapshot.get("url", ""))
    noted = _get_noted(result, "wget")
    if not files:
        guess = _guess_name(url)
        # 0.8.5 lists no files, and notes a folder where it finds none itself.
        return list(dict.fromkeys([guess, f"{guess}.html", *([noted] if noted else [])]))
    names = [name for name in files if not name.endswith((*_WARC, _BACKUP))]
    if own := [name for name in names if is_file_of(name, url)]:
        return own
    # A name that was cut or comes from the server: with one file there is no doubt.
    return [noted] if noted in names else names[:1]


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


def _list(
    snapshot: Json,
    plugin: str,
    names: tuple[str, ...],
    endings: tuple[str, ...] = _READABLE,
    *,
    any_status: bool = False,
) -> list[Output]:
    """Return a plugin's files: those of `names` in their order, then those with other endings."""
    outputs = []
    for result in _list_results(snapshot, plugin, any_status=any_status):
        for name, about in _choose(result, plugin, names, endings):
            if output := _make(snapshot, result, plugin, name, about):
                outputs.append(output)
    return outputs


def _choose(
    result: Json, plugin: str, names: tuple[str, ...], endings: tuple[str, ...]
) -> Iterable[tuple[str, Json]]:
    files = result.get("output_files")
    if not isinstance(files, dict) or not files:
        return [(name, {}) for name in _guess_names(result, plugin, names)]
    # Keys of `output_files` are paths: a plugin may put its files into folders.
    chosen = [name for wanted in names for name in files if name.rpartition("/")[2] == wanted]
    chosen += [name for name in files if name not in chosen and name.endswith(endings or ("\0",))]
    return [(name, files[name] or {}) for name in chosen]


def _guess_names(result: Json, plugin: str, names: tuple[str, ...]) -> list[str]:
    # 0.8.5 lists no files: its `output` is a file's name, a folder's, or a message.
    output = _get_noted(result, plugin)
    if not output or "\n" in output:
        return []
    if output.rpartition("/")[2].count("."):
        return [output]
    return [f"{output}/{name}" for name in names]


def _get_noted(result: Json, plugin: str) -> str:
    """Return the file that a result names, below its plugin's folder."""
    output = str(result.get("output_str") or result.get("output") or "")
    return output.removeprefix(f"{plugin}/") if "output_str" in result else output


def _list_results(snapshot: Json, plugin: str, *, any_status: bool = False) -> list[Json]:
    # 0.8.5 calls a plugin an extractor.
    return [
        result
        for result in snapshot.get("archiveresults") or []
        if result.get("plugin", result.get("extractor")) == plugin
        and (any_status or result.get("status") == "succeeded")
    ]


def _make(snapshot: Json, result: Json, plugin: str, name: str, about: Any) -> Output | None:
    # Names come from what plugins wrote about strangers' pages: none may lead out of the snapshot.
    if not _is_below(name):
        return None
    about = about if isinstance(about, dict) else {}
    size = about.get("size")
    path = _make_web_path(snapshot, result, plugin, name)
    mime_type = str(about.get("mimetype") or "")
    return Output(plugin, path, mime_type, name, size if isinstance(size, int) else None)


def _make_web_path(snapshot: Json, result: Json, plugin: str, name: str) -> str:
    """Return a file's path on the web: 0.9 serves by snapshot and plugin, 0.8.5 by timestamp."""
    if "extractor" in result:
        return f"/archive/{snapshot['timestamp']}/{name}"
    return f"/snapshot/{snapshot['id']}/{plugin}/{name}"


def _is_below(name: str) -> bool:
    return not name.startswith(("/", "\\")) and ".." not in name.split("/") and "\\" not in name


def make_address(base: str, output: Output) -> str:
    """Return where a person finds a file in a browser."""
    return f"{base}{quote(output.path)}"
