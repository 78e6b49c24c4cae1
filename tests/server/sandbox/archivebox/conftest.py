"""ArchiveBoxes with a clock that only moves when a test moves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from server.sandbox.archivebox import (
    KEY,
    Answer,
    ArchiveBoxSandbox,
    Version,
)

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
VERSIONS: tuple[Version, ...] = get_args(Version)


@dataclass
class Clock:
    """Monotonic seconds, moved by hand."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Box:
    """Asks one sandbox; paths are below `/api/v1`."""

    version: Version = "0.9.73"
    snapshots: int = 300
    public: bool = True
    clock: Clock = field(default_factory=Clock)
    sandbox: ArchiveBoxSandbox = field(init=False)

    def __post_init__(self) -> None:
        self.sandbox = ArchiveBoxSandbox(
            version=self.version,
            snapshots=self.snapshots,
            public=self.public,
            clock=self.clock,
            now=lambda: NOW,
        )

    async def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The whole answer for a path on the server, with the key in its header."""
        sent = {"X-ArchiveBox-API-Key": key} if key else {}
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return await self.sandbox.handle(method, target, {**sent, **(headers or {})}, content)

    async def ask(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """The JSON of a successful answer of the API."""
        answer = await self.send(method, f"/api/v1{path}", body, **how)
        assert answer.status == 200, answer.body[:500]
        return json.loads(answer.body)

    async def get(self, path: str) -> Any:
        """The JSON of a successful GET."""
        return await self.ask("GET", path)

    async def refused(
        self, method: str, path: str, body: Any = None, **how: Any
    ) -> tuple[int, Any]:
        """Status and words of a refusal: its detail, or the message of an exception."""
        answer = await self.send(method, f"/api/v1{path}", body, **how)
        assert answer.status >= 400
        if not answer.headers["content-type"].startswith("application/json"):
            return answer.status, answer.body.decode()
        found = json.loads(answer.body)
        return answer.status, found["detail"] if "detail" in found else found["message"]

    async def pages(self, path: str, **filters: Any) -> list[dict[str, Any]]:
        """All records of a list."""
        found: list[dict[str, Any]] = []
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        while True:
            page = await self.get(f"{path}?limit=500&offset={len(found)}{query}")
            found += page["items"]
            if not page["items"] or len(found) >= page["total_items"]:
                return found

    async def one(self, **filters: Any) -> dict[str, Any]:
        """The only snapshot that fits, with its results."""
        (found,) = await self.pages("/core/snapshots", with_archiveresults="true", **filters)
        return found

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.seconds += seconds


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop is enough: nothing here touches it."""
    return "asyncio"


@pytest.fixture
def box() -> Box:
    """An ArchiveBox 0.9.73."""
    return Box()


@pytest.fixture
def middle() -> Box:
    """An ArchiveBox 0.9.31."""
    return Box("0.9.31")


@pytest.fixture
def old() -> Box:
    """An ArchiveBox 0.8.5."""
    return Box("0.8.5")


@pytest.fixture(params=VERSIONS)
def each(request: pytest.FixtureRequest) -> Box:
    """An ArchiveBox of every release in turn."""
    return Box(request.param)
