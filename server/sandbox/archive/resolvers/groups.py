"""Groups of views and collections: Archive docs, view groups."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive.data.saved import Group, Record
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.context import (
    MAX_ROWS,
    Info,
    Payload,
    Resolver,
    UserErrors,
    check_name,
    mutation,
    require,
    user_error,
)
from server.sandbox.ids import Kind


def view_groups(_: None, info: Info) -> list[Group]:
    """Return groups, oldest first."""
    return info.context.workspace.library.groups.oldest_first()[:MAX_ROWS]


def view_group(_: None, info: Info, **arguments: str) -> Group | None:
    return info.context.workspace.library.groups.find(arguments["id"])


@mutation("view_group")
def create_view_group(_: None, info: Info, **arguments: dict[str, str]) -> Payload:
    """Create an empty group; names need not be unique."""
    name = arguments["input"]["name"]
    check_name(name)
    return {"view_group": info.context.workspace.library.groups.create(name=name)}


@mutation("view_group")
def update_view_group(_: None, info: Info, **arguments: Any) -> Payload:
    """Rename a group."""
    groups, name = info.context.workspace.library.groups, arguments["input"]["name"]
    group = require(groups.find(arguments["id"]), "id", "Group not found")
    check_name(name)
    return {"view_group": groups.update(group, name=name)}


@mutation("deleted_view_group_id", "moved_view_ids")
def delete_view_group(_: None, info: Info, **arguments: str) -> Payload:
    """Delete a group; the members stay, outside any group."""
    library = info.context.workspace.library
    group = library.groups.find(arguments["id"])
    if group is None:
        return {"deleted_view_group_id": None, "moved_view_ids": []}
    # Members first, while the group still tells who they are.
    member_ids = [library.move(member, None).id for member in library.members(group)]
    library.delete(group)
    return {"deleted_view_group_id": group.id, "moved_view_ids": member_ids}


@mutation("view_group")
def reorder_views_in_group(_: None, info: Info, **arguments: Any) -> Payload:
    """Put views of a group first; one id that is not a view of the group rejects the call."""
    library = info.context.workspace.library
    group = require(library.groups.find(arguments["groupId"]), "groupId", "Group not found")
    views: list[Record] = []
    errors: list[Payload] = []
    for text in arguments["viewIds"]:
        record = library.find(text)
        # Misfits count as well when ids are listed twice.
        if record is not None:
            views.append(record)
        if problem := _member_problem(record, group):
            errors.append(user_error("viewIds", f"{text} {problem}"))
    if len({view.key for view in views}) < len(views):
        errors.append(user_error("viewIds", "A view is listed twice"))
    if errors:
        raise UserErrors(*errors)
    return {"view_group": library.reorder(group, views)}


def _member_problem(record: Record | None, group: Group) -> str | None:
    """Return why a record has no place among the views of a group, or None if it has one."""
    if record is None:
        return "is not a view in this group"
    if record.kind is Kind.COLLECTION:
        return "is a collection; only views can be reordered"
    return None if record.group == group else "is not a view in this group"


def move(workspace: Workspace, record: Record, group_id: str | None) -> Record:
    """Put a record into a group, or out of any with None.

    Raises UserErrors for an unknown group.
    """
    group: Group | None = None
    if group_id is not None:
        groups = workspace.library.groups
        group = require(groups.find(group_id), "groupId", "Group not found")
    return workspace.library.move(record, group)


TABLE: dict[str, Resolver] = {
    "viewGroups": view_groups,
    "viewGroup": view_group,
    "createViewGroup": create_view_group,
    "updateViewGroup": update_view_group,
    "deleteViewGroup": delete_view_group,
    "reorderViewsInGroup": reorder_views_in_group,
}
