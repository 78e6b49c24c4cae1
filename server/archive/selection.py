"""The fields of a request: parsed from paths, rendered as GraphQL, read from the answer."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from server.archive.records import Field, Record, Selection, fields_of
from server.errors import Code, Failure
from server.tool.names import suggest

MAX_PATH = 7
"""Steps of a field path: with the connection around it a query stays within the API's depth of
10."""

# JSON readers hold numbers as doubles, which are exact up to here.
_EXACT = 2**53 - 1

REQUIRED = frozenset(
    {"id", "provider", "type", "takenAt", "at", "status", "key", "accountName", "success"}
    | {"socialProfile"}
)
"""Fields that are non-null in each type of Archive's schema that has them."""

_INSTANTS = ("takenAt", "at")
_Null = type(None)
_LEAVES: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    bool: (bool,),
    list[str]: (list,),
}
_NUMBER = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")


def select(record: type[Record], paths: list[str] | None) -> Selection:
    """Return the selection of dotted `paths`; `*`, or no path, stands for the record's defaults.

    Raises:
        Failure: `INVALID_ARGUMENT` for a path that does not exist, with the nearest one that does.
    """
    selection: Selection = {}
    for path in paths or ["*"]:
        if path != "*":
            _add(selection, record, path)
            continue
        # `*` lets a caller add to the defaults without repeating them.
        for default in list_defaults(record):
            _add(selection, record, default)
    return selection


def render(selection: Selection, record: type[Record]) -> str:
    """Return the selection as GraphQL without the outer braces, a union as inline fragments."""
    if record.variants:
        return " ".join(
            f"... on {variant.__name__} {{ {render(selection, variant)} }}"
            for variant in record.variants
        )
    fields = fields_of(record)
    parts = [
        _render_field(name, inner, fields[name].record)
        for name, inner in selection.items()
        # The selection of a union also holds the fields of the other members.
        if name in fields
    ]
    # Empty braces are no GraphQL; a member of a union may have none of the selected fields.
    return " ".join(parts) or "__typename"


def convert_list(value: Any, record: type[Record], selection: Selection) -> list[Any]:
    """Return the records of a list, their text numbers as numbers; null is an empty list.

    Raises:
        Failure: as `convert_record`.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise describe_bad_shape(f"{type(value).__name__} in place of a list")
    if None in value:
        raise describe_bad_shape(f"null in place of a {record.__name__}")
    return [convert_record(entry, record, selection) for entry in value]


def convert_record(value: Any, record: type[Record], selection: Selection) -> Any:
    """Convert the text numbers of a record to numbers, in place; what is inexact stays text.

    Raises:
        Failure: `BAD_RESPONSE` for what the schema rules out.
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise describe_bad_shape(f"{type(value).__name__} in place of a {record.__name__}")
    fields = fields_of(record)
    for name, inner in selection.items():
        if name in value:
            value[name] = _convert_field(name, value[name], fields[name], inner)
        # A member of a union has not all the fields of the others.
        elif name in REQUIRED and not record.variants:
            raise describe_bad_shape(f"a record without `{name}`")
    return value


def check_connection(data: Any) -> dict[str, Any]:
    """Return the data of a page if it has what paging needs.

    Raises:
        Failure: `BAD_RESPONSE`.
    """
    page: dict[str, Any] = _require_type(data, (dict,), "a page")
    info = _require_type(page.get("pageInfo"), (dict,), "`pageInfo`")
    _require_type(page.get("nodes"), (list,), "`nodes`")
    _require_type(info.get("endCursor"), (str, _Null), "`endCursor`")
    total = _require_type(page.get("totalCount"), (int, _Null), "`totalCount`")
    if not 0 <= (total or 0) <= _EXACT:
        raise describe_bad_shape("a number that is no count in `totalCount`")
    return page


def _require_type(value: Any, types: tuple[type, ...], name: str) -> Any:
    # Exactly these: a boolean is no number, though Python takes it for one.
    if type(value) not in types:
        raise describe_bad_shape(f"{type(value).__name__} in {name}")
    return value


def _convert_field(name: str, value: Any, field: Field, selection: Selection) -> Any:
    if value is None:
        return _accept_null(name)
    if field.record is not None:
        read = convert_list if field.many else convert_record
        return read(value, field.record, selection)
    if field.big:
        return _read_big(name, value)
    _require_type(value, _LEAVES.get(field.hint, (type(value),)), f"`{name}`")
    if name in _INSTANTS:
        _check_instant(name, value)
    return value


def _accept_null(name: str) -> None:
    """Return null, which is no 0: a metric that is not available."""
    if name in REQUIRED:
        raise describe_bad_shape(f"a record without `{name}`")


def _read_big(name: str, value: Any) -> Any:
    _require_type(value, (str, int, float), f"`{name}`")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise describe_bad_shape(f"a text that is no number in `{name}`")
    return _number(value) if isinstance(value, str) else value


def _check_instant(name: str, text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise describe_bad_shape(f"`{name}` without a time") from None


def describe_bad_shape(description: str) -> Failure:
    """Return the failure of an answer that the schema rules out, from a few words about it."""
    return Failure(
        Code.BAD_RESPONSE,
        f"Archive sent what its schema rules out: {description}.",
        "Try again later; if it stays so, ask for other `fields`, or for fewer records.",
        retryable=True,
    )


def units(selection: Selection, record: type[Record]) -> dict[str, str]:
    """Return the unit of each selected field that has one, by the field's name."""
    result: dict[str, str] = {}
    fields = fields_of(record)
    for name, inner in selection.items():
        field = fields[name]
        if field.unit:
            result[name] = field.unit
        if field.record is not None:
            result |= units(inner, field.record)
    return result


def list_defaults(record: type[Record]) -> list[str]:
    """Return the paths that stand for `*`: those that the record names, or else its leaves."""
    # Nested records cost credits, so without a list of defaults only the leaves are asked for.
    return record.default.split() or [
        name for name, field in fields_of(record).items() if field.record is None
    ]


def _add(selection: Selection, record: type[Record], path: str) -> None:
    steps = path.split(".")
    if len(steps) > MAX_PATH:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"`fields`: {path!r} is {len(steps)} levels deep; Archive allows {MAX_PATH}.",
            "Ask for the nested record by its own tool instead.",
        )
    here, current = selection, record
    for position, step in enumerate(steps):
        field = fields_of(current).get(step)
        if field is None:
            raise _describe_unknown_field(record, current, path, step)
        here = here.setdefault(step, {})
        if field.record is None:
            if position < len(steps) - 1:
                raise Failure(
                    Code.INVALID_ARGUMENT,
                    f"`fields`: {step!r} in {path!r} has no fields of its own.",
                    f"Ask for {'.'.join(steps[: position + 1])!r}.",
                )
            return
        current = field.record
    for default in list_defaults(current):
        # A default may take one step more than a path, and no further: the connection and it make
        # ten.
        if len(steps) + default.count(".") <= MAX_PATH:
            _add(here, current, default)


def _describe_unknown_field(
    root: type[Record], record: type[Record], path: str, step: str
) -> Failure:
    fields = fields_of(record)
    # Several paths in one text are the commonest mistake, and explain the miss better than a guess.
    if re.search(r"[\s,]", path):
        hint = 'Give one path per entry: ["id", "caption"].'
    elif instead := record.instead.get(step):
        hint = instead
    elif suggestion := suggest(step, fields):
        hint = suggestion.strip()
    elif deeper := _find_below(root, step):
        hint = f"Did you mean `{deeper}`?"
    else:
        hint = f"Fields there: {', '.join(fields)}."
    return Failure(Code.INVALID_ARGUMENT, f"`fields`: {path!r} does not exist.", hint)


def _find_below(record: type[Record], name: str) -> str:
    for outer, field in fields_of(record).items():
        if field.record is not None and name in fields_of(field.record):
            return f"{outer}.{name}"
    return ""


def _render_field(name: str, inner: Selection, record: type[Record] | None) -> str:
    if record is None:
        return name
    return f"{name} {{ {render(inner, record)} }}"


def _number(text: str) -> int | str:
    try:
        number = int(text)
    except ValueError:
        return text
    # JavaScript clients would round a larger number without a word; its text stays exact.
    return number if abs(number) <= _EXACT else text
