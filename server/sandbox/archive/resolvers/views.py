"""Saved views of content, creators and social profiles: Archive docs, content views."""

from __future__ import annotations

from functools import partial
from typing import Any

from server.sandbox.archive.data.saved import SavedView
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.context import (
    Info,
    Resolver,
    refused,
    user_error,
)
from server.sandbox.archive.resolvers.groups import MOST, move
from server.sandbox.archive.resolvers.saved_checks import view_errors
from server.sandbox.ids import Kind

Payload = dict[str, Any]

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


def preset_view(home: Workspace, kind: Kind, preset: str) -> SavedView:
    """The view that a presetId names. Raises GraphQLError if it is unknown or something else."""
    found = home.saved.find(preset)
    if found is None or found.kind is Kind.VIEW_GROUP:
        raise refused(f"View {preset} not found", "NOT_FOUND")
    if not isinstance(found, SavedView) or found.kind is not kind:
        raise refused(f"{preset} is not a {_NAMES[kind][1].replace('_', ' ')}", "WRONG_VIEW_TYPE")
    return found


def _views(kind: Kind, _: None, info: Info, **given: Any) -> list[SavedView]:
    home = info.context.workspace
    group = (given.get("filter") or {}).get("groupId")
    found = home.saved.views[kind].latest_update_first()
    if group is not None:
        wanted = home.saved.groups.find(group)
        found = [view for view in found if wanted is not None and view.group == wanted]
    return found[:MOST]


def _view(kind: Kind, _: None, info: Info, **given: str) -> SavedView | None:
    return info.context.workspace.saved_view(kind, given["id"])


def _create(kind: Kind, _: None, info: Info, **given: Any) -> Payload:
    parts = {part: value for part, value in given["input"].items() if value is not None}
    field = _NAMES[kind][1]
    if errors := view_errors(info, kind, parts):
        return {field: None, "user_errors": errors}
    whole = {"custom_attribute_conditions": [], "sort": [], **_renamed(parts)}
    return {field: info.context.workspace.saved.views[kind].create(**whole), "user_errors": []}


def _update(kind: Kind, _: None, info: Info, **given: Any) -> Payload:
    views = info.context.workspace.saved.views[kind]
    view, field = views.find(given["id"]), _NAMES[kind][1]
    if view is None:
        return {field: None, "user_errors": [user_error("id", "View not found")]}
    if errors := view_errors(info, kind, given["input"]):
        return {field: None, "user_errors": errors}
    return {field: views.update(view, **_renamed(given["input"])), "user_errors": []}


def _renamed(parts: Payload) -> Payload:
    return {_PARTS[part]: value for part, value in parts.items()}


def _delete(kind: Kind, _: None, info: Info, **given: str) -> Payload:
    home = info.context.workspace
    view = home.saved_view(kind, given["id"])
    if view is not None:
        home.saved.delete(view)
    return {f"deleted_{_NAMES[kind][1]}_id": view.id if view else None, "user_errors": []}


def _move(kind: Kind, _: None, info: Info, **given: str | None) -> Payload:
    home = info.context.workspace
    view = home.saved_view(kind, given["viewId"] or "")
    if view is None:
        return {_NAMES[kind][1]: None, "user_errors": [user_error("viewId", "View not found")]}
    moved, errors = move(home, view, given.get("groupId"))
    return {_NAMES[kind][1]: moved, "user_errors": errors}


def _table(kind: Kind, name: str) -> dict[str, Resolver]:
    single = name[0].lower() + name[1:]
    return {
        f"{single}s": partial(_views, kind),
        single: partial(_view, kind),
        f"create{name}": partial(_create, kind),
        f"update{name}": partial(_update, kind),
        f"delete{name}": partial(_delete, kind),
        f"move{name}ToGroup": partial(_move, kind),
    }


TABLE: dict[str, Resolver] = {
    operation: resolver
    for kind, (name, _) in _NAMES.items()
    for operation, resolver in _table(kind, name).items()
}
