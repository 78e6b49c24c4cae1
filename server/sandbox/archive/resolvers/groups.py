"""Groups of views and collections: Archive docs, view groups."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive.data.saved import Group, Record
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.context import Info, Resolver, user_error
from server.sandbox.archive.resolvers.saved_checks import name_errors
from server.sandbox.ids import Kind

MOST = 1_000
"""Rows of a list without pages; what lies beyond is left out without a word."""

Payload = dict[str, Any]


def view_groups(_: None, info: Info) -> list[Group]:
    """Groups, oldest first."""
    return info.context.workspace.saved.groups.oldest_first()[:MOST]


def view_group(_: None, info: Info, **given: str) -> Group | None:
    """One group, or null."""
    return info.context.workspace.saved.groups.find(given["id"])


def create_view_group(_: None, info: Info, **given: dict[str, str]) -> Payload:
    """An empty group; names need not be unique."""
    name = given["input"]["name"]
    if errors := name_errors(name):
        return _refused(errors)
    return {"view_group": info.context.workspace.saved.groups.create(name=name), "user_errors": []}


def update_view_group(_: None, info: Info, **given: Any) -> Payload:
    """A new name."""
    groups = info.context.workspace.saved.groups
    group, name = groups.find(given["id"]), given["input"]["name"]
    if group is None:
        return _refused([user_error("id", "Group not found")])
    if errors := name_errors(name):
        return _refused(errors)
    return {"view_group": groups.update(group, name=name), "user_errors": []}


def delete_view_group(_: None, info: Info, **given: str) -> Payload:
    """The members stay, outside any group."""
    saved = info.context.workspace.saved
    group = saved.groups.find(given["id"])
    if group is None:
        return {"deleted_view_group_id": None, "moved_view_ids": [], "user_errors": []}
    moved = [saved.move(member, None).id for member in saved.members(group)]
    saved.delete(group)
    return {"deleted_view_group_id": group.id, "moved_view_ids": moved, "user_errors": []}


def reorder_views_in_group(_: None, info: Info, **given: Any) -> Payload:
    """All or nothing: one id that is not a view of the group rejects the call."""
    home = info.context.workspace
    group = home.saved.groups.find(given["groupId"])
    if group is None:
        return _refused([user_error("groupId", "Group not found")])
    found = [home.saved.find(text) for text in given["viewIds"]]
    listed = [record for record in found if record is not None]
    refused = [
        user_error("viewIds", f"{text} {why}")
        for text, record in zip(given["viewIds"], found, strict=True)
        if (why := _unfit(record, group))
    ]
    if len({record.key for record in listed}) < len(listed):
        refused.append(user_error("viewIds", "A view is listed twice"))
    if refused:
        return _refused(refused)
    return {"view_group": home.saved.reorder(group, listed), "user_errors": []}


def _unfit(record: Record | None, group: Group) -> str | None:
    if record is not None and record.kind is Kind.COLLECTION:
        return "is a collection; only views can be reordered"
    if record is None or record.group != group:
        return "is not a view in this group"
    return None


def _refused(errors: list[Payload]) -> Payload:
    return {"view_group": None, "user_errors": errors}


def move(
    home: Workspace, record: Record, group_id: str | None
) -> tuple[Record | None, list[Payload]]:
    """Put a record into a group, or out of any with None; the second value tells why that cannot be
    done."""
    group = home.saved.groups.find(group_id) if group_id is not None else None
    if group_id is not None and group is None:
        return None, [user_error("groupId", "Group not found")]
    return home.saved.move(record, group), []


TABLE: dict[str, Resolver] = {
    "viewGroups": view_groups,
    "viewGroup": view_group,
    "createViewGroup": create_view_group,
    "updateViewGroup": update_view_group,
    "deleteViewGroup": delete_view_group,
    "reorderViewsInGroup": reorder_views_in_group,
}
