"""Conditions on custom attributes.

Operators by family of types, option ids for selects, TEXT for e-mail lists, no conditions on
shipping addresses: Archive docs, custom attributes. Whatever that page rules out is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from graphql import GraphQLError

from server.sandbox.archive.data.attributes import Attribute
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.scalars import read_day, read_moment

Attributes = dict[str, Any]
Test = Callable[[Attributes], bool]

# Periods from today; keeps all dates inside the calendar.
_FARTHEST = 1000
_EMPTINESS = {"IS_EMPTY", "IS_NOT_EMPTY"}
_ORDER = {
    "EQUAL",
    "NOT_EQUAL",
    "LESS_THAN",
    "LESS_THAN_OR_EQUAL",
    "MORE_THAN",
    "MORE_THAN_OR_EQUAL",
    "BETWEEN",
}
_TEXT = {"IS", "IS_NOT", "CONTAINS", "DOES_NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH"}
_OPERATORS = {
    "TEXT": _TEXT,
    "EMAIL": _TEXT,
    "PHONE": _TEXT,
    "URL": _TEXT,
    "TEXT_LIST": _TEXT | {"CONTAINS_ALL"},
    "SINGLE_SELECT_V2": {"IS", "IS_NOT"},
    "SINGLE_SELECT_V3": {"IS", "IS_NOT"},
    "MULTIPLE_SELECT": {"CONTAINS", "CONTAINS_ALL", "DOES_NOT_CONTAIN"},
    "MULTIPLE_SELECT_V2": {"CONTAINS", "CONTAINS_ALL", "DOES_NOT_CONTAIN"},
    "NUMBER": _ORDER,
    "DATE": _ORDER | {"IS_RELATIVE_TO_TODAY"},
    "DATETIME": _ORDER | {"IS_RELATIVE_TO_TODAY"},
    "BOOLEAN": {"IS"},
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": lambda a, b: bool(a == b),
    "LESS_THAN": lambda a, b: bool(a < b),
    "LESS_THAN_OR_EQUAL": lambda a, b: bool(a <= b),
    "MORE_THAN": lambda a, b: bool(a > b),
    "MORE_THAN_OR_EQUAL": lambda a, b: bool(a >= b),
}
_WORDS: dict[str, Callable[[str, str], bool]] = {
    "IS": lambda text, word: text == word,
    "CONTAINS": lambda text, word: word in text,
    "STARTS_WITH": lambda text, word: text.startswith(word),
    "ENDS_WITH": lambda text, word: text.endswith(word),
}


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise GraphQLError(f"{value!r} is not a number")
    return value


_READ: dict[str, Callable[[object], Any]] = {
    "NUMBER": _number,
    "DATE": read_day,
    "DATETIME": read_moment,
}


def tests(home: Workspace, entity: str, conditions: Iterable[dict[str, Any]] | None) -> list[Test]:
    """One test per condition; all must hold. Raises GraphQLError for a condition that cannot be
    asked."""
    return [_test(home, entity, condition) for condition in conditions or ()]


def _test(home: Workspace, entity: str, condition: dict[str, Any]) -> Test:
    attribute = home.attribute(entity, condition["field"])
    if attribute is None:
        raise GraphQLError(f"Unknown custom attribute field: {condition['field']}")
    _check_type(attribute, condition["type"])
    operator, value, key = condition["operator"], condition.get("value"), attribute.key
    if operator in _EMPTINESS:
        if value is not None:
            raise GraphQLError(f"{operator} takes no value")
        return lambda held: (held[key] in (None, [], "")) == (operator == "IS_EMPTY")
    if operator not in _OPERATORS[attribute.type]:
        raise GraphQLError(f"Operator {operator} is not supported for type {attribute.type}")
    compare = _comparison(home, entity, attribute, operator, value)
    return lambda held: compare(held[key])


def _check_type(attribute: Attribute, given: str) -> None:
    if attribute.type == "SHIPPING_ADDRESS":
        raise GraphQLError("SHIPPING_ADDRESS attributes cannot be filtered")
    wanted = "TEXT" if attribute.key == "emails" else attribute.type
    if given != wanted:
        raise GraphQLError(
            f"Field {attribute.key} must be filtered with type {wanted}, not {given}"
        )


def _comparison(
    home: Workspace, entity: str, attribute: Attribute, operator: str, value: Any
) -> Callable[[Any], bool]:
    if attribute.options is not None:
        known = {home.option_id(entity, attribute.key, name) for name in attribute.options}
        return _select(attribute.key, known, operator, value)
    if attribute.type == "BOOLEAN":
        return _boolean(value)
    if attribute.type in {"NUMBER", "DATE", "DATETIME"}:
        return _ordered(home, attribute.type, operator, value)
    return _text(operator, value)


def _select(key: str, known: set[str], operator: str, value: Any) -> Callable[[Any], bool]:
    wanted = value if isinstance(value, list) and operator not in {"IS", "IS_NOT"} else [value]
    for option in wanted:
        if not isinstance(option, str) or option not in known:
            raise GraphQLError(f"{option!r} is not an option id of {key}")
    if operator in {"IS", "IS_NOT"}:
        return lambda held: (held in wanted) == (operator == "IS")
    if operator == "CONTAINS_ALL":
        return lambda held: set(wanted) <= set(held)
    return lambda held: bool(set(wanted) & set(held)) == (operator == "CONTAINS")


def _boolean(value: Any) -> Callable[[Any], bool]:
    if not isinstance(value, bool):
        raise GraphQLError("A BOOLEAN condition takes true or false")
    return lambda held: held is value


def _text(operator: str, value: Any) -> Callable[[Any], bool]:
    words = [
        word.lower()
        for word in (value if isinstance(value, list) else [value])
        if isinstance(word, str) and word
    ]
    if not words or (isinstance(value, list) and len(words) != len(value)):
        raise GraphQLError(f"{operator} takes a text that is not empty")
    negated = {"IS_NOT": "IS", "DOES_NOT_CONTAIN": "CONTAINS"}.get(operator)
    every = operator == "CONTAINS_ALL"
    same = _WORDS["CONTAINS" if every else negated or operator]

    def found(held: Any) -> bool:
        texts = [t.lower() for t in (held if isinstance(held, list) else [held]) if t]
        hits = [any(same(text, word) for text in texts) for word in words]
        return (all(hits) if every else any(hits)) != (negated is not None)

    return found


def _ordered(home: Workspace, kind: str, operator: str, value: Any) -> Callable[[Any], bool]:
    read: Callable[[object], Any] = _READ[kind]
    if operator == "IS_RELATIVE_TO_TODAY":
        low, high = _relative(home.anchor.date(), value)
        return lambda held: held is not None and low <= _day(read(held)) < high
    if operator == "BETWEEN":
        if not isinstance(value, dict) or set(value) != {"from", "to"}:
            raise GraphQLError("BETWEEN takes {from, to}")
        first, last = read(value["from"]), read(value["to"])
        return lambda held: held is not None and bool(first <= read(held) <= last)
    wanted = read(value)
    if operator == "NOT_EQUAL":
        return lambda held: held is None or read(held) != wanted
    return lambda held: held is not None and _COMPARE[operator](read(held), wanted)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _relative(today: date, value: Any) -> tuple[date, date]:
    """The days meant by {relation, period, offset}: the first, and the one after the last."""
    if not isinstance(value, dict) or not {"relation", "period"} <= set(value) <= {
        "relation",
        "period",
        "offset",
    }:
        raise GraphQLError("IS_RELATIVE_TO_TODAY takes {relation, period, offset}")
    relation, period, count = str(value["relation"]), str(value["period"]), value.get("offset", 1)
    if not isinstance(count, int) or not 0 < count <= _FARTHEST:
        raise GraphQLError(f"offset is a whole number from 1 to {_FARTHEST}")
    spans = {"past": (-count, 0), "this": (0, 1), "next": (1, count + 1)}
    if relation not in spans or period not in {"day", "week", "month", "year"}:
        raise GraphQLError("relation is past, this or next; period is day, week, month or year")
    low, high = spans[relation]
    return _period(today, period, low), _period(today, period, high)


def _period(today: date, period: str, steps: int) -> date:
    """The first day of the period that lies `steps` periods from today's."""
    if period == "day":
        return today + timedelta(days=steps)
    if period == "week":
        return today - timedelta(days=today.weekday()) + timedelta(weeks=steps)
    if period == "year":
        return date(today.year + steps, 1, 1)
    months = today.year * 12 + today.month - 1 + steps
    return date(months // 12, months % 12 + 1, 1)
