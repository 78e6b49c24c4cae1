"""What a chart says of its posts: the filter in words, and the days that it covers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from server.insights.rows import parse_instant
from server.pictures.drawings import PLATFORMS
from server.pictures.weeks import Period
from tools.archive.items_source import WindowedSource

_LONGEST = 60
_MODES = {
    "FUZZY_CAPTION": "in captions",
    "FUZZY_TRANSCRIPTION": "in transcripts",
    "EMBEDDING_CONTENT": "in pictures",
}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
# An instant at midnight ends the day before.
_MOMENT = timedelta(microseconds=1)


def describe_posts(source: WindowedSource, preset: str) -> str:
    """Return which posts a source stands for, in words.

    Args:
        preset: the name of the view or collection, empty where there is none.
    """
    search = source.search or {}
    names = source.item_ids or source.urls or []
    parts = [f"{len(names)} chosen posts"] if names else []
    parts += [f"view or collection {preset}"] if preset else []
    period = find_period(source)
    parts += _describe_period(period)
    for name, value in (search.get("filter") or {}).items():
        if name != "takenAt":
            parts.append(_describe_filter(name, value))
    for condition in search.get("customAttributeConditions") or []:
        parts.append(_describe_condition(condition))
    return "; ".join(parts) or "all posts"


def find_period(source: WindowedSource) -> Period:
    """Return the days, in UTC, that the posts of a source can be from."""
    window = ((source.search or {}).get("filter") or {}).get("takenAt") or {}
    if source.taken_at is not None:
        window = source.taken_at.model_dump(by_alias=True, exclude_unset=True)
    first, last = window.get("from"), window.get("to")
    return Period(
        parse_instant(first).date() if first else None,
        (parse_instant(last) - _MOMENT).date() if last else None,
    )


def _describe_period(period: Period) -> list[str]:
    bounds: dict[str, date | None] = {"from": period.first, "to": period.last}
    words = [f"{word} {day}" for word, day in bounds.items() if day is not None]
    return [f"posted {' '.join(words)}"] if words else []


def _describe_filter(name: str, value: Any) -> str:
    if name == "superSearch" and isinstance(value, dict) and value.get("searchQuery"):
        where = _MODES.get(value.get("mode", ""), "")
        return f'"{_shorten(value["searchQuery"])}" {where}'.strip()
    if name == "provider":
        return PLATFORMS.get(value, str(value))
    return f"{_HUMP.sub(' ', name).lower()} {_shorten(_write(value))}"


def _describe_condition(condition: dict[str, Any]) -> str:
    operator = str(condition.get("operator", "")).lower().replace("_", " ")
    value = condition.get("value")
    words = f"{condition.get('field')} {operator}"
    return words if value is None else f"{words} {_shorten(_write(value))}"


def _write(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_write(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_write, value))
    return str(value)


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
