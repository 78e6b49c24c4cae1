"""Answers of the API as it may send them, and the refusals they become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from server.archive.failures import decode
from server.errors import Failure
from server.http.transport import Reply

SECRET_TRACE = "/app/models/item.rb:12:in `find'"


def reply(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Reply(status, headers or {}, body)


def listed(message: str, code: str | None = None, **more: Any) -> dict[str, Any]:
    error: dict[str, Any] = {
        "message": message,
        "locations": [{"line": 1, "column": 2}],
        "path": ["items"],
    }
    if code:
        error["extensions"] = {"code": code, "backtrace": [SECRET_TRACE]}
    return {"errors": [error], **more}


def refused(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Failure:
    with pytest.raises(Failure) as caught:
        decode(reply(payload, status, headers), "items")
    return caught.value
