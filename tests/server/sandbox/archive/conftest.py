"""A sandbox with a clock that only moves when a test moves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from server.sandbox import (
    MAIN,
    PATH,
    TOKEN,
    Answer,
    Sandbox,
)

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
Json = dict[str, Any]


@dataclass
class Clock:
    """Monotonic seconds, moved by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Client:
    """Asks a sandbox, a little slower than its rate allows."""

    clock: Clock = field(default_factory=Clock)
    items: int = 4000
    seed: int = 7
    plan: str = "enterprise"
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(
            items=self.items, seed=self.seed, plan=self.plan, clock=self.clock, now=lambda: NOW
        )

    async def send(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        workspace: str | None = MAIN,
        headers: Mapping[str, str] | None = None,
        pause: float = 1.0,
        token: str = TOKEN,
    ) -> Answer:
        """The whole HTTP answer; the clock moves on by `pause` first."""
        self.clock.seconds += pause
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if workspace is not None:
            sent["WORKSPACE-ID"] = workspace
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        return await self.sandbox.handle("POST", PATH, {**sent, **(headers or {})}, body)

    async def body(
        self, query: str, variables: Mapping[str, Any] | None = None, **how: Any
    ) -> Json:
        """The JSON body of the answer."""
        found: Json = json.loads((await self.send(query, variables, **how)).body)
        return found

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, **how: Any) -> Any:
        """The one field of `data`; an error fails the test."""
        body = await self.body(query, variables, **how)
        assert "errors" not in body, body["errors"]
        (value,) = body["data"].values()
        return value

    async def error(
        self, query: str, variables: Mapping[str, Any] | None = None, **how: Any
    ) -> tuple[str, str | None]:
        """Message and code of the only error, which must come with status 200."""
        answer = await self.send(query, variables, **how)
        assert answer.status == 200
        (error,) = json.loads(answer.body)["errors"]
        return error["message"], error.get("extensions", {}).get("code")

    async def every(
        self, operation: str, fields: str, arguments: str = "", **how: Any
    ) -> list[Json]:
        """All records of a connection, page by page."""
        found: list[Json] = []
        after: str | None = None
        while True:
            query = (
                f"query($after: String) {{ {operation}(first: 100, after: $after{arguments})"
                f" {{ nodes {{ {fields} }} pageInfo {{ endCursor hasNextPage }} }} }}"
            )
            page = await self.ask(query, {"after": after}, **how)
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """graphql-core gathers with asyncio."""
    return "asyncio"


@pytest.fixture
def client() -> Client:
    """A sandbox of its own for the test."""
    return Client()


@pytest.fixture
def small() -> Client:
    """A sandbox whose main workspace has 300 items."""
    return Client(items=300)


@pytest.fixture(scope="module")
def shared() -> Client:
    """One sandbox for all tests of a module that change nothing."""
    return Client()


@pytest.fixture(scope="session")
def make_client() -> type[Client]:
    """For sandboxes with settings of their own."""
    return Client
