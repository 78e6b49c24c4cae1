"""Our own cursors: opaque to the caller, and good only for the call they came from.

A cursor holds the API's page cursor (or nothing, for a list that comes whole), how many records of
that page were already given, and a hash of operation, arguments and workspace.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from server.errors import Code, Failure

# A cursor of another release's format is refused instead of being read wrongly.
_VERSION = 1


@dataclass(frozen=True)
class Cursor:
    """Where to go on: after `page` (None = the beginning), `skip` records further."""

    page: str | None = None
    skip: int = 0

    def encode(self, scope: str) -> str:
        """Return the cursor as text, bound to a scope."""
        text = json.dumps([_VERSION, self.page, self.skip, scope], separators=(",", ":"))
        # The padding follows from the length, so it need not cost characters.
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str | None, scope: str) -> Cursor:
    """Return the cursor behind `after`; the beginning where there is none.

    Raises:
        Failure: `INVALID_ARGUMENT` when it is not one of ours, or came with other arguments.
    """
    if text is None:
        return Cursor()
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        version, page, skip, bound = json.loads(content)
    # Deeply nested JSON exhausts the parser's stack.
    except (ValueError, TypeError, RecursionError):
        version = page = skip = bound = None
    is_cursor = version == _VERSION and isinstance(page, str | None)
    if not is_cursor or not isinstance(skip, int) or skip < 0:
        raise Failure(
            Code.INVALID_ARGUMENT,
            "`after` is not a cursor of this server.",
            "Pass the `nextCursor` of the last answer unchanged, or leave `after` out to begin.",
        )
    # With other arguments records would be skipped or repeated without a word.
    if bound != scope:
        raise Failure(
            Code.INVALID_ARGUMENT,
            "`after` came from a call with other arguments or another workspace.",
            "Repeat that call's arguments exactly (only `limit` may differ), or leave `after` "
            "out to begin.",
        )
    return Cursor(page, skip)


def scope_of(*parts: Any) -> str:
    """Return a short hash of what a cursor is good for."""
    # Models change the order of keys from call to call: that must not change the scope.
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
