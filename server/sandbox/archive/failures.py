"""Every refusal of the sandbox: status, headers and body, one row per documented failure.

Each row names the page of the Archive documentation that its shape comes from; rows that the
documentation leaves open say so. The client's decoder does not use this table, so that neither can
hide a mistake of the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.sandbox.answer import JSON_TYPE, Answer, encode

Details = Mapping[str, Any]
MakeBody = Callable[[Details], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """One kind of refusal; `body` and `headers` make theirs from the details of one case."""

    status: int
    source: str
    body: MakeBody
    headers: Callable[[Details], dict[str, str]] = field(default=lambda _: {})


def _text(message: str) -> MakeBody:
    return lambda _: {"errors": message}


def _error(message: str, code: str | None = None) -> MakeBody:
    def body(details: Details) -> dict[str, Any]:
        entry: dict[str, Any] = {"message": message.format(**details)}
        if code is not None:
            entry["extensions"] = {"code": code}
        return {"errors": [entry]}

    return body


def _retry_after(details: Details) -> dict[str, str]:
    # Whole seconds, rounded up: HTTP knows no fractions here, and the message carries the exact
    # figure.
    return {"retry-after": str(max(1, math.ceil(float(details["seconds"]))))}


_LIMIT = "Archive docs: rate limiting"
_ERRORS = "Archive docs: error handling"
_OPEN = "not documented; what a web server usually answers"

FAILURES: dict[str, Row] = {
    "no_token": Row(401, _ERRORS, _text("Missing or invalid authentication token")),
    "no_workspace": Row(404, _ERRORS, _text("Shop not found")),
    "hidden_workspace": Row(
        200, _ERRORS, _error("Not authorized to access this workspace", "UNAUTHORIZED")
    ),
    "too_fast": Row(
        429,
        _LIMIT,
        _error(
            "Rate limit exceeded: {rate} requests per second. Retry after {seconds} seconds.",
            "RATE_LIMIT_EXCEEDED",
        ),
        _retry_after,
    ),
    "too_costly": Row(
        429,
        _LIMIT,
        _error(
            "Rate limit exceeded: credit budget is empty. Retry after {seconds} seconds.",
            "RATE_LIMIT_EXCEEDED",
        ),
        _retry_after,
    ),
    # Status 200: the documentation shows errors of the query itself inside a normal answer.
    "no_query": Row(200, _OPEN, _error("No query string was present")),
    "internal": Row(500, _ERRORS, _error("Internal server error")),
    "no_operation": Row(200, _OPEN, _error("An operation name is required")),
    "no_path": Row(404, _OPEN, _text("Not found")),
    "not_get": Row(405, _OPEN, _text("Method not allowed"), lambda _: {"allow": "GET"}),
    # Real file hosts ignore keys; refusing one here shows that a client leaks it.
    "key_for_media": Row(400, _OPEN, _text("Files take no key")),
    "not_post": Row(405, _OPEN, _text("Method not allowed"), lambda _: {"allow": "POST"}),
    "not_json": Row(415, _OPEN, _text("Content-Type must be application/json")),
    "bad_body": Row(
        400,
        _OPEN,
        _text("The body must be a JSON object with a query and, if any, an object of variables"),
    ),
}


def make_refusal(name: str, headers: Mapping[str, str] | None = None, **details: Any) -> Answer:
    """Return the answer of one row; `headers` are added to the row's own."""
    row = FAILURES[name]
    return Answer(
        status=row.status,
        headers={**JSON_TYPE, **(headers or {}), **row.headers(details)},
        body=encode(row.body(details)),
    )
