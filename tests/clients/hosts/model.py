"""A model on loopback that follows a script, whichever API the host speaks."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.clients.hosts.script import Scripted
from tests.clients.hosts.wires import WIRES, Wire


@contextmanager
def scripted_model() -> Iterator[tuple[str, Scripted]]:
    """Yield the address of a model, and the model."""
    model = Scripted()
    lock = threading.Lock()

    class Handler(_Handler):
        def answer(self, wire: Wire, request: dict[str, Any]) -> Any:
            with lock:
                names, results = wire.names(request), wire.results(request)
                # Hosts also ask for titles and the like, without their tools.
                if not names:
                    return None, 0
                model.see(names, results)
                return model.next_call(), len(model.results)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", model
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, wire: Wire, request: dict[str, Any]) -> Any:
        """Return the next call, and how many went before."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """List the one model there is."""
        row = {"id": "scripted", "name": "models/scripted", "object": "model", "owned_by": "tests"}
        self._send(json.dumps({"object": "list", "data": [row], "models": [row]}).encode())

    def do_POST(self) -> None:
        """Answer a request of a host."""
        body = self._read_body()
        wire = next((wire for wire in WIRES if wire.path in self.path), None)
        if wire is None or "count" in self.path:
            self._send(b'{"input_tokens": 1, "totalTokens": 1}')
            return
        request = json.loads(body)
        call, number = self.answer(wire, request)
        if request.get("stream") or "stream" in self.path:
            events = b"".join(_write_event(*event) for event in wire.stream(call, number))
            ending = b"data: [DONE]\n\n" if wire.path == "/chat/completions" else b""
            self._send(events + ending, "text/event-stream")
        else:
            self._send(json.dumps(wire.whole(call, number)).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _read_body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        return gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body

    def _send(self, body: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _write_event(name: str, content: dict[str, Any]) -> bytes:
    if not name:
        return f"data: {json.dumps(content)}\n\n".encode()
    return f"event: {name}\ndata: {json.dumps({'type': name, **content})}\n\n".encode()
