"""Many pictures from hosts that nobody vouches for: a few at a time, within one time limit for
all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread

from server.errors import Code, Failure
from server.http.transport import Reply

T = TypeVar("T")

AT_ONCE = 4
"""Downloads in flight; one picture at a time is opened, which bounds the memory."""
SECONDS, SECONDS_EACH = 20.0, 8.0
_GONE = frozenset({403, 404, 410})


class Fetch(Protocol):
    """Gets a file by its URL within so many seconds; a Failure's message is a clause that tells why
    not."""

    def __call__(self, url: str, *, seconds: float) -> Awaitable[Reply]: ...


async def fetch_all(
    fetch: Fetch,
    wanted: Sequence[tuple[str, Callable[[bytes], T]]],
    *,
    seconds: float = SECONDS,
    seconds_each: float = SECONDS_EACH,
) -> list[T | Failure]:
    """What each URL's function makes of its file, in order, or why there is nothing: a clause in
    the failure's message.

    Args:
        wanted: URLs, each with a function that is run in a worker thread and may raise a Failure.
        seconds: for all of them together.
    """
    found: list[T | Failure] = [
        Failure(Code.TIMEOUT, f"it did not come within {seconds:.0f} s") for _ in wanted
    ]
    downloads, opening = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(1)

    async def one(place: int, url: str, opened: Callable[[bytes], T]) -> None:
        try:
            async with downloads:
                data = _picture(await fetch(url, seconds=seconds_each))
                found[place] = await anyio.to_thread.run_sync(
                    partial(opened, data), limiter=opening
                )
        except Failure as failure:
            found[place] = failure

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for place, (url, opened) in enumerate(wanted):
                tasks.start_soon(one, place, url, opened)
    return found


def _picture(reply: Reply) -> bytes:
    if reply.status in _GONE:
        raise Failure(
            Code.NOT_FOUND, f"the file is gone or its address has expired (HTTP {reply.status})"
        )
    if reply.status != 200:
        raise Failure(Code.UNAVAILABLE, f"its host answered HTTP {reply.status}")
    if not reply.headers.get("content-type", "").strip().lower().startswith("image/"):
        raise Failure(Code.BAD_RESPONSE, "its host sent something else than a picture")
    return reply.body
