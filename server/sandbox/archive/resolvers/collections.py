"""Collections, and what is put into them or taken out: Archive docs, collections."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive.data.saved import Collection
from server.sandbox.archive.data.workspace import Workspace
from server.sandbox.archive.resolvers.context import Info, Resolver, user_error
from server.sandbox.archive.resolvers.groups import MOST, move
from server.sandbox.archive.resolvers.saved_checks import name_errors

Payload = dict[str, Any]


def collections(_: None, info: Info) -> list[Collection]:
    """Collections, in the order in which they were made."""
    return info.context.workspace.collections[:MOST]


def collection(_: None, info: Info, **given: str) -> Collection | None:
    """One collection, or null."""
    return info.context.workspace.saved.collections.find(given["id"])


def create_collection(_: None, info: Info, **given: dict[str, str]) -> Payload:
    """An empty collection with a name of its own."""
    home, name = info.context.workspace, given["input"]["name"]
    if errors := _unmanaged(home, "name") or _name_errors(home, name, None):
        return {"collection": None, "user_errors": errors}
    return {"collection": home.saved.collections.create(name=name), "user_errors": []}


def update_collection(_: None, info: Info, **given: Any) -> Payload:
    """A new name; the items stay."""
    home, name = info.context.workspace, given["input"]["name"]
    known = home.saved.collections.find(given["id"])
    errors = _unmanaged(home, "id") or _missing(known, "id") or _name_errors(home, name, known)
    if errors or known is None:
        return {"collection": None, "user_errors": errors}
    return {"collection": home.saved.collections.update(known, name=name), "user_errors": []}


def delete_collection(_: None, info: Info, **given: str) -> Payload:
    """Items that were in it stay in the archive."""
    home = info.context.workspace
    if errors := _unmanaged(home, "id"):
        return {"deleted_collection_id": None, "user_errors": errors}
    known = home.saved.collections.find(given["id"])
    if known is not None:
        home.saved.delete(known)
    return {"deleted_collection_id": known.id if known else None, "user_errors": []}


def move_collection_to_group(_: None, info: Info, **given: str | None) -> Payload:
    """Into a group, or out of any with null."""
    home = info.context.workspace
    known = home.saved.collections.find(given["collectionId"] or "")
    errors = _unmanaged(home, "collectionId") or _missing(known, "collectionId")
    if errors or known is None:
        return {"collection": None, "user_errors": errors}
    moved, errors = move(home, known, given.get("groupId"))
    return {"collection": moved, "user_errors": errors}


def _unmanaged(home: Workspace, field: str) -> list[Payload]:
    if not home.brand.old_collections:
        return []
    return [
        user_error(
            field, "Collections of this workspace are in an older format and cannot be managed"
        )
    ]


def _missing(known: Collection | None, field: str) -> list[Payload]:
    return [] if known else [user_error(field, "Collection not found")]


def _name_errors(home: Workspace, name: str, own: Collection | None) -> list[Payload]:
    taken = {other.name for other in home.collections if other != own}
    return name_errors(name) or (
        [user_error("name", f"Collection '{name}' already exists")] if name in taken else []
    )


def add_item_to_collections(_: None, info: Info, **given: Any) -> Payload:
    """All or nothing: one collection that cannot be used rejects the call."""
    home = info.context.workspace
    names = given.get("collectionNames") or []
    if errors := _errors(home, given, names, known_names_only=not given.get("autoCreate")):
        return {"item": None, "user_errors": errors}
    return _move(home, given, names, inside=True)


def remove_item_from_collections(_: None, info: Info, **given: Any) -> Payload:
    """The item itself stays in the archive."""
    home = info.context.workspace
    names = given.get("collectionNames") or []
    if errors := _errors(home, given, names, known_names_only=True):
        return {"item": None, "user_errors": errors}
    return _move(home, given, names, inside=False)


def _errors(
    home: Workspace, given: Payload, names: list[str], *, known_names_only: bool
) -> list[Payload]:
    ids = given.get("collectionIds") or []
    if home.item_by_id(given["itemId"]) is None:
        return [user_error("itemId", "Item not found")]
    if not names and not ids:
        return [user_error("collectionNames", "Give at least one collection")]
    if any(not name.strip() for name in names):
        return [user_error("collectionNames", "A collection's name must not be blank")]
    known = {collection.name for collection in home.collections}
    unknown = [name for name in names if name not in known] if known_names_only else []
    errors = [
        user_error("collectionNames", f"Collection '{name}' does not exist") for name in unknown
    ]
    missing = [text for text in ids if home.saved.collections.find(text) is None]
    return errors + [
        user_error("collectionIds", f"Collection {text} not found in this workspace")
        for text in missing
    ]


def _move(home: Workspace, given: Payload, names: list[str], *, inside: bool) -> Payload:
    places = {known.name: known for known in home.collections}
    for name in names:
        if name not in places:
            places[name] = home.saved.collections.create(name=name)
    by_id = [home.saved.collections.find(text) for text in given.get("collectionIds") or []]
    item = home.item_by_id(given["itemId"])
    for place in (*(places[name] for name in names), *by_id):
        if place is not None and item is not None:
            home.changes.move(place.number, item.number, inside=inside)
    return {"item": item, "user_errors": []}


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
