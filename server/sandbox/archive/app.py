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

from graphql import (
    DocumentNode,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
)

from server import wall_clock
from server.sandbox.answer import JSON_TYPE, Answer, encode
from server.sandbox.archive.costs import cost, root_fields
from server.sandbox.archive.data.brands import COFFEE, MAIN, OUTDOOR
from server.sandbox.archive.data.workspace import Workspace, World
from server.sandbox.archive.engine import SandboxBug, parse_query, run, schema
from server.sandbox.archive.failures import make_refusal
from server.sandbox.archive.filters.search import Results
from server.sandbox.archive.limits import PLANS, Meters, Plan
from server.sandbox.archive.media import base_for, is_media, serve
from server.sandbox.archive.resolvers.context import Context

PATH = "/api/v2"
TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but made-up data
TOKEN_SINGLE = "sandbox-token-single"  # noqa: S105 - as above
_VISIBLE = {TOKEN: frozenset({MAIN, OUTDOOR, COFFEE}), TOKEN_SINGLE: frozenset({MAIN})}
# What a token may ask before it knows any workspace.
_WITHOUT_WORKSPACE = frozenset({"workspaces", "__typename"})
_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return wall_clock.utc_now()


class _Refusal(Exception):
    """Ends the handling of a request with a row of the table of failures."""

    def __init__(self, name: str, **details: Any) -> None:
        super().__init__(name)
        self.name = name
        self.details = details


@dataclass(frozen=True)
class _Caller:
    """Who sends a request.

    key: what is metered, a workspace id or `token:<token>`. visible: the token's workspaces.
    workspace: the one of the header, if the token may see it. header: the header as it came.
    """

    key: str
    visible: list[Workspace]
    workspace: Workspace | None
    header: str


class Sandbox:
    """Archive's API with made-up data.

    items: records in the main workspace. seed: another seed, other records. rate: requests admitted
    in `window` seconds. plan: "startup", "growth" or "enterprise" (size of the credit bucket), or
    one of its own. clock: monotonic seconds. now: the time of day at start, to which all dates are
    relative. Raises ValueError for an unknown plan and for less than one item.
    """

    api_path = PATH
    """The path of the API."""

    def __init__(
        self,
        *,
        items: int = 4000,
        seed: int = 7,
        rate: int = 5,
        window: float = 1.0,
        plan: str | Plan = "growth",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if items < 1:
            raise ValueError("items must be at least 1")
        self._items, self._seed = items, seed
        self._rate, self._window, self._plan = rate, window, _find_plan(plan)
        self._clock, self._now = clock, now
        self.reset()

    def reset(self) -> None:
        """Forget all changes and counts; the records start anew from the present time of day."""
        # Whole seconds, as the API writes all its times.
        anchor = self._now().astimezone(UTC).replace(microsecond=0)
        self.world = World(
            items=self._items,
            seed=self._seed,
            anchor=anchor,
            clock=self._clock,
        )
        self.meters = Meters(
            rate=self._rate,
            window=self._window,
            plan=self._plan,
            clock=self._clock,
        )
        self.requests = 0
        self.changes: Counter[str] = Counter()
        self._results = {workspace.index: Results(workspace) for workspace in self.world.workspaces}

    @property
    def refusals(self) -> int:
        """Requests that were answered 429."""
        return sum(meter.refusals for _, meter in self.meters.items())

    @property
    def arrivals(self) -> dict[str, list[float]]:
        """Clock readings of the latest arrivals by key (workspace id, or `token:<token>`), refused
        ones included."""
        return {key: list(meter.arrivals) for key, meter in self.meters.items()}

    def stats(self) -> dict[str, Any]:
        """Return counts for tests and benchmarks, ready for JSON.

        `changes` are the mutations that were admitted, by item.
        """
        keys = {
            key: {"arrivals": list(meter.arrivals), "refused": meter.refusals}
            for key, meter in self.meters.items()
        }
        return {
            "requests": self.requests,
            "refused": self.refusals,
            "changes": self.changes,
            "keys": keys,
        }

    def announcement(self, url: str) -> str:
        """Return the lines for whoever started it."""
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
        # Names of HTTP headers know no case.
        lower = {name.lower(): value for name, value in headers.items()}
        if is_media(path):
            return serve(self.world, method, path.partition("?")[0], lower)
        self.requests += 1
        caller: _Caller | None = None
        try:
            _check_route(method, path)
            caller = self._identify(lower)
            return await self._answer(caller, lower, body)
        except _Refusal as refusal:
            return make_refusal(refusal.name, self._limit_headers(caller), **refusal.details)
        except SandboxBug as bug:
            _log.error("The sandbox failed", exc_info=bug)
            return make_refusal("internal", self._limit_headers(caller))

    def _limit_headers(self, caller: _Caller | None) -> dict[str, str]:
        # Without a token nobody's limits are known.
        return self.meters.headers(caller.key, self._now().timestamp()) if caller else {}

    def _identify(self, headers: Mapping[str, str]) -> _Caller:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in _VISIBLE:
            raise _Refusal("no_token")
        visible = [row for row in self.world.workspaces if row.id in _VISIBLE[token]]
        header = headers.get("workspace-id", "").strip()
        workspace = {row.id: row for row in visible}.get(header)
        return _Caller(
            key=workspace.id if workspace else f"token:{token}",
            visible=visible,
            workspace=workspace,
            header=header,
        )

    async def _answer(self, caller: _Caller, headers: Mapping[str, str], body: bytes) -> Answer:
        if wait := self.meters.arrive(caller.key):
            raise _Refusal("too_fast", seconds=_round_up(wait), rate=self._rate)
        self._check_workspace(caller)
        query, variables, name = _read_body(headers, body)
        parsed = parse_query(query)
        document = parsed.document
        operation = get_operation_ast(document, name) if document else None
        if caller.workspace is None and not _works_without_workspace(document, operation):
            raise _Refusal("no_workspace")
        if parsed.errors or document is None:
            return self._succeed(caller, {"errors": parsed.errors})
        # The name fits no operation, or there are several and no name.
        if operation is None:
            raise _Refusal("no_operation")
        if wait := self.meters.charge(caller.key, cost(document, operation, variables)):
            raise _Refusal("too_costly", seconds=_round_up(wait))
        if operation.operation is OperationType.MUTATION:
            self._count_change(variables)
        context = Context(
            visible=caller.visible,
            requested=caller.workspace,
            results_by_index=self._results,
            media=base_for(headers),
        )
        return self._succeed(caller, await run(document, variables, name, context))

    def _check_workspace(self, caller: _Caller) -> None:
        if not caller.header or caller.workspace is not None:
            return
        if self.world.by_id(caller.header):
            raise _Refusal("hidden_workspace")
        raise _Refusal("no_workspace")

    def _count_change(self, variables: Mapping[str, Any]) -> None:
        # Before it runs: a test wants to see what was tried twice, whether or not it succeeded.
        item_id = variables.get("itemId")
        if isinstance(item_id, str):
            self.changes[item_id] += 1

    def _succeed(self, caller: _Caller, body: dict[str, Any]) -> Answer:
        return Answer(
            status=200,
            headers={**JSON_TYPE, **self._limit_headers(caller)},
            body=encode(body),
        )


def _find_plan(plan: str | Plan) -> Plan:
    if isinstance(plan, Plan):
        return plan
    if plan not in PLANS:
        raise ValueError(f"unknown plan {plan!r}; known are {', '.join(PLANS)}")
    return PLANS[plan]


def _check_route(method: str, path: str) -> None:
    if path.partition("?")[0] != PATH:
        raise _Refusal("no_path")
    if method != "POST":
        raise _Refusal("not_post")


def _round_up(wait: float) -> float:
    """Return seconds in whole milliseconds."""
    # Rounded up, or a client that waits exactly as long as it is told would come a moment too
    # early.
    return math.ceil(wait * 1000 - 1e-6) / 1000


def _read_body(headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any], str | None]:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refusal("not_json")
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refusal("bad_body") from error
    if not isinstance(request, dict):
        raise _Refusal("bad_body")
    query = request.get("query")
    variables = request.get("variables")
    name = request.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        raise _Refusal("bad_body")
    if not isinstance(query, str) or not query.strip():
        raise _Refusal("no_query")
    return query, variables or {}, name


def _works_without_workspace(
    document: DocumentNode | None, operation: OperationDefinitionNode | None
) -> bool:
    if document is None or operation is None:
        return False
    return {node.name.value for node in root_fields(document, operation)} <= _WITHOUT_WORKSPACE
