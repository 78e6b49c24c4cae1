"""The moment at which tests take place, and sandboxes that stand still at it.

No test may depend on when or how fast it runs: a sandbox of a test's own process takes its time of
day and its seconds from here or from a clock that the test moves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from server.sandbox import Sandbox
from server.sandbox.archivebox import ArchiveBoxSandbox

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
_SECONDS = 1000.0


def now() -> datetime:
    """Return the time of day of all tests."""
    return NOW


FIXED_TIME: dict[str, Any] = {"clock": lambda: _SECONDS, "now": now}
"""The arguments of a sandbox in which no time passes."""


def fixed_sandbox(**options: Any) -> Sandbox:
    """Return an Archive in which no time passes, and which therefore limits neither requests nor
    credits; `options` are those of `Sandbox`."""
    return Sandbox(**{"rate": 1_000_000, "plan": "boundless", **FIXED_TIME, **options})


def fixed_archivebox(**options: Any) -> ArchiveBoxSandbox:
    """Return an ArchiveBox in which no time passes; `options` are those of `ArchiveBoxSandbox`."""
    return ArchiveBoxSandbox(**{**FIXED_TIME, **options})
