"""Links of posts that arrive or do not, for tests of imports."""

from __future__ import annotations

import json
from typing import Any

from server.sandbox import MAIN, Answer
from server.sandbox.archive.urls import external_in
from tests.support.tools.working import (
    Json,
    Watched,
    Worker,
)
from tools.archive.collections import GetCollections
from tools.archive.content.items import SearchItems

LOST = "https://www.instagram.com/p/Gone000/"
MALFORMED = "not a link"


def links(count: int, *, start: int = 1) -> list[str]:
    """Links of posts that will arrive."""
    return [
        f"https://www.instagram.com/p/Imported{number}a/" for number in range(start, start + count)
    ]


async def there(one: Worker, count: int) -> list[str]:
    """Links of posts that are there."""
    found = await one.call(
        SearchItems, limit=count, fields=["originalUrl"], filter={"itemTypes": ["POST", "REEL"]}
    )
    return [node["originalUrl"] for node in found["nodes"]]


def answers(**what: Any) -> Answer:
    return Answer(200, {"content-type": "application/json"}, json.dumps({"data": what}).encode())


def arrives(sandbox: Watched, url: str) -> None:
    """Have a post arrive that nobody is told of."""
    home, known = sandbox.world.by_id(MAIN), external_in(url)
    assert home is not None
    assert known is not None
    home.changes.start_upload(url, *known)


async def first_collection(one: Worker) -> Json:
    nodes = (await one.call(GetCollections, limit=1, fields=["id", "name"]))["nodes"]
    return dict(nodes[0])
