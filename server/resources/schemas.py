"""The schema of one operation, from its request class: arguments, every field that it can return,
and what it does."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from pydantic.alias_generators import to_camel

from server.archive.operations import (
    ArchiveRequest,
    MayConfirm,
    Mutation,
    Read,
    ReadMany,
)
from server.archive.records import Record, Selection, fields_of
from server.archive.selection import select
from server.tool.catalog import Entry
from server.tool.request import Request, describe_type
from server.tool.schema import input_schema

Schema = dict[str, Any]

_LEAVES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    Any: "JSON",
}


def described(entry: Entry, request: type[Request[Any, Any]]) -> Schema:
    """Everything there is to know before the operation is called; each record type is described
    once.

    Args:
        entry: the tool that serves the operation.
        request: its class.
    """
    about: Schema = {
        "operation": entry.operation,
        "kind": getattr(request, "keyword", request.operation_kind),
        "tool": entry.name,
        "description": entry.tool["description"],
        "arguments": input_schema(request, whole=True),
    }
    if request.risk != "reads":
        about |= {"risk": request.risk, "repeatable": request.repeatable}
    if confirmed := _confirmed(request):
        about["confirmed"] = confirmed
    if issubclass(request, ArchiveRequest):
        about |= _returned(request)
    return about


def _confirmed(request: type[Request[Any, Any]]) -> str:
    """When the user is asked first; nothing where the class does not tell."""
    if request.confirmed:
        return "always"
    if issubclass(request, MayConfirm):
        return "where there is reason to"
    return "never" if issubclass(request, Mutation) else ""


def _returned(request: type[ArchiveRequest[Any]]) -> Schema:
    record = request.record()
    returns: Schema = {"type": record.__name__}
    types: dict[str, Schema] = {}
    if issubclass(request, Mutation):
        paths = request.selected.split()
        _describe(record, types, select(record, paths))
        return {"returns": {**returns, "always": paths}, "types": types}
    if issubclass(request, ReadMany):
        returns = {"type": f"[{record.__name__}]", "as": "nodes"}
    if issubclass(request, Read):
        returns["fieldsBy"] = "fields"
    _describe(record, types, None)
    return {"returns": returns, "types": types}


def _describe(record: type[Record], types: dict[str, Schema], selection: Selection | None) -> None:
    """Add a record type and those below it; with a selection only the fields in it."""
    if selection is None and record.__name__ in types:
        return
    about = types.setdefault(record.__name__, {"description": describe_type(record)})
    if record.variants:
        about["oneOf"] = [each.__name__ for each in record.variants]
        for variant in record.variants:
            _describe(variant, types, selection)
        return
    names = _type_names(record)
    chosen = {
        name: each
        for name, each in fields_of(record).items()
        if selection is None or name in selection
    }
    about.setdefault("fields", {}).update(
        {name: _field(names[name], each.unit) for name, each in chosen.items()}
    )
    if selection is None:
        about["default"] = record.default.split() or [
            name for name, each in chosen.items() if each.record is None
        ]
    for name, each in chosen.items():
        if each.record is not None:
            _describe(each.record, types, None if selection is None else selection[name])


def _field(kind: str, unit: str) -> Schema:
    return {"type": kind, **({"unit": unit} if unit else {})}


def _type_names(record: type[Record]) -> dict[str, str]:
    hints = get_type_hints(record, include_extras=True)
    return {
        to_camel(name): _type_name(hint)
        for name, hint in hints.items()
        if get_origin(hint) is not ClassVar
    }


def _type_name(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Annotated:
        return _type_name(get_args(hint)[0])
    if origin in (Union, UnionType):
        return _type_name(next(each for each in get_args(hint) if each is not type(None)))
    if origin is list:
        return f"[{_type_name(get_args(hint)[0])}]"
    return hint.__name__ if isinstance(hint, type) and issubclass(hint, Record) else _LEAVES[hint]
