"""Checks an answer against the server's own OpenAPI description, so that its reader may rely on
that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Schema = Mapping[str, Any]
# Deeper than any answer of an ArchiveBox, whose schemas refer to each other.
_DEEPEST = 12
# What other languages hold as a whole number.
_LARGEST_BITS = 63
# Exactly these: a boolean is no number, though Python takes it for one.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int,),
}


class Shapes:
    """Schemas of answers, with the named ones that they refer to."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def find_problem(self, value: Any, schema: Schema, name: str = "the answer") -> str:
        """Return what is wrong with a value, in a few words; nothing if it fits the schema."""
        return self._find(value, schema, name, 0)

    def _find(self, value: Any, schema: Schema, name: str, depth: int) -> str:
        if depth > _DEEPEST:
            return f"{name} is nested too deeply"
        if "$ref" in schema:
            target = str(schema["$ref"]).rpartition("/")[2]
            return self._find(value, self._schemas.get(target, {}), name, depth + 1)
        if "anyOf" in schema:
            problems = [self._find(value, choice, name, depth + 1) for choice in schema["anyOf"]]
            # One that fits is enough; of several misfits the first is the usual type.
            return min(problems, key=bool)
        return _find_wrong_type(value, schema, name) or self._find_inside(
            value, schema, name, depth
        )

    def _find_inside(self, value: Any, schema: Schema, name: str, depth: int) -> str:
        parts = _list_parts(value, schema, name)
        problems = (self._find(part, own, place, depth + 1) for part, own, place in parts)
        return next(filter(None, problems), "")


def _find_wrong_type(value: Any, schema: Schema, name: str) -> str:
    kind = str(schema.get("type"))
    if type(value) not in _TYPES.get(kind, (type(value),)):
        return f"{name} is {_describe(value)} instead of {kind}"
    if kind == "integer" and value.bit_length() > _LARGEST_BITS:
        return f"{name} is too large a number"
    if schema.get("format") == "date-time" and not _is_moment(value):
        return f"{name} is no time"
    missing = set(schema.get("required", ())).difference(value) if kind == "object" else ()
    return f"{name} lacks {min(missing)}" if missing else ""


def _list_parts(value: Any, schema: Schema, name: str) -> Iterable[tuple[Any, Schema, str]]:
    """Return the values inside a value, with the schema and the name of each."""
    if isinstance(value, list):
        items = schema.get("items") or {}
        return ((entry, items, f"{name}[]") for entry in value)
    fields = value if isinstance(value, dict) else {}
    known: Mapping[str, Schema] = schema.get("properties", {})
    return ((entry, known[field], field) for field, entry in fields.items() if field in known)


def _is_moment(value: Any) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _describe(value: Any) -> str:
    return "null" if value is None else type(value).__name__
