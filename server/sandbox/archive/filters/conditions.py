"""Conditions on custom attributes.

Operators by family of types, option ids for selects, TEXT for e-mail lists, no conditions on
shipping addresses: Archive docs, custom attributes. Whatever that page rules out is refused here.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from server.sandbox.archive.data.attributes import Attribute, find_attribute
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import ensure, make_error
from server.sandbox.archive.scalars import read_day, read_moment

Attributes = dict[str, Any]
Test = Callable[[Attributes], bool]
# A test of one value of an attribute.
ValueTest = Callable[[Any], bool]

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
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": compare.eq,
    "LESS_THAN": compare.lt,
    "LESS_THAN_OR_EQUAL": compare.le,
    "MORE_THAN": compare.gt,
    "MORE_THAN_OR_EQUAL": compare.ge,
}
_TEXT_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "IS": compare.eq,
    "CONTAINS": compare.contains,
    "CONTAINS_ALL": compare.contains,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
}
_OPPOSITES = {"IS_NOT": "IS", "DOES_NOT_CONTAIN": "CONTAINS"}
_RELATIVE_KEYS = {"relation", "period", "offset"}
_PERIODS = {"day", "week", "month", "year"}


def _read_number(value: object) -> int | float:
    # To Python, true is a number.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise make_error(f"{value!r} is not a number")
    return value


_READERS: dict[str, Callable[[object], Any]] = {
    "NUMBER": _read_number,
    "DATE": read_day,
    "DATETIME": read_moment,
}


def make_tests(
    workspace: Workspace, entity: str, conditions: Iterable[dict[str, Any]] | None
) -> list[Test]:
    """Return one test per condition; all must hold.

    entity: ITEM or CREATOR, whose attributes are meant. Raises GraphQLError for a condition that
    the API refuses.
    """
    return [_make_test(workspace, entity, condition) for condition in conditions or ()]


def _make_test(workspace: Workspace, entity: str, condition: dict[str, Any]) -> Test:
    attribute = find_attribute(entity, condition["field"])
    # As the API: a key that the workspace does not have matches nothing, without an error.
    if attribute is None:
        return lambda _: False
    _check_type(attribute, condition["type"])
    operator, operand, key = condition["operator"], condition.get("value"), attribute.key
    if operator in _EMPTINESS:
        ensure(operand is None, f"{operator} takes no value")
        # A list without entries is as empty as a null.
        return lambda values: (values[key] in (None, [], "")) == (operator == "IS_EMPTY")
    ensure(
        operator in _OPERATORS[attribute.type],
        f"Operator {operator} is not supported for type {attribute.type}",
    )
    test = _make_value_test(workspace, entity, attribute, operator, operand)
    return lambda values: test(values[key])


def _check_type(attribute: Attribute, type_name: str) -> None:
    ensure(
        attribute.type != "SHIPPING_ADDRESS",
        "SHIPPING_ADDRESS attributes cannot be filtered",
    )
    # E-mail lists are filtered as TEXT, unlike all other lists.
    expected = "TEXT" if attribute.key == "emails" else attribute.type
    ensure(
        type_name == expected,
        f"Field {attribute.key} must be filtered with type {expected}, not {type_name}",
    )


def _make_value_test(
    workspace: Workspace, entity: str, attribute: Attribute, operator: str, operand: Any
) -> ValueTest:
    if attribute.options is not None:
        ids = {workspace.option_id(entity, attribute.key, name) for name in attribute.options}
        return _make_select_test(attribute.key, ids, operator, operand)
    if attribute.type == "BOOLEAN":
        return _make_boolean_test(operand)
    if attribute.type in _READERS:
        return _make_order_test(workspace, attribute.type, operator, operand)
    return _make_text_test(operator, operand)


def _make_select_test(key: str, ids: set[str], operator: str, operand: Any) -> ValueTest:
    is_single = operator in {"IS", "IS_NOT"}
    # One option is compared as a whole: a list of options is no option id, and is refused below.
    options = operand if isinstance(operand, list) and not is_single else [operand]
    for option in options:
        ensure(
            isinstance(option, str) and option in ids,
            f"{option!r} is not an option id of {key}",
        )
    if is_single:
        return lambda value: (value in options) == (operator == "IS")
    if operator == "CONTAINS_ALL":
        return lambda value: set(options).issubset(value)
    return lambda value: set(options).isdisjoint(value) == (operator == "DOES_NOT_CONTAIN")


def _make_boolean_test(operand: Any) -> ValueTest:
    ensure(isinstance(operand, bool), "A BOOLEAN condition takes true or false")
    return lambda value: value is operand


def _make_text_test(operator: str, operand: Any) -> ValueTest:
    words = _as_list(operand)
    ensure(
        words and all(isinstance(word, str) and word for word in words),
        f"{operator} takes a text that is not empty",
    )
    positive = _OPPOSITES.get(operator, operator)
    matches = _TEXT_MATCHES[positive]
    combine = all if operator == "CONTAINS_ALL" else any

    def test(value: Any) -> bool:
        texts = [text.lower() for text in _as_list(value) if text]
        hits = [any(matches(text, word.lower()) for text in texts) for word in words]
        # The opposite of all: a person without a value fits IS_NOT and DOES_NOT_CONTAIN.
        return combine(hits) == (positive == operator)

    return test


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _make_order_test(workspace: Workspace, kind: str, operator: str, operand: Any) -> ValueTest:
    read = _READERS[kind]
    if operator == "IS_RELATIVE_TO_TODAY":
        low, high = _relative_days(workspace.anchor.date(), operand)
        return _skip_none(lambda value: low <= _day(read(value)) < high)
    if operator == "BETWEEN":
        is_range = isinstance(operand, dict) and set(operand) == {"from", "to"}
        ensure(is_range, "BETWEEN takes {from, to}")
        first, last = read(operand["from"]), read(operand["to"])
        return _skip_none(lambda value: bool(first <= read(value) <= last))
    bound = read(operand)
    if operator == "NOT_EQUAL":
        # What is missing differs from every bound.
        return lambda value: value is None or read(value) != bound
    matches = _COMPARISONS[operator]
    return _skip_none(lambda value: matches(read(value), bound))


def _skip_none(test: ValueTest) -> ValueTest:
    """Return a test that no missing value passes."""
    return lambda value: value is not None and test(value)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _relative_days(today: date, operand: Any) -> tuple[date, date]:
    """Return the days meant by {relation, period, offset}: the first, and the one after the
    last."""
    required = _RELATIVE_KEYS - {"offset"}
    ensure(
        isinstance(operand, dict) and required <= set(operand) <= _RELATIVE_KEYS,
        "IS_RELATIVE_TO_TODAY takes {relation, period, offset}",
    )
    count = operand.get("offset", 1)
    ensure(
        isinstance(count, int) and 0 < count <= _FARTHEST,
        f"offset is a whole number from 1 to {_FARTHEST}",
    )
    relation, period = str(operand["relation"]), str(operand["period"])
    spans = {"past": (-count, 0), "this": (0, 1), "next": (1, count + 1)}
    ensure(
        relation in spans and period in _PERIODS,
        "relation is past, this or next; period is day, week, month or year",
    )
    low, high = spans[relation]
    return _first_day(today, period, low), _first_day(today, period, high)


def _first_day(today: date, period: str, steps: int) -> date:
    """Return the first day of the period that lies `steps` periods from today's."""
    if period == "day":
        return today + timedelta(days=steps)
    if period == "week":
        # Weeks start on Monday.
        return today - timedelta(days=today.weekday()) + timedelta(weeks=steps)
    if period == "year":
        return date(today.year + steps, 1, 1)
    months = today.year * 12 + today.month - 1 + steps
    return date(months // 12, months % 12 + 1, 1)
