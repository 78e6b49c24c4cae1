"""The ArchiveBox client: one request through the limiter, its answer decoded; keys stay in here."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urljoin

import anyio

from server.archivebox.auth import Keys
from server.archivebox.failures import decode, foreign, redirected
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.http.client import Http
from server.http.retry import run_with_retries
from server.http.transport import Reply
from server.http.urls import parse_origin
from server.limiter import Lane, Limiter, state_key

T = TypeVar("T")

API = "/api/v1"
LONGEST_ANSWER = 40.0
"""Seconds that one request may take: some wait for a running crawl to end."""
_HOPS = 3


@dataclass(frozen=True)
class Upload:
    """A text file to send along with a form."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Send:
    """One request. `path` is below the API; `form` sends the body as a form instead of JSON;
    `verify` says how to check a write whose answer was lost, and is empty for a read; `headers`
    come on top of the usual ones; `admit` is called just before each send, when its turn has come:
    what it raises keeps it from leaving.
    """

    method: str
    path: str
    deadline: float
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    form: bool = False
    file: Upload | None = None
    repeatable: bool = True
    verify: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    lane: Lane = "interactive"
    admit: Callable[[], None] | None = None


class ArchiveBox:
    """Sends requests to one ArchiveBox.

    Args: url: the configured address; a trailing slash or `/api/v1` in it is understood, a path
        prefix is kept.
    """

    def __init__(
        self,
        *,
        url: str,
        keys: Keys,
        http: Http,
        limiter: Limiter,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = base_url(url)
        self.keys = keys
        self._http = http
        self._limiter = limiter
        self._clock = clock
        self._headers = {"accept": "application/json", "user-agent": user_agent}
        self._key = state_key(self.url, "archivebox")
        self._lock = anyio.Lock()
        self._description: Description | None = None

    def __repr__(self) -> str:
        return f"ArchiveBox({self.url})"

    @property
    def account(self) -> str:
        """A fingerprint of the key or user name."""
        return self.keys.account(self.url)

    def now(self) -> float:
        """The monotonic clock that deadlines are on, in seconds."""
        return self._clock()

    async def describe(self, deadline: float) -> Description:
        """What this server can do, read from it once.

        Raises:
            Failure: `UNSUPPORTED` when it is no ArchiveBox, or one without a REST API.
        """
        async with self._lock:
            if self._description is None:
                self._description = Description.read(await self._openapi(deadline))
            return self._description

    async def _openapi(self, deadline: float) -> Any:
        try:
            return await self.send(Send("GET", "/openapi.json", deadline), authenticated=False)
        except Failure as failure:
            # An ArchiveBox shows its description to anybody: the address itself is wrong.
            wrong = failure.code in (Code.NOT_FOUND, Code.UNSUPPORTED, Code.UNAUTHENTICATED)
            raise (foreign() if wrong else failure) from None

    async def send(self, send: Send, *, authenticated: bool = True) -> Any:
        """Send the request, again where that is safe, and return the JSON it answered.

        Raises:
            Failure: decoded from any of the server's error shapes.
        """
        return await self._exchanged(send, decode, authenticated=authenticated)

    async def raw(self, send: Send) -> Reply:
        """As `send`, with the answer as it came: for answers that are not JSON."""
        return await self._exchanged(send, _good, authenticated=True)

    async def file(self, path: str, deadline: float) -> Reply:
        """The answer for a file that the server shows to anybody, whatever its status, by its path
        on the web.

        It is asked for without the key, which is not looked at there.
        """
        headers = {"user-agent": self._headers["user-agent"]}
        return await self._followed(
            Send("GET", path, deadline), f"{self.url}{quote(path)}", headers, lambda reply: reply
        )

    async def _exchanged(self, send: Send, read: Callable[[Reply], T], *, authenticated: bool) -> T:
        query = urlencode([(name, _text(value)) for name, value in send.params.items()])
        url = f"{self.url}{API}{send.path}" + (f"?{query}" if query else "")
        if not authenticated:
            return await self._followed(send, url, self._headers, read)
        key = await self.keys.current(self, send.deadline)
        try:
            return await self._followed(
                send, url, {**self._headers, "x-archivebox-api-key": key}, read
            )
        except Failure as failure:
            if failure.code is not Code.UNAUTHENTICATED or not await self.keys.renewed(
                self, key, send.deadline
            ):
                raise
        key = await self.keys.current(self, send.deadline)
        return await self._followed(send, url, {**self._headers, "x-archivebox-api-key": key}, read)

    async def _followed(
        self, send: Send, url: str, headers: Mapping[str, str], read: Callable[[Reply], T]
    ) -> T:
        """Send, and for a read go where a redirect points as long as that is the same origin."""
        kind, body = _encoded(send)
        headers = {**headers, **send.headers, **({"content-type": kind} if kind else {})}
        target = url

        async def attempt() -> Reply | T:
            turn = self._limiter.slot(
                self._key, operation=send.path, lane=send.lane, deadline=send.deadline
            )
            async with turn as slot:
                if send.admit is not None:
                    send.admit()
                seconds = max(0.5, min(LONGEST_ANSWER, send.deadline - self._clock()))
                reply = await self._http.send(send.method, target, headers, body, seconds=seconds)
                slot.answered(reply.status, reply.headers, new_connection=reply.new_connection)
            if not 300 <= reply.status < 400:
                return read(reply)
            if send.method != "GET":
                raise redirected(reply, target)
            return reply

        for _ in range(_HOPS):
            found = await run_with_retries(
                attempt,
                repeatable=send.repeatable,
                deadline=send.deadline,
                clock=self._clock,
                verify=send.verify,
            )
            if not isinstance(found, Reply) or not 300 <= found.status < 400:
                return found  # type: ignore[return-value]  # a reply only where `read` gives one
            moved, target = found, _next(found, target)
        raise redirected(moved, target)


def base_url(url: str) -> str:
    """The address without what is ours to add."""
    return url.rstrip("/").removesuffix(API).rstrip("/")


def _next(reply: Reply, asked: str) -> str:
    """Where a redirect points, on the same origin."""
    location = reply.headers.get("location", "")
    try:
        target = urljoin(asked, location)
        if location and parse_origin(target) == parse_origin(asked):
            return target
    except ValueError:
        pass
    raise redirected(reply, asked)


def _good(reply: Reply) -> Reply:
    if reply.status >= 300:
        decode(reply)
    return reply


def _encoded(send: Send) -> tuple[str, bytes]:
    if send.body is None:
        return "", b""
    if send.file:
        return _multipart(send.body, send.file)
    if send.form:
        pairs = [(name, _text(value)) for name, value in send.body.items()]
        return "application/x-www-form-urlencoded", urlencode(pairs).encode()
    return "application/json", json.dumps(send.body, separators=(",", ":")).encode()


def _multipart(fields: Mapping[str, Any], file: Upload) -> tuple[str, bytes]:
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{_text(value)}\r\n'.encode()
        for name, value in fields.items()
    ]
    name = quote(file.name)
    head = f'--{boundary}\r\ncontent-disposition: form-data; name="files"; filename="{name}"\r\n'
    parts.append(
        f"{head}content-type: text/plain; charset=utf-8\r\n\r\n".encode() + file.content + b"\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", b"".join(
        [*parts, f"--{boundary}--\r\n".encode()]
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
