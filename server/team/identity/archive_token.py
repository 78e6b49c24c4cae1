"""Sign-in with one's own Archive token, which is tried on Archive itself.

Archive does not say whose a token is: its fingerprint stands for the person.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio

from server.errors import Code, Failure
from server.settings import Secret
from server.team.identity.fair_share import FairShare
from server.team.identity.refusal import Refusal
from server.team.policy.policy import OWN_TOKEN, Identity

# How long an answer holds: a token that was revoked stops working within this time.
TRUSTED_SECONDS = 300.0
# How long a token that Archive refused is refused without asking again.
REFUSED_SECONDS = 60.0
# New tokens that are tried in a minute: made-up ones must not use up the pace of the others. From
# one address half of it at most, so that they do not keep out newcomers either.
MOST_TRIED = 30
_MOST_KEPT = 10_000
_LEAST_CHARACTERS = 16
_MOST_CHARACTERS = 512

# Asks Archive with a token: returns where it is valid, and raises a Failure otherwise.
Verify = Callable[[Secret], Awaitable[None]]


@dataclass(frozen=True)
class _Answer:
    valid: bool
    at: float


class ArchiveTokenSignIn:
    """Tries tokens on Archive, and remembers the answers by fingerprint.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, verify: Verify, clock: Callable[[], float] = time.monotonic) -> None:
        self._verify = verify
        self._clock = clock
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._locks: dict[str, anyio.Lock] = {}
        self._trials = FairShare(MOST_TRIED, clock)

    async def identify(self, token: str, address: str = "") -> Identity:
        """Return who brings this token.

        Args:
            address: where it comes from; made-up tokens from there delay others there alone.

        Raises:
            Refusal: Archive refuses it, or cannot be asked now.
        """
        if not _LEAST_CHARACTERS <= len(token) <= _MOST_CHARACTERS:
            raise _refuse()
        key = fingerprint(token)
        answer = self._recall(key)
        if answer is None:
            answer = await self._try_once(key, token, address)
        if not answer.valid:
            raise _refuse()
        return Identity(OWN_TOKEN, key, f"Archive token {key[:8]}", token=Secret(token))

    async def _try_once(self, key: str, token: str, address: str) -> _Answer:
        # Calls with one token at once ask once.
        lock = self._locks.setdefault(key, anyio.Lock())
        try:
            async with lock:
                return self._recall(key) or await self._try(key, token, address)
        finally:
            self._locks.pop(key, None)

    async def _try(self, key: str, token: str, address: str) -> _Answer:
        # Whoever was let in before is not kept out by those who try made-up tokens.
        if not self._was_valid(key):
            self._count_trial(address)
        try:
            await self._verify(Secret(token))
        except Failure as failure:
            if failure.code not in (Code.UNAUTHENTICATED, Code.FORBIDDEN):
                raise Refusal(
                    "unavailable",
                    "Archive cannot be asked now whether your token is valid. Try again later.",
                    detail=f"Archive answered {failure.code} to a sign-in",
                    retry_after=10,
                ) from None
            return self._remember(key, _Answer(valid=False, at=self._clock()))
        return self._remember(key, _Answer(valid=True, at=self._clock()))

    def _recall(self, key: str) -> _Answer | None:
        answer = self._answers.get(key)
        if answer is None:
            return None
        seconds = TRUSTED_SECONDS if answer.valid else REFUSED_SECONDS
        return answer if self._clock() - answer.at < seconds else None

    def _was_valid(self, key: str) -> bool:
        answer = self._answers.get(key)
        return answer is not None and answer.valid

    def _remember(self, key: str, answer: _Answer) -> _Answer:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > _MOST_KEPT:
            self._answers.popitem(last=False)
        return answer

    def _count_trial(self, address: str) -> None:
        """Refuse a trial where there were too many in the last minute.

        Raises:
            Refusal: `busy`.
        """
        if not self._trials.admit(address):
            raise Refusal(
                "busy",
                "Too many new tokens were tried in the last minute. Try again in a minute.",
                retry_after=60,
            )


def fingerprint(token: str) -> str:
    """Return what stands for a token where the token itself must not be."""
    return hashlib.sha256(f"archive-mcp sign-in {token}".encode()).hexdigest()[:32]


def _refuse() -> Refusal:
    return Refusal(
        "invalid",
        "Archive does not accept this token. A token is made in Archive under Settings > "
        "Integrations.",
        detail="Archive refused a token",
    )
