"""Collections, and what is put into them or taken out: Archive docs, collections."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive.data.saved import Collection
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.context import (
    MAX_ROWS,
    Info,
    Payload,
    Resolver,
    UserErrors,
    check_name,
    delete,
    mutation,
    require,
    user_error,
)
from server.sandbox.archive.resolvers.groups import move


def collections(_: None, info: Info) -> list[Collection]:
    """Return collections, in the order in which they were made."""
    return info.context.workspace.collections[:MAX_ROWS]


def collection(_: None, info: Info, **arguments: str) -> Collection | None:
    return info.context.workspace.library.collections.find(arguments["id"])


@mutation("collection")
def create_collection(_: None, info: Info, **arguments: dict[str, str]) -> Payload:
    """Create an empty collection with a name of its own."""
    workspace, name = info.context.workspace, arguments["input"]["name"]
    _check_format(workspace, "name")
    _check_name(workspace, name, None)
    return {"collection": workspace.library.collections.create(name=name)}


@mutation("collection")
def update_collection(_: None, info: Info, **arguments: Any) -> Payload:
    """Rename a collection; the items stay."""
    workspace, name = info.context.workspace, arguments["input"]["name"]
    _check_format(workspace, "id")
    records = workspace.library.collections
    record = require(records.find(arguments["id"]), "id", "Collection not found")
    _check_name(workspace, name, record)
    return {"collection": records.update(record, name=name)}


@mutation("deleted_collection_id")
def delete_collection(_: None, info: Info, **arguments: str) -> Payload:
    """Delete a collection; items that were in it stay in the archive."""
    workspace = info.context.workspace
    _check_format(workspace, "id")
    library = workspace.library
    return delete(library, library.collections, arguments["id"], "deleted_collection_id")


@mutation("collection")
def move_collection_to_group(_: None, info: Info, **arguments: str | None) -> Payload:
    """Put a collection into a group, or out of any with null."""
    workspace, field = info.context.workspace, "collectionId"
    _check_format(workspace, field)
    record = workspace.library.collections.find(arguments[field] or "")
    record = require(record, field, "Collection not found")
    return {"collection": move(workspace, record, arguments.get("groupId"))}


def _check_format(workspace: Workspace, field: str) -> None:
    # Older collections take items in and out, but cannot be managed themselves.
    if workspace.brand.has_legacy_collections:
        raise UserErrors(
            user_error(
                field,
                "Collections of this workspace are in an older format and cannot be managed",
            )
        )


def _check_name(workspace: Workspace, name: str, own: Collection | None) -> None:
    check_name(name)
    # A collection may keep its own name.
    if name in {other.name for other in workspace.collections if other != own}:
        raise UserErrors(user_error("name", f"Collection '{name}' already exists"))


@mutation("item")
def add_item_to_collections(_: None, info: Info, **arguments: Any) -> Payload:
    """Put an item into collections, all or none of them."""
    may_create = bool(arguments.get("autoCreate"))
    return _move(info.context.workspace, arguments, inside=True, may_create=may_create)


@mutation("item")
def remove_item_from_collections(_: None, info: Info, **arguments: Any) -> Payload:
    """Take an item out of collections; the item itself stays in the archive."""
    return _move(info.context.workspace, arguments, inside=False, may_create=False)


def _move(workspace: Workspace, arguments: Payload, *, inside: bool, may_create: bool) -> Payload:
    names = arguments.get("collectionNames") or []
    ids = arguments.get("collectionIds") or []
    item = require(workspace.item_by_id(arguments["itemId"]), "itemId", "Item not found")
    _check_arguments(names, ids)
    records = workspace.library.collections
    by_name = {record.name: record for record in workspace.collections}
    # One collection that cannot be used rejects the call, before anything is created or moved.
    errors = [
        user_error("collectionNames", f"Collection '{name}' does not exist")
        for name in names
        if not may_create and name not in by_name
    ]
    errors += [
        user_error("collectionIds", f"Collection {text} not found in this workspace")
        for text in ids
        if records.find(text) is None
    ]
    if errors:
        raise UserErrors(*errors)
    for name in names:
        if name not in by_name:
            by_name[name] = records.create(name=name)
    by_id = filter(None, map(records.find, ids))
    for record in (*(by_name[name] for name in names), *by_id):
        workspace.changes.move(record.number, item.number, inside=inside)
    return {"item": item}


def _check_arguments(names: list[str], ids: list[str]) -> None:
    if not names and not ids:
        raise UserErrors(user_error("collectionNames", "Give at least one collection"))
    if not all(map(str.strip, names)):
        raise UserErrors(user_error("collectionNames", "A collection's name must not be blank"))


TABLE: dict[str, Resolver] = {
    "collections": collections,
    "collection": collection,
    "createCollection": create_collection,
    "updateCollection": update_collection,
    "deleteCollection": delete_collection,
    "moveCollectionToGroup": move_collection_to_group,
    "addItemToCollections": add_item_to_collections,
    "removeItemFromCollections": remove_item_from_collections,
}
