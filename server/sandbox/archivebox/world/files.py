"""The archived files, made when somebody asks for them."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import Callable
from functools import lru_cache
from html import escape

from server.sandbox.archivebox.world.images import favicon, screenshot
from server.sandbox.archivebox.world.outputs import found_title, wget_file
from server.sandbox.archivebox.world.pages import Page, article
from server.sandbox.archivebox.world.records import Result

_TYPES = {
    "ico": "image/x-icon",
    "jsonl": "application/x-ndjson",
    "txt": "text/plain",
    "json": "application/json",
}


def mimetype(name: str) -> str:
    """The type of a file by its name."""
    extension = name.rpartition(".")[2].lower()
    return _TYPES.get(extension) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def content(result: Result, name: str) -> bytes | None:
    """The bytes of one file of a result, or None if there is no such file."""
    if name in result.uploads:
        return result.uploads[name][1]
    return made(result.snapshot.page, result.plugin, name) if name in result.files else None


def file_map(result: Result) -> dict[str, dict[str, object]]:
    """The result's files as the API lists them."""
    found: dict[str, dict[str, object]] = {
        name: _entry(name, mimetype(name), len(made(result.snapshot.page, result.plugin, name)))
        for name in result.files
    }
    for name, (kind, body) in result.uploads.items():
        found[name] = _entry(name, kind, len(body))
    return found


@lru_cache(maxsize=4096)
def made(page: Page, plugin: str, name: str) -> bytes:
    """A file that a plugin made of a page."""
    if name in _TEXT_FILES:
        return _text(page).encode()
    if name == "content.html":
        return _paragraphs(page).encode()
    if make := _MAKERS.get(plugin):
        return make(page)
    return _html(page, "<!-- saved with SingleFile -->" if plugin == "singlefile" else "")


def _entry(name: str, kind: str, size: int) -> dict[str, object]:
    return {
        "extension": name.rpartition(".")[2].lower() if "." in name else "",
        "mimetype": kind,
        "size": size,
    }


def _text(page: Page) -> str:
    return "\n\n".join([page.title, *article(page)]) + "\n"


def _paragraphs(page: Page) -> str:
    return (
        "<div>"
        + "".join(f"<p>{escape(each, quote=False)}</p>" for each in article(page))
        + "</div>"
    )


def _links(page: Page) -> list[str]:
    return [f"https://{page.host}/", f"https://{page.host}/about", f"https://{page.host}/archive"]


def _html(page: Page, note: str) -> bytes:
    """The page as a browser had it: navigation, a script and a style beside the text."""
    if page.fate == "missing":
        return b"<!doctype html>\n<html><head><title>Page not found</title></head><body><h1>404</h1></body></html>\n"
    title = escape(page.title, quote=False)
    links = "".join(
        f'<a href="{link}">{link.rpartition("/")[2] or "Home"}</a> ' for link in _links(page)
    )
    return (
        f'<!doctype html>{note}\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px serif;max-width:40em}</style><script>window.loaded=true</script></head>"
        f"<body><nav>{links}</nav><article><h1>{title}</h1>{_paragraphs(page)}</article>"
        f"<footer>&copy; {page.host}</footer></body></html>\n"
    ).encode()


def _pdf(page: Page) -> bytes:
    """One page with the title on it."""
    shown = page.title.encode("latin-1", "replace").replace(b"(", b"[").replace(b")", b"]")
    text = b"BT /F1 18 Tf 72 720 Td (" + shown + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )


def _headers(page: Page) -> bytes:
    return _json(
        {
            "url": page.url,
            "status": 404 if page.fate == "missing" else 200,
            "content-type": "text/html",
        }
    )


def _article(page: Page) -> bytes:
    return _json(
        {"title": page.title, "byline": None, "siteName": page.host, "length": len(_text(page))}
    )


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


_TEXT_FILES = ("content.txt", "htmltotext.txt")
_MAKERS: dict[str, Callable[[Page], bytes]] = {
    "screenshot": lambda page: screenshot(page.bits),
    "favicon": lambda page: favicon(page.bits),
    "pdf": _pdf,
    "title": lambda page: (found_title(page) or "").encode(),
    "headers": _headers,
    "readability": _article,
    "parse_html_urls": lambda page: b"".join(
        _json({"type": "Snapshot", "url": url}) + b"\n" for url in _links(page)
    ),
    "hashes": lambda page: _json({wget_file(page): hashlib.sha256(_html(page, "")).hexdigest()}),
}
