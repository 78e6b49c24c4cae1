"""A few reads of one operation for one answer, in as few requests as Archive takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.archive.api import Api
from server.archive.packing import Packer
from server.archive.requests import Read
from server.errors import Failure


async def answers(api: Api, requests: Sequence[Read[Any]], fields: list[str]) -> list[Any]:
    """What requests of one class are answered, in their order; of a list that Archive pages the
    first page.

    Raises:
        Failure: that of the first request that met one.
    """
    found: list[Any] = [None] * len(requests)
    async for place, answer in Packer(api, type(requests[0]), fields).read(requests):
        if isinstance(answer, Failure):
            raise answer
        found[place] = answer.data
    return found
