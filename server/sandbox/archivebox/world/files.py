"""The archived files, made when somebody asks for them."""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Callable
from functools import lru_cache
from html import escape

from server.sandbox.archivebox.world.images import draw_favicon, draw_screenshot
from server.sandbox.archivebox.world.outputs import extract_title, locate_wget_file
from server.sandbox.archivebox.world.pages import Page, write_article
from server.sandbox.archivebox.world.records import Result

# Named here because Python's table of types differs between systems.
_TYPES = {
    "ico": "image/x-icon",
    "jsonl": "application/x-ndjson",
    "txt": "text/plain",
    "json": "application/json",
    "gz": "application/warc",
    "log": "text/plain",
}
_STATUSES = {"missing": "404 Not Found", "blocked": "403 Forbidden"}
_MISSING_PAGE = (
    b"<!doctype html>\n"
    b"<html><head><title>Page not found</title></head><body><h1>404</h1></body></html>\n"
)


def guess_type(name: str) -> str:
    """Return the MIME type of a file by its name."""
    kind = _TYPES.get(_get_extension(name))
    return kind or mimetypes.guess_type(name)[0] or "application/octet-stream"


def read_file(result: Result, name: str) -> bytes | None:
    """Return the bytes of one file of a result, or None if there is no such file."""
    if name in result.uploads:
        return result.uploads[name][1]
    if name in result.files:
        return make_file(result.snapshot.page, result.plugin, name)
    return None


def describe_files(result: Result) -> dict[str, dict[str, object]]:
    """Return the result's files as the API lists them: type and size by name."""
    entries: dict[str, dict[str, object]] = {}
    for name in result.files:
        body = make_file(result.snapshot.page, result.plugin, name)
        entries[name] = _describe(name, guess_type(name), body)
    # An uploaded file replaces one of the same name, as on the disk of a server.
    for name, (kind, body) in result.uploads.items():
        entries[name] = _describe(name, kind, body)
    return entries


# Sizes are part of every list of results, so that the same files are asked for again and again.
@lru_cache(maxsize=4096)
def make_file(page: Page, plugin: str, name: str) -> bytes:
    """Return a file that a plugin made of a page."""
    if name.endswith(".warc.gz"):
        return _make_warc(page)
    if name in ("content.txt", "htmltotext.txt"):
        return _make_text(page).encode()
    if name == "content.html":
        return _make_paragraphs(page).encode()
    return _MAKERS.get(plugin, _make_html)(page)


def _get_extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _describe(name: str, kind: str, body: bytes) -> dict[str, object]:
    extension = _get_extension(name) if "." in name else ""
    return {"extension": extension, "mimetype": kind, "size": len(body)}


def _make_text(page: Page) -> str:
    return "\n\n".join([page.title, *write_article(page)]) + "\n"


def _make_paragraphs(page: Page) -> str:
    paragraphs = [f"<p>{escape(text, quote=False)}</p>" for text in write_article(page)]
    return f"<div>{''.join(paragraphs)}</div>"


def _list_links(page: Page) -> list[str]:
    return [f"https://{page.host}/", f"https://{page.host}/about", f"https://{page.host}/archive"]


def _make_html(page: Page, note: str = "") -> bytes:
    """Return the page as a browser had it: navigation, a script and a style beside the text."""
    if page.fate == "missing":
        return _MISSING_PAGE
    title = escape(page.title, quote=False)
    links = ""
    for link, name in zip(_list_links(page), ("Home", "about", "archive"), strict=True):
        links += f'<a href="{link}">{name}</a> '
    # The script and the style are what a client must not take for text of the page.
    return (
        f'<!doctype html>{note}\n<html lang="en">'
        f'<head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px serif;max-width:40em}</style>"
        "<script>window.loaded=true</script></head>"
        f"<body><nav>{links}</nav><article><h1>{title}</h1>{_make_paragraphs(page)}</article>"
        f"<footer>&copy; {page.host}</footer></body></html>\n"
    ).encode()


def _make_warc(page: Page) -> bytes:
    """Return what wget was answered, as a WARC whose records are packed each for itself."""
    status = _STATUSES.get(page.fate, "200 OK")
    body = _make_html(page)
    answer = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    records = (
        ("warcinfo", "", b"software: Wget/1.21.4 (linux-gnu)\r\n"),
        ("response", f"WARC-Target-URI: <{page.url}>\r\n", answer + body),
    )
    # Of a dead host there is no answer.
    count = 1 if page.fate == "unreachable" else 2
    return b"".join(_make_warc_record(*record) for record in records[:count])


def _make_warc_record(kind: str, fields: str, content: bytes) -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\n{fields}Content-Length: {len(content)}\r\n\r\n"
    # Without the time of packing, so that a page always has the same file.
    return gzip.compress(head.encode() + content + b"\r\n\r\n", mtime=0)


def _make_pdf(page: Page) -> bytes:
    """Return a PDF of one page with the title on it."""
    # Parentheses delimit strings in PDF; Latin-1 is what its standard fonts can show.
    title = page.title.encode("latin-1", "replace").replace(b"(", b"[").replace(b")", b"]")
    text = b"BT /F1 18 Tf 72 720 Td (" + title + b") Tj ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    body, table = b"%PDF-1.4\n", b""
    for number, content in enumerate(objects, 1):
        # The table at the end says at which byte each object begins.
        table += b"%010d 00000 n \n" % len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    return (
        body
        + b"xref\n0 6\n0000000000 65535 f \n"
        + table
        + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    )


def _make_headers(page: Page) -> bytes:
    status = 404 if page.fate == "missing" else 200
    return _encode({"url": page.url, "status": status, "content-type": "text/html"})


def _make_article(page: Page) -> bytes:
    length = len(_make_text(page))
    return _encode({"title": page.title, "byline": None, "siteName": page.host, "length": length})


def _make_link_rows(page: Page) -> bytes:
    rows = [_encode({"type": "Snapshot", "url": url}) + b"\n" for url in _list_links(page)]
    return b"".join(rows)


def _make_hashes(page: Page) -> bytes:
    digest = hashlib.sha256(_make_html(page)).hexdigest()
    return _encode({locate_wget_file(page): digest})


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


_MAKERS: dict[str, Callable[[Page], bytes]] = {
    "singlefile": lambda page: _make_html(page, "<!-- saved with SingleFile -->"),
    "screenshot": lambda page: draw_screenshot(page.bits),
    "favicon": lambda page: draw_favicon(page.bits),
    "pdf": _make_pdf,
    "title": lambda page: (extract_title(page) or "").encode(),
    "headers": _make_headers,
    "readability": _make_article,
    "parse_html_urls": _make_link_rows,
    "hashes": _make_hashes,
}
