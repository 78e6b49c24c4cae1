"""Checks an answer against the server's own OpenAPI description, so that its reader may rely on
that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Schema = Mapping[str, Any]
Check = Callable[[Any, str, int], str]
"""Returns what is wrong with a value of that name and depth, in a few words; nothing if it fits."""

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
    """Schemas of answers, with the named ones that they refer to.

    A schema is turned into functions once: a page has hundreds of values, and each call reads one.
    """

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas
        self._checks: dict[int, tuple[Schema, Check]] = {}

    def find_problem(self, value: Any, schema: Schema, name: str = "the answer") -> str:
        """Return what is wrong with a value, in a few words; nothing if it fits the schema."""
        return self._check_of(schema)(value, name, 0)

    def _check_of(self, schema: Schema) -> Check:
        # The schema is held with its check: the number of one that is gone goes to another.
        if id(schema) not in self._checks:
            self._checks[id(schema)] = schema, self._build(schema)
        return self._checks[id(schema)][1]

    def _build(self, schema: Schema) -> Check:
        if "$ref" in schema:
            target = str(schema["$ref"]).rpartition("/")[2]
            # Looked up when it is needed: a schema may refer to itself.
            return self._follow(self._schemas.get(target, {}))
        if "anyOf" in schema:
            return _check_choices([self._build(choice) for choice in schema["anyOf"]])
        checks = [_check_type(schema)]
        if "properties" in schema:
            checks.append(_check_fields(self._build_fields(schema)))
        if "items" in schema:
            checks.append(_check_entries(self._build(schema["items"])))
        return _check_all(checks) if checks[1:] else checks[0]

    def _build_fields(self, schema: Schema) -> Mapping[str, Check]:
        return {name: self._build(own) for name, own in schema["properties"].items()}

    def _follow(self, target: Schema) -> Check:
        def check(value: Any, name: str, depth: int) -> str:
            if depth >= _DEEPEST:
                return f"{name} is nested too deeply"
            return self._check_of(target)(value, name, depth + 1)

        return check


def _check_all(checks: list[Check]) -> Check:
    def check(value: Any, name: str, depth: int) -> str:
        for part in checks:
            if problem := part(value, name, depth):
                return problem
        return ""

    return check


def _check_choices(choices: list[Check]) -> Check:
    def check(value: Any, name: str, depth: int) -> str:
        problems = []
        for choice in choices:
            problems.append(choice(value, name, depth + 1))
            if not problems[-1]:
                return ""
        # Of several misfits the first is the usual type.
        return problems[0] if problems else ""

    return check


def _check_type(schema: Schema) -> Check:
    kind = str(schema.get("type"))
    types = _TYPES.get(kind)
    own = _find_own_check(schema)

    def check(value: Any, name: str, depth: int) -> str:
        if types and type(value) not in types:
            return f"{name} is {_describe(value)} instead of {kind}"
        return own(value, name, depth) if own else ""

    return check


def _find_own_check(schema: Schema) -> Check | None:
    """Return the check that only values of the schema's type or format have."""
    if schema.get("type") == "integer":
        return _check_size
    if schema.get("format") == "date-time":
        return _check_moment
    if schema.get("type") == "object" and schema.get("required"):
        return _check_required(frozenset(schema["required"]))
    return None


def _check_size(value: Any, name: str, depth: int) -> str:
    return f"{name} is too large a number" if value.bit_length() > _LARGEST_BITS else ""


def _check_moment(value: Any, name: str, depth: int) -> str:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return f"{name} is no time"
    return ""


def _check_required(required: frozenset[str]) -> Check:
    def check(value: Any, name: str, depth: int) -> str:
        missing = required.difference(value)
        return f"{name} lacks {min(missing)}" if missing else ""

    return check


def _check_fields(checks: Mapping[str, Check]) -> Check:
    def check(value: Any, name: str, depth: int) -> str:
        if not isinstance(value, dict):
            return ""
        for field, entry in value.items():
            own = checks.get(field)
            problem = own(entry, field, depth + 1) if own else ""
            if problem:
                return problem
        return ""

    return check


def _check_entries(own: Check) -> Check:
    def check(value: Any, name: str, depth: int) -> str:
        for entry in value if isinstance(value, list) else ():
            if problem := own(entry, f"{name}[]", depth + 1):
                return problem
        return ""

    return check


def _describe(value: Any) -> str:
    return "null" if value is None else type(value).__name__
