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
    """Sends requests to one sandbox; paths are below `/api/v1`."""

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
        """Return the whole answer for a path on the server, with the key in its header."""
        all_headers = {"X-ArchiveBox-API-Key": key} if key else {}
        all_headers |= headers or {}
        if body is None:
            body = b""
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return await self.sandbox.handle(method, target, all_headers, body)

    async def ask(self, method: str, path: str, body: Any = None, **how: Any) -> Any:
        """Return the JSON of a successful answer of the API."""
        answer = await self.send(method, f"/api/v1{path}", body, **how)
        assert answer.status == 200, answer.body[:500]
        return json.loads(answer.body)

    async def get(self, path: str) -> Any:
        """Return the JSON of a successful GET."""
        return await self.ask("GET", path)

    async def get_refusal(
        self, method: str, path: str, body: Any = None, **how: Any
    ) -> tuple[int, Any]:
        """Return status and message of a refusal: its detail, or the message of an exception."""
        answer = await self.send(method, f"/api/v1{path}", body, **how)
        assert answer.status >= 400
        if not answer.headers["content-type"].startswith("application/json"):
            return answer.status, answer.body.decode()
        payload = json.loads(answer.body)
        return answer.status, payload["detail"] if "detail" in payload else payload["message"]

    async def pages(self, path: str, **filters: Any) -> list[dict[str, Any]]:
        """Return all records of a list."""
        matches: list[dict[str, Any]] = []
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        while True:
            page = await self.get(f"{path}?limit=500&offset={len(matches)}{query}")
            matches += page["items"]
            if not page["items"] or len(matches) >= page["total_items"]:
                return matches

    async def one(self, **filters: Any) -> dict[str, Any]:
        """Return the only snapshot that fits, with its results."""
        (payload,) = await self.pages("/core/snapshots", with_archiveresults="true", **filters)
        return payload

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.seconds += seconds


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Return the only event loop that is needed: nothing here depends on it."""
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
def any_box(request: pytest.FixtureRequest) -> Box:
    """An ArchiveBox of every release in turn."""
    return Box(request.param)
