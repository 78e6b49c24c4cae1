"""The workers tools against a double of 0.9.8, the only version that had their endpoints."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from server.dispatch import Dispatcher
from server.errors import Code, Failure
from server.sandbox.archivebox import Answer
from server.services import Services
from server.settings import load
from server.tool.catalog import Catalog
from server.tool.elicitation import Nobody
from tests.support.archivebox.targets import URL
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES

KEY = "a-key-of-0.9.8-never-to-be-seen"
JSON = {"content-type": "application/json"}


def worker(name: str, model: str, queue: list[dict[str, Any]]) -> dict[str, Any]:
    """A kind of worker as 0.9.8 describes it."""
    return {
        "name": name,
        "model": model,
        "max_tick_time": 60,
        "max_concurrent_tasks": 1,
        "poll_interval": 0.2,
        "idle_timeout": 3,
        "running_count": 0,
        "running_workers": [],
        "queue_count": len(queue),
        "queue": queue,
    }


QUEUED = {
    "TYPE": "core.snapshot",
    "id": "01994b6e-6c8c-7f5e-9d1a-000000000001",
    "status": "queued",
    "retry_at": "2026-03-01T10:00:00Z",
    "created_at": "2026-03-01T09:59:00Z",
    "modified_at": "2026-03-01T09:59:00Z",
    "description": "https://queued.example/",
}
WORKERS = [
    worker("crawl", "crawls.crawl", []),
    worker("snapshot", "core.snapshot", [QUEUED]),
    worker("archiveresult", "core.archiveresult", []),
]
ORCHESTRATOR = {
    "is_running": True,
    "poll_interval": 2.0,
    "idle_timeout": 3,
    "max_workers_per_type": 8,
    "max_total_workers": 24,
    "total_worker_count": 0,
    "workers": WORKERS,
}
ANSWERS: dict[str, Any] = {
    "/api/v1/workers/orchestrator": ORCHESTRATOR,
    "/api/v1/workers/workers": WORKERS,
    "/api/v1/core/snapshots": {"items": [], "total_items": 0},
}
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "ArchiveBox API", "version": "0.9.8"},
    "paths": {path: {"get": {"parameters": []}} for path in ANSWERS},
}


async def archivebox_0_9_8(
    method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """0.9.8 as far as the workers are concerned: it wants a key, and has no `/auth` at all."""
    path = target.partition("?")[0]
    if path == "/api/v1/openapi.json":
        return Answer(200, JSON, json.dumps(OPENAPI).encode())
    if method != "GET" or path not in ANSWERS:
        return Answer(404, {"content-type": "text/html"}, b"<h1>Not Found</h1>")
    if headers.get("x-archivebox-api-key") != KEY:
        return Answer(401, JSON, b'{"detail": "Unauthorized"}')
    return Answer(200, JSON, json.dumps(ANSWERS[path]).encode())


Connect = Callable[..., AbstractAsyncContextManager[Dispatcher]]


@pytest.fixture
def connect() -> Connect:
    """The product's calls to the double, with these credentials."""

    @asynccontextmanager
    async def connected(**credentials: str) -> AsyncIterator[Dispatcher]:
        settings = load(
            {"ARCHIVEBOX_URL": URL, **credentials}, environment={}, folder=NO_FILES, home=NO_FILES
        )
        async with Services(settings, archivebox=archivebox_0_9_8) as services:
            yield Dispatcher(
                Catalog.read(SURFACE, importlib.import_module), services, settings.timezone
            )

    return connected


async def test_the_orchestrator_says_what_it_is_doing(connect: Connect) -> None:
    async with connect(ARCHIVEBOX_API_KEY=KEY) as calls:
        found = await calls.call("archivebox_get_orchestrator", {}, Nobody())
    assert found.structured["is_running"] is True
    assert [each["name"] for each in found.structured["workers"]] == [
        "crawl",
        "snapshot",
        "archiveresult",
    ]


async def test_the_workers_are_listed_with_what_waits_for_them(connect: Connect) -> None:
    async with connect(ARCHIVEBOX_API_KEY=KEY) as calls:
        found = (await calls.call("archivebox_list_workers", {}, Nobody())).structured
    assert (found["totalCount"], found["nextCursor"]) == (3, None)
    assert {each["name"]: each["queue_count"] for each in found["nodes"]} == {
        "crawl": 0,
        "snapshot": 1,
        "archiveresult": 0,
    }


@pytest.mark.parametrize("tool", ["archivebox_get_orchestrator", "archivebox_list_workers"])
async def test_with_a_wrong_key_nothing_of_the_workers_is_shown(
    connect: Connect, tool: str
) -> None:
    async with connect(ARCHIVEBOX_API_KEY="wrong") as calls:
        with pytest.raises(Failure) as caught:
            await calls.call(tool, {}, Nobody())
    assert (caught.value.code, bool(caught.value.hint)) == (Code.UNAUTHENTICATED, True)


async def test_a_user_name_and_password_are_of_no_use_there_and_a_key_is_asked_for(
    connect: Connect,
) -> None:
    async with connect(
        ARCHIVEBOX_USERNAME="admin", ARCHIVEBOX_PASSWORD="never-to-be-seen"
    ) as calls:
        with pytest.raises(Failure) as caught:
            await calls.call("archivebox_list_workers", {}, Nobody())
    assert (caught.value.code, "ARCHIVEBOX_API_KEY" in caught.value.hint) == (
        Code.UNSUPPORTED,
        True,
    )


async def test_what_that_version_lacks_is_told_with_its_version(connect: Connect) -> None:
    async with connect(ARCHIVEBOX_API_KEY=KEY) as calls:
        with pytest.raises(Failure) as caught:
            await calls.call("archivebox_check_api_token", {}, Nobody())
    assert (caught.value.code, caught.value.details["version"]) == (Code.UNSUPPORTED, "0.9.8")
