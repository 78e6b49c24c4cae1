"""The API's own scalars, and how strictly they are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    IntValueNode,
    StringValueNode,
    ValueNode,
    value_from_ast_untyped,
)

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]00:00)")


def utc(moment: datetime) -> str:
    """A moment as the API writes it, e.g. 2026-03-01T00:00:00Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cannot_coerce(value: object, name: str) -> GraphQLError:
    # A client's mistake despite the code (Archive docs: error handling).
    return GraphQLError(
        f"Cannot coerce {value!r} to {name}", extensions={"code": "INTERNAL_SERVER_ERROR"}
    )


def read_moment(value: object) -> datetime:
    """A UTC moment; naive times and other offsets are refused (Archive docs: error handling)."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _cannot_coerce(value, "DateTime")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise _cannot_coerce(value, "DateTime") from error


def read_day(value: object) -> date:
    """A day, YYYY-MM-DD."""
    try:
        if isinstance(value, str) and len(value) == len("2026-03-01"):
            return date.fromisoformat(value)
    except ValueError as error:
        raise _cannot_coerce(value, "DateWithZone") from error
    raise _cannot_coerce(value, "DateWithZone")


def _read_big(value: object) -> int:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | str)
        or not re.fullmatch(r"-?\d+", str(value))
    ):
        raise _cannot_coerce(value, "BigInt")
    return int(value)


def _from_text(read: Callable[[object], Any]) -> Callable[..., Any]:
    def parse(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        if isinstance(node, StringValueNode | IntValueNode):
            return read(node.value)
        raise _cannot_coerce(value_from_ast_untyped(node), "a scalar")

    return parse


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return value_from_ast_untyped(node, variables)


def _unchanged(value: Any) -> Any:
    return value


_SCALARS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Callable[..., Any]]] = {
    "BigInt": (str, _read_big, _from_text(_read_big)),
    "DateTime": (utc, read_moment, _from_text(read_moment)),
    "DateTimeWithZone": (utc, read_moment, _from_text(read_moment)),
    "DateWithZone": (date.isoformat, read_day, _from_text(read_day)),
    "JSON": (_unchanged, _unchanged, _json_literal),
}


def bind_scalars(schema: GraphQLSchema) -> None:
    """Give the scalars of a schema built from SDL their behaviour."""
    for name, (write, read, literal) in _SCALARS.items():
        scalar = schema.get_type(name)
        if not isinstance(scalar, GraphQLScalarType):
            raise TypeError(name)
        hooks = {"serialize": write, "parse_value": read, "parse_literal": literal}
        # graphql-core 3.3 calls the first two by new names and keeps the old ones beside them.
        renamed = {"coerce_output_value": write, "coerce_input_value": read}
        for hook, function in {
            **hooks,
            **{k: f for k, f in renamed.items() if hasattr(scalar, k)},
        }.items():
            setattr(scalar, hook, function)
