"""One HTTP answer of a sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSON_TYPE = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, free of any transport."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def encode(body: Any) -> bytes:
    """Return JSON as the API sends it."""
    # Half a surrogate pair, which a caller may have sent, becomes a question mark.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
