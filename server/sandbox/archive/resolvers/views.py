"""Saved views of content, creators and social profiles: Archive docs, content views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from server.sandbox.archive.data.saved import SavedView
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.errors import make_error
from server.sandbox.archive.resolvers.context import (
    MAX_ROWS,
    Info,
    Payload,
    Resolver,
    delete,
    mutation,
    require,
)
from server.sandbox.archive.resolvers.groups import move
from server.sandbox.archive.resolvers.saved_checks import check_view
from server.sandbox.ids import Kind

T = TypeVar("T")

_PARTS = {
    "name": "name",
    "filters": "filters",
    "customAttributeConditions": "custom_attribute_conditions",
    "sort": "sort",
    "showReportingStats": "show_reporting_stats",
}
_NAMES = {
    Kind.CONTENT_VIEW: ("ContentView", "content_view"),
    Kind.CREATOR_VIEW: ("CreatorView", "creator_view"),
    Kind.PROFILE_VIEW: ("SocialProfileView", "social_profile_view"),
}


def preset_view(workspace: Workspace, kind: Kind, preset: str) -> SavedView:
    """Return the view that a presetId names. Raises GraphQLError if it is unknown or something
    else."""
    record = workspace.library.find(preset)
    # A group is not a view of another kind, but no view at all.
    if record is None or record.kind is Kind.VIEW_GROUP:
        raise make_error(f"View {preset} not found", "NOT_FOUND")
    if not isinstance(record, SavedView) or record.kind is not kind:
        label = _NAMES[kind][1].replace("_", " ")
        raise make_error(f"{preset} is not a {label}", "WRONG_VIEW_TYPE")
    return record


def sort_by_levels(
    rows: Sequence[T], levels: list[dict[str, str]], keys: dict[str, Callable[[T], Any]]
) -> list[T]:
    """Return the rows in the order of a view, its first level the most important one."""
    ordered = list(rows)
    # By the last level first: sorting is stable, so that earlier levels keep its order in ties.
    for level in reversed(levels):
        ordered.sort(key=keys[level["sortKey"]], reverse=level["sortOrder"] == "DESC")
    return ordered


def _list(kind: Kind, _: None, info: Info, **arguments: Any) -> list[SavedView]:
    library = info.context.workspace.library
    group_id = (arguments.get("filter") or {}).get("groupId")
    views = library.views[kind].latest_update_first()
    if group_id is not None:
        group = library.groups.find(group_id)
        # Without this an unknown group would list the views outside any group.
        views = [view for view in views if group is not None and view.group == group]
    return views[:MAX_ROWS]


def _get(kind: Kind, _: None, info: Info, **arguments: str) -> SavedView | None:
    return info.context.workspace.library.views[kind].find(arguments["id"])


def _create(kind: Kind, _: None, info: Info, **arguments: Any) -> Payload:
    # Null means the default here, while an update refuses it.
    parts = {part: value for part, value in arguments["input"].items() if value is not None}
    check_view(info, kind, parts)
    fields = {"custom_attribute_conditions": [], "sort": [], **_rename_parts(parts)}
    view = info.context.workspace.library.views[kind].create(**fields)
    return {_NAMES[kind][1]: view}


def _update(kind: Kind, _: None, info: Info, **arguments: Any) -> Payload:
    views = info.context.workspace.library.views[kind]
    view = require(views.find(arguments["id"]), "id", "View not found")
    check_view(info, kind, arguments["input"])
    return {_NAMES[kind][1]: views.update(view, **_rename_parts(arguments["input"]))}


def _rename_parts(parts: Payload) -> Payload:
    return {_PARTS[part]: value for part, value in parts.items()}


def _delete(kind: Kind, _: None, info: Info, **arguments: str) -> Payload:
    library = info.context.workspace.library
    return delete(library, library.views[kind], arguments["id"], f"deleted_{_NAMES[kind][1]}_id")


def _move(kind: Kind, _: None, info: Info, **arguments: str | None) -> Payload:
    workspace = info.context.workspace
    view = workspace.library.views[kind].find(arguments["viewId"] or "")
    view = require(view, "viewId", "View not found")
    return {_NAMES[kind][1]: move(workspace, view, arguments.get("groupId"))}


def _operations_of(kind: Kind) -> dict[str, Resolver]:
    """Return the operations of one kind of view."""
    name, field = _NAMES[kind]
    single = name[0].lower() + name[1:]
    complete = mutation(field)
    resolvers: dict[str, Resolver] = {
        f"{single}s": _list,
        single: _get,
        f"create{name}": complete(_create),
        f"update{name}": complete(_update),
        f"delete{name}": complete(_delete),
        f"move{name}ToGroup": complete(_move),
    }
    return {operation: partial(resolver, kind) for operation, resolver in resolvers.items()}


TABLE: dict[str, Resolver] = {
    operation: resolver for kind in _NAMES for operation, resolver in _operations_of(kind).items()
}
