"""The sandbox: an ArchiveBox in one object, without a transport."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import (
    JSON,
    Closed,
    Ended,
    Hung,
    Refused,
    as_json,
    not_allowed,
    not_found_page,
    redirect,
)
from server.sandbox.archivebox.call import Call, Counts, Request
from server.sandbox.archivebox.description import API, Endpoint, description_of
from server.sandbox.archivebox.dialect import DIALECTS, Version
from server.sandbox.archivebox.endpoints.auth import (
    KEY,
    PASSWORD,
    USERNAME,
    Caller,
    caller_of,
    headers_of,
)
from server.sandbox.archivebox.endpoints.table import HANDLERS, OLD
from server.sandbox.archivebox.endpoints.web import serve_page
from server.sandbox.archivebox.world.runner import Runner
from server.sandbox.archivebox.world.world import World

OUTAGE = 15.0
"""Seconds until the web process is back after it ended."""
_KEPT = 1_000


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ArchiveBoxSandbox:
    """An ArchiveBox with made-up pages.

    version: the release that it behaves like. snapshots: how many there are at the start. seed:
    another seed, other pages. clock: monotonic seconds, on which archiving goes on. now: the time
    of day at start, to which all dates are relative. public: whether pages and index are for
    anybody, as is the default of a server. Raises ValueError for an unknown version and for a
    negative number of snapshots.

    requests: the latest requests as (method, target, body). counts: what a well-behaved client
    never causes.
    """

    api_path = ""
    """The part of the API's address that a client is configured with."""

    def __init__(
        self,
        *,
        version: Version = "0.9.73",
        snapshots: int = 300,
        seed: int = 7,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        public: bool = True,
    ) -> None:
        if version not in DIALECTS:
            raise ValueError(f"unknown version {version!r}; known are {', '.join(DIALECTS)}")
        if snapshots < 0:
            raise ValueError("snapshots must not be negative")
        self.dialect = DIALECTS[version]
        self.description = description_of(version)
        self._handlers = OLD if self.dialect.old else HANDLERS
        self._size, self._seed, self._public = snapshots, seed, public
        self._clock, self._now = clock, now
        self.reset()

    def reset(self) -> None:
        """Forget all changes and counts; the pages start anew from the present time of day."""
        anchor = self._now().astimezone(UTC).replace(microsecond=0)
        self.world = World(
            self.dialect, self._size, self._seed, anchor, self._clock, public=self._public
        )
        self.runner = Runner(self.world)
        self.counts = Counts()
        self.requests: deque[tuple[str, str, bytes]] = deque(maxlen=_KEPT)
        self._back_at = 0.0

    @property
    def deaths(self) -> int:
        """How often the web process was ended."""
        return self.counts.deaths

    @property
    def removed_all(self) -> int:
        """How often every snapshot was removed at once."""
        return self.counts.removed_all

    def stats(self) -> dict[str, Any]:
        """Counts for tests and benchmarks, ready for JSON."""
        return {
            "requests": len(self.requests),
            "snapshots": len(self.world.snapshots),
            **asdict(self.counts),
        }

    def announcement(self, url: str) -> str:
        """What to tell whoever started it."""
        return f"ArchiveBox {self.dialect.version} sandbox on {url}  key: {KEY}  (or {USERNAME} / {PASSWORD})"

    def warm(self) -> None:
        """Do now what the first request would have to wait for."""
        self.description.at(API)

    async def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer one HTTP request; `target` is the path with its query, as sent.

        Raises: ConnectionError: the server does not answer: its web process is down, this request
            ended it, or the command never comes to an end.
        """
        self.requests.append((method, target, body))
        if self._clock() < self._back_at:
            raise Closed("the web process is down")
        self.runner.settle()
        path, _, query = target.partition("?")
        given = {name.lower(): value for name, value in headers.items()}
        request = Request(method, unquote(path), query, given, body)
        try:
            return self._answer(request)
        except Ended:
            self.counts.deaths += 1
            self._back_at = self._clock() + OUTAGE
            raise Closed("the command ended the web process") from None
        except Hung:
            self.counts.hung += 1
            raise Closed("the command runs for ever") from None

    def _answer(self, request: Request) -> Answer:
        if not request.path.startswith(f"{API}/"):
            return serve_page(request, self.world)
        path = request.path.removeprefix(API)
        if path == "/openapi.json":
            return as_json(self.description.document)
        found = self.description.at(request.path)
        if not found:
            if self.description.at(f"{request.path}/"):
                return redirect(
                    f"{request.path}/" + (f"?{request.query}" if request.query else ""), 301
                )
            return serve_page(request, self.world) if path in ("/", "/docs") else not_found_page()
        for endpoint, inside in found:
            if endpoint.method == request.method:
                return self._call(endpoint, inside, request)
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return Answer(204, {}, b"")
        return not_allowed([endpoint.method for endpoint, _ in found])

    def _call(self, endpoint: Endpoint, inside: Mapping[str, str], request: Request) -> Answer:
        caller = Caller()
        try:
            in_query = endpoint.name != "POST /auth/browser_session"
            caller = caller_of(request, self.world, required=endpoint.protected, in_query=in_query)
            call = Call(self.world, self.runner, self.counts, request, caller.user)
            call.query = endpoint.query(request.query)
            call.inside = endpoint.inside(inside)
            call.body = endpoint.body(request.body)
            answer = self._handlers[endpoint.name](call)
        except Refused as refused:
            answer = refused.answer()
        headers = headers_of(caller, self.world)
        if isinstance(answer, Answer):
            return Answer(answer.status, {**headers, **answer.headers}, answer.body)
        return Answer(200, {**headers, **JSON}, json.dumps(answer, ensure_ascii=False).encode())
