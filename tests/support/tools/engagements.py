"""What the tests of engagement jobs share: items to work on, and answers that the API does not give
by itself."""

from __future__ import annotations

import json
from typing import Any

from server.sandbox import Answer
from tests.support.tools.working import Json, Worker
from tools.archive.content.items import SearchItems

REELS, MANY = {"itemTypes": ["REEL"]}, {"itemTypes": ["REEL", "POST"]}


async def items(one: Worker, count: int, **more: Any) -> list[Json]:
    found = await one.call(
        SearchItems,
        limit=count,
        fields=["id", "type", "takenAt", "socialProfile.accountName"],
        **more,
    )
    nodes: list[Json] = found["nodes"]
    return nodes


def said(payload: Any, status: int = 200) -> Answer:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Answer(status, {"content-type": "application/json"}, body)
