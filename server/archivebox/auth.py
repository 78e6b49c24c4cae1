"""The key for ArchiveBox: configured, or exchanged for a user name and password and kept in memory.

A key is never part of a result, an error or a log line: what a caller may see is its last
characters and its expiry.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Protocol

import anyio

from server.archivebox.failures import KEY_HINT
from server.errors import Code, Failure
from server.limiter import state_key
from server.redaction import learn
from server.settings import Secret


@dataclass(frozen=True)
class Login:
    """A user name and password, to be exchanged for a key."""

    username: str
    password: Secret

    def make_body(self) -> dict[str, str]:
        """Return the login as the endpoint that exchanges it takes it."""
        return {"username": self.username, "password": self.password.reveal()}

    def make_headers(self) -> dict[str, str]:
        """Return the login as HTTP Basic credentials.

        As installed, 0.9.73 takes a POST under a host name that is not its own only with
        credentials in a header.
        """
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return {"authorization": f"Basic {b64encode(pair).decode()}"}


# The client needs keys and keys need the client, so that one of them knows only what it calls.
class LoginSender(Protocol):
    """Sends a login to ArchiveBox."""

    async def send_login(self, login: Login, deadline: float) -> Any:
        """Return the JSON that ArchiveBox answers a login with."""
        ...


class Keys:
    """The key in use, and where the next one comes from."""

    def __init__(self, key: Secret | None, login: Login | None) -> None:
        self._key = key
        self._login = login
        self._expires: str | None = None
        # Callers that find no key at the same time exchange the login once.
        self._lock = anyio.Lock()
        self._identity = key.reveal() if key else ""
        # A user's key changes with every exchange, and the user does not.
        if login:
            self._identity = login.username

    def make_fingerprint(self, url: str) -> str:
        """Return a fingerprint of whose key it is, the same after an exchange."""
        return state_key(url, "account", self._identity)

    async def get_key(self, sender: LoginSender, deadline: float) -> str:
        """Return the key to send.

        Raises: Failure: `NOT_CONFIGURED` without any, `UNAUTHENTICATED` when the user name or
            password is wrong.
        """
        async with self._lock:
            if self._key is None:
                await self._exchange(sender, deadline)
            if self._key is None:
                raise Failure(Code.NOT_CONFIGURED, "No key for ArchiveBox is configured.", KEY_HINT)
            return self._key.reveal()

    async def renew(self, sender: LoginSender, refused: str, deadline: float) -> bool:
        """Return whether there is another key than the refused one now: only a login can bring
        one."""
        if self._login is None:
            return False
        async with self._lock:
            # Of several callers with the refused key the first one has exchanged it already.
            if not self._has_other(refused):
                await self._exchange(sender, deadline)
            return self._has_other(refused)

    def _has_other(self, refused: str) -> bool:
        return self._key is not None and self._key.reveal() != refused

    async def exchange(self, sender: LoginSender, deadline: float) -> dict[str, Any]:
        """Exchange the configured login for a key now, and return what a caller may know of it."""
        if self._login is None:
            raise Failure(
                Code.NOT_CONFIGURED,
                "No user name and password are configured, so there is nothing to exchange.",
                "A configured ARCHIVEBOX_API_KEY needs no exchange. Otherwise the user sets "
                "ARCHIVEBOX_USERNAME and ARCHIVEBOX_PASSWORD and restarts this server.",
            )
        async with self._lock:
            await self._exchange(sender, deadline)
        return self.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Return the key as a caller may see it: masked, with its expiry where that is known."""
        return {"key": self._key.mask() if self._key else None, "expires": self._expires}

    def learn_expiry(self, expires: str | None) -> None:
        """Keep the expiry from the header of an answer."""
        self._expires = expires or self._expires

    async def _exchange(self, sender: LoginSender, deadline: float) -> None:
        if self._login is None:
            return
        try:
            answer = await sender.send_login(self._login, deadline)
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
            raise Failure(
                Code.UNSUPPORTED,
                "This ArchiveBox does not exchange a user name and password for a key.",
                KEY_HINT,
            ) from None
        token = answer.get("token") if isinstance(answer, dict) else None
        if not token:
            # A wrong password, and a valid user who is no superuser, both come as HTTP 200 with
            # success false.
            raise Failure(
                Code.UNAUTHENTICATED,
                "ArchiveBox does not accept the user name and password, "
                "or the user is not a superuser.",
                KEY_HINT,
            )
        learn(str(token))
        self._key, self._expires = Secret(str(token)), answer.get("expires")
