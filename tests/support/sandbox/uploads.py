"""A sandbox that counts what is uploaded to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import anyio

from server.sandbox import Answer, Sandbox


class Counting(Sandbox):
    """A sandbox that counts what is uploaded, and takes its time over it."""

    def __init__(self) -> None:
        super().__init__(items=50, rate=10_000, plan="enterprise")
        self.uploads: Counter[str] = Counter()

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if b"mutation UploadItemFromUrl" not in body:
            return await super().handle(method, path, headers, body)
        self.uploads[json.loads(body)["variables"]["input"]["url"]] += 1
        answer = await super().handle(method, path, headers, body)
        await anyio.sleep(0.02)
        return answer
