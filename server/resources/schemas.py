"""Describes one operation from its request class: arguments, returned fields and what it does."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from server.archive.operations import (
    ArchiveRequest,
    MayConfirm,
    Mutation,
    Read,
    ReadMany,
)
from server.archive.records import Record, Selection, fields_of
from server.archive.selection import list_defaults, select
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


def describe_operation(entry: Entry, request: type[Request[Any, Any]]) -> Schema:
    """Return what a caller needs to know of an operation; each record type is described once.

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
    # A read risks nothing and can always be repeated.
    if request.risk != "reads":
        about |= {"risk": request.risk, "repeatable": request.repeatable}
    if confirmation := _describe_confirmation(request):
        about["confirmed"] = confirmation
    if issubclass(request, ArchiveRequest):
        about |= _describe_result(request)
    return about


def _describe_confirmation(request: type[Request[Any, Any]]) -> str:
    """Return when the user is asked first, empty for what changes nothing."""
    if request.confirmed:
        return "always"
    if issubclass(request, MayConfirm):
        return "where there is reason to"
    return "never" if issubclass(request, Mutation) else ""


def _describe_result(request: type[ArchiveRequest[Any]]) -> Schema:
    record = request.record()
    returns: Schema = {"type": record.__name__}
    types: dict[str, Schema] = {}
    # A write returns the same fields always: `fields` is an argument of reads only.
    if issubclass(request, Mutation):
        paths = request.selected.split()
        _add_type(record, types, select(record, paths))
        return {"returns": {**returns, "always": paths}, "types": types}
    if issubclass(request, ReadMany):
        returns = {"type": f"[{record.__name__}]", "as": "nodes"}
    if issubclass(request, Read):
        returns["fieldsBy"] = "fields"
    _add_type(record, types, None)
    return {"returns": returns, "types": types}


def _add_type(record: type[Record], types: dict[str, Schema], selection: Selection | None) -> None:
    """Add a record type and those below it; with a selection only the fields in it."""
    # Types refer to one another in circles: without this the walk would not end. A selection ends.
    if selection is None and record.__name__ in types:
        return
    about = types.setdefault(record.__name__, {"description": describe_type(record)})
    if record.variants:
        about["oneOf"] = [variant.__name__ for variant in record.variants]
        for variant in record.variants:
            _add_type(variant, types, selection)
        return
    # Two parts of a selection may lead to the same type: their fields add up.
    entries = about.setdefault("fields", {})
    if selection is None:
        about["default"] = list_defaults(record)
    for name, info in fields_of(record).items():
        if selection is not None and name not in selection:
            continue
        entries[name] = {"type": _name_type(info.hint)}
        if info.unit:
            entries[name]["unit"] = info.unit
        if info.record is not None:
            _add_type(info.record, types, selection and selection[name])


def _name_type(hint: Any) -> str:
    origin, arguments = get_origin(hint), get_args(hint)
    # Whether it may be null is left out: to Archive nearly everything may.
    if origin in (Annotated, Union, UnionType):
        return _name_type(arguments[0])
    if origin is list:
        return f"[{_name_type(arguments[0])}]"
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.__name__
    return _LEAVES[hint]
