"""What a chart says of its posts: the filter in words, and the days that it covers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from server.insights.rows import parse_instant
from server.pictures.drawings import PLATFORMS
from server.pictures.weeks import Period
from server.tool.result import drop_nulls
from tools.archive.items_window import WindowedSource

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
    narrowing = dict(source.search_filter)
    # The period stands for it, because a source may have its time elsewhere too.
    narrowing.pop("takenAt", None)
    conditions = (source.search or {}).get("customAttributeConditions") or []
    parts = [
        f"{len(source.names)} chosen posts" * bool(source.names),
        f"view or collection {preset}" * bool(preset),
        _describe_period(find_period(source)),
        *map(_describe_filter, narrowing.keys(), narrowing.values()),
        *map(_describe_condition, conditions),
    ]
    return "; ".join(filter(None, parts)) or "all posts"


def find_period(source: WindowedSource) -> Period:
    """Return the days, in UTC, that the posts of a source can be from."""
    window = source.search_filter.get("takenAt") or {}
    if source.taken_at is not None:
        window = source.taken_at.model_dump(by_alias=True, exclude_unset=True)
    return Period(
        _find_day(window.get("from"), timedelta()),
        _find_day(window.get("to"), _MOMENT),
    )


def _find_day(instant: str | None, before: timedelta) -> date | None:
    if instant is None:
        return None
    return (parse_instant(instant) - before).date()


def _describe_period(period: Period) -> str:
    days = drop_nulls({"from": period.first, "to": period.last})
    if not days:
        return ""
    return f"posted {_write(days)}"


def _describe_filter(name: str, value: Any) -> str:
    write = _SPECIAL.get(name)
    if write is not None:
        return write(value)
    return f"{_HUMP.sub(' ', name).lower()} {_shorten(_write(value))}"


def _describe_search(search: dict[str, Any]) -> str:
    query = search.get("searchQuery") or "like a picture"
    where = _MODES.get(search.get("mode", ""), "")
    return f'"{_shorten(query)}" {where}'.rstrip()


_SPECIAL: dict[str, Callable[[Any], str]] = {
    "provider": lambda code: PLATFORMS.get(code, code),
    "superSearch": _describe_search,
}


def _describe_condition(condition: dict[str, Any]) -> str:
    operator = condition["operator"].lower().replace("_", " ")
    value = _shorten(_write(condition.get("value")))
    return f"{condition['field']} {operator} {value}".rstrip()


def _write(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name} {_write(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(_write, value))
    # Operators such as IS_EMPTY have no value.
    if value is None:
        return ""
    return str(value)


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}..."
