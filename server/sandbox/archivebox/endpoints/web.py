"""The part of the server that is for browsers: archived files by address, and the pages around
them.

Public and unlisted snapshots are for anybody. A private one requires a browser session; a key is
not looked at here.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qsl, quote

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import TEXT, make_not_found_page, make_page, redirect
from server.sandbox.archivebox.call import Request
from server.sandbox.archivebox.endpoints.auth import has_session
from server.sandbox.archivebox.lookup import strip_dashes
from server.sandbox.archivebox.render import format_id, make_archive_path
from server.sandbox.archivebox.world.files import guess_type, read_file
from server.sandbox.archivebox.world.outputs import PLUGINS
from server.sandbox.archivebox.world.records import Snapshot, find_first
from server.sandbox.archivebox.world.world import World

_REPLAY = re.compile(r"/snapshot/([0-9a-fA-F-]{8,36})(?:/(.*))?")
_LEGACY = re.compile(r"/archive/([0-9.]+)(?:/(.*))?")
_CANONICAL = re.compile(r"/[^/]+/\d{8}/[^/]+/([0-9a-fA-F-]{8,36})(?:/(.*))?")
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
# The last group of a UUID, which some addresses of 0.9 use for the whole.
_SUFFIX = 12
_TEXTS = ("text/", "application/json", "application/x-ndjson", "application/xml")
# Archived documents may do nothing but look like themselves: their scripts are not trusted.
_CAGE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'self' 'unsafe-inline' data:",
}
_DOCUMENTATION = make_page(200, "ArchiveBox API", "<h1>ArchiveBox API</h1>")
# The pages that are the same for every server and every caller.
_FIXED_PAGES = {
    "/": redirect("/public/"),
    "/index.html": redirect("/public/"),
    "/archive/": redirect("/public/"),
    "/api": redirect("/api/v1/docs"),
    "/api/": redirect("/api/v1/docs"),
    "/api/v1": redirect("/api/v1/docs"),
    "/api/v1/": _DOCUMENTATION,
    "/api/v1/docs": _DOCUMENTATION,
    "/health": redirect("/health/", 301),
    "/health/": Answer(200, {**TEXT, "x-archivebox-health": "OK"}, b"OK"),
}
# The files that stand for the page about a snapshot.
_DETAILS = ("", "index.html")


def may_see(request: Request, permissions: str) -> bool:
    """Return whether whoever sent the request may see what has these permissions."""
    return permissions in ("public", "unlisted") or has_session(request)


def serve_page(request: Request, world: World) -> Answer:
    """Answer a request for anything outside the API."""
    path = request.path
    if path in _FIXED_PAGES:
        return _FIXED_PAGES[path]
    if path == "/public/":
        return make_page(200, "ArchiveBox", f"<p>{len(world.snapshots)} snapshots</p>")
    # The snapshots of the user `admin` lie below `/admin/`, too.
    if path.startswith("/admin/") and not _CANONICAL.fullmatch(path):
        form = '<form action="/admin/login/" method="post">Username, password</form>'
        return make_page(200, "Log in", form)
    return _serve_snapshot(request, world)


def _serve_snapshot(request: Request, world: World) -> Answer:
    if match := _LEGACY.fullmatch(request.path):
        return _serve_legacy(request, world, match[1], match[2])
    if world.dialect.old:
        return make_not_found_page()
    for pattern, serve in ((_REPLAY, _serve_replay), (_CANONICAL, _serve_canonical)):
        if match := pattern.fullmatch(request.path):
            snapshot = _find_snapshot(world, match[1])
            if snapshot is None:
                return make_not_found_page()
            return serve(request, world, snapshot, match[2] or "")
    return make_not_found_page()


def _serve_canonical(request: Request, world: World, snapshot: Snapshot, path: str) -> Answer:
    if not _is_allowed(request, world, snapshot):
        return _ask_to_sign_in(request, world, snapshot, path)
    if path in _DETAILS:
        return _serve_details(world, snapshot)
    return redirect(_make_replay_address(world, snapshot, path, request.query))


def _serve_legacy(request: Request, world: World, timestamp: str, file: str | None) -> Answer:
    """Answer a request for `/archive/TIMESTAMP/FILE`, which every release understands."""
    if world.dialect.old and not world.public and not has_session(request):
        return redirect(f"/admin/login/?next={request.path}")
    snapshot = find_first(world.snapshots.values(), lambda row: row.timestamp == timestamp)
    if snapshot is None:
        text = "No Snapshot directories match the given timestamp/ID"
        return make_page(404, "Not Found", f"{text}: <code>{timestamp}</code>")
    if world.dialect.old:
        # Without a slash at the end relative links of the page would lead beside the folder.
        if file is None:
            return redirect(f"{timestamp}/index.html")
        return _serve_old_file(request, world, snapshot, file)
    path = file or "index.html"
    if not _is_allowed(request, world, snapshot):
        return _ask_to_sign_in(request, world, snapshot, path)
    base = f"/{make_archive_path(world, snapshot)}"
    if not world.dialect.separates_replay:
        return redirect(_add_query(f"{base}/{path}", request.query))
    if path in _DETAILS:
        return redirect(_add_query(base, request.query))
    return redirect(_make_replay_address(world, snapshot, path, request.query))


def _serve_replay(request: Request, world: World, snapshot: Snapshot, path: str) -> Answer:
    if not _is_allowed(request, world, snapshot):
        return _ask_to_sign_in(request, world, snapshot, path)
    if path in _DETAILS:
        if world.dialect.separates_replay:
            return redirect(_add_query(f"/{make_archive_path(world, snapshot)}", request.query))
        return _serve_details(world, snapshot)
    plugin, _, name = path.partition("/")
    return _serve_file(request, world, snapshot, path, plugin, name)


def _serve_old_file(request: Request, world: World, snapshot: Snapshot, path: str) -> Answer:
    if path in _DETAILS:
        return _serve_details(world, snapshot)
    # Before 0.9 the files of all plugins lie in one folder, but for readability and wget.
    folder, _, name = path.partition("/")
    if folder == "readability" and name:
        return _serve_file(request, world, snapshot, path, folder, name)
    if folder == snapshot.page.host:
        return _serve_file(request, world, snapshot, path, "wget", path)
    plugin = find_first(PLUGINS, lambda plugin: plugin.legacy == path)
    return _serve_file(request, world, snapshot, path, plugin.name if plugin else "", path)


def _serve_file(
    request: Request, world: World, snapshot: Snapshot, path: str, plugin: str, name: str
) -> Answer:
    for result in world.list_results(snapshot):
        if result.plugin != plugin:
            continue
        # A plugin may have several results: that of the server, and uploaded ones.
        if (body := read_file(result, name)) is not None:
            return _make_file_answer(request, world, name, body)
    return _serve_missing_file(snapshot, path)


def _make_file_answer(request: Request, world: World, name: str, body: bytes) -> Answer:
    kind = guess_type(name)
    headers = {"content-type": kind}
    if kind.startswith(_TEXTS):
        headers["content-type"] = f"{kind}; charset=utf-8"
    if kind == "text/html":
        headers |= _CAGE
    if name.endswith(".gz"):
        headers["content-encoding"] = "gzip"
    if (text := _unescape(request, world, kind, body)) is not None:
        return Answer(200, headers, text)
    headers["accept-ranges"] = "bytes"
    return _cut(request, headers, body)


def _unescape(request: Request, world: World, kind: str, body: bytes) -> bytes | None:
    """Return a text as people are shown it, where that is another form: with letters that are not
    UTF-8 damaged; None where it is shown as it is."""
    # 0.9.73 leaves files alone for whoever asks for them raw.
    is_raw = world.dialect.serves_raw and "raw" in dict(parse_qsl(request.query))
    if world.dialect.old or is_raw or kind not in ("text/plain", "text/html"):
        return None
    text = body.decode("utf-8", "replace")
    escaped = text.count("&lt;") + text.count("&gt;")
    # Taken for HTML that was stored with its markup escaped.
    return unescape(text).encode() if escaped > text.count("<") * 2 else None


def _cut(request: Request, headers: dict[str, str], body: bytes) -> Answer:
    """Return the part of a file that a request asks for, or all of it."""
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if match is None:
        return Answer(200, headers, body)
    start, end = int(match[1]), int(match[2]) + 1
    # The server refuses a part that is longer than the file instead of shortening it.
    if end > len(body):
        return Answer(416, TEXT, b"")
    place = f"bytes {start}-{end - 1}/{len(body)}"
    return Answer(206, {**headers, "content-range": place}, body[start:end])


def _serve_missing_file(snapshot: Snapshot, path: str) -> Answer:
    text = (
        f"It's possible the {path} resource could not be fetched during the last capture "
        f"of {snapshot.url}."
    )
    return make_page(404, "Snapshot Not Found", text)


def _serve_details(world: World, snapshot: Snapshot) -> Answer:
    title, url = snapshot.title or snapshot.url, snapshot.url
    rows = ""
    for result in world.list_results(snapshot):
        rows += f"<li>{result.plugin}: {result.status}</li>"
    return make_page(200, title, f'<h1>{title}</h1><a href="{url}">{url}</a><ul>{rows}</ul>')


def _is_allowed(request: Request, world: World, snapshot: Snapshot) -> bool:
    if world.dialect.permissions:
        return may_see(request, snapshot.permissions)
    return world.public or has_session(request)


def _ask_to_sign_in(request: Request, world: World, snapshot: Snapshot, path: str) -> Answer:
    if not world.dialect.permissions:
        return redirect(f"/admin/login/?next={request.path}")
    # Files are on a host of their own on a real server, so that the sign-in is handed over.
    path = path or "index.html"
    target = quote(_add_query(f"/{path.lstrip('/')}", request.query), safe="")
    return redirect(f"/admin/core/snapshot/replay-auth/?snapshot={snapshot.id}&next={target}")


def _find_snapshot(world: World, reference: str) -> Snapshot | None:
    """Return the snapshot with these last twelve digits, with this id, or with its beginning."""
    part = strip_dashes(reference)
    if len(reference) == _SUFFIX and "-" not in reference:
        # The newest: digits at the end of an id are random, but may be those of two snapshots.
        newest_first = reversed(world.snapshots.values())
        return find_first(newest_first, lambda snapshot: snapshot.id.endswith(part))
    return find_first(world.snapshots.values(), lambda snapshot: snapshot.id.startswith(part))


def _make_replay_address(world: World, snapshot: Snapshot, path: str, query: str) -> str:
    return _add_query(f"/snapshot/{format_id(world, snapshot.id)}/{path}", query)


def _add_query(path: str, query: str) -> str:
    return f"{quote(path)}?{query}" if query else quote(path)
