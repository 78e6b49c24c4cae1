"""The API's own scalars, read as strictly as the API reads them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from graphql import (
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    ValueNode,
    value_from_ast_untyped,
)

T = TypeVar("T")

# Python would take 20260301 as well.
_DAY = re.compile(r"(?s).{10}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]00:00)")


def utc(moment: datetime) -> str:
    """Return a moment as the API writes it, e.g. 2026-03-01T00:00:00Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cannot_coerce(value: object, name: str) -> GraphQLError:
    # A client's mistake despite the code (Archive docs: error handling).
    return GraphQLError(
        f"Cannot coerce {value!r} to {name}", extensions={"code": "INTERNAL_SERVER_ERROR"}
    )


def _text_reader(
    name: str, shape: re.Pattern[str], parse: Callable[[str], T]
) -> Callable[[object], T]:
    """Return what reads the text of a scalar, and raises GraphQLError for any other value."""

    def read(value: object) -> T:
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise _cannot_coerce(value, name)
        try:
            return parse(value)
        except ValueError as error:
            raise _cannot_coerce(value, name) from error

    return read


# Naive times and other offsets are errors (Archive docs: error handling).
read_moment = _text_reader("DateTime", _MOMENT, datetime.fromisoformat)
read_day = _text_reader("DateWithZone", _DAY, date.fromisoformat)


def _read_big(value: object) -> int:
    # To Python, true is a number.
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _cannot_coerce(value, "BigInt")
    if not re.fullmatch(r"-?\d+", str(value)):
        raise _cannot_coerce(value, "BigInt")
    return int(value)


def _literal_reader(read: Callable[[object], Any]) -> Callable[..., Any]:
    def parse(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        if isinstance(node, StringValueNode | IntValueNode):
            return read(node.value)
        raise _cannot_coerce(value_from_ast_untyped(node), "a scalar")

    return parse


_SCALARS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[..., Any]]] = {
    "BigInt": (str, _read_big, _literal_reader(_read_big)),
    "DateTime": (utc, read_moment, _literal_reader(read_moment)),
    "DateTimeWithZone": (utc, read_moment, _literal_reader(read_moment)),
    "DateWithZone": (date.isoformat, read_day, _literal_reader(read_day)),
    "JSON": (lambda value: value, lambda value: value, value_from_ast_untyped),
}


def bind_scalars(schema: GraphQLSchema) -> None:
    """Give the scalars of a schema built from SDL their behaviour."""
    for name, (write, read, literal) in _SCALARS.items():
        scalar = schema.get_type(name)
        if not isinstance(scalar, GraphQLScalarType):
            raise TypeError(name)
        hooks = {
            "serialize": write,
            "parse_value": read,
            "parse_literal": literal,
            # graphql-core 3.3 calls the first two by new names and keeps the old ones beside them.
            "coerce_output_value": write,
            "coerce_input_value": read,
        }
        for hook, function in hooks.items():
            if hasattr(scalar, hook):
                setattr(scalar, hook, function)
