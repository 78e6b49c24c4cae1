"""Pages of every kind on real servers: what is read is what was served, or the answer says why
not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from server.tool.result import Result
from tests.support.archivebox.install import ALL_VERSIONS, Version
from tests.support.archivebox.server import RealServer
from tests.support.archivebox.targets import over_real

RUSSIAN = "Прилив поднимается дважды в сутки, и рыбаки выходят в море ещё до рассвета."
HTML = "text/html"
UTF8 = "text/html; charset=utf-8"


def _page(text: str, charset: str = "utf-8", head: str = "") -> bytes:
    html = (
        f"<!doctype html><html><head>{head}<title>A title</title></head><body>{text}</body></html>"
    )
    return html.encode(charset)


SITE: dict[str, tuple[str, bytes]] = {
    "/header.html": ("text/html; charset=windows-1251", _page(f"<p>{RUSSIAN}", "cp1251")),
    "/meta.html": (HTML, _page(f"<p>{RUSSIAN}", "cp1251", '<meta charset="windows-1251">')),
    "/nothing.html": (HTML, _page(f"<p>{RUSSIAN}", "cp1251")),
    "/mark.html": (HTML, _page(f"<p>{RUSSIAN}", "utf-16")),
    "/table.html": (UTF8, b"<title>T</title><table><tr><td>Oslo<td>12<tr><td>Bergen<td>14</table>"),
    "/form.html": (
        UTF8,
        _page("<form><h1>Login</h1><input type=password name=password></form><p>The news of today"),
    ),
    "/framed.html": (UTF8, b"<frameset><frame src='aaa.html'><frame src='bbb.html'></frameset>"),
    "/aaa.html": (UTF8, _page("<p>The menu")),
    "/bbb.html": ("text/html; charset=windows-1251", _page(f"<p>{RUSSIAN}", "cp1251")),
    "/own.html": (UTF8, _page("<p>The words of the page<iframe src='aaa-advert.html'></iframe>")),
    "/aaa-advert.html": (UTF8, _page("<p>Buy now")),
    "/escaped.html": (
        "text/html; charset=windows-1251",
        _page(f"<pre>{'&lt;b&gt; ' * 40}</pre><p>{RUSSIAN}", "cp1251"),
    ),
    "/empty.html": (UTF8, b""),
    "/data.json": ("application/json", '{"town":"Köln"}'.encode()),
    "/rows.csv": ("text/csv; charset=iso-8859-1", "town\nKöln\n".encode("latin-1")),
    "/paper.pdf": ("application/pdf", b"%PDF-1.4\n%%EOF\n"),
}
PARTS = ("/aaa.html", "/bbb.html", "/aaa-advert.html")
PAGES = [path for path in SITE if path not in PARTS]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, body = SITE.get(self.path, ("text/plain", b"nothing"))
        self.send_response(200 if self.path in SITE else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Silence: stderr belongs to pytest."""


@contextmanager
def _served() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("version", ALL_VERSIONS)
async def test_every_kind_of_page_is_read_as_it_was_served(
    version: Version, real_server: RealServer
) -> None:
    real = real_server(version)
    with _served() as site:
        real.save(*(site + path for path in PAGES))
        async with over_real(real) as target:
            results = {
                path: await target.result("read_snapshot", snapshot_id=site + path)
                for path in PAGES
            }
    texts = {path: result.prose for path, result in results.items()}
    for path in ("/header.html", "/meta.html", "/nothing.html", "/mark.html"):
        assert texts[path] == RUSSIAN, path
        assert results[path].structured["title"] == "A title"
    assert texts["/table.html"] == "Oslo | 12\nBergen | 14"
    assert "The news of today" in texts["/form.html"]
    assert "The menu" in texts["/framed.html"]
    assert RUSSIAN in texts["/framed.html"]
    assert texts["/own.html"] == "The words of the page"
    assert RUSSIAN in texts["/escaped.html"]
    assert "<b> <b>" in texts["/escaped.html"]
    assert texts["/data.json"] == '{"town":"Köln"}'
    assert texts["/rows.csv"] == "town\nKöln"
    assert (texts["/empty.html"], "empty" in _notes(results["/empty.html"])) == ("", True)
    paper: dict[str, Any] = results["/paper.pdf"].structured
    assert (paper["type"], paper["bytes"]) == ("application/pdf", 15)
    assert paper["address"].startswith(real.url)
    assert "PDF" in _notes(results["/paper.pdf"])


def _notes(result: Result) -> str:
    return " ".join(result.structured.get("notes", []))
