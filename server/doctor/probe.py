"""Questions to the API, one at a time and through the limiter, for `doctor --live`."""

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
from server.limiter.budget import Policy, read_budget

# For all live questions together. Nobody waits for a host here, and the pace takes most of it.
SECONDS = 90.0


@dataclass(frozen=True)
class ProbeResult:
    """An answer as it came, with what the limiter believed before it.

    `before` is the number of credits in the bucket when the question was sent, None while nothing
    is known of them; `seconds` is how long the answer took.
    """

    reply: Reply
    payload: Mapping[str, Any]
    before: float | None
    seconds: float

    def data(self, name: str) -> Any:
        """Return a field of `data`; None where it is missing."""
        return read_field(self.payload.get("data"), name)


@dataclass
class Probe:
    """Asks questions in one workspace; None where the settings lead to none.

    `quickest` is the shortest round trip in seconds so far, `page` the answer about the top items,
    which a later question needs again.
    """

    archive: Archive
    pacer: Pacer
    workspace: str | None
    quickest: float = field(default=math.inf, init=False)
    deadline: float = field(init=False)
    page: ProbeResult | None = field(default=None, init=False)

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
    ) -> ProbeResult:
        """Send one request, once; the probe's workspace and token are the defaults.

        Args:
            cost: the rate credits that the request is expected to take.
            workspace: an id to send in place of the probe's workspace.
            token: sent in place of the user's, and then without a workspace.

        Raises:
            Failure: The request was not sent, not answered, or answered with nothing but trouble
                (429, 5xx).
        """
        if workspace is None and token is None:
            workspace = self._require_workspace()
        call = Call("doctor", document, variables or {}, workspace, cost, self.deadline)
        state = await self.pacer.snapshot(self.archive.limiter_key(workspace))
        start = self.archive.now()
        reply, seconds = await self.archive.exchange(call, token=token)
        before = _level_after(state, self.archive.now() - start - seconds)
        self.quickest = min(self.quickest, seconds)
        # Such an answer says nothing about what was asked.
        if reply.status == 429 or reply.status >= 500:
            raise Failure(Code.UNAVAILABLE, f"Archive answered HTTP {reply.status}.")
        return ProbeResult(reply, _parse_object(reply.body), before, seconds)

    def price_of(self, result: ProbeResult) -> tuple[float, float] | None:
        """Return the least and the most credits that a request can have taken.

        None where Archive does not say. Credits that come back while Archive computes hide a part
        of the price: that time is the answer's beyond the quickest one. And where the bucket was
        not full before, its level is only known to within the credits of one trip through the
        network.
        """
        bucket = read_bucket(result.reply.headers)
        if result.before is None or bucket is None:
            return None
        policy, left = bucket
        spent = result.before - left
        hidden = policy.refill * max(0.0, result.seconds - self.quickest)
        uncertainty = policy.refill * self.quickest if result.before < policy.burst else 0.0
        # One more at the upper end: the header is a whole number.
        return max(0.0, spent - uncertainty), max(0.0, spent) + hidden + uncertainty + 1

    def _require_workspace(self) -> str:
        if self.workspace is None:
            raise Failure(Code.WORKSPACE_REQUIRED, "There is no workspace to ask in.")
        return self.workspace


def read_bucket(headers: Mapping[str, str]) -> tuple[Policy, float] | None:
    """Return the policy and the credits that are left; None where the headers lack one of them."""
    reading = read_budget(headers)
    if reading.policy is None or reading.left is None:
        return None
    return reading.policy, reading.left


def read_field(value: Any, name: str) -> Any:
    """Return a field of an object; None where it is missing, or where there is no object."""
    return value.get(name) if isinstance(value, dict) else None


def _level_after(state: Snapshot, waited: float) -> float | None:
    """Return the credits in the bucket after a wait of so many seconds for the turn."""
    # The snapshot is taken before the limiter makes the request wait, and credits come back then.
    if state.credits is None or state.refill is None or state.burst is None:
        return None
    return min(state.burst, state.credits + state.refill * waited)


def _parse_object(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of an answer; an empty one where there is none."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        # RecursionError: brackets nested too deeply, from whatever stands between us and Archive.
        return {}
    return payload if isinstance(payload, dict) else {}
