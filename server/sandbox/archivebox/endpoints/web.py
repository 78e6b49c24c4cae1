"""The part of the server that is for browsers: archived files by address, and the pages around
them.

Public and unlisted snapshots are for anybody. A private one wants a browser session; a key is not
looked at here.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import (
    TEXT,
    not_found_page,
    page,
    redirect,
)
from server.sandbox.archivebox.call import Request
from server.sandbox.archivebox.endpoints.auth import has_session
from server.sandbox.archivebox.render import archive_path, shown_id
from server.sandbox.archivebox.world.files import content, mimetype
from server.sandbox.archivebox.world.outputs import PLUGINS
from server.sandbox.archivebox.world.records import Snapshot
from server.sandbox.archivebox.world.world import World

_REPLAY = re.compile(r"/snapshot/([0-9a-fA-F-]{8,36})(?:/(.*))?")
_LEGACY = re.compile(r"/archive/([0-9.]+)(?:/(.*))?")
_CANONICAL = re.compile(r"/[^/]+/\d{8}/[^/]+/([0-9a-fA-F-]{8,36})(?:/(.*))?")
_SUFFIX = 12
_TEXTS = ("text/", "application/json", "application/x-ndjson", "application/xml")
# Archived documents may do nothing but look like themselves.
_CAGE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'self' 'unsafe-inline' data:",
}


def may_see(request: Request, permissions: str) -> bool:
    """Whether whoever sent the request may see what has these permissions."""
    return permissions in ("public", "unlisted") or has_session(request)


def serve_page(request: Request, world: World) -> Answer:
    """Answer a request for anything outside the API."""
    path = request.path
    if path == "/health/":
        return Answer(200, {**TEXT, "x-archivebox-health": "OK"}, b"OK")
    if path in ("/api/v1/", "/api/v1/docs"):
        return page(200, "ArchiveBox API", "<h1>ArchiveBox API</h1>")
    if path in ("/", "/index.html", "/archive/"):
        return redirect("/public/")
    if path == "/public/":
        return page(200, "ArchiveBox", f"<p>{len(world.snapshots)} snapshots</p>")
    if path in ("/api", "/api/", "/api/v1"):
        return redirect("/api/v1/docs")
    if path.startswith("/admin/") and not _CANONICAL.fullmatch(path):
        return page(
            200, "Log in", '<form action="/admin/login/" method="post">Username, password</form>'
        )
    if path == "/health":
        return redirect("/health/", 301)
    return _archived(request, world)


def _archived(request: Request, world: World) -> Answer:
    if match := _LEGACY.fullmatch(request.path):
        return _by_timestamp(request, world, match[1], match[2])
    if world.dialect.old:
        return not_found_page()
    if match := _REPLAY.fullmatch(request.path):
        snapshot = _referred(world, match[1])
        return _replay(request, world, snapshot, match[2] or "") if snapshot else not_found_page()
    if match := _CANONICAL.fullmatch(request.path):
        snapshot = _referred(world, match[1])
        if snapshot is None:
            return not_found_page()
        if not _allowed(request, world, snapshot):
            return _sign_in(request, world, snapshot, match[2] or "index.html")
        if match[2] in (None, "", "index.html"):
            return _details(world, snapshot)
        return redirect(_address(world, snapshot, match[2], request.query))
    return not_found_page()


def _by_timestamp(request: Request, world: World, timestamp: str, file: str | None) -> Answer:
    if world.dialect.old and not world.public and not has_session(request):
        return redirect(f"/admin/login/?next={request.path}")
    found = [each for each in world.snapshots.values() if each.timestamp == timestamp]
    if not found:
        return page(
            404,
            "Not Found",
            f"No Snapshot directories match the given timestamp/ID: <code>{timestamp}</code>",
        )
    snapshot = found[0]
    if world.dialect.old:
        return (
            redirect(f"{timestamp}/index.html")
            if file is None
            else _old_file(world, snapshot, file)
        )
    if not _allowed(request, world, snapshot):
        return _sign_in(request, world, snapshot, file or "index.html")
    base = f"/{archive_path(world, snapshot)}"
    if not world.dialect.compact_ids:
        return redirect(_with_query(f"{base}/{file or 'index.html'}", request.query))
    if file in (None, "", "index.html"):
        return redirect(_with_query(base, request.query))
    return redirect(_address(world, snapshot, file or "", request.query))


def _replay(request: Request, world: World, snapshot: Snapshot, path: str) -> Answer:
    if not _allowed(request, world, snapshot):
        return _sign_in(request, world, snapshot, path)
    if path in ("", "index.html"):
        if world.dialect.compact_ids:
            return redirect(_with_query(f"/{archive_path(world, snapshot)}", request.query))
        return _details(world, snapshot)
    plugin, _, name = path.partition("/")
    for result in world.results(snapshot):
        if result.plugin == plugin and (body := content(result, name)) is not None:
            return _file(name, body)
    return _no_file(snapshot, path)


def _old_file(world: World, snapshot: Snapshot, path: str) -> Answer:
    if path in ("", "index.html"):
        return _details(world, snapshot)
    for plugin in PLUGINS:
        name = ""
        if plugin.name == "readability" and path.startswith("readability/"):
            name = path.partition("/")[2]
        elif plugin.legacy == path or (
            plugin.name == "wget" and path.startswith(f"{snapshot.page.host}/")
        ):
            name = path
        for result in world.results(snapshot) if name else ():
            if result.plugin == plugin.name and (body := content(result, name)) is not None:
                return _file(name, body)
    return _no_file(snapshot, path)


def _file(name: str, body: bytes) -> Answer:
    kind = mimetype(name)
    text = kind.startswith(_TEXTS)
    headers = {"content-type": f"{kind}; charset=utf-8" if text else kind, "accept-ranges": "bytes"}
    return Answer(200, {**headers, **(_CAGE if kind == "text/html" else {})}, body)


def _no_file(snapshot: Snapshot, path: str) -> Answer:
    text = f"It's possible the {path} resource could not be fetched during the last capture of {snapshot.url}."
    return page(404, "Snapshot Not Found", text)


def _details(world: World, snapshot: Snapshot) -> Answer:
    rows = "".join(
        f"<li>{result.plugin}: {result.status}</li>" for result in world.results(snapshot)
    )
    title = snapshot.title or snapshot.url
    return page(
        200, title, f'<h1>{title}</h1><a href="{snapshot.url}">{snapshot.url}</a><ul>{rows}</ul>'
    )


def _allowed(request: Request, world: World, snapshot: Snapshot) -> bool:
    if world.dialect.permissions:
        return may_see(request, snapshot.permissions)
    return world.public or has_session(request)


def _sign_in(request: Request, world: World, snapshot: Snapshot, path: str) -> Answer:
    if not world.dialect.permissions:
        return redirect(f"/admin/login/?next={request.path}")
    wanted = _with_query(f"/{(path or 'index.html').lstrip('/')}", request.query)
    return redirect(
        f"/admin/core/snapshot/replay-auth/?snapshot={snapshot.id}&next={quote(wanted, safe='')}"
    )


def _referred(world: World, ref: str) -> Snapshot | None:
    """By the last twelve digits, by the whole id, or by its beginning."""
    part = ref.replace("-", "").lower()
    if len(ref) == _SUFFIX and "-" not in ref:
        found = [each for each in world.snapshots.values() if each.id.endswith(part)]
        return found[-1] if found else None
    return next((each for each in world.snapshots.values() if each.id.startswith(part)), None)


def _address(world: World, snapshot: Snapshot, path: str, query: str) -> str:
    return _with_query(f"/snapshot/{shown_id(world, snapshot.id)}/{path}", query)


def _with_query(path: str, query: str) -> str:
    return f"{quote(path)}?{query}" if query else quote(path)
