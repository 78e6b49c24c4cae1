"""What the values of a call stand for, before they are checked: JSON text becomes what it says, a
lone entry a list, and what a client put where it had nothing to say is taken out.

Clients with strict schemas, and frameworks that fill in every argument, send null, "", {}, [] or 0
for what the model left out. That is decided by the field alone: where nothing has a meaning of its
own, the field is marked with `Meaning`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from server.tool.schema import EMPTY_MEANS, NULL_MEANS, Schema

# The first character of the JSON text of each type that holds others.
_OPENINGS = {"array": "[", "object": "{"}
_ZEROS = (0, "0", "0.0")


def decode(value: Any, schema: Schema) -> Any:
    """Return the value as its schema means it, without optional entries that say nothing."""
    kind = schema.get("type")
    if isinstance(value, str):
        value = parse_json(value, _OPENINGS.get(str(kind), ""))
    if kind == "array":
        return _decode_list(value, schema)
    if kind == "object" and isinstance(value, dict):
        return _decode_object(value, schema)
    return value


def parse_json(text: str, openings: str) -> Any:
    """Return what JSON text says that begins with one of the characters; other text as it is."""
    # The complaint about text that is no JSON then quotes what was sent.
    if text.lstrip()[:1] not in tuple(openings):
        return text
    try:
        return json.loads(text)
    # Thousands of nested brackets exhaust the parser's stack.
    except (ValueError, RecursionError):
        return text


def is_placeholder(value: Any, schema: Schema) -> bool:
    """Return whether a value says nothing to an optional field."""
    test = _TESTS.get(type(value))
    return test is not None and test(value, schema)


def _decode_list(value: Any, schema: Schema) -> Any:
    # Null is no entry: for an optional list it is taken out, for another it is refused.
    if value is None:
        return None
    entries = value if isinstance(value, list) else [value]
    return [decode(entry, schema["items"]) for entry in entries]


def _decode_object(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    properties, required = schema.get("properties"), schema.get("required", ())
    # The inside of an object without declared fields is checked by whoever takes it.
    if properties is None:
        return dict(value)
    decoded: dict[str, Any] = {}
    for name, entry in value.items():
        field = properties.get(name)
        # Unknown names stay, so that they are refused by name.
        if field is None:
            decoded[name] = entry
            continue
        meant = decode(entry, field)
        if name in required or not _is_left_out(entry, meant, field):
            decoded[name] = meant
    return decoded


def _is_left_out(sent: Any, meant: Any, field: Schema) -> bool:
    # Both: a lone "" for a list of texts has become an entry.
    return is_placeholder(sent, field) or is_placeholder(meant, field)


def _says_nothing(value: Mapping[str, Any], schema: Schema) -> bool:
    if schema.get(EMPTY_MEANS):
        return False
    properties = schema.get("properties")
    if properties is None:
        return all(is_placeholder(entry, {}) for entry in value.values())
    # Without what it needs an object says nothing, and a null in it means nothing either.
    needs_more = bool(schema.get("required"))
    return all(
        name in properties
        and (is_placeholder(entry, properties[name]) or (needs_more and entry is None))
        for name, entry in value.items()
    )


def _holds_nothing(value: list[Any], schema: Schema) -> bool:
    # An empty text among texts is an id that got lost: without it the call would mean more.
    items = schema.get("items", {})
    return all(isinstance(entry, dict) and is_placeholder(entry, items) for entry in value)


def _is_null(value: None, schema: Schema) -> bool:
    return not schema.get(NULL_MEANS)


def _is_blank(value: str, schema: Schema) -> bool:
    return not value.strip() or _is_zero(value, schema)


def _is_zero(value: float | str, schema: Schema) -> bool:
    return schema.get("minimum", 0) > 0 and value in _ZEROS


# By the exact type: `false` is no zero.
_TESTS: dict[type, Callable[[Any, Schema], bool]] = {
    type(None): _is_null,
    str: _is_blank,
    int: _is_zero,
    float: _is_zero,
    dict: _says_nothing,
    list: _holds_nothing,
}
