"""Asking the API one question at a time, through the limiter, for `doctor --live`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.archive.client import Archive, Call
from server.errors import Code, Failure
from server.http.transport import Reply
from server.limiter import Pacer, Snapshot
from server.limiter.budget import Reading, read_budget

SECONDS = 90.0
"""How long all live questions may take together."""


@dataclass(frozen=True)
class Heard:
    """An answer as it came, with what the limiter believed before it."""

    reply: Reply
    payload: Mapping[str, Any]
    before: float | None
    """Credits in the bucket when it was sent; None while nothing is known of them."""
    seconds: float

    @property
    def reading(self) -> Reading:
        """What its credit headers say."""
        return read_budget(self.reply.headers)

    def data(self, name: str) -> Any:
        """A field of `data`; None where it is missing."""
        data = self.payload.get("data")
        return data.get(name) if isinstance(data, dict) else None


@dataclass
class Look:
    """Asks questions in one workspace; None where the settings lead to none."""

    archive: Archive
    pacer: Pacer
    workspace: str | None
    quickest: float = field(default=math.inf, init=False)
    deadline: float = field(init=False)
    page: Heard | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.deadline = self.archive.now() + SECONDS

    async def ask(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        cost: float = 5,
        workspace: str | None = None,
        token: str | None = None,
    ) -> Heard:
        """One request, sent once; without workspace and token of its own it goes to the workspace
        looked at.

        Raises:
            Failure: not sent, not answered, or answered with nothing but trouble (429, 5xx).
        """
        where = workspace or (None if token else self._inside())
        call = Call("doctor", document, variables or {}, where, cost, self.deadline)
        known, asked = (
            await self.pacer.snapshot(self.archive.limiter_key(where)),
            self.archive.now(),
        )
        reply, seconds = await self.archive.exchange(call, token=token)
        before = _level(known, self.archive.now() - asked - seconds)
        self.quickest = min(self.quickest, seconds)
        if reply.status == 429 or reply.status >= 500:
            raise Failure(Code.UNAVAILABLE, f"Archive answered HTTP {reply.status}.")
        return Heard(reply, _object(reply.body), before, seconds)

    def spent(self, heard: Heard) -> tuple[float, float] | None:
        """Least and most credits that a request can have taken; None where Archive does not say.

        Credits that came back while Archive was computing hide a part of the price: how long that
        took is the answer's time beyond the quickest one. And where the bucket was not full before,
        its level is only known to within the credits of one way through the network.
        """
        left, policy = heard.reading.left, heard.reading.policy
        if heard.before is None or left is None or policy is None:
            return None
        spent = heard.before - left
        hidden = policy.refill * max(0.0, heard.seconds - self.quickest)
        vague = policy.refill * self.quickest if heard.before < policy.burst else 0.0
        return max(0.0, spent - vague), max(
            0.0, spent
        ) + hidden + vague + 1  # the header is a whole number

    def _inside(self) -> str:
        if self.workspace is None:
            raise Failure(Code.WORKSPACE_REQUIRED, "No workspace to ask in.")
        return self.workspace


def _level(known: Snapshot, waited: float) -> float | None:
    """Credits after waiting for the turn."""
    if known.credits is None or known.refill is None or known.burst is None:
        return None
    return min(known.burst, known.credits + known.refill * waited)


def _object(body: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer; an empty one where there is none."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}
