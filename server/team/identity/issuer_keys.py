"""The public keys of an issuer: fetched when they are needed, kept for a while, and read again
when a token names one that is not there, yet never more often than twice a minute."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import anyio
import jwt

from server.errors import Failure
from server.http.transport import Reply
from server.team.identity.refusal import Refusal
from server.team.settings import OidcSettings

# Seconds after which the keys are read again, so that one that was withdrawn stops counting.
FRESH_SECONDS = 3600.0
# Seconds for which they are used all the same while the issuer cannot be reached.
STALE_SECONDS = 6 * 3600.0
# Seconds between two readings: made-up key ids must not turn into requests to the issuer.
PAUSE_SECONDS = 30.0
_FETCH_SECONDS = 10.0
_MOST_BYTES = 1024 * 1024
_MOST_KEYS = 100
LEAST_BITS = 2048

log = logging.getLogger("archive_mcp.team")


@dataclass(frozen=True)
class IssuerKey:
    """A public key.

    Args:
        kind: RSA, EC or OKP.
        algorithm: the only one it is for; None for any of its kind.
    """

    id: str
    key: Any
    kind: str
    algorithm: str | None


class UnusableError(Exception):
    """What the issuer sent cannot be used."""


class Web(Protocol):
    """Reads an address without a secret."""

    async def get(self, url: str, *, seconds: float, largest: int) -> Reply:
        """Return the reply of an address.

        Raises:
            Failure: it cannot be reached, or sends too much.
        """


class IssuerKeys:
    """The keys of one issuer by their ids.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, settings: OidcSettings, web: Web, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._web = web
        self._clock = clock
        self._keys: dict[str, IssuerKey] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        # Many calls at once meet an empty store: one of them reads, the others wait for it.
        self._lock = anyio.Lock()

    async def find(self, key_id: str) -> IssuerKey | None:
        """Return the key of that id; None where the issuer has none.

        Raises:
            Refusal: `unavailable`: there are no keys, because the issuer cannot be reached.
        """
        if not self._is_younger(FRESH_SECONDS) or key_id not in self._keys:
            async with self._lock:
                await self._refresh(key_id)
        if not self._is_younger(STALE_SECONDS):
            raise Refusal(
                "unavailable",
                "The issuer of your token cannot be reached, so the token cannot be checked now.",
                retry_after=int(PAUSE_SECONDS),
            )
        return self._keys.get(key_id)

    async def _refresh(self, key_id: str) -> None:
        """Read the keys, unless somebody just did."""
        if self._is_younger(FRESH_SECONDS) and key_id in self._keys:
            return
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < PAUSE_SECONDS:
            return
        self._tried_at = now
        try:
            keys = await self._read()
        except (Failure, UnusableError, ValueError) as error:
            log.warning("the keys of %s were not read: %s", self._settings.issuer, error)
            return
        self._keys, self._read_at = keys, self._clock()

    async def _read(self) -> dict[str, IssuerKey]:
        content = await self._fetch(self._settings.keys_url or await self._find_url())
        entries = content.get("keys")
        if not isinstance(entries, list):
            raise UnusableError("there is no list of keys")
        keys: dict[str, IssuerKey] = {}
        for entry in entries[:_MOST_KEYS]:
            key = _read_key(entry)
            if key is not None:
                keys[key.id] = key
        return keys

    async def _find_url(self) -> str:
        """Return where the keys are, as the issuer's metadata say."""
        issuer = self._settings.issuer
        metadata = await self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        # Somebody else's metadata would bring somebody else's keys.
        if metadata.get("issuer") != issuer:
            raise UnusableError(f"the metadata name another issuer: {metadata.get('issuer')!r}")
        url = metadata.get("jwks_uri")
        is_secure = isinstance(url, str) and url.startswith(_scheme(issuer))
        if not is_secure:
            raise UnusableError("the metadata name no address of keys")
        return str(url)

    async def _fetch(self, url: str) -> dict[str, Any]:
        reply = await self._web.get(url, seconds=_FETCH_SECONDS, largest=_MOST_BYTES)
        if reply.status != 200:
            raise UnusableError(f"{url} answered with status {reply.status}")
        content = json.loads(reply.body)
        if not isinstance(content, dict):
            raise UnusableError(f"{url} answered with something else than an object")
        return content

    def _is_younger(self, seconds: float) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < seconds


def _scheme(url: str) -> str:
    return f"{url.partition('://')[0]}://"


def _read_key(entry: Any) -> IssuerKey | None:
    """Return a key that signatures can be checked with; None for any other entry."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    # A symmetric key in a public list is nobody's signature, and nor is a private one.
    key_type = entry.get("kty")
    if key_type not in ("RSA", "EC", "OKP") or "d" in entry or not entry.get("kid"):
        return None
    try:
        key = jwt.PyJWK(entry)
    except jwt.PyJWTError:
        return None
    if key_type != "RSA":
        # The curve decides how such a key signs.
        return IssuerKey(str(entry["kid"]), key.key, key_type, key.algorithm_name)
    if key.key.key_size < LEAST_BITS:
        return None
    return IssuerKey(str(entry["kid"]), key.key, key_type, entry.get("alg"))
