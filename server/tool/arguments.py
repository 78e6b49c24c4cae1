"""From the raw arguments of a call to a typed request, or to an error that names every mistake and
its remedy.

Models send lists and objects as JSON text, single values where a list is wanted, numbers as text,
and null or an empty value for what they leave out: those are understood (`server.tool.decoding`).
Unknown names, wrong values and impossible combinations are refused before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from server.errors import Code, Failure
from server.text import truncate
from server.tool.decoding import decode
from server.tool.names import suggest
from server.tool.request import Request
from server.tool.schema import Schema, input_schema

T = TypeVar("T", bound=Request[Any, Any])
V = TypeVar("V")

_MOST_PROBLEMS = 5

# Fields of an object that a complaint about its type names.
_MOST_NAMED = 6

_TYPES = {
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}

_BOUNDS = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "needs at least {min_length} entries",
    "too_long": "takes at most {max_length} entries",
    "string_too_short": "must not be empty",
}

# Paging names of other APIs that models try first: the answer says what to use instead.
REPLACED = {
    "first": "`limit` (how many records in all)",
    "page": "`limit` and `after` (the last `nextCursor`)",
    "pageSize": "`limit` (how many records in all)",
    "cursor": "`after` (the last `nextCursor`)",
    "workspaceId": "`workspace` (an id or a name)",
}


# What hosts add to the arguments by themselves; no model wrote it, so none is told of it.
BOOKKEEPING = frozenset({"toolCallId", "tool_call_id", "sessionId", "session_id", "chatInput"})


def parse(
    request: type[T],
    raw: Mapping[str, Any],
    context: dict[str, Any],
    *,
    inside: str = "",
    tool: str | None = None,
) -> T:
    """Return the request that the raw arguments stand for.

    `context` reaches the validators: `timezone` (a `tzinfo`) is read, `instants` (a list) collects
    the UTC instants that plain days were turned into.

    Args:
        inside: the argument of another tool that holds these.
        tool: the name of that other tool, which is the one to be called again.

    Raises:
        Failure: `INVALID_ARGUMENT`, with all mistakes (at most five) and suggestions.
    """
    schema = _schema_of(request)
    own_books = BOOKKEEPING - schema.get("properties", {}).keys()
    raw = {name: raw[name] for name in raw if name not in own_books}
    raw = _replace_synonyms(request, raw)
    cleaned = decode(dict(raw), schema)
    try:
        parsed = request.model_validate(cleaned, context=context)
    except ValidationError as error:
        # pydantic's own message names classes and web links, which help no model.
        elsewhere = request.elsewhere
        raise _explain(tool or request.tool_name(), schema, error, inside, elsewhere) from None
    parsed.check()
    return parsed


def parse_in_utc(request: type[T], raw: Mapping[str, Any]) -> T:
    """Return the request of arguments that were parsed before: their days are instants already.

    Raises:
        Failure: as `parse` does.
    """
    return parse(request, raw, {"timezone": UTC, "instants": []})


def list_once(values: Iterable[V] | None) -> list[V]:
    """Return what an argument lists, each value once; nothing where it is not set."""
    # Models repeat themselves.
    return list(dict.fromkeys(values or ()))


def _replace_synonyms(request: type[Request[Any, Any]], raw: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments under their own names; of two that clash both stay, to be refused."""
    result = dict(raw)
    for synonym, name in request.synonyms.items():
        # An empty value is what clients fill in for an argument that a model left out.
        if synonym in result and result.get(name) in (None, ""):
            result[name] = result.pop(synonym)
    return result


@cache
def _schema_of(request: type[Request[Any, Any]]) -> Schema:
    """Return what the class takes; cached, as it takes longer than all else in a call."""
    return input_schema(request, whole=True)


def _explain(
    tool: str, schema: Schema, error: ValidationError, inside: str, elsewhere: Mapping[str, str]
) -> Failure:
    problems = [
        _problem(schema, entry, inside, elsewhere)
        for entry in error.errors(include_url=False, include_context=True)
    ]
    message = " ".join(problems[:_MOST_PROBLEMS])
    if len(problems) > _MOST_PROBLEMS:
        message += f" ({len(problems) - _MOST_PROBLEMS} more.)"
    return Failure(
        Code.INVALID_ARGUMENT,
        message,
        f"Correct the arguments and call {tool} again; nothing was sent.",
    )


def _problem(schema: Schema, error: Any, inside: str, elsewhere: Mapping[str, str]) -> str:
    location = [str(step) for step in error["loc"]]
    path = ".".join(filter(None, [inside, *location]))
    parent = _schema_at(schema, location[:-1])
    requested, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden" if len(location) == 1 and location[0] in elsewhere:
            return f"`{path}` is not an argument here: {elsewhere[location[0]]}."
        case "extra_forbidden":
            return _describe_unknown(path, location, parent, schema)
        case "missing":
            return f"`{path}` is required{_list_values(_schema_at(schema, location))}."
        # Null has a message of its own, below.
        case "literal_error" if requested is not None:
            allowed = _schema_at(schema, location)["enum"]
            return (
                f"`{path}` must be one of {', '.join(allowed)}; got "
                f"{_excerpt(requested)}.{_suggest_value(str(requested), allowed)}"
            )
        case "value_error":
            return f"`{path}`: {context['error']}" if path else str(context["error"])
        case kind if kind in _BOUNDS:
            return (
                f"`{path}` {_BOUNDS[kind].format(**context)}; got "
                f"{context.get('actual_length', _excerpt(requested))}."
            )
    if requested is None:
        return f"`{path}` must not be null: leave it out to keep it unset or unchanged."
    return f"`{path}` must be {_kind(_schema_at(schema, location))}; got {_excerpt(requested)}."


def _list_values(schema: Schema) -> str:
    """Return the values that an argument may have, in words; nothing where any will do."""
    values = schema.get("enum", [])
    if not values:
        return ""
    return f": one of {', '.join(map(str, values))}"


def _describe_unknown(path: str, location: list[str], parent: Schema, whole: Schema) -> str:
    name = location[-1]
    existing = parent.get("properties", {})
    # `workspaceId` is wrong for every tool; the paging names are so only where there is a `limit`.
    if name in REPLACED and ("limit" in existing or name == "workspaceId"):
        remedy = f": use {REPLACED[name]}."
    elif len(location) > 1 and name in whole.get("properties", {}):
        remedy = f": it belongs beside `{location[0]}`, not in it."
    elif owner := _find_owner(name, existing):
        remedy = f": it belongs in `{owner}`."
    elif suggestion := suggest(name, existing):
        remedy = f".{suggestion}"
    else:
        remedy = f"; known: {', '.join(existing) or 'none'}."
    return f"`{path}` is not an argument here{remedy}"


def _find_owner(name: str, existing: Mapping[str, Schema]) -> str | None:
    """Return the first object among the arguments that has a field of this name."""
    owners = (owner for owner, schema in existing.items() if name in schema.get("properties", {}))
    return next(owners, None)


def _suggest_value(requested: str, allowed: Sequence[str]) -> str:
    """Return a suggestion in words: the one value that has the requested one as a part (`SHORT`,
    `YOUTUBE_SHORT`), else the one that is spelt most alike."""
    longer = [value for value in allowed if requested.upper() in value.upper().split("_")]
    if len(longer) == 1:
        requested = longer[0]
    return suggest(requested, allowed)


def _schema_at(schema: Schema, location: list[str]) -> Schema:
    for step in location:
        # Pydantic names an entry of a list by its position.
        if step.isdecimal():
            schema = schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(step, {})
    return schema


def _kind(schema: Schema) -> str:
    kind = schema.get("type", "valid value")
    name = _TYPES.get(kind, f"a {kind}")
    fields = list(schema.get("properties", {}))
    if not 0 < len(fields) <= _MOST_NAMED:
        return name
    return f"{name} of {', '.join(fields)}"


def _excerpt(value: Any) -> str:
    return truncate(json.dumps(value, ensure_ascii=False, default=str), 80)
