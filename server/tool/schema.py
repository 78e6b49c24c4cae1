"""Input schemas from request classes: flat JSON Schema that every MCP host accepts.

Inlined: no `$ref`, no `anyOf`, no type arrays, no titles and no null defaults, because some hosts
drop a whole server over any of these. Open, because others do so over `additionalProperties`;
unknown arguments are refused all the same.
"""

from __future__ import annotations

import re
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from server.tool.request import ApiType, Meaning

Schema = dict[str, Any]

_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_JSON = ApiType("JSON")
# The bounds of GraphQL's Int go without saying and cost tokens.
_LEAST_INTEGER, _MOST_INTEGER = -(2**31), 2**31 - 1

# Where the first clause of a description ends; a longer one is no comment for a short form.
_CLAUSE_ENDS = re.compile(r"[;.](?= |$)")
_LONGEST_COMMENT = 60

# Keys of a whole schema, which no host sees: to these fields null, or an empty object, says
# something.
NULL_MEANS = "nullMeans"
EMPTY_MEANS = "emptyMeans"


def input_schema(model: type[BaseModel], *, whole: bool = False) -> Schema:
    """Return the object schema of a request or input class, its own fields first.

    What the API takes as `JSON` has no fields in the schema that hosts get, because the model knows
    them from another tool; `whole` spells them out, for reading arguments and explaining mistakes.
    Each property has exactly one type there; `whole` gives none to what takes any value.
    """
    schema: Schema = {"type": "object", "properties": {}}
    required: list[str] = []
    for name in dict.fromkeys([*model.__annotations__, *model.model_fields]):
        # Annotations of the class itself are no fields.
        if name not in model.model_fields:
            continue
        info = model.model_fields[name]
        argument = info.alias or name
        schema["properties"][argument] = _property(info, whole)
        if info.is_required():
            required.append(argument)
    if required:
        schema["required"] = required
    return schema


def abbreviate(schema: Schema) -> str:
    """Return a schema on one line: `{platform: INSTAGRAM|TIKTOK, id!: string (id or name)}`.

    Required fields end with an exclamation mark, and fields of free text say what they hold.
    """
    if "enum" in schema:
        return "|".join(schema["enum"])
    if "items" in schema:
        inner = abbreviate(schema["items"])
        # An enum in brackets: without them the last value alone would seem to be a list.
        return f"({inner})[]" if "enum" in schema["items"] else f"{inner}[]"
    fields = schema.get("properties", {})
    if not fields:
        return str(schema["type"])
    marks = dict.fromkeys(fields, "")
    marks.update(dict.fromkeys(schema.get("required", ()), "!"))
    parts = [
        f"{name}{marks[name]}: {abbreviate(field)}{_comment(field)}"
        for name, field in fields.items()
    ]
    return f"{{{', '.join(parts)}}}"


def _comment(field: Schema) -> str:
    """Return what a field of free text holds, in brackets; nothing where it does not say so in a
    few words."""
    value = field.get("items", field)
    # The values of an enum and the fields of an object speak for themselves.
    if value.get("type") != "string" or "enum" in value:
        return ""
    clause = _CLAUSE_ENDS.split(field.get("description", ""), maxsplit=1)[0]
    if not 0 < len(clause) <= _LONGEST_COMMENT:
        return ""
    return f" ({clause})"


def unwrap(annotation: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """Return the bare type of an annotation, its metadata, and whether it may be null."""
    if get_origin(annotation) is Annotated:
        inner, *outer = get_args(annotation)
        bare, metadata, nullable = unwrap(inner)
        return bare, (*outer, *metadata), nullable
    if get_origin(annotation) in (Union, types.UnionType):
        branches = [branch for branch in get_args(annotation) if branch is not type(None)]
        if len(branches) != 1:
            raise TypeError(f"a union cannot be offered to every host: {annotation}")
        bare, metadata, _ = unwrap(branches[0])
        return bare, metadata, True
    return annotation, (), False


def _property(info: FieldInfo, whole: bool) -> Schema:
    bare, metadata, _ = unwrap(info.annotation)
    marks = (*metadata, *info.metadata)
    schema = _type_schema(bare, marks, whole)
    if whole:
        schema |= _meanings(marks)
    if info.default not in (None, PydanticUndefined):
        schema["default"] = info.default
    # A shared type may carry a description in its `Annotated`; the field's own goes first.
    for mark in (info, *metadata):
        if isinstance(mark, FieldInfo) and mark.description:
            schema["description"] = mark.description
            break
    return schema


def _meanings(marks: tuple[Any, ...]) -> Schema:
    """Return what null or an empty object means to a field; None where it means nothing."""
    meanings: Schema = {}
    for mark in marks:
        if isinstance(mark, Meaning):
            meanings[NULL_MEANS if mark.of == "null" else EMPTY_MEANS] = True
    return meanings


def _type_schema(bare: Any, metadata: tuple[Any, ...], whole: bool) -> Schema:
    if bare is Any:
        return _any_schema(whole)
    if _JSON in metadata and not whole:
        return _json_schema(bare)
    if get_origin(bare) is Literal:
        return {"type": "string", "enum": list(get_args(bare))}
    if get_origin(bare) is list:
        inner, inner_metadata, _ = unwrap(get_args(bare)[0])
        items = _type_schema(inner, inner_metadata, whole)
        return {"type": "array", "items": items, **_bounds(metadata, "Items")}
    if get_origin(bare) is dict:
        return {"type": "object"}
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return input_schema(bare, whole=whole)
    return {"type": _SCALARS[bare], **_bounds(metadata, "Length")}


def _any_schema(whole: bool) -> Schema:
    # A value of several types: text is the one that every host can send, JSON text for the others.
    return {} if whole else {"type": "string"}


def _json_schema(bare: Any) -> Schema:
    """Return the schema of an object or a list whose fields another tool spells out."""
    if get_origin(bare) is list:
        return {"type": "array", "items": {"type": "object"}}
    return {"type": "object"}


def _bounds(metadata: tuple[Any, ...], of: str) -> Schema:
    bounds: Schema = {}
    for mark in metadata:
        match mark:
            case FieldInfo():
                bounds |= _bounds(tuple(mark.metadata), of)
            case Ge(least) if least != _LEAST_INTEGER:
                bounds["minimum"] = least
            case Le(most) if most != _MOST_INTEGER:
                bounds["maximum"] = most
            case MaxLen(most):
                bounds[f"max{of}"] = most
            case MinLen(least) if of == "Items":
                # A string's "at least one character" goes without saying and costs tokens in every
                # schema.
                bounds["minItems"] = least
    return bounds
