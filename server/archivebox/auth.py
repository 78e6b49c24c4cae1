"""The key for ArchiveBox: configured, or exchanged for a user name and password and kept in memory.

A key is never part of a result, an error or a log line: what a caller may see is its last
characters and its expiry.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from server.archivebox.failures import KEY_HINT
from server.errors import Code, Failure
from server.limiter import state_key
from server.settings import Secret

if TYPE_CHECKING:
    from server.archivebox.client import ArchiveBox


@dataclass(frozen=True)
class Login:
    """A user name and password, to be exchanged for a key."""

    username: str
    password: Secret

    def header(self) -> dict[str, str]:
        """The same as HTTP Basic credentials.

        As installed, 0.9.73 takes a POST under a host name that is not its own only with
        credentials in a header.
        """
        pair = f"{self.username}:{self.password.reveal()}".encode()
        return {"authorization": f"Basic {b64encode(pair).decode()}"}


class Keys:
    """The key in use, and where the next one comes from."""

    def __init__(self, key: Secret | None, login: Login | None) -> None:
        self._key = key
        self._login = login
        self._expires: str | None = None
        self._lock = anyio.Lock()
        self._account = login.username if login else key.reveal() if key else ""

    def account(self, url: str) -> str:
        """A fingerprint of whose key it is, the same after an exchange."""
        return state_key(url, "account", self._account)

    async def current(self, box: ArchiveBox, deadline: float) -> str:
        """The key to send.

        Raises: Failure: `NOT_CONFIGURED` without any, `UNAUTHENTICATED` when the user name or
            password is wrong.
        """
        async with self._lock:
            if self._key is None:
                await self._exchange(box, deadline)
            if self._key is None:
                raise Failure(Code.NOT_CONFIGURED, "No key for ArchiveBox is configured.", KEY_HINT)
            return self._key.reveal()

    async def renewed(self, box: ArchiveBox, refused: str, deadline: float) -> bool:
        """Whether there is another key than the refused one now: only a login can bring one."""
        if self._login is None:
            return False
        async with self._lock:
            if self._key is None or self._key.reveal() == refused:
                await self._exchange(box, deadline)
            return self._key is not None and self._key.reveal() != refused

    async def exchange(self, box: ArchiveBox, deadline: float) -> dict[str, Any]:
        """Exchange the configured login for a key now, and say what a caller may know of it."""
        if self._login is None:
            raise Failure(
                Code.NOT_CONFIGURED,
                "No user name and password are configured, so there is nothing to exchange.",
                "A configured ARCHIVEBOX_API_KEY needs no exchange. Otherwise the user sets ARCHIVEBOX_USERNAME and "
                "ARCHIVEBOX_PASSWORD and restarts this server.",
            )
        async with self._lock:
            await self._exchange(box, deadline)
        return self.shown()

    def shown(self) -> dict[str, Any]:
        """The key as a caller may see it: masked, with its expiry where that is known."""
        return {"key": self._key.mask() if self._key else None, "expires": self._expires}

    def learn_expiry(self, expires: str | None) -> None:
        """Keep the expiry that an answer's header named."""
        self._expires = expires or self._expires

    async def _exchange(self, box: ArchiveBox, deadline: float) -> None:
        if self._login is None:
            return
        from server.archivebox.client import Send

        body = {"username": self._login.username, "password": self._login.password.reveal()}
        send = Send(
            "POST", "/auth/get_api_token", deadline, body=body, headers=self._login.header()
        )
        try:
            found = await box.send(send, authenticated=False)
        except Failure as failure:
            if failure.code is not Code.NOT_FOUND:
                raise
            raise Failure(
                Code.UNSUPPORTED,
                "This ArchiveBox does not exchange a user name and password for a key.",
                KEY_HINT,
            ) from None
        token = found.get("token") if isinstance(found, dict) else None
        if not token:
            # A wrong password, and a valid user who is no superuser, both come as HTTP 200 with
            # success false.
            raise Failure(
                Code.UNAUTHENTICATED,
                "ArchiveBox does not accept the user name and password, or the user is not a superuser.",
                KEY_HINT,
            )
        self._key, self._expires = Secret(str(token)), found.get("expires")
