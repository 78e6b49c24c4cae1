"""What counts once: a reply to a question that travels through the client, and may come again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Protocol

REPLY_SECONDS = 900.0
"""How long a used reply is remembered: longer than its seal is valid, so that what is forgotten
here is refused there."""


class Replies(Protocol):
    """The replies that were used."""

    def issue(self) -> str:
        """Return a new mark for a question."""

    async def redeem(self, mark: str) -> bool:
        """Return whether the mark comes for the first time; it does not count again."""


def make_mark() -> str:
    """Return a mark that nobody guesses."""
    return secrets.token_urlsafe(12)


class MemoryReplies:
    """The replies that were used, in the memory of this process, as the key of the seal is.

    Args:
        clock: monotonic seconds.

    The methods are those of `Replies`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    def issue(self) -> str:
        return make_mark()

    async def redeem(self, mark: str) -> bool:
        now = self._clock()
        # Oldest first, because they were added in that order.
        while self._used and next(iter(self._used.values())) < now - REPLY_SECONDS:
            del self._used[next(iter(self._used))]
        if not mark or mark in self._used:
            return False
        self._used[mark] = now
        return True
