"""Putting items into collections and taking them out: Archive docs, collections."""

from __future__ import annotations

from typing import Any

from server.sandbox.data import Workspace
from server.sandbox.ids import Kind
from server.sandbox.resolvers import Info, Resolver, user_error

Payload = dict[str, Any]


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


def _errors(home: Workspace, given: Payload, names: list[str], *, known_names_only: bool) -> list[Payload]:
    ids = given.get("collectionIds") or []
    if home.item_by_id(given["itemId"]) is None:
        return [user_error("itemId", "Item not found")]
    if not names and not ids:
        return [user_error("collectionNames", "Give at least one collection")]
    if any(not name.strip() for name in names):
        return [user_error("collectionNames", "A collection's name must not be blank")]
    known = {collection.name for collection in home.collections}
    unknown = [name for name in names if name not in known] if known_names_only else []
    errors = [user_error("collectionNames", f"Collection '{name}' does not exist") for name in unknown]
    missing = [text for text in ids if _number(home, text) is None]
    return errors + [user_error("collectionIds", f"Collection {text} not found in this workspace") for text in missing]


def _number(home: Workspace, text: str) -> int | None:
    number = home.number_of(Kind.COLLECTION, text)
    return number if number is not None and number < len(home.collections) else None


def _move(home: Workspace, given: Payload, names: list[str], *, inside: bool) -> Payload:
    existing = {collection.name for collection in home.collections}
    home.changes.created.extend(name for name in dict.fromkeys(names) if name not in existing)
    places = {collection.name: number for number, collection in enumerate(home.collections)}
    numbers = [places[name] for name in names] + [_number(home, text) for text in given.get("collectionIds") or []]
    item = home.item_by_id(given["itemId"])
    for number in numbers:
        if number is not None and item is not None:
            home.changes.move(number, item.number, inside=inside)
    return {"item": item, "user_errors": []}


TABLE: dict[str, Resolver] = {
    "addItemToCollections": add_item_to_collections,
    "removeItemFromCollections": remove_item_from_collections,
}
