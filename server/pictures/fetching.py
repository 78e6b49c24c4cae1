"""Fetches many pictures from untrusted hosts: a few at a time, within one time limit for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread

from server.errors import Code, Failure
from server.http.transport import Reply

T = TypeVar("T")

# The most downloads at once.
AT_ONCE = 4
SECONDS, SECONDS_EACH = 20.0, 8.0
# Signed URLs answer 403 once they have expired.
_GONE = frozenset({403, 404, 410})


class Fetch(Protocol):
    """Fetches a file by its URL within so many seconds; its Failures have a clause as message."""

    def __call__(self, url: str, *, seconds: float) -> Awaitable[Reply]: ...


async def fetch_all(
    fetch: Fetch,
    requests: Sequence[tuple[str, Callable[[bytes], T]]],
    *,
    seconds: float = SECONDS,
    seconds_each: float = SECONDS_EACH,
) -> list[T | Failure]:
    """Return what each URL's function makes of its file, in order, or the failure.

    Args:
        requests: URLs, each with a function that runs in a worker thread and may raise a Failure.
        seconds: the time for all of them together.
        seconds_each: the time for each download.
    """
    # Time may be up at any moment: what has no result by then keeps this one.
    late = Failure(Code.TIMEOUT, f"it did not come within {seconds:.0f} s")
    results: list[T | Failure] = [late] * len(requests)
    # One picture at a time is opened, which bounds the memory.
    downloads, opening = anyio.CapacityLimiter(AT_ONCE), anyio.CapacityLimiter(1)

    async def fetch_one(position: int, url: str, open_file: Callable[[bytes], T]) -> None:
        try:
            async with downloads:
                data = _check_picture(await fetch(url, seconds=seconds_each))
                results[position] = await anyio.to_thread.run_sync(
                    partial(open_file, data), limiter=opening
                )
        except Failure as failure:
            results[position] = failure

    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for position, (url, open_file) in enumerate(requests):
                tasks.start_soon(fetch_one, position, url, open_file)
    return results


def _check_picture(reply: Reply) -> bytes:
    if reply.status in _GONE:
        raise Failure(
            Code.NOT_FOUND, f"the file is gone or its address has expired (HTTP {reply.status})"
        )
    if reply.status != 200:
        raise Failure(Code.UNAVAILABLE, f"its host answered HTTP {reply.status}")
    if not reply.headers.get("content-type", "").strip().lower().startswith("image/"):
        raise Failure(Code.BAD_RESPONSE, "its host sent something else than a picture")
    return reply.body
