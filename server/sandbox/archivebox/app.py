"""The sandbox: an ArchiveBox in one object, without a transport."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from server import wall_clock
from server.sandbox.answer import Answer
from server.sandbox.archivebox.answers import (
    Closed,
    EndlessCommand,
    ProcessExit,
    Refusal,
    make_json,
    make_not_found_page,
    redirect,
    refuse_method,
)
from server.sandbox.archivebox.call import Call, Counts, Request
from server.sandbox.archivebox.description import API, Endpoint, load_description
from server.sandbox.archivebox.dialect import DIALECTS, Version
from server.sandbox.archivebox.endpoints.auth import (
    KEY,
    PASSWORD,
    USERNAME,
    Caller,
    identify_caller,
    make_caller_headers,
)
from server.sandbox.archivebox.endpoints.table import HANDLERS, OLD_HANDLERS
from server.sandbox.archivebox.endpoints.web import serve_page
from server.sandbox.archivebox.world.history import fill_world
from server.sandbox.archivebox.world.runner import Runner
from server.sandbox.archivebox.world.world import World

# Seconds until the web process is back after it ended: a supervisor restarts it.
OUTAGE = 15.0
# Enough for any test; without a limit a benchmark would fill the memory.
_MOST_REQUESTS = 1_000


def _utc_now() -> datetime:
    return wall_clock.utc_now()


class ArchiveBoxSandbox:
    """An ArchiveBox with made-up pages.

    Args:
        version: the release that it behaves like.
        snapshots: how many there are at the start.
        seed: another seed, other pages.
        clock: monotonic seconds, by which archiving progresses.
        now: the time of day at start, to which all dates are relative.
        public: whether pages and index are for anybody, as is the default of a server.

    Raises:
        ValueError: an unknown version, or a negative number of snapshots.

    Attributes:
        requests: the latest requests as (method, target, body).
        counts: what a well-behaved client never causes.
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
        self.description = load_description(version)
        self._handlers = OLD_HANDLERS if self.dialect.old else HANDLERS
        self._size, self._seed, self._public = snapshots, seed, public
        self._clock, self._now = clock, now
        self.reset()

    def reset(self) -> None:
        """Forget all changes and counts; the dates of the pages start from the present time."""
        anchor = self._now().astimezone(UTC).replace(microsecond=0)
        self.world = World(
            self.dialect, self._size, self._seed, anchor, self._clock, public=self._public
        )
        fill_world(self.world, self._size)
        self.runner = Runner(self.world)
        self.counts = Counts()
        self.requests: deque[tuple[str, str, bytes]] = deque(maxlen=_MOST_REQUESTS)
        self._restart_reading = 0.0

    def stats(self) -> dict[str, Any]:
        """Return counts for tests and benchmarks, ready for JSON."""
        return {
            "requests": len(self.requests),
            "snapshots": len(self.world.snapshots),
            **asdict(self.counts),
        }

    def announcement(self, url: str) -> str:
        """Return the lines for whoever started the sandbox: its address and how to sign in."""
        return (
            f"ArchiveBox {self.dialect.version} sandbox on {url}  key: {KEY}  "
            f"(or {USERNAME} / {PASSWORD})\n"
            f"To use it, set ARCHIVEBOX_URL={url} and ARCHIVEBOX_API_KEY={KEY}, "
            "in your client's `env` or for `archive-mcp doctor`."
        )

    def warm(self) -> None:
        """Do now what the first request would otherwise wait for."""
        self.description.match(API)

    async def handle(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer one HTTP request; `target` is the path with its query, as sent.

        Raises: ConnectionError: the server does not answer: its web process is down, this request
            ended it, or the command never comes to an end.
        """
        self.requests.append((method, target, body))
        if self._clock() < self._restart_reading:
            raise Closed("the web process is down")
        self.runner.run_due_steps()
        path, _, query = target.partition("?")
        lower_headers = {name.lower(): value for name, value in headers.items()}
        request = Request(method, unquote(path), query, lower_headers, body)
        try:
            return self._answer(request)
        except ProcessExit:
            self.counts.deaths += 1
            self._restart_reading = self._clock() + OUTAGE
            raise Closed("the command ended the web process") from None
        except EndlessCommand:
            self.counts.hung += 1
            raise Closed("the command runs for ever") from None

    def _answer(self, request: Request) -> Answer:
        if not request.path.startswith(f"{API}/"):
            return serve_page(request, self.world)
        path = request.path.removeprefix(API)
        if path == "/openapi.json":
            return make_json(self.description.document)
        matches = self.description.match(request.path)
        if not matches:
            return self._answer_elsewhere(request)
        for endpoint, path_values in matches:
            if endpoint.method == request.method:
                return self._call(endpoint, path_values, request)
        # The question of a browser whether it may send what it is about to send (CORS).
        if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
            return Answer(204, {}, b"")
        return refuse_method([endpoint.method for endpoint, _ in matches])

    def _answer_elsewhere(self, request: Request) -> Answer:
        """Answer a request below the API that no endpoint takes."""
        # Django adds a missing slash (`APPEND_SLASH`), but never takes one away.
        if self.description.match(f"{request.path}/"):
            query = f"?{request.query}" if request.query else ""
            return redirect(f"{request.path}/{query}", 301)
        if request.path in (f"{API}/", f"{API}/docs"):
            return serve_page(request, self.world)
        return make_not_found_page()

    def _call(self, endpoint: Endpoint, path_values: Mapping[str, str], request: Request) -> Answer:
        caller = Caller()
        try:
            in_query = endpoint.name != "POST /auth/browser_session"
            caller = identify_caller(
                request, self.world, required=endpoint.is_protected, in_query=in_query
            )
            call = Call(self.world, self.runner, self.counts, request, caller.user)
            # Credentials come before arguments: who may not call learns nothing about them.
            call.query = endpoint.parse_query(request.query)
            call.path = endpoint.parse_path(path_values)
            call.body = endpoint.parse_body(request.body)
            answer = self._handlers[endpoint.name](call)
        except Refusal as refusal:
            answer = refusal.answer()
        # Refusals carry the headers, too: a key that is refused is still named by its expiry.
        headers = make_caller_headers(caller, self.world)
        if not isinstance(answer, Answer):
            answer = make_json(answer)
        return Answer(answer.status, {**headers, **answer.headers}, answer.body)
