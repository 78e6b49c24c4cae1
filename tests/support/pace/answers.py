"""Answers to sends, as the schedule takes them in."""

from __future__ import annotations

from server.limiter.budget import Reading
from server.limiter.schedule import Answer


def make_answer(
    at: float, status: int = 200, *, stamp: float = 0.0, penalty: float = 0.0
) -> Answer:
    """The answer to a send that left at once."""
    return Answer(
        stamp=stamp,
        sent=stamp,
        at=at,
        operation="items",
        status=status,
        reading=Reading(),
        penalty=penalty,
    )
