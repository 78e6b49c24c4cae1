"""The repository as hosts meet it: served by git itself over HTTP, on this machine alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from scripts.package.build import run_checked
from scripts.package.product import ROOT

NAME = "archive-mcp"
_AUTHOR = {"GIT_AUTHOR_NAME": "check", "GIT_AUTHOR_EMAIL": "check@localhost"}
_COMMITTER = {"GIT_COMMITTER_NAME": "check", "GIT_COMMITTER_EMAIL": "check@localhost"}


def copy_repository(folder: Path) -> Path:
    """Make a repository of the files as they are now, committed or not, and return its folder."""
    tree, bare = folder / NAME, folder / f"{NAME}.git"
    listed = run_checked(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    ).split("\0")
    for name in filter(None, listed):
        source, target = ROOT / name, tree / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    commit = ["git", "commit", "--quiet", "--no-gpg-sign", "--message", "The files as they are"]
    for command in (["git", "init", "--quiet", "-b", "main"], ["git", "add", "--all"], commit):
        _run_git(command, tree)
    _run_git(["git", "clone", "--quiet", "--bare", str(tree), str(bare)], folder)
    return tree


@contextmanager
def serve_repository(folder: Path) -> Iterator[str]:
    """Serve the bare repositories of a folder; yield the address of ours."""

    class Handler(_GitHandler):
        root = folder

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{NAME}.git"
    finally:
        server.shutdown()
        server.server_close()


class _GitHandler(BaseHTTPRequestHandler):
    """Hand each request to `git http-backend`, which speaks CGI."""

    root: Path

    def do_GET(self) -> None:  # the base class's name
        self._answer(b"")

    def do_POST(self) -> None:  # the base class's name
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: object) -> None:  # its own name
        """Say nothing: the check prints its own table."""

    def _answer(self, body: bytes) -> None:
        url = urlsplit(self.path)
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"],  # noqa: S607  # the git that made the repository
            input=body,
            env=environment,
            capture_output=True,
            check=False,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _run_git(command: list[str], folder: Path) -> None:
    subprocess.run(  # noqa: S603  # fixed commands, no shell
        command, cwd=folder, env={**os.environ, **_AUTHOR, **_COMMITTER}, check=True
    )
