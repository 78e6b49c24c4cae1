"""Answers that are text, not JSON: feeds, exports, files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..results import BUDGET
from .client import Send
from .requests import Box


async def text_at(box: Box, path: str, params: Mapping[str, Any] | None = None) -> str:
    """The text at an API path.

    Raises:
        Failure: decoded as for any other answer.
    """
    reply = await box.client.raw(Send("GET", path, box.deadline, params=params or {}))
    return reply.body.decode("utf-8", "replace")


def shown(text: str) -> dict[str, Any]:
    """The text as far as the size budget goes, with a note where it was cut."""
    notes = (
        {"notes": [f"Cut: the first {BUDGET} of {len(text)} characters."]}
        if len(text) > BUDGET
        else {}
    )
    return {"text": text[:BUDGET], **notes}
