"""The confirmation tokens handed out where nobody can be asked: each counts once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Protocol

TOKEN_SECONDS = 600.0


class Tokens(Protocol):
    """The confirmation tokens handed out: each counts once, for what it was issued for."""

    async def issue(self, basis: str) -> str:
        """Return a new token of twelve characters, valid for `TOKEN_SECONDS`.

        Args:
            basis: a hash of what the confirmation is for.
        """

    async def redeem(self, token: str, basis: str) -> bool:
        """Return whether the token counts for this basis; it does not count again."""


def make_token() -> str:
    """Return twelve characters: a model repeats them without an error, and nobody guesses them in
    time."""
    return secrets.token_urlsafe(9)


class MemoryTokens:
    """The tokens of this process: a restart makes them void.

    Args:
        clock: monotonic seconds.

    The methods are those of `Tokens`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}

    async def issue(self, basis: str) -> str:
        """Return a new token, valid for `TOKEN_SECONDS`."""
        now = self._clock()
        # Expired ones go whenever a token is issued, so that the table stays small.
        self._tokens = {token: entry for token, entry in self._tokens.items() if entry[1] > now}
        token = make_token()
        self._tokens[token] = (basis, now + TOKEN_SECONDS)
        return token

    async def redeem(self, token: str, basis: str) -> bool:
        bound, expires = self._tokens.get(token, ("", 0.0))
        if bound != basis or expires <= self._clock():
            return False
        # Single use: the same change once more is another change.
        del self._tokens[token]
        return True
