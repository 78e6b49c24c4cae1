"""The sandbox: Archive's API in one object, without a transport.

The files of media contents are on a host of their own (`media.py`). The API itself checks in this
order: path, method, token, rate, workspace, body, query, credits, execution. See `failures.py` for
the answers and `engine.py` for the execution.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, OperationType

from server import wall_clock
from server.sandbox.answer import JSON_TYPE, Answer, encode
from server.sandbox.archive.costs import cost, root_fields
from server.sandbox.archive.data.brands import BRANDS
from server.sandbox.archive.data.workspace import Workspace, World
from server.sandbox.archive.engine import (
    Documents,
    SandboxBug,
    operation_of,
    run,
    schema,
)
from server.sandbox.archive.failures import refusal
from server.sandbox.archive.limits import PLANS, Meters
from server.sandbox.archive.media import base_for, is_media, serve
from server.sandbox.archive.resolvers.context import Context
from server.sandbox.archive.resolvers.search import Results

PATH = "/api/v2"
TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but made-up data
TOKEN_SINGLE = "sandbox-token-single"  # noqa: S105 - as above
MAIN, OUTDOOR, COFFEE = (brand.id for brand in BRANDS)
_VISIBLE = {TOKEN: frozenset({MAIN, OUTDOOR, COFFEE}), TOKEN_SINGLE: frozenset({MAIN})}
_WITHOUT_WORKSPACE = frozenset({"workspaces", "__typename"})
_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return wall_clock.utc_now()


class _Refused(Exception):
    """Ends the handling of a request with a row of the table of failures."""

    def __init__(self, name: str, **details: Any) -> None:
        super().__init__(name)
        self.name = name
        self.details = details


@dataclass(frozen=True)
class _Caller:
    """Who asks: the token's workspaces, the one of the header if it is visible, and the key that is
    metered."""

    key: str
    visible: list[Workspace]
    home: Workspace | None
    asked: str


class Sandbox:
    """Archive's API with made-up data.

    items: records in the main workspace. seed: another seed, other records. rate: requests admitted
    in `window` seconds. plan: "startup", "growth" or "enterprise" (size of the credit bucket).
    clock: monotonic seconds. now: the time of day at start, to which all dates are relative. Raises
    ValueError for an unknown plan and for less than one item.
    """

    entrance = PATH
    """The path of the API."""

    def __init__(
        self,
        *,
        items: int = 4000,
        seed: int = 7,
        rate: int = 5,
        window: float = 1.0,
        plan: str = "growth",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if items < 1:
            raise ValueError("items must be at least 1")
        if plan not in PLANS:
            raise ValueError(f"unknown plan {plan!r}; known are {', '.join(PLANS)}")
        self._items, self._seed = items, seed
        self._rate, self._window, self._plan = rate, window, plan
        self._clock, self._now = clock, now
        self._documents = Documents()
        self.reset()

    def reset(self) -> None:
        """Forget all changes and counts; the records start anew from the present time of day."""
        anchor = self._now().astimezone(UTC).replace(microsecond=0)
        self.world = World(items=self._items, seed=self._seed, anchor=anchor, clock=self._clock)
        self.meters = Meters(
            rate=self._rate, window=self._window, plan=self._plan, clock=self._clock
        )
        self.requests = 0
        self.changes: Counter[str] = Counter()
        self._results = {home.index: Results(home) for home in self.world.workspaces}

    @property
    def refused(self) -> int:
        """Requests that were answered 429."""
        return sum(meter.refused for _, meter in self.meters.items())

    @property
    def arrivals(self) -> dict[str, list[float]]:
        """Clock readings of the latest arrivals by key (workspace id, or `token:<token>`), refused
        ones included."""
        return {key: list(meter.arrivals) for key, meter in self.meters.items()}

    def stats(self) -> dict[str, Any]:
        """Counts for tests and benchmarks, ready for JSON; `changes` are the mutations that were
        admitted, by item."""
        keys = {
            key: {"arrivals": list(m.arrivals), "refused": m.refused}
            for key, m in self.meters.items()
        }
        return {
            "requests": self.requests,
            "refused": self.refused,
            "changes": self.changes,
            "keys": keys,
        }

    def announcement(self, url: str) -> str:
        """What to tell whoever started it."""
        return (
            f"Sandbox on {url}  token: {TOKEN}\n"
            f"To use it, set ARCHIVE_API_URL={url} and ARCHIVE_APP_TOKEN={TOKEN}, "
            "in your client's `env` or for `archive-mcp doctor`."
        )

    def warm(self) -> None:
        """Do now what the first request would have to wait for."""
        schema()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer one HTTP request; a query after the path is ignored. Never raises for what a
        client sends."""
        given = {name.lower(): value for name, value in headers.items()}
        if is_media(path):
            return serve(self.world, method, path.partition("?")[0], given)
        self.requests += 1
        caller: _Caller | None = None
        try:
            _check_route(method, path)
            caller = self._caller(given)
            return await self._answer(caller, given, body)
        except _Refused as refused:
            return refusal(refused.name, self._limits(caller), **refused.details)
        except SandboxBug as bug:
            _log.error("The sandbox failed", exc_info=bug)
            return refusal("internal", self._limits(caller))

    def _limits(self, caller: _Caller | None) -> dict[str, str]:
        return self.meters.headers(caller.key, self._now().timestamp()) if caller else {}

    def _caller(self, headers: Mapping[str, str]) -> _Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in _VISIBLE:
            raise _Refused("no_token")
        visible = [home for home in self.world.workspaces if home.id in _VISIBLE[token]]
        asked = headers.get("workspace-id", "").strip()
        home = next((home for home in visible if home.id == asked), None)
        return _Caller(home.id if home else f"token:{token}", visible, home, asked)

    async def _answer(self, caller: _Caller, headers: Mapping[str, str], body: bytes) -> Answer:
        if wait := self.meters.arrive(caller.key):
            raise _Refused("too_fast", seconds=_seconds(wait), rate=self._rate)
        if caller.asked and caller.home is None:
            raise _Refused("hidden_workspace" if self.world.by_id(caller.asked) else "no_workspace")
        query, variables, name = _read_body(headers, body)
        prepared = self._documents.prepare(query)
        operation = operation_of(prepared.document, name) if prepared.document else None
        if caller.home is None and not _works_without_workspace(prepared.document, operation):
            raise _Refused("no_workspace")
        if prepared.errors or prepared.document is None:
            return self._success(caller, {"errors": prepared.errors})
        if operation is None:
            raise _Refused("no_operation")
        if wait := self.meters.charge(caller.key, cost(prepared.document, operation, variables)):
            raise _Refused("too_costly", seconds=_seconds(wait))
        if operation.operation is OperationType.MUTATION and isinstance(
            variables.get("itemId"), str
        ):
            self.changes[variables["itemId"]] += 1
        context = Context(caller.visible, caller.home, self._results, base_for(headers))
        return self._success(caller, await run(prepared.document, variables, name, context))

    def _success(self, caller: _Caller, body: dict[str, Any]) -> Answer:
        return Answer(200, {**JSON_TYPE, **self._limits(caller)}, encode(body))


def _check_route(method: str, path: str) -> None:
    if path.partition("?")[0] != PATH:
        raise _Refused("no_path")
    if method != "POST":
        raise _Refused("not_post")


def _seconds(wait: float) -> float:
    # Rounded up, or a client that waits exactly as long as it is told would come a moment too
    # early.
    return math.ceil(wait * 1000 - 1e-6) / 1000


def _read_body(headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any], str | None]:
    """Query, variables and operation name of a request."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused("not_json")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused("bad_body") from error
    if not isinstance(given, dict):
        raise _Refused("bad_body")
    query, variables, name = given.get("query"), given.get("variables"), given.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise _Refused("bad_body")
    if not isinstance(query, str) or not query.strip():
        raise _Refused("no_query")
    return query, variables or {}, name


def _works_without_workspace(
    document: DocumentNode | None, operation: OperationDefinitionNode | None
) -> bool:
    if document is None or operation is None:
        return False
    return {node.name.value for node in root_fields(document, operation)} <= _WITHOUT_WORKSPACE
