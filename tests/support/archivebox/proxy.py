"""A proxy that serves a real ArchiveBox below a path prefix, as companies put theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset({"host", "connection", "transfer-encoding", "content-length"})
_SECONDS = 60


@dataclass(frozen=True)
class Proxy:
    """A running proxy: its address with the prefix, and the paths that came to it."""

    url: str
    below: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    """Paths beside the prefix, which are another application's."""


@contextmanager
def served_below(prefix: str, url: str) -> Iterator[Proxy]:
    """Serve the ArchiveBox at `url` below a prefix such as `/box`, as long as the context lives."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        proxy = Proxy(f"http://127.0.0.1:{server.server_port}{prefix}")
        _Handler.prefix, _Handler.host, _Handler.proxy = prefix, urlsplit(url).netloc, proxy
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    prefix: str
    host: str
    proxy: Proxy

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(f"{self.prefix}/"):
            self.proxy.outside.append(self.path)
            self._answer(404, [], b"")
            return
        self.proxy.below.append(self.path)
        headers = {name: value for name, value in self.headers.items() if _goes_on(name)}
        connection = HTTPConnection(self.host, timeout=_SECONDS)
        connection.request(self.command, self.path[len(self.prefix) :], body, headers)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        kept = [(name, value) for name, value in reply.headers.items() if _goes_on(name)]
        self._answer(reply.status, kept, content)

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: stderr belongs to pytest."""


def _goes_on(name: str) -> bool:
    return name.lower() not in _HOP_BY_HOP
