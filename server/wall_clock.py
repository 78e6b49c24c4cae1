"""The time of day, read and written in one place: tests put a fixed moment here."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time of day in UTC."""
    return datetime.now(UTC)


def utc_stamp(moment: datetime) -> str:
    """Return a moment with a zone as text in UTC, to the second: `2026-03-01T00:00:00Z`."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
