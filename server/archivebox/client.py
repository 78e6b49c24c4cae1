"""The ArchiveBox client: one request through the limiter, its answer decoded; keys stay in here."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

import anyio

from server.archivebox.auth import Keys, Login
from server.archivebox.failures import (
    check_answer,
    decode,
    is_own_refusal,
    is_refused_command,
    make_doubt,
    make_foreign_failure,
    make_long_failure,
    make_redirect_failure,
)
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.http.client import Http
from server.http.retry import Transient, run_with_retries
from server.http.transport import MAX_BODY, Reply
from server.http.urls import parse_origin
from server.limiter import Admit, Lane, Limiter, state_key

T = TypeVar("T")

API = "/api/v1"
LONGEST_ANSWER = 40.0
"""Seconds that one request may take: some wait for a running crawl to end."""
SHORTEST_WAIT = 0.5
"""Seconds that a request is waited for even when its deadline has nearly come."""
# Of httpx, which knows no longer ones.
_LONGEST_URL = 65_536
# Enough for a missing slash and one more; a longer way is a loop.
_MOST_REDIRECTS = 3


@dataclass(frozen=True)
class Upload:
    """A text file to send along with a form."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Send:
    """One request.

    path: below the API. form: whether the body is sent as a form instead of JSON. verify: how to
    check a write whose answer was lost; empty for a read. headers: added to the usual ones. admit:
    called just before each send, when its turn has come; what it raises stops the request. packed:
    whether the answer is left packed as it came. largest: the most bytes of the answer.
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
    admit: Admit | None = None
    packed: bool = False
    largest: int = MAX_BODY


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
        return self.keys.make_fingerprint(self.url)

    def now(self) -> float:
        """Return the monotonic time that deadlines are on, in seconds."""
        return self._clock()

    async def describe(self, deadline: float) -> Description:
        """Return what this server can do, which is read from it once.

        Raises:
            Failure: `UNSUPPORTED` when it is no ArchiveBox, or one without a REST API.
        """
        # Tools that start at the same time wait for one download of the description.
        async with self._lock:
            if self._description is None:
                self._description = Description.parse(await self._get_openapi(deadline))
            return self._description

    async def _get_openapi(self, deadline: float) -> Any:
        try:
            return await self.send(Send("GET", "/openapi.json", deadline), authenticated=False)
        except Failure as failure:
            # An ArchiveBox shows its description to anybody: the address itself is wrong.
            if failure.code in (Code.NOT_FOUND, Code.UNSUPPORTED, Code.UNAUTHENTICATED):
                raise make_foreign_failure() from None
            raise

    async def send(self, send: Send, *, authenticated: bool = True) -> Any:
        """Send the request, again where that is safe, and return the JSON it answered.

        Raises:
            Failure: decoded from any of the server's error shapes.
        """
        return await self._send(
            send, lambda reply: self._read(send, reply), authenticated=authenticated
        )

    def _read(self, send: Send, reply: Reply) -> Any:
        """Return the JSON of an answer that is what the server describes.

        Within the attempt, because a change whose answer cannot be read may have been made.
        """
        answer = decode(reply)
        # A refused command answers with less than a done one.
        if self._description is not None and not is_refused_command(answer):
            check_answer(self._description.find_problem(send.method, send.path, answer))
        return answer

    async def send_login(self, login: Login, deadline: float) -> Any:
        """Return the JSON that ArchiveBox answers a login with.

        Raises:
            Failure: as for `send`.
        """
        body, headers = login.make_body(), login.make_headers()
        send = Send("POST", "/auth/get_api_token", deadline, body=body, headers=headers)
        return await self.send(send, authenticated=False)

    async def raw(self, send: Send) -> Reply:
        """Send the request as `send` does, and return the answer as it came: for answers that are
        not JSON."""
        return await self._send(send, _check_status, authenticated=True)

    async def file(
        self,
        path: str,
        deadline: float,
        *,
        most: int | None = None,
        packed: bool = False,
        largest: int = MAX_BODY,
    ) -> Reply:
        """Return the answer for a file that the server shows to anybody, whatever its status, by
        its path on the web; a redirect to a sign-in is an answer, and is not followed.

        The request goes without the key, which is not looked at there.

        Args:
            most: how many bytes of it to read, at most as many as it has; all without it.
            packed: whether a packed file is left as it is.
            largest: the most bytes of the file, which is otherwise not read at all.
        """
        # Without `raw`, 0.9.73 shows some pages to people in another form, and damages letters.
        url = f"{self.url}{quote(path)}?raw=1"
        headers = {"user-agent": self._headers["user-agent"]}
        if most is not None:
            headers["range"] = f"bytes=0-{most - 1}"
        send = Send("GET", path, deadline, packed=packed, largest=largest)
        return await self._follow(send, url, headers, lambda reply: reply, stop=_is_sign_in)

    async def _send(self, send: Send, parse: Callable[[Reply], T], *, authenticated: bool) -> T:
        url = f"{self.url}{API}{send.path}?{_encode_values(send.params)}".removesuffix("?")
        if len(url) > _LONGEST_URL:
            raise make_long_failure()
        if not authenticated:
            return await self._follow(send, url, self._headers, parse)
        key = await self.keys.get_key(self, send.deadline)
        try:
            return await self._send_with_key(send, url, key, parse)
        except Failure as failure:
            if failure.code is not Code.UNAUTHENTICATED:
                raise
            # A key that came from a login may have expired, and then another one is to be had.
            if not await self.keys.renew(self, key, send.deadline):
                raise
        key = await self.keys.get_key(self, send.deadline)
        return await self._send_with_key(send, url, key, parse)

    async def _send_with_key(
        self, send: Send, url: str, key: str, parse: Callable[[Reply], T]
    ) -> T:
        headers = {**self._headers, "x-archivebox-api-key": key}
        return await self._follow(send, url, headers, parse)

    async def _follow(
        self,
        send: Send,
        url: str,
        headers: Mapping[str, str],
        parse: Callable[[Reply], T],
        *,
        stop: Callable[[str], bool] = lambda target: False,
    ) -> T:
        """Send, and for a read go where a redirect points, as long as that is below the configured
        address; `stop` says at which targets the redirect itself is the answer."""
        kind, body = _encode(send)
        headers = {**headers, **send.headers}
        if kind:
            headers["content-type"] = kind
        target = url

        async def attempt() -> Reply | T:
            turn = self._limiter.slot(
                self._key, operation=send.path, lane=send.lane, deadline=send.deadline
            )
            async with turn as slot:
                # After the wait for a turn, in which a job may have been cancelled.
                if send.admit is not None:
                    await send.admit()
                seconds = max(SHORTEST_WAIT, min(LONGEST_ANSWER, send.deadline - self._clock()))
                reply = await self._http.send(
                    send.method,
                    target,
                    headers,
                    body,
                    seconds=seconds,
                    packed=send.packed,
                    largest=send.largest,
                )
                slot.report_answer(reply.status, reply.headers, new_connection=reply.new_connection)
            # A change that is sent on to another address could be made twice, or by somebody else.
            if _is_redirect(reply) and send.method == "GET":
                return reply
            return _parse(send, reply, target, parse)

        for _ in range(_MOST_REDIRECTS):
            answer = await run_with_retries(
                attempt,
                repeatable=send.repeatable,
                deadline=send.deadline,
                clock=self._clock,
                verify=send.verify,
            )
            if not isinstance(answer, Reply) or not _is_redirect(answer):
                return answer  # type: ignore[return-value]  # a reply only where `parse` gives one
            redirect, target = answer, self._get_target(answer, target)
            if stop(target):
                return parse(redirect)
        raise make_redirect_failure(redirect, target)

    def _get_target(self, reply: Reply, url: str) -> str:
        """Return where a redirect points, below the configured address: the key goes nowhere else.

        Raises:
            Failure: it points elsewhere.
        """
        # Without a location it would be sent to itself.
        location = reply.headers.get("location") or "about:blank"
        try:
            target = urljoin(url, location)
            if parse_origin(target) == parse_origin(url):
                return self._keep_below(target)
        except ValueError:
            pass
        raise make_redirect_failure(reply, url)

    def _keep_below(self, target: str) -> str:
        """Return the address with the configured path prefix: ArchiveBox does not know of a prefix
        that a proxy cuts off, and redirects to paths without it.

        Raises:
            ValueError: the path leads out of the prefix again.
        """
        parts, prefix = urlsplit(target), urlsplit(self.url).path
        # Some proxies decode a path before they look at its steps.
        steps = unquote(unquote(parts.path)).replace("\\", "/").split("/")
        if not {".", ".."}.isdisjoint(steps):
            raise ValueError("a path that goes up")
        if parts.path.startswith(f"{prefix}/"):
            return target
        return parts._replace(path=f"{prefix}{parts.path}").geturl()


def base_url(url: str) -> str:
    """Return the address without what is ours to add."""
    return url.rstrip("/").removesuffix(API).rstrip("/")


def _parse(send: Send, reply: Reply, url: str, parse: Callable[[Reply], T]) -> T:
    """Return what an answer says.

    Raises:
        Transient: it does not tell what became of a change.
    """
    try:
        if _is_redirect(reply):
            raise make_redirect_failure(reply, url)
        return parse(reply)
    except Failure as failure:
        is_told = isinstance(failure, Transient) or is_own_refusal(reply)
        if send.verify and not is_told:
            raise make_doubt(failure) from None
        raise


def _is_redirect(reply: Reply) -> bool:
    return 300 <= reply.status < 400


def _is_sign_in(url: str) -> bool:
    """Return whether an address is one at which ArchiveBox asks people to sign in."""
    path = urlsplit(url).path
    return path.rstrip("/").endswith(("/login", "/replay-auth"))


def _check_status(reply: Reply) -> Reply:
    if reply.status >= 300:
        decode(reply)
    return reply


def _encode(send: Send) -> tuple[str, bytes]:
    """Return type and bytes of the body; both are empty for a request without one."""
    if send.body is None:
        return "", b""
    if send.file:
        return _encode_multipart(send.body, send.file)
    if send.form:
        return "application/x-www-form-urlencoded", _encode_values(send.body).encode()
    return "application/json", json.dumps(send.body, separators=(",", ":")).encode()


def _encode_values(values: Mapping[str, Any]) -> str:
    return urlencode([*zip(values, map(_to_text, values.values()), strict=True)])


def _encode_multipart(fields: Mapping[str, Any], file: Upload) -> tuple[str, bytes]:
    # Random, so that no content can contain it.
    boundary = secrets.token_hex(16)
    head = f"--{boundary}\r\ncontent-disposition: form-data; name="
    text = ""
    for name, value in fields.items():
        text += f'{head}"{name}"\r\n\r\n{_to_text(value)}\r\n'
    text += f'{head}"files"; filename="{quote(file.name)}"\r\n'
    text += "content-type: text/plain; charset=utf-8\r\n\r\n"
    body = text.encode() + file.content + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _to_text(value: Any) -> str:
    # JSON's way of writing booleans, which the server reads in forms and addresses, too.
    return str(value).lower() if isinstance(value, bool) else str(value)
