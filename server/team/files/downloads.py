"""Answers requests for the links of files: streamed, whole or in ranges."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from server.audit.auditor import Auditor
from server.audit.log import AuditLog
from server.errors import Failure
from server.exports.links import MIME_TYPES
from server.exports.names import detect_format
from server.team.files.exports import PersonFiles
from server.team.files.links import PATH, LinkError, Links
from server.team.files.store import FileStore, StoredFile
from server.team.identity import Refusal
from server.team.policy import Identity

TOOL = "download"
"""What the audit log calls the loading of a file."""
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
# Told of each refusal, and what was refused.
OnRefusal = Callable[[Refusal, str], Awaitable[None]]
_TEXTS = ("csv", "jsonl", "txt")
_PRIVATE = {
    "cache-control": "private, no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Downloads:
    """Serves the files that links lead to.

    Args:
        audit_log: keeps who loaded which file, if anybody wants to know.
        on_refusal: called when a link was of no use to whoever opened it.
    """

    def __init__(
        self,
        store: FileStore,
        links: Links,
        audit_log: AuditLog | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._store = store
        self._links = links
        self._audit_log = audit_log
        self._on_refusal = on_refusal

    def make_route(self) -> Route:
        """Return the address of all links."""
        return Route(f"{PATH}/{{sealed}}", self.answer, methods=["GET", "HEAD"])

    async def answer(self, request: Request) -> Response:
        """Answer a request for a file."""
        try:
            return await self._answer(request)
        except LinkError as error:
            if error.reason is not None and self._on_refusal is not None:
                refusal = Refusal(error.reason, error.message, subject=error.subject)
                await self._on_refusal(refusal, TOOL)
            return PlainTextResponse(f"{error.message}\n", error.status, headers=_PRIVATE)
        except Failure as failure:
            text = f"{failure.message} {failure.hint}\n"
            return PlainTextResponse(text, 503, headers={**_PRIVATE, "retry-after": "60"})

    async def _answer(self, request: Request) -> Response:
        identity, name = self._links.open(request.path_params["sealed"])
        files = PersonFiles(self._store, identity.principal.id)
        file = await to_thread.run_sync(files.find, name)
        if file is None:
            raise LinkError(404, "This file is not there any more: files are removed after a time.")
        headers = _make_headers(file)
        span = _read_range(request, file)
        if span == (0, 0) and file.bytes:
            return PlainTextResponse(
                "There are no such bytes in this file.\n",
                416,
                headers={**_PRIVATE, "content-range": f"bytes */{file.bytes}"},
            )
        start, end = span or (0, file.bytes)
        headers["content-length"] = str(end - start)
        if span is not None:
            headers["content-range"] = f"bytes {start}-{end - 1}/{file.bytes}"
        if request.method == "HEAD":
            return Response(status_code=206 if span else 200, headers=headers)
        # Browsers load a long file in ranges: the first of them stands for all.
        if start == 0:
            await self._note(identity, name)
        content = self._store.stream(file.key, start, end)
        return StreamingResponse(content, 206 if span else 200, headers=headers)

    async def _note(self, identity: Identity, name: str) -> None:
        auditor = Auditor(self._audit_log, identity.principal.id, identity.principal.name)
        await auditor.note("export", TOOL, "done", ids=(name,))


def _make_headers(file: StoredFile) -> dict[str, str]:
    file_format = detect_format(file.name)
    mime_type = MIME_TYPES.get(file_format or "", "application/octet-stream")
    # Never shown in the server's own name: what is in a file strangers may have written.
    plain = re.sub(r'[^ -~]|["\\%]', "_", file.name)
    return {
        **_PRIVATE,
        "content-type": f"{mime_type}; charset=utf-8" if file_format in _TEXTS else mime_type,
        "content-disposition": (
            f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
        ),
        "content-security-policy": "sandbox; default-src 'none'",
        "accept-ranges": "bytes",
        "etag": f'"{file.tag}"',
        "last-modified": file.modified.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }


def _read_range(request: Request, file: StoredFile) -> tuple[int, int] | None:
    """Return the bytes that a request asks for, from the first to behind the last; None for all of
    them, nothing of a file (0, 0) where there are no such bytes."""
    condition = request.headers.get("if-range")
    if condition is not None and condition != f'"{file.tag}"':
        return None
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    # Several ranges at once may be answered with everything.
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        start, end = max(0, file.bytes - int(match[2])), file.bytes
    else:
        start, end = int(match[1]), min(int(match[2] or file.bytes) + 1, file.bytes)
        if match[2] and int(match[2]) < start:
            return None
    return (start, end) if start < end else (0, 0)
